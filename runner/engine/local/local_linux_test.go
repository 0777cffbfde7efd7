package local

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

// TestMain lets this program be the one that becomes others.
func TestMain(m *testing.M) {
	BecomeProgram()
	os.Exit(m.Run())
}

// open makes an engine with its files in the usual place, or skips the test where there can be none.
func open(t *testing.T) engine.Engine {
	t.Helper()
	return openIn(t, "")
}

// openIn makes an engine with its files in a folder.
func openIn(t *testing.T, folder string) engine.Engine {
	t.Helper()
	e, err := New(t.Context(), Options{Folder: folder})
	if errors.Is(err, engine.ErrUnavailable) && !strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "local") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute: run without -short")
	}
	enginetest.Run(t, open, enginetest.Leaves("folder"))
}

// survivor, set in the environment, makes this test start a service in another process of itself, and wait to be
// killed.
const survivor = "BENCHBOOK_LOCALTEST_SURVIVOR"

// A process that has let go of its parent is found, and ended, and nothing of its space is left.
func TestSweepEndsWhatSurvived(t *testing.T) {
	if os.Getenv(survivor) != "" {
		survive(t)
		return
	}
	parent := t.TempDir()
	e := openIn(t, parent)
	defer e.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), survivor+"="+parent)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(output); !slices.Contains(said, "started") && lines.Scan(); {
		said = append(said, lines.Text())
	}
	notes, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*", "*", processNote))
	if err != nil || len(notes) != 1 {
		t.Fatalf("there are notes of processes %q (%v), want one; the process said\n%s", notes, err, strings.Join(said, "\n"))
	}
	note, err := os.ReadFile(notes[0])
	if err != nil {
		t.Fatal(err)
	}
	owner, group := strings.TrimSpace(string(note)), groupName(filepath.Dir(notes[0]))
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	time.Sleep(200 * time.Millisecond)
	if alive, known := engine.OwnerAlive(owner); !alive || !known {
		t.Fatalf("the process has ended with its parent (%v, %v): there is nothing to test", alive, known)
	}
	for _, dryRun := range []bool{true, false, false} {
		found, err := e.Sweep(t.Context(), dryRun)
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(l engine.Leftover) bool { return l.Run != "survivor" })
		alive, _ := engine.OwnerAlive(owner)
		if alive != dryRun {
			t.Errorf("dry run %v: alive %v", dryRun, alive)
		}
		t.Logf("dry run %v found %v", dryRun, found)
	}
	if left, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*")); err != nil || len(left) != 1 {
		t.Errorf("there are %q (%v), want the folder of the engine that lives", left, err)
	}
	if left, err := filepath.Glob("/sys/fs/cgroup/*/benchbook/" + group); err != nil || len(left) > 0 {
		t.Errorf("there are control groups %q (%v)", left, err)
	}
}

