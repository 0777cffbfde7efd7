package preview_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/site"
	"benchbook/site/preview"
)

// A builder makes a site of its title, unless it has problems.
type builder struct {
	t               *testing.T
	mu              sync.Mutex
	problems, title string
	built           chan struct{}
}

func (b *builder) build(context.Context) preview.Built {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.built <- struct{}{}:
	default:
	}
	if b.problems != "" {
		return preview.Built{Problems: b.problems}
	}
	files, err := site.Files(nil, site.Options{Title: b.title})
	if err != nil {
		b.t.Error(err)
	}
	return preview.Built{Files: files}
}

func (b *builder) set(problems, title string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems, b.title = problems, title
}

// serve serves the site of a builder until the test ends.
func serve(t *testing.T, p preview.Preview) (address string, b *builder) {
	t.Helper()
	b = &builder{t: t, title: "first", built: make(chan struct{}, 100)}
	p.Build = b.build
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- p.Serve(ctx, func(url string) { started <- url }) }()
	select {
	case address = <-started:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the preview ended with %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the preview does not end")
		}
	})
	return address, b
}

// state is an event of the stream.
type state struct{ Version, Problems string }

// states reads the events of a preview until the test ends.
func states(t *testing.T, address string) <-chan state {
	t.Helper()
	response := must.Get(http.Get(address + ".benchbook/events"))
	t.Cleanup(func() { response.Body.Close() })
	out := make(chan state, 100)
	go func() {
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var s state
				if err := json.Unmarshal([]byte(data), &s); err != nil {
					t.Errorf("the event %q: %v", data, err)
				}
				out <- s
			}
		}
	}()
	return out
}

// until waits for a state.
func until(t *testing.T, from <-chan state, what string, is func(state) bool) state {
	t.Helper()
	for limit := time.After(time.Minute); ; {
		select {
		case s := <-from:
			if is(s) {
				return s
			}
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func body(t *testing.T, address string) string {
	t.Helper()
	response := must.Get(http.Get(address))
	defer response.Body.Close()
	data := must.Get(io.ReadAll(response.Body))
	return string(data)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	must.Do(os.MkdirAll(filepath.Dir(name), 0o755))
	must.Do(os.WriteFile(name, []byte(text), 0o644))
}

func TestServe(t *testing.T) {
	address, _ := serve(t, preview.Preview{})
	port := strings.Trim(address[strings.LastIndex(address, ":"):], "/")
	for _, test := range []struct {
		name, method, path, host string
		status                   int
		want                     string
	}{
		{"the index, with the script", "GET", "", "", 200, `<script src="/.benchbook/live.js" data-version="`},
		{"a file", "GET", "feed.xml", "", 200, "<feed"},
		{"a hidden file", "GET", ".benchbook-site.json", "", 404, "404"},
		{"only the head", "HEAD", "", "", 200, ""},
		{"the script", "GET", ".benchbook/live.js", "", 200, "EventSource"},
		{"out of our own folder", "GET", ".benchbook/../../live.js", "", 404, ""},
		{"a page that does not exist", "GET", "later/", "", 404, "Page not found"},
		{"by the name of this machine", "GET", "", "localhost" + port, 200, "benchbook"},
		{"by a name of somebody else", "GET", "", "evil.example" + port, 403, "localhost only"},
		{"by a name that begins like ours", "GET", "", "localhost.evil.example" + port, 403, "localhost only"},
		{"without the port", "GET", "", "localhost", 403, "localhost only"},
		{"with another port", "GET", "", "localhost:1", 403, "localhost only"},
		{"a request that writes", "POST", "", "", 405, "only shows"},
		{"a file that does not exist", "GET", "nothing.html", "", 404, ""},
		{"out of the folder", "GET", "../../../../etc/passwd", "", 404, ""},
		{"out of the folder, disguised", "GET", "..%2f..%2fetc%2fpasswd", "", 404, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := must.Get(http.NewRequest(test.method, address+test.path, nil))
			request.Host = test.host
			response := must.Get(http.DefaultClient.Do(request))
			defer response.Body.Close()
			body := must.Get(io.ReadAll(response.Body))
			assert.Equal(t, response.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'",
				"other pages may frame it: Content-Security-Policy")
			if response.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("got %d and %.200q, want %d and %q", response.StatusCode, body, test.status, test.want)
			}
		})
	}
}

// A change is built and reported. Problems are reported too, and the pages stay as they were.
func TestFollows(t *testing.T) {
	dir := t.TempDir()
	articles, project := filepath.Join(dir, "experiments"), filepath.Join(dir, "benchbook.yaml")
	article := filepath.Join(articles, "pair", "article.md")
	address, b := serve(t, preview.Preview{Roots: []string{articles}, Files: []string{project}})
	reported := states(t, address)
	last := until(t, reported, "the first state", func(state) bool { return true })
	remove := func(name string) {
		must.Do(os.RemoveAll(name))
	}
	for i, step := range []struct {
		name string
		do   func()
	}{
		{"the folder of articles is made", func() { write(t, article, "one") }},
		{"an article is written", func() { write(t, article, "two") }},
		{"an article is replaced", func() {
			write(t, article+"~", "three")
			must.Do(os.Rename(article+"~", article))
		}},
		{"the folder goes", func() { remove(articles) }},
		{"the folder comes back", func() { write(t, article, "four") }},
		{"an article in the new folder is written", func() { write(t, article, "five") }},
		{"the project file is made", func() { write(t, project, "title: x") }},
	} {
		b.set("", fmt.Sprint("title ", i))
		step.do()
		for !strings.Contains(body(t, address), fmt.Sprint("<title>title ", i)) {
			last = until(t, reported, step.name, func(s state) bool { return s.Version != last.Version })
		}
	}
	b.set("article.md:3: unknown key <script>alert(1)</script>", "")
	write(t, article, "wrong")
	until(t, reported, "the problem", func(s state) bool { return strings.Contains(s.Problems, "unknown key <script>") })
	if page := body(t, address); !strings.Contains(page, "<title>title ") || strings.Contains(page, "unknown key") {
		t.Errorf("the page is not as it was: %.300s", page)
	}
	b.set("", "mended")
	write(t, article, "right")
	until(t, reported, "no problem", func(s state) bool { return s.Problems == "" })
	if page := body(t, address); !strings.Contains(page, "<title>mended") {
		t.Errorf("the page is not as it is now: %.300s", page)
	}
}

// Hidden files and the temporary files of editors are not followed.
func TestIgnores(t *testing.T) {
	dir := t.TempDir()
	_, b := serve(t, preview.Preview{Roots: []string{dir}})
	<-b.built
	for _, name := range []string{".article.md.swp", "article.md~", "#article.md#", "4913", ".git/index", ".hidden/a.md"} {
		write(t, filepath.Join(dir, name), "")
	}
	select {
	case <-b.built:
		t.Error("the site was built again")
	case <-time.After(300 * time.Millisecond):
	}
}

func TestPortInUse(t *testing.T) {
	l := must.Get(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	err := preview.Preview{Port: l.Addr().(*net.TCPAddr).Port}.Serve(t.Context(), func(string) {})
	assert.Error(t, err, "is taken")
	assert.Error(t, err, "--port")
}
