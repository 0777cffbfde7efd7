// Package preview serves a site while its articles are written. A change rebuilds the site in memory and reloads open
// pages. Problems of articles are shown on top of the last good pages.
//
// It listens on loopback addresses only and checks the Host header, against DNS rebinding.
package preview

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"benchbook/site"
)

// Preview describes the site to serve.
type Preview struct {
	Roots []string // files and folders to follow, without hidden files; they need not exist yet
	Port  int      // 0 for a free one

	// Build makes the site, at the start and after changes.
	Build func(ctx context.Context) Built
}

// Built is the result of a build.
type Built struct {
	Files    map[string]site.File // by slash-separated path; nil keeps the last site
	Problems string               // of articles; may be empty
	Roots    []string             // more files and folders to follow, like Preview.Roots
}

const (
	eventsPath = "/.benchbook/events"  // the stream that tells pages of changes
	livePath   = "/.benchbook/live.js" // the script that reads the stream

	writeTimeout = 10 * time.Second // for an event; then a browser that does not read is dropped
	beat         = 15 * time.Second // between writes to a quiet stream, to detect closed ones
)

//go:embed live.js
var live []byte

// Serve builds the site and serves it until ctx ends, which is not an error. When ready, it calls started with the
// address of the index. It fails if it can't listen or follow files; pages show why a site can't be built.
func (p Preview) Serve(ctx context.Context, started func(url string)) error {
	l, err := listen(p.Port)
	if err != nil {
		return err
	}
	defer l.Close()
	w, err := newWatcher(p.Roots)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := w.changes(ctx)
	s := &server{Preview: p, port: strconv.Itoa(l.Addr().(*net.TCPAddr).Port), changed: make(chan struct{})}
	s.build(ctx, w)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)} // browsers that go away
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	defer server.Close()
	// Browsers may resolve localhost as ::1 first. Without IPv6, the other address is enough.
	if six, err := net.Listen("tcp6", net.JoinHostPort("::1", s.port)); err == nil {
		go func() { _ = server.Serve(six) }()
	}
	started("http://127.0.0.1:" + s.port + "/")
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("serving the preview: %w", err)
		case <-changes:
			s.build(ctx, w)
		}
	}
}

// listen listens on a port of 127.0.0.1.
func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is taken, perhaps by another preview: name another one, or leave out --port for a free one", port)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d is reserved: name one from 1024 upwards, or leave out --port for a free one", port)
	case err != nil:
		return nil, fmt.Errorf("serving the preview: %w", err)
	}
	return l, nil
}

type server struct {
	Preview
	port string

	mu      sync.Mutex
	files   map[string]site.File // of the last good build; nil before
	state   state
	changed chan struct{} // closed when the state changes
}

// A state is what the event stream sends.
type state struct {
	Version  string `json:"version"` // of the site: changes with each good build
	Problems string `json:"problems"`
}

func (s *server) build(ctx context.Context, w *watcher) {
	b := s.Build(ctx)
	if err := w.follow(b.Roots); err != nil {
		b.Problems += err.Error() + "\n"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Files != nil {
		s.files = b.Files
		s.state.Version = strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	s.state.Problems = b.Problems
	close(s.changed)
	s.changed = make(chan struct{})
}

// now returns the state, and a channel that is closed when it changes.
func (s *server) now() (state, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.changed
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
		send(w, r, livePath, live)
	default:
		s.file(w, r)
	}
}

// isOurs reports whether a Host header names this server: an address of loopback or localhost, with the port.
func (s *server) isOurs(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == s.port && (name == "127.0.0.1" || name == "::1" || strings.EqualFold(name, "localhost"))
}

// stream sends the state at once, after each change and at each beat. Slow readers miss intermediate states.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	write := func(text string) bool {
		if out.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
			return false
		}
		_, err := io.WriteString(w, text)
		return err == nil && out.Flush() == nil
	}
	for {
		now, changed := s.now()
		data, err := json.Marshal(now)
		if err != nil || !write("retry: 500\ndata: "+string(data)+"\n\n") {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-time.After(beat):
		}
	}
}

// file serves a file of the site, and adds to pages the script that reloads them.
func (s *server) file(w http.ResponseWriter, r *http.Request) {
	const index = "index.html"
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, index)
	}
	if strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	file, found := s.files[name]
	_, isFolder := s.files[path.Join(name, index)]
	version := s.state.Version
	s.mu.Unlock()
	data, err := file.Read()
	isPage := path.Ext(name) == ".html"
	switch {
	case !found && isFolder: // links within its page are relative to it
		http.Redirect(w, r, (&url.URL{Path: "/" + name + "/"}).String(), http.StatusFound)
	case !found && (isPage || path.Ext(name) == ""):
		// The page may appear once its article has no problems.
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(withLive([]byte(nothingHere), version))
	case !found || err != nil:
		http.NotFound(w, r)
	case isPage:
		send(w, r, name, withLive(data, version))
	default:
		send(w, r, name, data)
	}
}

func send(w http.ResponseWriter, r *http.Request, name string, data []byte) {
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

// The content security policy of a page begins with allowNothing. The script that reloads it needs allowLive, too.
const (
	allowNothing = `content="default-src &#39;none&#39;`
	allowLive    = `; connect-src &#39;self&#39;`
)

// withLive adds the script that reloads a page, and allows it.
func withLive(page []byte, version string) []byte {
	page = bytes.Replace(page, []byte(allowNothing), []byte(allowNothing+allowLive), 1)
	body, rest, _ := bytes.Cut(page, []byte("</body>"))
	return fmt.Appendf(bytes.Clone(body), `<script src="%s" data-version="%s"></script></body>%s`, livePath, version, rest)
}

// nothingHere is the page for unknown addresses.
const nothingHere = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; script-src 'self'"><title>No page</title></head>
<body><main><h1>Page not found</h1>
<p>It appears by itself once an article creates it. <a href="/index.html">All articles</a></p></main></body></html>
`
