package bundle

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// Bundles are opened from regular files and URLs. Errors do not contain the password of a URL.
func TestOpenStream(t *testing.T) {
	data := sample(t)
	handler := http.NewServeMux()
	handler.HandleFunc("/hello.bundle", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip") // as some servers say of any file that is compressed
		_, _ = w.Write(data)
	})
	handler.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("less"))
	})
	for path, to := range map[string]string{"/moved": "/hello.bundle", "/loop": "/loop", "/file": "file:///etc/passwd"} {
		handler.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{to}
			w.WriteHeader(http.StatusFound)
		})
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	address := strings.Replace(server.URL, "//", "//me:planted@", 1)
	dir := t.TempDir()
	name, pipe := filepath.Join(dir, "hello.bundle"), filepath.Join(dir, "pipe")
	must.Do(os.WriteFile(name, data, 0o644))
	must.Do(syscall.Mkfifo(pipe, 0o644))
	for _, tt := range []struct{ from, err string }{
		{name, ""}, {address + "/hello.bundle", ""}, {address + "/moved", ""},
		{address + "/nothing", "answers 404"}, {address + "/loop", "it leads to"}, {address + "/file", "unsupported protocol"},
		{address + "/%zz", "invalid URL escape"}, {address + "/cut", "/cut: unexpected EOF"},
		{dir, "it is a folder, not a file"}, {pipe, "it is a named pipe"}, {filepath.Join(dir, "none"), "no such file"},
	} {
		r := &reproduction{Session: &lab.Session{Dir: t.TempDir()}}
		stream, err := r.openStream(t.Context(), tt.from, nil)
		if err == nil {
			_, err = openArchive(stream)
			stream.Close()
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %v, want %q", tt.from, err, tt.err)
		}
		if err != nil && strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: the error has the password: %v", tt.from, err)
		}
	}
}

// A download that stalls is aborted, and leaves no file.
func TestFetchStalls(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("less"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	dir := t.TempDir()
	_, err := fetch(t.Context(), server.URL, dir, 200*time.Millisecond, nil)
	assert.Error(t, err, "the server stopped sending")
	left := must.Get(os.ReadDir(dir))
	assert.Equal(t, len(left), 0, "files left")
}

// A redirect does not lead from HTTPS to another scheme.
func TestCheckRedirect(t *testing.T) {
	from := httptest.NewRequest(http.MethodGet, "https://a/", nil)
	for address, allowed := range map[string]bool{"http://a/": false, "https://b/": true} {
		to := httptest.NewRequest(http.MethodGet, address, nil)
		if err := checkRedirect(to, []*http.Request{from}); (err == nil) != allowed {
			t.Errorf("to %s: %v", address, err)
		}
	}
}
