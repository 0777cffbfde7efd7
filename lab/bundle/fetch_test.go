package bundle

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// small is a bundle of one file.
func small(t *testing.T) *bytes.Buffer {
	t.Helper()
	made := new(bytes.Buffer)
	if _, _, err := Write(made, About{Article: "hello"}, []Input{{Path: "a",
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("a")), nil }}}); err != nil {
		t.Fatal(err)
	}
	return made
}

// A bundle is opened from a file or an address; anything else is refused with its reason.
func TestOpenBundle(t *testing.T) {
	made := small(t)
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
		r, done, err := openFrom(t.Context(), test.from, Limits{})
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

// odd serves a bundle in the ways in which servers trap those who fetch.
func odd(bundle string) http.HandlerFunc {
	to := func(w http.ResponseWriter, address string) {
		w.Header()["Location"] = []string{address}
		w.WriteHeader(http.StatusFound)
	}
	beforeEnd := func(w http.ResponseWriter, length string) {
		w.Header().Set("Content-Length", length)
		_, _ = io.WriteString(w, bundle[:len(bundle)-9])
		w.(http.Flusher).Flush()
	}
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			to(w, "/loop")
		case "/file":
			to(w, "file:///etc/passwd")
		case "/password":
			to(w, "http://me:planted@"+r.Host+"/nothing")
		case "/other host":
			to(w, "http://localhost:"+r.Host[strings.LastIndex(r.Host, ":")+1:]+"/type")
		case "/type":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, bundle)
		case "/encoded":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, bundle)
		case "/short":
			beforeEnd(w, strconv.Itoa(len(bundle)))
			panic(http.ErrAbortHandler)
		case "/cut":
			beforeEnd(w, strconv.Itoa(len(bundle)-9))
		case "/stalls":
			beforeEnd(w, strconv.Itoa(len(bundle)))
			fallthrough
		case "/silent":
			<-r.Context().Done()
		case "/slow":
			for i := range len(bundle) {
				_, _ = io.WriteString(w, bundle[i:i+1])
				w.(http.Flusher).Flush()
			}
		case "/endless":
			for _, err := io.WriteString(w, bundle); err == nil; {
				_, err = w.Write(make([]byte, 1<<16))
			}
		case "/endless garbage":
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 1<<16))
			}
		case "/endless head":
			for i := range 200 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 8<<10))
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}
}

// A server gives the bundle or costs the reason, soon, whatever it answers. The password in an address is not printed.
func TestOddServers(t *testing.T) {
	defer func(d time.Duration) { fetchTime = d }(fetchTime)
	fetchTime = 700 * time.Millisecond
	made := small(t)
	server := httptest.NewUnstartedServer(odd(made.String()))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	for _, test := range []struct{ path, err string }{
		{"loop", "it leads to"}, {"file", "unsupported protocol scheme"}, {"password", "answers 404"},
		{"other%20host", ""}, {"type", ""}, {"encoded", ""}, {"short", "ends too early"}, {"cut", "ends too early"},
		{"stalls", "sent nothing for 700ms"}, {"silent", "did not answer within 700ms"}, {"slow", ""},
		{"endless", "was appended"}, {"endless%20garbage", "not a bundle"}, {"endless%20head", "exceeded"},
		{"missing", "answers 404"}, {"%zz", "invalid URL escape"},
	} {
		t.Run(test.path, func(t *testing.T) {
			from := strings.Replace(server.URL, "//", "//me:planted@", 1) + "/" + test.path
			r, done, err := openFrom(t.Context(), from, Limits{})
			if err == nil {
				err = r.Extract(filepath.Join(t.TempDir(), "out"), nil)
				done()
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, want %q", err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "planted") {
				t.Errorf("it prints the password: %v", err)
			}
		})
	}
}

// Nobody is led from a protected address to one that is not.
func TestWeakerRedirect(t *testing.T) {
	from, _ := url.Parse("https://a/")
	for address, want := range map[string]bool{"http://a/": true, "https://b/": false, "file:///etc/passwd": true} {
		if to, err := url.Parse(address); err != nil || isWeaker(from, to) != want {
			t.Errorf("to %s: want %v", address, want)
		}
	}
}
