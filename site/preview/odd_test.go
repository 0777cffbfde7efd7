package preview_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/site/preview"
)

// raw sends bytes to a preview and returns what it answers until it closes or goes silent.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	c := must.Get(net.Dial("tcp", address))
	defer c.Close()
	must.Do(c.SetDeadline(time.Now().Add(500 * time.Millisecond)))
	_, _ = io.WriteString(c, text) // it may have closed already
	answer, _ := io.ReadAll(io.LimitReader(c, 1<<20))
	return string(answer)
}

// Requests that no browser makes get an error or a page, and nothing of the disk or for other origins.
func TestOddRequests(t *testing.T) {
	address, _ := serve(t, preview.Preview{})
	host := strings.Trim(strings.TrimPrefix(address, "http://"), "/")
	ask := func(line, head string) string {
		return line + "\r\nHost: " + host + "\r\nConnection: close\r\n" + head + "\r\n"
	}
	for _, test := range []struct{ name, text, want string }{
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
		{"no host, in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "403 Forbidden"},
		{"two hosts", ask("GET / HTTP/1.1", "Host: evil.example\r\n"), "400 Bad Request"},
		{"another host in the line", ask("GET http://evil.example/ HTTP/1.1", ""), "403 Forbidden"},
		{"a tunnel", ask("CONNECT 127.0.0.1:22 HTTP/1.1", ""), "403 Forbidden"},
		{"a question of another origin", ask("OPTIONS / HTTP/1.1", "Origin: http://evil.example\r\n"), "405 Method Not Allowed"},
		{"a page for another origin", ask("GET / HTTP/1.1", "Origin: http://evil.example\r\n"), "200 OK"},
		{"a path that climbs", ask("GET /../../../../etc/passwd HTTP/1.1", ""), "404 Not Found"},
		{"a path that climbs twice encoded", ask("GET /%252e%252e/%252e%252e/etc/passwd HTTP/1.1", ""), "404 Not Found"},
		{"a path with two slashes", ask("GET //evil.example/%2e%2e HTTP/1.1", ""), "200 OK"},
		{"a path with NUL", ask("GET /index.html%00.css HTTP/1.1", ""), "404 Not Found"},
		{"a path with markup", ask("GET /<script>alert(1)</script>/ HTTP/1.1", ""), "404 Not Found"},
		{"a path of 100 KB", ask("GET /"+strings.Repeat("a/", 50_000)+" HTTP/1.1", ""), "404 Not Found"},
		{"heads of 2 MB", ask("GET / HTTP/1.1", "A: "+strings.Repeat("x", 2<<20)+"\r\n"), "431 Request Header"},
		{"a thousand ranges", ask("GET / HTTP/1.1", "Range: bytes=0-"+strings.Repeat(",0-", 1000)+"\r\n"), "200 OK"},
		{"a body that never comes", ask("GET / HTTP/1.1", "Content-Length: 99\r\n"), "200 OK"},
		{"another protocol", "SSH-2.0-x\r\n\r\n", "400 Bad Request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := raw(t, host, test.text)
			if first, _, _ := strings.Cut(got, "\r\n"); !strings.Contains(first, test.want) {
				t.Errorf("got %q, want %q", first, test.want)
			}
			for _, never := range []string{"root:", "Access-Control-Allow", "Set-Cookie", "<script>alert"} {
				if strings.Contains(got, never) {
					t.Errorf("%q is in the answer", never)
				}
			}
		})
	}
}

// Clients that are slow, deaf or many, and links and large files that appear, keep nobody from the preview.
func TestOddSurroundings(t *testing.T) {
	dir := t.TempDir()
	address, b := serve(t, preview.Preview{Roots: []string{dir}})
	host := strings.Trim(strings.TrimPrefix(address, "http://"), "/")
	hold := func(text string) error {
		for range 20 {
			c, err := net.Dial("tcp", host)
			if err != nil {
				return err
			}
			t.Cleanup(func() { c.Close() })
			if _, err := io.WriteString(c, text); err != nil {
				return err
			}
		}
		return nil
	}
	for _, test := range []struct {
		name string
		do   func() error
	}{
		{"clients that say nothing", func() error { return hold("") }},
		{"clients that stop in the head", func() error { return hold("GET / HTTP/1.1\r\nHo") }},
		{"clients that do not read", func() error {
			return hold(strings.Repeat("GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n", 200))
		}},
		{"streams that nobody reads", func() error {
			return hold("GET /.benchbook/events HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		}},
		{"a link to itself", func() error { return os.Symlink("loop", filepath.Join(dir, "loop")) }},
		{"a link to everything", func() error { return os.Symlink("/", filepath.Join(dir, "root")) }},
		{"a file of a terabyte", func() error {
			huge := filepath.Join(dir, "huge.md")
			return errors.Join(os.WriteFile(huge, nil, 0o644), os.Truncate(huge, 1<<40))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			must.Do(test.do())
			reported := states(t, address)
			b.set("", test.name)
			write(t, filepath.Join(dir, "article.md"), test.name)
			for !strings.Contains(body(t, address), "<title>"+test.name) {
				until(t, reported, "the change", func(state) bool { return true })
			}
		})
	}
}
