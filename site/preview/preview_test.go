package preview_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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
	mu              sync.Mutex
	problems, title string
	roots           []string
	built           chan struct{}
}

func (b *builder) build(context.Context) preview.Built {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.built <- struct{}{}
	if b.problems != "" {
		return preview.Built{Problems: b.problems}
	}
	return preview.Built{Files: must.Get(site.Files(nil, site.Options{Title: b.title})), Roots: b.roots}
}

func (b *builder) set(problems, title string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems, b.title = problems, title
}

// serve serves the site of a builder until the test ends.
func serve(t *testing.T, p preview.Preview) (address string, b *builder) {
	t.Helper()
	b = &builder{title: "first", built: make(chan struct{}, 1000)}
	p.Build = b.build
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string), make(chan struct{})
	go func() {
		defer close(ended)
		must.Do(p.Serve(ctx, func(url string) { started <- url }))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return <-started, b
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
				must.Do(json.Unmarshal([]byte(data), &s))
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

func body(address string) string {
	response := must.Get(http.Get(address))
	defer response.Body.Close()
	return string(must.Get(io.ReadAll(response.Body)))
}

func write(name, text string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644))
}

// A preview answers only to its own names, and serves its pages but no other files, even to malformed requests.
func TestServe(t *testing.T) {
	address, _ := serve(t, preview.Preview{})
	host := strings.Trim(strings.TrimPrefix(address, "http://"), "/")
	port := host[strings.LastIndex(host, ":"):]
	for _, test := range []struct {
		name, line, host, head string
		want, shown            string
	}{
		{"the index, with the script", "GET /", host, "", "200 OK", `<script src="/.benchbook/live.js" data-version="`},
		{"a file", "GET /feed.xml", host, "", "200 OK", "<feed"},
		{"a hidden file", "GET /.benchbook-site.json", host, "", "404 Not Found", "404"},
		{"only the head", "HEAD /", host, "", "200 OK", ""},
		{"the script", "GET /.benchbook/live.js", host, "", "200 OK", "EventSource"},
		{"out of our own folder", "GET /.benchbook/../../live.js", host, "", "404 Not Found", ""},
		{"a page that does not exist", "GET /later/", host, "", "404 Not Found", "Page not found"},
		{"a file that does not exist", "GET /nothing.html", host, "", "404 Not Found", ""},
		{"by the name of this machine", "GET /", "localhost" + port, "", "200 OK", "benchbook"},
		{"by a name of somebody else", "GET /", "evil.example" + port, "", "403 Forbidden", "localhost only"},
		{"by a name that begins like ours", "GET /", "localhost.evil.example" + port, "", "403 Forbidden", "localhost only"},
		{"without the port", "GET /", "localhost", "", "403 Forbidden", "localhost only"},
		{"with another port", "GET /", "localhost:1", "", "403 Forbidden", "localhost only"},
		{"another host in the line", "GET http://evil.example/", host, "", "403 Forbidden", ""},
		{"a tunnel", "CONNECT 127.0.0.1:22", host, "", "403 Forbidden", ""},
		{"a request that writes", "POST /", host, "", "405 Method Not Allowed", "only shows"},
		{"a question of another origin", "OPTIONS /", host, "Origin: http://evil.example\r\n", "405 Method Not Allowed", ""},
		{"a page for another origin", "GET /", host, "Origin: http://evil.example\r\n", "200 OK", ""},
		{"a path that climbs", "GET /../../../../etc/passwd", host, "", "404 Not Found", ""},
		{"a path that climbs, encoded", "GET /..%2f..%2fetc%2fpasswd", host, "", "404 Not Found", ""},
		{"a path that climbs, encoded twice", "GET /%252e%252e/%252e%252e/etc/passwd", host, "", "404 Not Found", ""},
		{"a path with two slashes", "GET //evil.example/%2e%2e", host, "", "200 OK", ""},
		{"a path with NUL", "GET /index.html%00.css", host, "", "404 Not Found", ""},
		{"a path with markup", "GET /<script>alert(1)</script>/", host, "", "404 Not Found", ""},
		{"a path of 100 KB", "GET /" + strings.Repeat("a/", 50_000), host, "", "404 Not Found", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := must.Get(net.Dial("tcp", host))
			defer c.Close()
			must.Do(c.SetDeadline(time.Now().Add(10 * time.Second)))
			must.Get(io.WriteString(c, test.line+" HTTP/1.1\r\nHost: "+test.host+"\r\nConnection: close\r\n"+test.head+"\r\n"))
			answer := string(must.Get(io.ReadAll(c)))
			first, _, _ := strings.Cut(answer, "\r\n")
			assert.Equal(t, strings.HasSuffix(first, test.want), true, "%q ends with %q", first, test.want)
			assert.Contains(t, answer, "Content-Security-Policy: frame-ancestors 'none'\r\n", test.shown)
			assert.Lacks(t, answer, "root:", "Access-Control-Allow", "Set-Cookie", "<script>alert")
		})
	}
}

