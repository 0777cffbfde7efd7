package site_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/site"
	"benchbook/site/theme"
)

// A builder is the Build of a preview under test: it gives the index, and the problems that it was told.
type builder struct {
	t        *testing.T
	mu       sync.Mutex
	problems string
	title    string
	built    chan []string // what had changed
}

func (b *builder) build(_ context.Context, changed []string) site.Built {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.built <- changed:
	default:
	}
	if b.problems != "" {
		return site.Built{Problems: b.problems}
	}
	files, err := site.Files(nil, theme.Files, site.Options{Title: b.title})
	if err != nil {
		b.t.Error(err)
	}
	return site.Built{Files: files}
}

func (b *builder) set(problems, title string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems, b.title = problems, title
}

// preview serves the site of a builder until the test ends.
func preview(t *testing.T, p site.Preview) (address string, b *builder) {
	t.Helper()
	b = &builder{t: t, title: "first", built: make(chan []string, 100)}
	p.Build = b.build
	return serve(t, p), b
}

// serve runs a preview until the test ends.
func serve(t *testing.T, p site.Preview) (address string) {
	t.Helper()
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
	return address
}

// state is what pages are told.
type state struct {
	Version, Problems string
}

// states reads the events of a preview, until the test ends.
func states(t *testing.T, address string) <-chan state {
	t.Helper()
	response, err := http.Get(address + ".benchbook/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the stream has status %d", response.StatusCode)
	}
	out := make(chan state, 100)
	go func() {
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
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
	limit := time.After(time.Minute)
	for {
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
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// styleOf is the address of the style sheet.
func styleOf(t *testing.T) string {
	t.Helper()
	files, err := site.Files(nil, theme.Files, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name := range files {
		if path.Ext(name) == ".css" {
			return name
		}
	}
	t.Fatal("the site has no style sheet")
	return ""
}

func TestPreview(t *testing.T) {
	address, _ := preview(t, site.Preview{})
	port := strings.Trim(address[strings.LastIndex(address, ":"):], "/")
	tests := []struct {
		name, method, path, host string
		status                   int
		want                     string
	}{
		{"the index, with the script that keeps it up to date", "GET", "", "", 200,
			`<script src="/.benchbook/live.js" data-version="`},
		{"a file", "GET", styleOf(t), "", 200, "benchbook: one style sheet"},
		{"a file that is hidden", "GET", ".benchbook-pages/pair", "", 404, "404"},
		{"only the head", "HEAD", "", "", 200, ""},
		{"the script", "GET", ".benchbook/live.js", "", 200, "EventSource"},
		{"out of our own folder", "GET", ".benchbook/../../live.go", "", 404, ""},
		{"a page that is not there", "GET", "later/", "", 404, "Page not found"},
		{"by the name of this machine", "GET", "", "localhost" + port, 200, "benchbook"},
		{"by a name of somebody else", "GET", "", "evil.example" + port, 403, "localhost only"},
		{"by a name that begins like ours", "GET", "", "localhost.evil.example" + port, 403, "localhost only"},
		{"without the port", "GET", "", "localhost", 403, "localhost only"},
		{"with another port", "GET", "", "localhost:1", 403, "localhost only"},
		{"something written", "POST", "", "", 405, "only shows"},
		{"a file that is not there", "GET", "nothing.html", "", 404, ""},
		{"out of the folder", "GET", "../../../../etc/passwd", "", 404, ""},
		{"out of the folder, disguised", "GET", "..%2f..%2fetc%2fpasswd", "", 404, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequest(test.method, address+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = test.host
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Content-Security-Policy"); got != "frame-ancestors 'none'" {
				t.Errorf("pages of others may frame it: Content-Security-Policy is %q", got)
			}
			if response.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("got %d and %.200q, want %d and %q", response.StatusCode, body, test.status, test.want)
			}
		})
	}
}

// What changes is built and told; what is wrong is told, and the pages stay as they were.
func TestPreviewFollows(t *testing.T) {
	dir := t.TempDir()
	articles := filepath.Join(dir, "experiments")
	project := filepath.Join(dir, "benchbook.yaml")
	address, b := preview(t, site.Preview{Roots: []string{articles}, Files: []string{project}})
	told := states(t, address)
	first := until(t, told, "the first state", func(state) bool { return true })
	<-b.built
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	article := filepath.Join(articles, "pair", "article.md")
	// follows does something, and waits until it is told, with the file among what changed.
	n := 0
	follows := func(what string, file string, do func()) {
		t.Helper()
		for len(b.built) > 0 {
			<-b.built
		}
		n++
		b.set("", fmt.Sprint("title ", n))
		do()
		limit := time.After(time.Minute)
		for {
			select {
			case changed := <-b.built:
				if changed == nil || slices.Contains(changed, file) || slices.Contains(changed, filepath.Dir(file)) ||
					slices.Contains(changed, articles) {
					return
				}
			case <-limit:
				t.Fatalf("%s: waited in vain", what)
			}
		}
	}
	follows("the folder of articles is made", article, func() { write(article, "one") })
	follows("it is written", article, func() { write(article, "two") })
	follows("it is written beside and put in its place", article, func() {
		beside := filepath.Join(filepath.Dir(article), "article.md~")
		write(beside, "three")
		if err := os.Rename(beside, article); err != nil {
			t.Fatal(err)
		}
	})
	follows("the folder goes", article, func() {
		if err := os.RemoveAll(articles); err != nil {
			t.Fatal(err)
		}
	})
	follows("the folder comes back", article, func() { write(article, "four") })
	follows("it is written once more", article, func() { write(article, "five") })
	follows("the project file is made", project, func() { write(project, "title: x") })
	until(t, told, "another version", func(s state) bool { return s.Version != first.Version && s.Problems == "" })

	b.set("article.md:3: unknown key <script>alert(1)</script>", "")
	write(article, "wrong")
	until(t, told, "the problem", func(s state) bool { return strings.Contains(s.Problems, "unknown key <script>") })
	if page := body(t, address); !strings.Contains(page, "<title>title ") || strings.Contains(page, "unknown key") {
		t.Errorf("the page is not as it was: %.300s", page)
	}
	b.set("", "mended")
	write(article, "right")
	until(t, told, "no problem", func(s state) bool { return s.Problems == "" })
	if page := body(t, address); !strings.Contains(page, "<title>mended") {
		t.Errorf("the page is not as it is now: %.300s", page)
	}
}

// What is hidden, and what editors leave beside the file that they write, is not followed.
func TestPreviewIgnores(t *testing.T) {
	dir := t.TempDir()
	_, b := preview(t, site.Preview{Roots: []string{dir}})
	<-b.built
	for _, name := range []string{".article.md.swp", "article.md~", "#article.md#", "4913", ".git/index",
		".hidden/article.md"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case changed := <-b.built:
		t.Errorf("the site was built again for %q", changed)
	case <-time.After(400 * time.Millisecond):
	}
}

// The number of streams is bounded, and there is room again when one ends.
func TestPreviewManyReaders(t *testing.T) {
	address, _ := preview(t, site.Preview{})
	var open []*http.Response
	full := false
	for range 250 {
		response, err := http.Get(address + ".benchbook/events")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if full = response.StatusCode == http.StatusServiceUnavailable; full {
			break
		}
		open = append(open, response)
	}
	if !full {
		t.Fatalf("%d streams are open", len(open))
	}
	for _, response := range open[:10] {
		response.Body.Close()
	}
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(address + ".benchbook/events")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("there is no room after streams were closed")
		}
	}
}

func TestPreviewPortInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = site.Preview{Port: l.Addr().(*net.TCPAddr).Port}.Serve(context.Background(), func(string) {})
	if err == nil || !strings.Contains(err.Error(), "is taken") || !strings.Contains(err.Error(), "--port") {
		t.Errorf("got %v", err)
	}
}
