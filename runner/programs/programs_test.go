package programs

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"benchbook/runner/engine/agent"
)

// What is built is there.
func TestPackage(t *testing.T) {
	if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(agentPackage), "main.go")); err != nil {
		t.Error(err)
	}
}

// module makes a folder of sources that look like ours, and a program that is newer than they are.
func module(t *testing.T) (sources, program string) {
	t.Helper()
	dir := t.TempDir()
	sources, program = filepath.Join(dir, "src"), filepath.Join(dir, "bin", "benchbook")
	files := map[string]string{"go.mod": "module benchbook\n\ngo 1.26\n", "notebook/doc.go": "package notebook\n",
		agentPackage + "/main.go": "package main\n\nfunc main() { println(\"agent\") }\n"}
	for name, text := range files {
		write(t, filepath.Join(sources, filepath.FromSlash(name)), text)
	}
	write(t, program, "benchbook")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(program, later, later); err != nil {
		t.Fatal(err)
	}
	return sources, program
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBeside(t *testing.T) {
	_, program := module(t)
	write(t, filepath.Join(filepath.Dir(program), agent.Name), "the agent")
	data, err := Finder{Program: program}.Agent()
	if err != nil || string(data) != "the agent" {
		t.Errorf("got %q, %v", data, err)
	}
}

// What go install leaves is enough: the program is built from the sources, once, as a static one of Linux.
func TestBuilt(t *testing.T) {
	sources, program := module(t)
	f := Finder{Program: program, Sources: sources, Cache: t.TempDir()}
	write(t, filepath.Join(f.Cache, "programs", "0123456789abcdef-"+runtime.GOARCH, agent.Name), "of an older build")
	data, err := f.Agent()
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it needs %v, %v", libraries, err)
	}
	kept, err := filepath.Glob(filepath.Join(f.Cache, "programs", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("the cache holds %v, %v, want one build", kept, err)
	}
	write(t, filepath.Join(kept[0], agent.Name), "kept")
	if data, err := f.Agent(); err != nil || string(data) != "kept" {
		t.Errorf("got %.20q, %v, and not what was built before", data, err)
	}
}

func TestNotFound(t *testing.T) {
	sources, program := module(t)
	changed := filepath.Join(t.TempDir(), "src")
	if err := os.CopyFS(changed, os.DirFS(sources)); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(changed, "notebook", "doc.go"), later, later); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "src")
	if err := os.CopyFS(broken, os.DirFS(sources)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(broken, filepath.FromSlash(agentPackage), "main.go"),
		"package main\n\nfunc main() { undefined() }\n")
	tests := []struct {
		name   string
		finder Finder
		noGo   bool
		want   string
	}{
		{"no sources", Finder{Program: program}, false, "the sources to build it from are not known: use a release"},
		{"sources gone", Finder{Program: program, Sources: sources + "-gone"}, false, "are gone: use a release"},
		{"sources changed", Finder{Program: program, Sources: changed}, false, filepath.Join("notebook", "doc.go") +
			" has changed since benchbook was built"},
		{"sources broken", Finder{Program: program, Sources: broken}, false, "undefined"},
		{"no go command", Finder{Program: program, Sources: sources}, true,
			"there is no go command to build it: use a release"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.noGo {
				t.Setenv("PATH", t.TempDir())
			}
			if _, err := test.finder.Agent(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
