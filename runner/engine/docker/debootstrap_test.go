package docker

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"benchbook/runner/engine"
)

func TestHostSources(t *testing.T) {
	const archive, security = "http://mirror.example/debian", "http://mirror.example/debian-security"
	tests := []struct {
		name, file, text string
		want             debianSources
	}{
		{"none", "etc/apt/none", "", debianSources{}},
		{"one line each", "etc/apt/sources.list",
			"deb http://mirror.example/debian bookworm main\ndeb [signed-by=/x] http://mirror.example/debian-security " +
				"bookworm-security main\n",
			debianSources{archive, security}},
		{"deb822", "etc/apt/sources.list.d/debian.sources",
			"Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\n\nTypes: deb\n" +
				"URIs: http://mirror.example/debian-security\n",
			debianSources{archive, security}},
		{"commented out", "etc/apt/sources.list",
			"# deb http://old.example/debian bookworm main\ndeb http://mirror.example/debian bookworm main\n",
			debianSources{archive, ""}},
		{"of somebody else", "etc/apt/sources.list.d/other.list", "deb https://packages.example/apt stable main\n",
			debianSources{}},
		{"of another distribution", "etc/apt/sources.list", "deb http://mirror.example/ubuntu noble main\n", debianSources{}},
		{"on a medium", "etc/apt/sources.list", "deb cdrom:[Debian]/debian bookworm main\n", debianSources{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hostSources(fstest.MapFS{tt.file: {Data: []byte(tt.text)}}); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What a process left that was killed while it made a base is removed by the next one, and nothing else.
func TestRemoveLeftRoots(t *testing.T) {
	folder := t.TempDir()
	dead := strings.Split(engine.OwnerOf(os.Getpid()), ".")
	dead[3] = "1"
	left := rootPrefix + strings.Join(dead, ".") + "-"
	for _, name := range []string{left + "1/etc/apt", left + "2/proc/self", rootPrefix + engine.OwnerOf(os.Getpid()) +
		"-3/etc", rootPrefix + "4/etc", "other/etc"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("other", filepath.Join(folder, left+"5")); err != nil {
		t.Fatal(err)
	}
	if err := removeLeftRoots(folder); err == nil || !strings.Contains(err.Error(),
		"file systems mounted in "+filepath.Join(folder, left+"2")) {
		t.Errorf("of one in which something is mounted it said %v", err)
	}
	for name, want := range map[string]bool{left + "1": false, left + "2/proc/self": true,
		rootPrefix + engine.OwnerOf(os.Getpid()) + "-3/etc": true,
		rootPrefix + "4/etc": true, left + "5": true, "other/etc": true} {
		if _, err := os.Lstat(filepath.Join(folder, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
}

func TestExtendSources(t *testing.T) {
	const main = "deb http://mirror.example/debian bookworm main\n"
	got := string(extendSources([]byte(main), "bookworm", debianSources{security: "http://s.example/debian-security"}))
	want := main + "deb http://mirror.example/debian bookworm-updates main\n" +
		"deb http://s.example/debian-security bookworm-security main\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := string(extendSources([]byte(main), "sid", debianSources{})); got != main {
		t.Errorf("of sid, which has no updates, got\n%s", got)
	}
}

func TestAptOptions(t *testing.T) {
	const dump = `APT::Architecture "amd64";
Acquire::Check-Date "false";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Proxy "http://127.0.0.1:3128";
Acquire::Languages "none";
`
	var got []string
	for _, option := range aptOptions.FindAllString(dump, -1) {
		if !loopback.MatchString(option) {
			got = append(got, option)
		}
	}
	want := []string{`Acquire::Check-Date "false";`, `Acquire::http::Proxy "http://proxy.example:3128";`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTarTree(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/perl", "perl")
	write("etc/resolv.conf", "nameserver of this machine")
	write("usr/share/doc/perl/copyright", "copyright")
	write("usr/share/doc/perl/README", "read me")
	write("usr/share/man/man1/perl.1", "manual")
	write("var/cache/apt/archives/perl.deb", "package")
	if err := os.Link(filepath.Join(root, "bin/perl"), filepath.Join(root, "bin/perl5")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("perl", filepath.Join(root, "bin/pl")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "bin/perl"), os.ModeSetuid|0o755); err != nil {
		t.Fatal(err)
	}

	var archive bytes.Buffer
	if err := tarTree(&archive, root); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for r := tar.NewReader(&archive); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeDir {
			got[header.Name] = header.FileInfo().Mode().String() + " " + string(data) + header.Linkname
		} else if header.Name == "usr/share/man/man1/" {
			got[header.Name] = "folder"
		}
	}
	want := map[string]string{
		"bin/perl":                     "urwxr-xr-x perl",
		"bin/perl5":                    "urwxr-xr-x bin/perl",
		"bin/pl":                       "Lrwxrwxrwx perl",
		"usr/share/doc/perl/copyright": "-rw-r--r-- copyright",
		"usr/share/man/man1/":          "folder",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
