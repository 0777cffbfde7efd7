package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Preview serves a site while its articles are written. It is made when a file changes, in memory alone: nothing is
// written anywhere. Open pages reload, and browsers keep the place. Problems of articles lie over the pages, which stay
// as they were.
//
// It listens on the loopback addresses only, and answers nobody who calls it by another name: a page elsewhere that
// points a name of its own at this machine gets nothing.
type Preview struct {
	Roots []string // folders whose files matter, with all below them but hidden ones; they need not be there yet
	Files []string // single files that matter
	Port  int      // 0: a free one

	// Build makes the site. It gets the paths that changed since it was last called, nil where anything may have.
	Build func(ctx context.Context, changed []string) Built
	// Notice gets what whoever started the preview should know, such as that changes are seen late. Nil for nobody.
	Notice func(string)
}

type Built struct {
	// Files are the site's, by path with slashes, as Files makes them; nil where the site is as it was.
	Files map[string][]byte
	// Problems is what is wrong with the articles, as text; empty if nothing is.
	Problems string
}

// eventsPath is the stream that tells pages of changes, and livePath the script that listens to it.
const (
	eventsPath = "/.benchbook/events"
	livePath   = "/.benchbook/live.js"
)

// live loads a page anew when the site has changed, and shows problems.
const live = `(function () {
  "use strict";
  var version = document.currentScript.dataset.version;
  new EventSource("` + eventsPath + `").onmessage = function (e) {
    var now = JSON.parse(e.data), box = document.getElementById("benchbook-problems");
    if (now.version !== version) { location.reload(); return; }
    if (box) { box.remove(); }
    if (now.problems) {
      box = document.createElement("pre");
      box.id = "benchbook-problems";
      box.setAttribute("role", "alert");
      box.style.cssText = "position:fixed;inset:auto 0 0 0;max-height:50vh;overflow:auto;margin:0;padding:1em;z-index:9;" +
        "white-space:pre-wrap;background:#fff3e0;color:#1b1e21;border-top:3px solid #b84a00";
      box.textContent = now.problems;
      document.body.appendChild(box);
    }
  };
})();
`

// Bounds against readers that are slow or many.
const (
	mostReaders  = 200              // streams at a time; tabs of one browser share one
	writeTimeout = 10 * time.Second // for each event, so that a browser that stopped reading is let go
	beat         = 15 * time.Second // how often a stream without news is written to, which finds out who is gone
	mostProblems = 64 << 10         // bytes of problems that are sent
)

// Serve builds the site and serves it until ctx ends, which is no error. Once it listens it calls started with the
// address of the index. The error says what could not be listened on; a site that cannot be built is shown.
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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &previewServer{Preview: p, port: port, readers: map[chan struct{}]bool{}}
	changes := make(chan []string)
	w := &watcher{roots: absolute(p.Roots), files: absolute(p.Files), notice: s.notice, told: func(changed []string) {
		select {
		case changes <- changed:
		case <-ctx.Done():
		}
	}}
	following := make(chan struct{})
	w.ready = func() { close(following) }
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	// What changes while the site is built the first time is seen: it is followed from before.
	background.Go(func() { w.watch(ctx) })
	select {
	case <-following:
	case <-ctx.Done():
		return nil
	}
	s.build(ctx, nil)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		// What a browser that goes away in the middle leaves behind is nobody's business.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	started("http://127.0.0.1:" + strconv.Itoa(port) + "/")
	defer server.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("serving the preview: %w", err)
		case changed := <-changes:
			s.build(ctx, changed)
		}
	}
}

func absolute(names []string) []string {
	var out []string
	for _, name := range names {
		if abs, err := filepath.Abs(name); err == nil {
			name = abs
		}
		out = append(out, name)
	}
	return out
}

// listen opens one port on both loopback addresses, or on the only one.
func listen(port int) ([]net.Listener, int, error) {
	first, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, 0, fmt.Errorf("port %d is taken, perhaps by another preview: name another one, or leave out --port for "+
			"a free one", port)
	case errors.Is(err, syscall.EACCES):
		return nil, 0, fmt.Errorf("port %d is not for everybody: name one from 1024 upwards, or leave out --port for a "+
			"free one", port)
	case err != nil:
		return nil, 0, fmt.Errorf("serving the preview: %w", err)
	}
	listeners := []net.Listener{first}
	port = first.Addr().(*net.TCPAddr).Port
	if second, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port))); err == nil {
		listeners = append(listeners, second)
	}
	return listeners, port, nil
}

type previewServer struct {
	Preview
	port int

	mu      sync.Mutex
	files   map[string][]byte // of the site as it could last be built; nil before
	state   state
	readers map[chan struct{}]bool
}

