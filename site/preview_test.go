package site_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"benchbook/site"
	"benchbook/site/theme"
)

// preview serves a site whose builds are counted; broken makes them fail.
func preview(t *testing.T, watch string, broken *atomic.Bool) (address string, builds *atomic.Int32) {
	t.Helper()
	dir := t.TempDir()
	builds = &atomic.Int32{}
	p := site.Preview{Dir: dir, Watch: []string{watch}, Rebuild: func(context.Context) error {
		builds.Add(1)
		if broken.Load() {
			return errors.New("article.md:3: unknown key <script>alert(1)</script>")
		}
		_, err := site.Build(nil, dir, theme.Files, site.Options{})
		return err
	}}
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
		if err := <-ended; err != nil {
			t.Errorf("the preview ended with %v", err)
		}
	})
	return address, builds
}

func TestPreview(t *testing.T) {
	address, _ := preview(t, t.TempDir(), new(atomic.Bool))
	port := strings.Trim(address[strings.LastIndex(address, ":"):], "/")
	tests := []struct {
		name, method, path, host string
		status                   int
		want                     string
	}{
		{"the index, with the script that reloads it", "GET", "", "", 200, `<script src="/.benchbook/reload.js"></script></body>`},
		{"a file", "GET", "style.css", "", 200, "benchbook: one style sheet"},
		{"only the head", "HEAD", "", "", 200, ""},
		{"the script", "GET", ".benchbook/reload.js", "", 200, "EventSource"},
		{"by the name of this machine", "GET", "", "localhost" + port, 200, "benchbook"},
		{"by a name of somebody else", "GET", "", "evil.example" + port, 403, "localhost only"},
		{"by a name that begins like ours", "GET", "", "localhost.evil.example" + port, 403, "localhost only"},
		{"without the port", "GET", "", "localhost", 403, "localhost only"},
		{"with another port", "GET", "", "localhost:1", 403, "localhost only"},
		{"something written", "POST", "", "", 405, "only shows"},
		{"a file that is not there", "GET", "nothing.html", "", 404, ""},
		{"our own manifest", "GET", ".benchbook-site.json", "", 404, ""},
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
			if response.StatusCode != test.status || !strings.Contains(string(body), test.want) {
				t.Errorf("got %d and %.200q, want %d and %q", response.StatusCode, body, test.status, test.want)
			}
		})
	}
}

// A change is built and told to the reader; a mistake is shown, and nothing in it runs.
func TestPreviewFollows(t *testing.T) {
	articles := t.TempDir()
	broken := new(atomic.Bool)
	address, builds := preview(t, articles, broken)
	response, err := http.Get(address + ".benchbook/reload")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewReader(response.Body)
	change := func(name string) {
		t.Helper()
		before := builds.Load()
		if err := os.WriteFile(name, fmt.Append(nil, time.Now()), 0o644); err != nil {
			t.Fatal(err)
		}
		if line, err := events.ReadString('\n'); err != nil || line != "data: built\n" {
			t.Fatalf("got the event %q, %v", line, err)
		}
		if _, err := events.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if builds.Load() == before {
			t.Fatal("the reader was told of a build that was none")
		}
	}
	below := filepath.Join(articles, "new")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	change(filepath.Join(articles, "article.md"))
	change(filepath.Join(below, "article.md")) // in a folder that was not there at the start

	get := func() string {
		response, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	broken.Store(true)
	change(filepath.Join(articles, "article.md"))
	if body := get(); !strings.Contains(body, "unknown key &lt;script&gt;alert(1)") {
		t.Errorf("the problem is not shown: %s", body)
	}
	broken.Store(false)
	change(filepath.Join(articles, "article.md"))
	if body := get(); strings.Contains(body, "unknown key") {
		t.Error("the problem is still shown")
	}
}

func TestPreviewOfNothing(t *testing.T) {
	p := site.Preview{Dir: t.TempDir(), Watch: []string{filepath.Join(t.TempDir(), "gone")}, Rebuild: func(context.Context) error { return nil }}
	if err := p.Serve(context.Background(), func(string) {}); err == nil || !strings.Contains(err.Error(), "watching") {
		t.Errorf("got %v, want an error about watching", err)
	}
}
