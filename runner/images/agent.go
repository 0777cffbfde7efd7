package images

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"benchbook/internal/files"
	"benchbook/runner/agent"
)

// agentPackage is the package of our program.
const agentPackage = "./runner/benchbook-agent"

// A Finder finds benchbook-agent, the small static program that runs in containers. Releases and make build embed it in
// benchbook (build tag embedded). Otherwise the go command builds it from the sources of benchbook, so that go install
// is enough.
type Finder struct {
	Program string // file of the running benchbook; empty if unknown
	Sources string // folder that it was built from, with go.mod; empty if unknown
	Cache   string // folder for the built agent; empty: build it every time
}

// FinderHere returns the Finder of the running program. Cache may be empty.
func FinderHere(cache string) Finder {
	f := Finder{Cache: cache}
	f.Program, _ = os.Executable() // empty on failure
	// With -trimpath the file has no folder.
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		f.Sources = filepath.Dir(filepath.Dir(filepath.Dir(file)))
	}
	return f
}

// Agent returns the program for Linux on this machine's architecture. The error says how to get it.
func (f Finder) Agent() ([]byte, error) {
	packed, err := embedded.ReadFile("embedded/" + agent.Name + ".gz")
	if err == nil {
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, fmt.Errorf("unpacking %s: %w: build benchbook again with make build", agent.Name, err)
		}
		return io.ReadAll(z)
	}
	data, err := f.build()
	if err != nil {
		return nil, fmt.Errorf("%s is not in benchbook, and %w: use a release of benchbook, or build it with make build",
			agent.Name, err)
	}
	return data, nil
}

// build builds the program with the go command, unless the cache has the build of this benchbook.
func (f Finder) build() ([]byte, error) {
	if f.Program == "" || f.Sources == "" {
		return nil, errors.New("the sources to build it from are not known")
	}
	self, err := os.ReadFile(f.Program)
	if err != nil {
		return nil, err
	}
	kept := filepath.Join(f.Cache, "programs", fmt.Sprintf("%x-%s", sha256.Sum256(self), runtime.GOARCH))
	if data, err := os.ReadFile(kept); err == nil && f.Cache != "" {
		return data, nil
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("there is no go command to build it")
	}
	if _, err := os.Stat(filepath.Join(f.Sources, "go.mod")); err != nil {
		return nil, errors.New("the sources that benchbook was built from are gone")
	}
	folder, err := os.MkdirTemp("", "benchbook-agent-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, agent.Name)
	cmd := exec.Command(goCommand, "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o", made, agentPackage)
	cmd.Dir = f.Sources
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building it in %s failed: %w\n%s", f.Sources, err, bytes.TrimSpace(out))
	}
	data, err := os.ReadFile(made)
	if err != nil || f.Cache == "" {
		return data, err
	}
	if os.RemoveAll(filepath.Dir(kept)) == nil { // drop older builds
		_ = files.Write(kept, data) // a failure costs the next run a second
	}
	return data, nil
}