// Browsers that prefer IPv6 find localhost at ::1.
func TestServesIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	must.Do(l.Close())
	address, _ := serve(t, preview.Preview{})
	assert.Contains(t, body(strings.Replace(address, "127.0.0.1", "[::1]", 1)), `<script src="/.benchbook/live.js"`)
}

// A change is built and reported. Problems are reported, too, and pages stay as they were.
func TestFollows(t *testing.T) {
	dir := t.TempDir()
	articles, project := filepath.Join(dir, "experiments"), filepath.Join(dir, "benchbook.yaml")
	article, theme := filepath.Join(articles, "pair", "article.md"), filepath.Join(dir, "look", "dark", "theme.css")
	address, b := serve(t, preview.Preview{Roots: []string{articles, project}})
	reported := states(t, address)
	last := until(t, reported, "the first state", func(state) bool { return true })
	for i, step := range []struct {
		name string
		do   func() error
	}{
		{"the folder of articles is made", func() error { return write(article, "one") }},
		{"an article is written", func() error { return write(article, "two") }},
		{"an article is replaced", func() error { return errors.Join(write(article+"~", "three"), os.Rename(article+"~", article)) }},
		{"the folder goes", func() error { return os.RemoveAll(articles) }},
		{"the folder comes back", func() error { return write(article, "four") }},
		{"an article in the new folder is written", func() error { return write(article, "five") }},
		{"the project file is made, with a theme", func() error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.roots = []string{theme}
			return write(project, "theme: look/dark/theme.css")
		}},
		{"the theme is made, in new folders", func() error { return write(theme, "p {}") }},
		{"the theme changes", func() error { return write(theme, "b {}") }},
		{"links to themselves and to everything, and a file of a terabyte", func() error {
			huge := filepath.Join(articles, "huge.md")
			return errors.Join(os.Symlink("loop", filepath.Join(articles, "loop")), os.Symlink("/", filepath.Join(articles, "root")),
				write(huge, ""), os.Truncate(huge, 1<<40))
		}},
		{"readers that do not read", func() error {
			for range 20 {
				c := must.Get(net.Dial("tcp", strings.Trim(strings.TrimPrefix(address, "http://"), "/")))
				t.Cleanup(func() { c.Close() })
				must.Get(io.WriteString(c, "GET /.benchbook/events HTTP/1.1\r\nHost: "+c.RemoteAddr().String()+"\r\n\r\n"))
			}
			return write(article, "six")
		}},
	} {
		b.set("", fmt.Sprint("title ", i))
		must.Do(step.do())
		for !strings.Contains(body(address), fmt.Sprint("<title>title ", i)) {
			last = until(t, reported, step.name, func(s state) bool { return s.Version != last.Version })
		}
	}
	b.set("article.md:3: unknown key <script>alert(1)</script>", "")
	must.Do(write(article, "wrong"))
	until(t, reported, "the problem", func(s state) bool { return strings.Contains(s.Problems, "unknown key <script>") })
	if page := body(address); !strings.Contains(page, "<title>title ") || strings.Contains(page, "unknown key") {
		t.Errorf("the page is not as it was: %.300s", page)
	}
	b.set("", "mended")
	must.Do(write(article, "right"))
	until(t, reported, "no problem", func(s state) bool { return s.Problems == "" })
	assert.Contains(t, body(address), "<title>mended")
}

// Hidden files and the temporary files of editors are not followed.
func TestIgnores(t *testing.T) {
	dir := t.TempDir()
	_, b := serve(t, preview.Preview{Roots: []string{dir}})
	<-b.built
	for _, name := range []string{".article.md.swp", "article.md~", "#article.md#", "4913", ".git/index", ".hidden/a.md"} {
		must.Do(write(filepath.Join(dir, name), ""))
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
