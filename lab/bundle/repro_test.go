package bundle

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
)

// The author's records get hosts of their own, so that none counts as a result of this machine.
func TestRenameHosts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]*")
	p, _, err := extract(t.Context(), handmade(t, map[string]string{"project/benchbook.yaml": "title: X\n",
		"project/experiments/x/records/c2-aaaaaa/full/1.jsonl": "{\"host\":\"c2-aaaaaa\"}\nnot JSON\n"}), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"c2-aaaaaa-author/full/1.jsonl": "{\"host\":\"c2-aaaaaa-author\"}\n"}
	if got := tree(t, p.RecordsDir("x")); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The texts of a bundle are printed without characters that act on a terminal.
func TestTextsAreHarmless(t *testing.T) {
	const hostile, harmless = "\x1b]0;owned\x07\x1b[2Jrm\u202e\n-rf", `rm\u202e -rf`
	var out bytes.Buffer
	r := &reproduction{Session: &lab.Session{Stdout: &out, Stderr: &out}, project: &article.Project{},
		plan: &plan.Plan{Profile: plan.Full}, manifest: manifest{Title: hostile, Author: hostile, Hosts: []string{hostile}}}
	r.printOrigin()
	if n := strings.Count(out.String(), harmless); n != 3 || strings.ContainsAny(out.String(), "\x1b\x07\u202e") {
		t.Errorf("%d of 3 texts are printed in plain letters:\n%q", n, out.String())
	}
}

// Bundles are opened from regular files and web addresses. Errors do not have the password of an address.
func TestOpenStream(t *testing.T) {
	data := sample(t)
	handler := http.NewServeMux()
	handler.HandleFunc("/hello.bundle", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip") // as some servers say of any file that is compressed
		_, _ = w.Write(data)
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
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, err string }{
		{name, ""}, {address + "/hello.bundle", ""}, {address + "/moved", ""},
		{address + "/nothing", "answers 404"}, {address + "/loop", "it leads to"}, {address + "/file", "unsupported protocol"},
		{address + "/%zz", "invalid URL escape"},
		{dir, "it is a folder, not a file"}, {pipe, "it is a named pipe"}, {filepath.Join(dir, "none"), "no such file"},
	} {
		stream, err := openStream(t.Context(), tt.from)
		if err == nil {
			_, _, err = opened(t, stream)
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
