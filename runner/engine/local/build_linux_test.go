package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func built(t *testing.T, e engine.Engine, b spec.Build) engine.Prepared {
	t.Helper()
	return must.Get(e.Prepare(t.Context(), engine.Image{Build: &engine.Build{For: "the command", Build: b}}, io.Discard))
}

func TestBuild(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	source := func(text string) []spec.File { return []spec.File{{Path: "src/text", Data: []byte(text)}} }
	whole := spec.Build{Files: source("one"), Run: "cat src/text > made"}
	kept := func(text string) spec.Build {
		return spec.Build{Files: source(text), Run: "mkdir bin; cut -c 1-3 src/text > bin/made; pwd >> bin/made", Keep: []string{"bin"}}
	}
	first, again := built(t, e, whole), built(t, e, whole)
	if !first.Built || again.Built || again.ID != first.ID {
		t.Errorf("the same build twice: %+v, then %+v", first, again)
	}
	for _, test := range []struct {
		name   string
		a, b   spec.Build
		isSame bool
	}{
		{"the whole folder, another source", whole, spec.Build{Files: source("two"), Run: whole.Run}, false},
		{"kept files that differ", kept("one"), kept("two"), false},
		{"kept files that do not differ", kept("one"), kept("one, with a remark"), true},
	} {
		if a, b := built(t, e, test.a), built(t, e, test.b); (a.ID == b.ID) != test.isSame || a.Reference == b.Reference {
			t.Errorf("%s: %+v and %+v", test.name, a, b)
		}
	}

	space := must.Get(e.Open(t.Context(), "run"))
	defer space.Close(context.Background())
	c := must.Get(space.Start(t.Context(), engine.Service{Image: built(t, e, kept("one")),
		Service: spec.Service{Name: "server", Command: []string{"sleep", "100"}}}))
	if got := in(t, c, "sh", "-c", "ls; head -n 1 bin/made"); got != "bin\none\n" {
		t.Errorf("in the folder of the build: %q", got)
	}
}

// Several builds at once do not mix.
func TestBuildsAtOnce(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			text := fmt.Sprint(i)
			p, err := e.Prepare(t.Context(), engine.Image{Build: &engine.Build{For: "the command", Build: spec.Build{
				Files: []spec.File{{Path: "src", Data: []byte(text)}}, Run: "cat src > made; sleep 0.02; cat src >> made",
				Keep: []string{"made"}}}}, io.Discard)
			if err != nil {
				t.Error(err)
				return
			}
			made, err := os.ReadFile(filepath.Join(strings.TrimPrefix(p.Reference, buildPrefix), "made"))
			if string(made) != text+text {
				t.Errorf("build %d made %q, %v", i, made, err)
			}
		})
	}
	all.Wait()
}

func TestBuildFails(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	for script, want := range map[string]string{
		"echo no compiler; exit 3": "its script ended with status 3",
		"false; touch made":        "its script ended with status 1",
		"true":                     "its script did not make made, which keep names",
	} {
		_, err := e.Prepare(t.Context(), engine.Image{Build: &engine.Build{For: "the command",
			Build: spec.Build{Run: script, Keep: []string{"made"}}}}, io.Discard)
		failed, ok := errors.AsType[*engine.BuildError](err)
		if !ok || failed.Err.Error() != want || strings.Contains(script, "compiler") && failed.Tail != "    no compiler" {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// A cancelled build ends at once with everything it started.
func TestBuildIsCancelled(t *testing.T) {
	e := openIn(t, t.TempDir())
	defer e.Close()
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	begin, started := time.Now(), filepath.Join(t.TempDir(), "pid")
	_, err := e.Prepare(ctx, engine.Image{Build: &engine.Build{Build: spec.Build{
		Run: "sleep 100 & echo $! > " + started + "; wait"}}}, io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Errorf("a build that is cancelled: %v after %v", err, time.Since(begin))
	}
	text := must.Get(os.ReadFile(started))
	pid := must.Get(strconv.Atoi(strings.TrimSpace(string(text))))
	assert.Is(t, syscall.Kill(pid, 0), syscall.ESRCH)
}