// A state is what pages are sent.
type state struct {
	Version  string `json:"version"` // of the site: a digest of its files
	Problems string `json:"problems"`
}

func (s *previewServer) notice(text string) {
	if s.Notice != nil {
		s.Notice(text)
	}
}

func (s *previewServer) build(ctx context.Context, changed []string) {
	b := s.Build(ctx, changed)
	if len(b.Problems) > mostProblems {
		b.Problems = strings.ToValidUTF8(b.Problems[:mostProblems], "") +
			"…\nmore than fits here: benchbook check prints them all\n"
	}
	s.change(func() {
		if b.Files != nil {
			s.files = b.Files
			s.state.Version = digest(b.Files)
		}
		s.state.Problems = b.Problems
	})
}

// change changes the state and wakes readers.
func (s *previewServer) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
	for reader := range s.readers {
		select {
		case reader <- struct{}{}:
		default: // it has been told and not yet looked
		}
	}
}

func isPage(name string) bool { return path.Ext(name) == ".html" }

func digest(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		one := sha256.Sum256(files[name])
		fmt.Fprintf(sum, "%s\x00%x", name, one)
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12])
}

func (s *previewServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	switch {
	case !s.isOurs(r.Host):
		http.Error(w, "the preview answers to localhost only", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the preview only shows pages", http.StatusMethodNotAllowed)
	case r.URL.Path == eventsPath:
		s.stream(w, r)
	case r.URL.Path == livePath:
		send(w, r, livePath, []byte(live), true)
	default:
		s.file(w, r)
	}
}

func send(w http.ResponseWriter, r *http.Request, name string, data []byte, found bool) {
	if !found {
		http.NotFound(w, r)
		return
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(data))
}

// isOurs reports whether a Host header names this server: the address or localhost, with the port.
func (s *previewServer) isOurs(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == strconv.Itoa(s.port) &&
		(name == "127.0.0.1" || name == "::1" || strings.EqualFold(name, "localhost"))
}

// stream sends the state at each change. Slow readers get the newest one.
func (s *previewServer) stream(w http.ResponseWriter, r *http.Request) {
	reader := make(chan struct{}, 1)
	reader <- struct{}{} // what there is already
	s.mu.Lock()
	full := len(s.readers) >= mostReaders
	if !full {
		s.readers[reader] = true
	}
	s.mu.Unlock()
	if full {
		http.Error(w, "too many pages are open: close some", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		s.mu.Lock()
		delete(s.readers, reader)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	write := func(text string) bool {
		if out.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
			return false
		}
		_, err := io.WriteString(w, text)
		return err == nil && out.Flush() == nil
	}
	if r.Method == http.MethodHead {
		return
	}
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		text := ":\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		case <-reader:
			s.mu.Lock()
			data, err := json.Marshal(s.state)
			s.mu.Unlock()
			if err != nil {
				return
			}
			text = "retry: 500\ndata: " + string(data) + "\n\n"
		}
		if !write(text) {
			return
		}
	}
}

// file serves a file of the site; pages get the script that updates them.
func (s *previewServer) file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, indexFile)
	}
	if strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	data, found := s.files[name]
	_, isFolder := s.files[path.Join(name, indexFile)]
	now := s.state
	s.mu.Unlock()
	switch {
	case !found && isFolder: // links within its page count from there
		http.Redirect(w, r, (&url.URL{Path: "/" + name + "/"}).String(), http.StatusFound)
	case !found && (isPage(name) || path.Ext(name) == ""):
		// There may be a page here once the article has no problems any more.
		var page bytes.Buffer
		if err := nothingHere.Execute(&page, nil); err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(withLive(page.Bytes(), now))
	case isPage(name):
		send(w, r, name, withLive(data, now), true)
	default:
		send(w, r, name, data, found)
	}
}

// The policy of a page begins with the first; the script that updates the page needs the second.
const (
	allowNothing = `content="default-src &#39;none&#39;`
	allowLive    = `; connect-src &#39;self&#39;`
)

// withLive adds the script to a page.
func withLive(page []byte, now state) []byte {
	page = bytes.Replace(page, []byte(allowNothing), []byte(allowNothing+allowLive), 1)
	script := fmt.Sprintf(`<script src="%s" data-version="%s"></script></body>`, livePath, now.Version)
	if i := bytes.LastIndex(page, []byte("</body>")); i >= 0 {
		page = slices.Concat(page[:i], []byte(script), page[i+len("</body>"):])
	}
	return page
}

// nothingHere is shown at addresses without a page.
var nothingHere = template.Must(template.New("nothing").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'">
<title>No page · benchbook</title>
</head>
<body>
<main><h1>Page not found</h1>
<p>It appears by itself once an article creates it. <a href="/index.html">All articles</a></p></main>
</body>
</html>
`))
