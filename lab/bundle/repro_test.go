package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/notebook/article"
	"benchbook/runner/machine"
)

// The author's records of a host with the ID of this one get another host. Other files, and records of this machine,
// stay.
func TestRecordsOfOurHost(t *testing.T) {
	const own, other = "project/experiments/x/records/c2-aaaaaa/full/1.jsonl",
		"project/experiments/x/records/c2-bbbbbb/full/2.jsonl"
	const data, ours = "project/experiments/x/data/records/c2-aaaaaa/full/1.jsonl",
		"project/experiments/x/records/c2-aaaaaa/full/3.jsonl"
	tests := []struct {
		name    string
		changed string // a file with more in it than the manifest says
		err     string
		gone    []string
	}{
		{"the author's", "", "", []string{own}},
		{"with one of ours among them", own, "1.jsonl has results of this machine among the author's", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			r := &reproduction{Session: &lab.Session{Stderr: io.Discard}, dir: dir, article: &lab.Article{Slug: "x"}}
			for _, name := range []string{"project/benchbook.yaml", own, other, data, ours} {
				text, file := "{\"host\":\"c2-aaaaaa\"}\n", filepath.Join(dir, filepath.FromSlash(name))
				if name != ours {
					sum := sha256.Sum256([]byte(text))
					r.manifest.Files = append(r.manifest.Files, File{Path: name, SHA256: hex.EncodeToString(sum[:])})
				}
				if name == test.changed {
					text += "more"
				}
				if err := files.Write(file, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if r.project, err = article.OpenProject(filepath.Join(dir, "project")); err != nil {
				t.Fatal(err)
			}
			err = r.setHost(machine.Host{ID: "c2-aaaaaa"})
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, want %q", err, test.err)
			}
			var gone []string
			for _, name := range []string{own, other, data, ours} {
				if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
					gone = append(gone, name)
				}
			}
			moved, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(own, "aaaaaa", "aaaaaa-author"))))
			if want := "{\"host\":\"c2-aaaaaa-author\"}\n"; test.err == "" && string(moved) != want {
				t.Errorf("the author's records are %q (%v), want %q", moved, err, want)
			}
			if strings.Join(gone, " ") != strings.Join(test.gone, " ") {
				t.Errorf("gone are %q, want %q", gone, test.gone)
			}
		})
	}
}

// A bundle's texts about itself are printed without characters that act on a terminal.
func TestTextsAreHarmless(t *testing.T) {
	const hostile, harmless = "\x1b]0;owned\x07\x1b[2Jrm\u202e\n-rf", `rm\u202e -rf`
	var out bytes.Buffer
	r := &reproduction{Session: &lab.Session{Stdout: &out}, host: machine.Host{ID: "c2-aaaaaa"}, manifest: Manifest{About: About{
		Title: hostile, Author: hostile, Hosts: []string{hostile},
		Claims: []Claim{{Name: hostile, Verdict: hostile, Host: hostile}},
	}}}
	r.printOrigin()
	r.compare(map[string]results.JudgementJSON{})
	if n := strings.Count(out.String(), harmless); n != 6 || strings.ContainsAny(out.String(), "\x1b\x07\u202e") {
		t.Errorf("%d of 6 texts are printed in plain letters:\n%q", n, out.String())
	}
}
