package benchbook

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// made runs a command in a folder, and gives what it printed.
func made(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// A release archive is whole: the program in it has those that go into containers in it, and its checksum is right.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a release")
	}
	dist, away := t.TempDir(), t.TempDir()
	made(t, ".", "scripts/release", dist, "linux/"+runtime.GOARCH)
	sums, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	sum, name, _ := strings.Cut(strings.TrimSpace(string(sums)), "  ")
	archive, err := os.ReadFile(filepath.Join(dist, name))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(archive)); got != sum {
		t.Errorf("%s has the checksum %s, and the list says %s", name, got, sum)
	}
	made(t, away, "tar", "xzf", filepath.Join(dist, name))
	folder := filepath.Join(away, strings.TrimSuffix(name, ".tar.gz"))
	for _, file := range []string{"LICENSE", "README.md", "man/benchbook.1", "man/benchbook-run.1",
		"completions/benchbook.bash", "completions/benchbook.zsh"} {
		if info, err := os.Stat(filepath.Join(folder, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	const most = 45_000_000 // bytes of the program
	info, err := os.Stat(filepath.Join(folder, "benchbook"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > most {
		t.Errorf("the program has %d bytes, and may have %d", info.Size(), most)
	}
	for _, link := range deadLinks(t, folder) {
		t.Error(link)
	}
	if page := made(t, folder, "head", "-n", "3", "man/benchbook-run.1"); !strings.Contains(page, `.TH "BENCHBOOK" "1"`) {
		t.Errorf("the manual page begins with %q", page)
	}
	cmd := exec.Command(filepath.Join(folder, "benchbook"), "doctor", "--json")
	cmd.Dir = away
	cmd.Env = append(os.Environ(), "PATH=/nowhere", "XDG_CACHE_HOME="+t.TempDir()) // nothing can be built
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // there may be no engine
		t.Fatal(err)
	}
	var found struct {
		Checks []struct{ Name, Level, Words string }
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	for _, c := range found.Checks {
		if c.Name == "programs" && c.Level != "ok" {
			t.Errorf("the programs: %s", c.Words)
		}
	}
}

var (
	code     = regexp.MustCompile("(?ms)^````.*?^````$|^```.*?^```$|`[^`\n]*`")
	markdown = regexp.MustCompile(`\]\(([^)\s#]+)[^)\s]*\)|src="([^"]+)"`)
)

// deadLinks are the links from the readme of a folder, and from the manual in it, to files that it does not have.
func deadLinks(t *testing.T, folder string) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(folder, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var dead []string
	found := 0
	for _, page := range append(pages, filepath.Join(folder, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range markdown.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			link := m[1] + m[2]
			if strings.Contains(link, ":") { // to the network
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), link)); err != nil {
				dead = append(dead, fmt.Sprintf("%s links to %s, which is not there", filepath.Base(page), link))
			}
		}
	}
	if found < 100 {
		t.Errorf("there are only %d links", found)
	}
	return dead
}

// The image that the recipe makes runs benchbook and has git to publish with.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds an image")
	}
	base := ""
	for _, candidate := range []string{"debian:bookworm-slim", "benchbook/debootstrap:bookworm"} {
		if exec.Command("docker", "image", "inspect", candidate).Run() == nil {
			base = candidate
		}
	}
	if base == "" {
		t.Skip("no engine has an image of Debian to build upon: make engine, and measure an article")
	}
	image := fmt.Sprintf("benchbook-test-image:%d", os.Getpid())
	made(t, ".", "make", "image", "IMAGE="+image, "BASE="+base)
	t.Cleanup(func() { made(t, ".", "docker", "image", "rm", image) })
	if out := made(t, ".", "docker", "run", "--rm", "--network", "none", image, "version"); !strings.HasPrefix(out,
		"benchbook ") {
		t.Errorf("it prints %q", out)
	}
	made(t, ".", "docker", "run", "--rm", "--network", "none", "--entrypoint", "git", image, "version")
}
