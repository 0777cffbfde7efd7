package images

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// module creates a folder of sources that look like ours, and a program.
func module(t *testing.T) (sources, program string) {
	t.Helper()
	dir := t.TempDir()
	sources, program = filepath.Join(dir, "src"), filepath.Join(dir, "bin", "benchbook")
	must.Write(filepath.Join(sources, "go.mod"), "module benchbook\n\ngo 1.26\n")
	must.Write(filepath.Join(sources, filepath.FromSlash(agentPackage), "main.go"),
		"package main\n\nfunc main() { println(\"agent\") }\n")
	must.Write(program, "benchbook")
	return sources, program
}

// go install is enough: the program is built once from the sources, as a static executable for Linux.
func TestBuilt(t *testing.T) {
	sources, program := module(t)
	f := Finder{Program: program, Sources: sources, Cache: t.TempDir()}
	must.Write(filepath.Join(f.Cache, "programs", "0123-"+runtime.GOARCH), "of an older build")
	data := must.Get(f.Agent())
	file := must.Get(elf.NewFile(bytes.NewReader(data)))
	assert.Slice(t, must.Get(file.ImportedLibraries()), nil, "libraries that it needs")
	kept := must.Glob(filepath.Join(f.Cache, "programs", "*"), 1)
	assert.Equal(t, len(kept), 1, "builds in the cache")
	must.Write(kept[0], "kept")
	assert.Equal(t, string(must.Get(f.Agent())), "kept", "what was built before")
}

func TestNotFound(t *testing.T) {
	sources, program := module(t)
	broken := filepath.Join(t.TempDir(), "src")
	must.Do(os.CopyFS(broken, os.DirFS(sources)))
	must.Write(filepath.Join(broken, filepath.FromSlash(agentPackage), "main.go"),
		"package main\n\nfunc main() { undefined() }\n")
	for _, test := range []struct {
		name   string
		finder Finder
		noGo   bool
		want   string
	}{
		{"no sources", Finder{Program: program}, false, "the sources to build it from are not known: use a release"},
		{"sources gone", Finder{Program: program, Sources: sources + "-gone"}, false, "are gone: use a release"},
		{"sources broken", Finder{Program: program, Sources: broken}, false, "undefined"},
		{"no go command", Finder{Program: program, Sources: sources}, true,
			"there is no go command to build it: use a release"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.noGo {
				t.Setenv("PATH", t.TempDir())
			}
			_, err := test.finder.Agent()
			assert.Error(t, err, test.want)
		})
	}
}
