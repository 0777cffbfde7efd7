// Package programs finds benchbook-agent, the small static program that goes into containers: the load generator, the
// timer of commands, the origin, the relay of links, and what acts for benchbook on other machines.
//
// It is a program of its own, and not benchbook under another name, as it is copied into every container that it
// measures in, and starts there: benchbook itself is several times as large, and what it links is not static
// everywhere.
//
// It is looked for in this order, so that a benchbook that was built with it never takes another:
//
//   - in benchbook itself, where make build and release archives have put it, compressed (build tag embedded);
//   - beside it, in the folder of the running program;
//   - in the cache, or in the sources that benchbook was built from, where the go command builds it: so go install is
//     enough.
package programs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"benchbook/runner/engine/agent"
)

// agentPackage is where the program is built from.
const agentPackage = "./runner/benchbook-agent"

// Finder knows where the program may be. The zero value finds the one that is embedded.
type Finder struct {
	// Program is the file of the running benchbook; empty if it is not known.
	Program string
	// Sources is the folder that it was built from, with its go.mod; empty if that was not kept.
	Sources string
	// Cache is a folder for what was built; empty builds anew every time.
	Cache string
}

// Here is the Finder of the running program. Cache may be empty.
func Here(cache string) Finder {
	f := Finder{Cache: cache}
	if program, err := os.Executable(); err == nil {
		f.Program = program
		if real, err := filepath.EvalSymlinks(program); err == nil {
			f.Program = real
		}
	}
	// With -trimpath there is no folder in it.
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		f.Sources = filepath.Dir(filepath.Dir(filepath.Dir(file)))
	}
	return f
}

// Agent reads the program. It is one of Linux, for the architecture of this machine.
//
// The error says how the program can be had.
func (f Finder) Agent() ([]byte, error) {
	data, err := embedded()
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if f.Program != "" {
		data, err = os.ReadFile(filepath.Join(filepath.Dir(f.Program), agent.Name))
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return f.build()
}

// embedded reads the program that benchbook was built with.
func embedded() ([]byte, error) {
	packed, err := files.ReadFile("embedded/" + agent.Name + ".gz")
	if err != nil {
		return nil, err
	}
	var data []byte
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		data, err = io.ReadAll(z)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w: build benchbook again with make build", agent.Name, err)
	}
	return data, nil
}

// build has the go command build the program from the sources of the running one, unless it is in the cache.
func (f Finder) build() ([]byte, error) {
	lacks := func(why string) error {
		return fmt.Errorf("%s is neither in benchbook nor beside it, and %s: use a release of benchbook, or build it with "+
			"make build", agent.Name, why)
	}
	if f.Program == "" || f.Sources == "" {
		return nil, lacks("the sources to build it from are not known")
	}
	digest, built, err := identify(f.Program)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", agent.Name, err)
	}
	cache, kept := f.Cache, ""
	if cache != "" {
		cache = filepath.Join(cache, "programs")
		kept = filepath.Join(cache, digest+"-"+runtime.GOARCH)
		if data, err := os.ReadFile(filepath.Join(kept, agent.Name)); err == nil {
			return data, nil
		}
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return nil, fmt.Errorf("building %s: %w", agent.Name, err)
		}
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, lacks("there is no go command to build it")
	}
	switch changed, err := newer(f.Sources, built); {
	case err != nil:
		return nil, lacks("the sources that benchbook was built from are gone")
	case changed != "":
		return nil, lacks(changed + " has changed since benchbook was built")
	}
	made, err := os.MkdirTemp(cache, "building-")
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", agent.Name, err)
	}
	defer os.RemoveAll(made)
	cmd := exec.Command(goCommand, "build", "-trimpath", "-ldflags", "-s -w", "-buildvcs=false", "-o",
		made+string(filepath.Separator), agentPackage)
	cmd.Dir = f.Sources
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, lacks(fmt.Sprintf("building it in %s failed: %v\n%s", f.Sources, err, bytes.TrimSpace(out)))
	}
	data, err := os.ReadFile(filepath.Join(made, agent.Name))
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", agent.Name, err)
	}
	if kept != "" {
		keep(made, kept)
	}
	return data, nil
}

// keep moves what was built to its place in the cache, and removes what other builds of benchbook left there. A failure
// costs the next run a second.
func keep(made, kept string) {
	if os.Rename(made, kept) != nil {
		return
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(kept), "*-"+runtime.GOARCH))
	for _, other := range others {
		if err == nil && other != kept {
			_ = os.RemoveAll(other)
		}
	}
}

// identify digests a program and says when it was made.
func identify(program string) (digest string, made time.Time, err error) {
	file, err := os.Open(program)
	if err != nil {
		return "", time.Time{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", time.Time{}, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", time.Time{}, err
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], info.ModTime(), nil
}

// newer names a source file that was changed after a time; empty if there is none. The program would not be the one
// that benchbook was built to talk to.
func newer(sources string, than time.Time) (string, error) {
	if _, err := os.Stat(filepath.Join(sources, "go.mod")); err != nil {
		return "", err
	}
	found := ""
	for _, folder := range []string{"notebook", "runner"} {
		err := filepath.WalkDir(filepath.Join(sources, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if info, err := e.Info(); err == nil && info.ModTime().After(than) {
				if found, err = filepath.Rel(sources, path); err != nil {
					found = path
				}
				return fs.SkipAll
			}
			return nil
		})
		if err != nil || found != "" {
			return found, err
		}
	}
	return "", nil
}
