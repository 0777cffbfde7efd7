package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Preview serves a site while its articles are written: it builds, builds again when a file changes, and has the
// reader's pages reload themselves. While the articles have problems, these are shown in place of every page.
//
// It listens on the loopback addresses only, and answers nobody who calls it by another name: a page elsewhere that
// points a name of its own at this machine gets nothing.
type Preview struct {
	Dir   string   // of the site
	Watch []string // folders whose files matter, with all below them but hidden ones and Dir
	Port  int      // 0: a free one

	// Rebuild builds the site into Dir. The text of its error is shown to the reader.
	Rebuild func(context.Context) error
}

const (
	reloadPath = "/.benchbook/reload"    // the stream that tells pages to reload
	scriptPath = "/.benchbook/reload.js" // the script that listens to it
)

// reloadScript is put into pages by the preview only.
const reloadScript = `new EventSource("` + reloadPath + `").onmessage = function () { location.reload(); };
`

// settle is how long nothing may change before the site is built again: editors write a file in several steps.
const settle = 120 * time.Millisecond

// Serve builds the site and serves it until ctx ends, which is no error. Once it listens it calls started with the
// address of the index.
//
// The error says what could not be listened on or watched. That the site cannot be built is shown, not returned.
func (p Preview) Serve(ctx context.Context, started func(url string)) error {
	listeners, port, err := listen(p.Port)
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching the articles: %w", err)
	}
	defer watcher.Close()
	for _, dir := range p.Watch {
		if err := p.watch(watcher, dir); err != nil {
			return fmt.Errorf("watching the articles: %w", err)
		}
	}
	s := &previewServer{Preview: p, port: port, readers: map[chan struct{}]bool{}}
	s.build(ctx)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
		// What a browser that goes away in the middle leaves behind is nobody's business.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	started("http://127.0.0.1:" + strconv.Itoa(port) + "/")
	defer server.Close()
	return s.follow(ctx, watcher, failed)
}

// listen takes one port on both loopback addresses; on a machine without IPv6 on the other one alone.
func listen(port int) ([]net.Listener, int, error) {
	first, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, 0, fmt.Errorf("serving the preview: %w", err)
	}
	listeners := []net.Listener{first}
	port = first.Addr().(*net.TCPAddr).Port
	if second, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port))); err == nil {
		listeners = append(listeners, second)
	}
	return listeners, port, nil
}

// watch follows a folder and those below it; the library follows single folders.
func (p Preview) watch(w *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && name == dir:
			return err
		case err != nil: // gone again
			return nil
		case !e.IsDir():
			return nil
		case name != dir && strings.HasPrefix(e.Name(), "."), sameFile(name, p.Dir):
			return fs.SkipDir
		}
		return w.Add(name)
	})
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// previewServer is a Preview at work.
type previewServer struct {
	Preview
	port int

	mu      sync.Mutex
	problem string // why the site could not be built
	readers map[chan struct{}]bool
}

// follow builds again whenever something changed and nothing has for a moment.
func (s *previewServer) follow(ctx context.Context, w *fsnotify.Watcher, failed <-chan error) error {
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("serving the preview: %w", err)
		case e, ok := <-w.Events:
			if !ok {
				return errors.New("watching the articles: the watcher ended; start the preview again")
			}
			if strings.HasPrefix(filepath.Base(e.Name), ".") || e.Op == fsnotify.Chmod {
				continue
			}
			if e.Has(fsnotify.Create) {
				// A new folder may already hold what matters; one that is gone again need not be followed.
				if info, err := os.Stat(e.Name); err == nil && info.IsDir() {
					_ = s.watch(w, e.Name)
				}
			}
			quiet = time.After(settle)
		case <-w.Errors:
			quiet = time.After(settle) // events were lost, so something changed
		case <-quiet:
			quiet = nil
			s.build(ctx)
		}
	}
}

// build builds the site and tells readers.
func (s *previewServer) build(ctx context.Context) {
	err := s.Rebuild(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem = ""
	if err != nil {
		s.problem = err.Error()
	}
	for reader := range s.readers {
		select {
		case reader <- struct{}{}:
		default: // it has been told and not yet reloaded
		}
	}
}

// ServeHTTP is part of http.Handler.
func (s *previewServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.isOurs(r.Host):
		http.Error(w, "the preview answers to localhost only", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the preview only shows pages", http.StatusMethodNotAllowed)
	case r.URL.Path == reloadPath:
		s.stream(w, r)
	case r.URL.Path == scriptPath:
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write([]byte(reloadScript))
	default:
		s.file(w, r)
	}
}

// isOurs tells whether a Host header names this server: by the address or localhost, and with the port.
func (s *previewServer) isOurs(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == strconv.Itoa(s.port) &&
		(name == "127.0.0.1" || name == "::1" || strings.EqualFold(name, "localhost"))
}

// stream sends an event after each build.
func (s *previewServer) stream(w http.ResponseWriter, r *http.Request) {
	reader := make(chan struct{}, 1)
	s.mu.Lock()
	s.readers[reader] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.readers, reader)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	if r.Method == http.MethodHead || out.Flush() != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-reader:
			if _, err := w.Write([]byte("data: built\n\n")); err != nil || out.Flush() != nil {
				return
			}
		}
	}
}

// file serves a file of the site; pages with the script that reloads them, or with what is wrong in their place.
func (s *previewServer) file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	if strings.HasPrefix(path.Base(name), ".") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	isPage := path.Ext(name) == ".html"
	s.mu.Lock()
	problem := s.problem
	s.mu.Unlock()
	if isPage && problem != "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_ = problemPage.Execute(w, struct{ Problem, Script string }{problem, scriptPath})
		return
	}
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer root.Close()
	data, err := root.ReadFile(filepath.FromSlash(name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if isPage {
		data = bytes.Replace(data, []byte("</body>"), []byte(`<script src="`+scriptPath+`"></script></body>`), 1)
	}
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(data))
}

// problemPage shows what is wrong with the articles. Texts of authors stand in it, so nothing in it can run but our script.
var problemPage = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'">
<title>Problems · benchbook</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main class="page"><h1>The site cannot be built</h1>
<p class="dek">This page shows itself again when a file changes.</p>
<figure class="listing"><pre><code>{{.Problem}}</code></pre></figure>
</main>
<script src="{{.Script}}"></script>
</body>
</html>
`))
