package bundles

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"benchbook/notebook/bundle"
)

// A bundle is opened from a file or an address; anything else is refused with its reason.
func TestOpenBundle(t *testing.T) {
	var made bytes.Buffer
	if _, _, err := bundle.Write(&made, bundle.About{Article: "hello"}, []bundle.Input{{Path: "a",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("a")), nil }}}); err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{
		"/hello.bundle": made.String(),
		"/page/":        `<p><a class="x" href="hello.bundle" download>bundle</a>`,
		"/empty":        "",
		"/compressed/":  made.String()[:20],
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/hello.bundle", http.StatusFound)
			return
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, text) // who does not read it is the test
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "hello.bundle"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, made.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ from, err string }{
		{file, ""},
		{server.URL + "/hello.bundle", ""},
		{server.URL + "/moved", ""},
		{server.URL + "/page/", "not a bundle"},
		{server.URL + "/empty", "not a bundle"},
		{server.URL + "/compressed/", "/compressed/: "},
		{server.URL + "/nothing", "404"},
		{dir, "is not a file"},
		{pipe, "is not a file"},
		{filepath.Join(dir, "none"), "no such file"},
	}
	for _, test := range tests {
		r, done, err := openBundle(t.Context(), test.from, bundle.Limits{})
		switch {
		case err != nil && (test.err == "" || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: %v, want %q", test.from, err, test.err)
		case err == nil && test.err != "":
			t.Errorf("%s is opened, want %q", test.from, test.err)
		case err == nil:
			if r.Manifest().Article != "hello" {
				t.Errorf("%s: %+v", test.from, r.Manifest())
			}
			done()
		}
	}
}