// survive starts a process that becomes another user by itself, by which the kernel lets go of what binds it to us.
func survive(t *testing.T) {
	e, err := New(t.Context(), Options{Folder: os.Getenv(survivor)})
	if err != nil {
		t.Fatal(err)
	}
	space, err := e.Open(t.Context(), "survivor")
	if err != nil {
		t.Fatal(err)
	}
	image, err := e.Prepare(t.Context(), engine.Image{Machine: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	_, err = space.Start(t.Context(), engine.Service{Service: spec.Service{Name: "server",
		Command: []string{"setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", "echo up; sleep 1000 >/dev/null 2>&1"},
		Ready:   spec.Ready{Log: "up"}},
		Image: image})
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("\nstarted\n")
	time.Sleep(time.Minute)
}

// Folders that others made where ours are stay as they are, whatever they are called.
func TestSweepLeavesOthersAlone(t *testing.T) {
	parent := t.TempDir()
	e := openIn(t, parent)
	part := strings.Split(engine.Owner(), ".")
	dead := strings.Join([]string{part[0], part[1], part[2], "1"}, ".")
	folders := map[string]string{ // and what stands in the file that says whose they are
		folderPrefix + "elsewhere": strings.Join([]string{"another", part[1], part[2], part[3]}, ".") + "\nrun\n",
		folderPrefix + "nobodys":   "",
		folderPrefix + "alive":     engine.Owner() + "\nrun\n",
		folderPrefix + "dead":      dead + "\nrun\n",
		folderPrefix + "a-users":   dead + "\nrun\n",
		"of-somebody-else":         dead + "\nrun\n",
	}
	for name, owner := range folders {
		if err := os.Mkdir(filepath.Join(parent, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if owner == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(parent, name, ownerName), []byte(owner), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(parent, folderPrefix+"a-users"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, ownerName), []byte(dead+"\nrun\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(parent, folderPrefix+"link")); err != nil {
		t.Fatal(err)
	}
	found, err := e.Sweep(t.Context(), false)
	if want := []engine.Leftover{{Kind: "folder", Name: folderPrefix + "dead", Run: "run"}}; err != nil ||
		!slices.Equal(found, want) {
		t.Errorf("swept %v, %v; want %v", found, err, want)
	}
	for name := range folders {
		if _, err := os.Stat(filepath.Join(parent, name)); (err == nil) == (name == folderPrefix+"dead") {
			t.Errorf("%s is there: %v", name, err == nil)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, ownerName)); err != nil {
		t.Errorf("what a link led to was removed: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// What has no meaning without a container, or would concern the whole machine, is refused.
func TestRejected(t *testing.T) {
	e := open(t)
	t.Cleanup(func() { e.Close() })
	image, err := e.Prepare(t.Context(), engine.Image{Machine: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	space, err := e.Open(t.Context(), "localtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := space.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	sleep := []string{"sleep", "1h"}
	tests := []struct {
		name    string
		service engine.Service
		want    string
	}{
		{"no such program", engine.Service{Service: spec.Service{Command: []string{"nosuchprogram"}}},
			`exec: "nosuchprogram": executable file not found in $PATH`},
		{"no such user", engine.Service{Service: spec.Service{Command: sleep, User: "nosuchuser"}},
			`unable to find user nosuchuser: no matching entries in passwd file`},
		{"no such CPU", engine.Service{Service: spec.Service{Command: sleep, CPUSet: "4000"}},
			`Requested CPUs are not available`},
		{"no such signal", engine.Service{Service: spec.Service{Command: sleep, StopSignal: "FOO"}}, `Invalid signal: FOO`},
		{"a folder that is a file", engine.Service{Service: spec.Service{Command: sleep, WorkingDir: "/etc/passwd"}},
			`Cannot mkdir: /etc/passwd is not a directory`},
		{"no such limit", engine.Service{Service: spec.Service{Command: sleep,
			Ulimits: map[string]spec.Ulimit{"nope": {Soft: 1, Hard: 1}}}}, `wrong rlimit value: RLIMIT_NOPE`},
		{"no such capability", engine.Service{Service: spec.Service{Command: sleep, CapAdd: []string{"FLY"}}},
			`unknown capability: "FLY"`},
		{"a setting of the machine", engine.Service{Service: spec.Service{Command: sleep,
			Sysctls: map[string]string{"kernel.panic": "1"}}}, `kernel setting kernel.panic`},
		{"a setting by a detour", engine.Service{Service: spec.Service{Command: sleep,
			Sysctls: map[string]string{"net./../kernel.panic": "1"}}}, `kernel setting net./../kernel.panic`},
		{"a setting that is not there", engine.Service{Service: spec.Service{Command: sleep,
			Sysctls: map[string]string{"net.no.such": "1"}}}, `kernel setting net.no.such`},
		{"a profile", engine.Service{Service: spec.Service{Command: sleep, SecurityOpt: []string{"seccomp=unconfined"}}},
			`security option "seccomp=unconfined"`},
		{"a volume that is not there", engine.Service{Service: spec.Service{Command: sleep,
			Volumes: []spec.Volume{{Target: "/x", Host: "/no/such/folder"}}}}, `volume /x: /no/such/folder`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.service.Name, tt.service.Image = "server", image
			_, err := space.Start(t.Context(), tt.service)
			var refused *engine.RejectedError
			if !errors.As(err, &refused) || !strings.HasPrefix(refused.Error(), `"server" could not be started: `) ||
				!strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a RejectedError with %q", err, tt.want)
			}
		})
	}
}

// Everything that is started and removed leaves nothing, in whatever folder, namespace, control group or process.
func TestLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	e := openIn(t, parent)
	image, err := e.Prepare(t.Context(), engine.Image{Machine: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for range 3 {
		space, err := e.Open(t.Context(), "localtest")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"one", "two"} {
			started, err := space.Start(t.Context(), engine.Service{Service: spec.Service{Name: name,
				Command: []string{"sh", "-c", "sleep 1000 & (setsid sleep 1000 &) ; echo up; wait"},
				Ready:   spec.Ready{Log: "up"}},
				Image: image})
			if err != nil {
				t.Fatal(err)
			}
			threads, err := started.(engine.Threaded).Threads(t.Context())
			if err != nil || len(threads) < 3 {
				t.Errorf("%d threads, %v; want those of three processes", len(threads), err)
			}
			for pid := range threads {
				pids = append(pids, pid)
			}
		}
		if err := space.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is there: %v", pid, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("there are %v, %v", left, err)
	}
}

// Commands run in the namespaces of a service. The first thread of this process, whose namespaces everybody sees as
// those of the process, never gets into them.
func TestFirstThreadStaysOutside(t *testing.T) {
	outside := func() string {
		t.Helper()
		mounts, err := os.Readlink("/proc/self/ns/mnt")
		network, netErr := os.Readlink("/proc/self/ns/net")
		if err := errors.Join(err, netErr); err != nil {
			t.Fatal(err)
		}
		return mounts + " and " + network
	}
	before := outside()
	e := open(t)
	defer e.Close()
	machine, err := e.Prepare(t.Context(), engine.Image{Machine: true}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := e.Open(t.Context(), "threads")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	r, err := opened.Start(t.Context(), engine.Service{Service: spec.Service{Name: "idle",
		Command: []string{"sleep", "1h"}}, Image: machine})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if exit, err := r.Exec(t.Context(), engine.Command{Args: []string{"true"}}); err != nil || exit.Code != 0 {
					t.Errorf("got %+v, %v", exit, err)
				}
			})
		}
		all.Wait()
		if now := outside(); now != before {
			t.Fatalf("after round %d the process is in %s, and was in %s", round+1, now, before)
		}
	}
}
