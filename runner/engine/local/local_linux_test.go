package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest"
)

// open returns an engine with its files in the usual place, or skips the test if there can be none.
func open(t *testing.T) engine.Engine {
	t.Helper()
	return openIn(t, "")
}

// openIn returns an engine with its files in a folder.
func openIn(t *testing.T, folder string) engine.Engine {
	t.Helper()
	e, err := New(t.Context(), Options{Folder: folder})
	enginetest.Need(t, "local", err)
	return e
}

// After its engines are closed, a process no longer adopts orphans, because nothing would wait for them.
func TestOrphansAreLeftAfterClose(t *testing.T) {
	first, second := open(t), open(t)
	for i, e := range []engine.Engine{first, second, second} {
		assert.Equal(t, parentOfOrphan(t) == os.Getpid(), i < 2,
			"after %d engines were closed, this process is the parent of an orphan", i)
		must.Do(e.Close())
	}
	assert.Equal(t, parentOfOrphan(t) == os.Getpid(), false,
		"after all engines were closed, this process is the parent of an orphan")
}

// parentOfOrphan starts a process whose parent ends, and returns its new parent.
func parentOfOrphan(t *testing.T) int {
	t.Helper()
	out := must.Get(exec.Command("sh", "-c", "(sleep 0.1; ps -o ppid= -p $(sh -c 'echo $PPID')) & exit 0").Output())
	return must.Get(strconv.Atoi(strings.TrimSpace(string(out))))
}

func TestEngine(t *testing.T) {
	slowtest.SkipSequential(t)
	enginetest.Run(t, open, enginetest.Leaves("folder"))
}

// survivor, set in the environment, makes this test start a service in another process of itself, and wait to be
// killed.
const survivor = "BENCHBOOK_LOCALTEST_SURVIVOR"

// Processes that outlive a killed run are swept, with the folder of their space.
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
	output := must.Get(child.StdoutPipe())
	must.Do(child.Start())
	pid := 0
	var said []string
	for lines := bufio.NewScanner(output); pid == 0 && lines.Scan(); {
		said = append(said, lines.Text())
		if number, ok := strings.CutPrefix(lines.Text(), "started "); ok {
			pid, _ = strconv.Atoi(number)
		}
	}
	if pid == 0 {
		t.Fatalf("nothing was started:\n%s", strings.Join(said, "\n"))
	}
	must.Do(child.Process.Kill())
	_ = child.Wait() // it was killed
	time.Sleep(200 * time.Millisecond)
	alive := func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err == nil && !strings.Contains(string(state), ") Z ")
	}
	if !alive() {
		t.Fatal("the process has ended with its parent: there is nothing to test")
	}
	for _, dryRun := range []bool{true, false} {
		found := must.Get(e.Sweep(t.Context(), dryRun))
		found = slices.DeleteFunc(found, func(l engine.Leftover) bool { return l.Run != "survivor" })
		kinds := slice.Map(found, func(l engine.Leftover) string { return l.Kind })
		if slices.Sort(kinds); !slices.Equal(kinds, []string{"folder", "process", "process"}) {
			t.Errorf("dry run %v found %v, want a folder and two processes", dryRun, found)
		}
		for deadline := time.Now().Add(10 * time.Second); !dryRun && alive() && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		assert.Equal(t, alive(), dryRun, "alive after a dry run")
	}
	left := must.Get(filepath.Glob(filepath.Join(parent, folderPrefix+"*")))
	assert.Equal(t, len(left), 1, "folders, of the engine that lives: %q", left)
}

// survive starts a service with a child that has a session of its own.
func survive(t *testing.T) {
	e := must.Get(New(t.Context(), Options{Folder: os.Getenv(survivor)}))
	space := must.Get(e.Open(t.Context(), "survivor"))
	r := startIn(t, e, space, spec.Service{Name: "server",
		Command: []string{"sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & one=$!; " +
			"sleep 1000 >/dev/null 2>&1 & echo $one; wait"},
		Ready: spec.Ready{Log: "\n"}})
	log := must.Get(r.Logs(t.Context()))
	os.Stdout.WriteString("\nstarted " + strings.TrimSpace(string(log)) + "\n")
	time.Sleep(time.Minute)
}

// startIn starts a program of this machine.
func startIn(t *testing.T, e engine.Engine, space engine.Space, service spec.Service) engine.Container {
	t.Helper()
	image := must.Get(e.Prepare(t.Context(), engine.Image{Machine: true}, io.Discard))
	return must.Get(space.Start(t.Context(), engine.Service{Service: service, Image: image}))
}

// opened makes an engine and a space, which are closed at the end of the test.
func opened(t *testing.T) (engine.Engine, engine.Space) {
	t.Helper()
	e := open(t)
	space := must.Get(e.Open(t.Context(), "localtest"))
	t.Cleanup(func() { must.Do(errors.Join(space.Close(context.WithoutCancel(t.Context())), e.Close())) })
	return e, space
}

func in(t *testing.T, r engine.Container, args ...string) string {
	t.Helper()
	exit, err := r.Exec(t.Context(), engine.Command{Args: args})
	if err != nil || exit.Code != 0 {
		t.Fatalf("%q: status %d, %s, %v", args, exit.Code, exit.Stderr, err)
	}
	return string(exit.Stdout)
}

// The command and variables of a service, and commands in it, can use its files. All start in its folder.
func TestFiles(t *testing.T) {
	e, space := opened(t)
	r := startIn(t, e, space, spec.Service{Name: "server",
		Command:     []string{"sh", "-c", ". /srv/run.sh"},
		Environment: []string{"DATA=/srv/data.txt"},
		Configs: []spec.File{{Path: "/srv/data.txt", Data: []byte("data\n")},
			{Path: "/srv/run.sh", Data: []byte("cat $DATA; echo up; sleep 1000\n")}},
		Ready: spec.Ready{Log: "up"}})
	assert.Equal(t, string(must.Get(r.Logs(t.Context()))), "data\nup\n", "its log")
	assert.Equal(t, in(t, r, "sh", "-c", "cat /srv/data.txt; cd .; touch x; ls"), "data\nsrv\nx\n",
		"a command in it found")
	folder := strings.TrimSpace(in(t, r, "pwd"))
	exit := must.Get(r.Exec(t.Context(), engine.Command{Args: []string{"pwd"}, WorkingDir: "/srv"}))
	assert.Equal(t, strings.TrimSpace(string(exit.Stdout)), folder+"/srv", "in /srv it is in")
	must.Do(space.Close(t.Context()))
	_, err := os.Stat(folder)
	assert.Is(t, err, fs.ErrNotExist)
}

// The path of a file is replaced as a whole word only.
func TestPlace(t *testing.T) {
	r := &container{files: map[string]string{"/srv/run": "/tmp/1", "/srv/run.sh": "/tmp/2", "/etc/x y": "/tmp/3"}}
	for text, want := range map[string]string{
		"/srv/run": "/tmp/1", "/srv/run.sh": "/tmp/2", "/etc/x y": "/tmp/3", "--file=/srv/run": "--file=/tmp/1",
		"-f/srv/run": "-f/tmp/1", "file:///srv/run": "file:///tmp/1", "/srv/run:/srv/run.sh": "/tmp/1:/tmp/2",
		"cat /srv/run /srv/run;": "cat /tmp/1 /tmp/1;", `sh '/srv/run' >"/srv/run.sh"`: `sh '/tmp/1' >"/tmp/2"`,
		"/srv/runner": "/srv/runner", "/srv/run.py": "/srv/run.py", "/srv/run/x": "/srv/run/x",
		"/data/srv/run": "/data/srv/run", "data/srv/run": "data/srv/run", "my-f/srv/run": "my-f/srv/run",
		"./srv/run": "./srv/run", "": "",
	} {
		assert.Equal(t, r.place(text), want, "%q becomes", text)
	}
}

// A command ends with its service.
func TestCommandEndsWithService(t *testing.T) {
	e, space := opened(t)
	r := startIn(t, e, space, spec.Service{Name: "server", Command: []string{"sh", "-c", "echo up; sleep 0.3"},
		Ready: spec.Ready{Log: "up"}})
	began := time.Now()
	exit, err := r.Exec(t.Context(), engine.Command{Args: []string{"sleep", "20"}})
	if err != nil || exit.Code != 137 || time.Since(began) > 10*time.Second {
		t.Errorf("it ended after %v with status %d, %v; want 137 when the service ended", time.Since(began), exit.Code, err)
	}
}

// A service gets its grace period. All descendants end with it, in any session and environment, and no folder is left.
func TestEnd(t *testing.T) {
	slowtest.Skip(t)
	parent := t.TempDir()
	e := openIn(t, parent)
	space := must.Get(e.Open(t.Context(), "localtest"))
	mark := filepath.Join(t.TempDir(), "mark")
	r := startIn(t, e, space, spec.Service{Name: "server", StopSignal: "USR1", StopGrace: time.Minute,
		Command: []string{"sh", "-c", "trap 'echo x > " + mark + "; exit 3' USR1; " +
			"env -i setsid sh -c 'sleep 1000; true' & (sleep 1000 &); echo up; while :; do sleep 0.1; done"},
		Ready: spec.Ready{Log: "up"}})
	var pids []int
	for deadline := time.Now().Add(20 * time.Second); len(pids) < 4 && time.Now().Before(deadline); {
		pids = r.(interface{ Processes() []int }).Processes()
	}
	if len(pids) < 4 {
		t.Fatalf("there are processes %v, want the shell, another with a child, and one in the background", pids)
	}
	must.Do(space.Close(t.Context()))
	must.Get(os.Stat(mark))
	for _, pid := range pids {
		assert.Is(t, syscall.Kill(pid, 0), syscall.ESRCH)
	}
	must.Do(e.Close())
	assert.Equal(t, len(must.Get(os.ReadDir(parent))), 0, "what is left")
}

// Commands that end do not end others.
func TestCommandsBesideEachOther(t *testing.T) {
	slowtest.Skip(t)
	e, space := opened(t)
	r := startIn(t, e, space, spec.Service{Name: "server", Command: []string{"sleep", "1000"}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				exit, err := r.Exec(t.Context(), engine.Command{Args: []string{"true"}})
				if err != nil || exit.Code != 0 {
					t.Errorf("status %d, %v", exit.Code, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// Descendants end with a service that ends by itself, and other services stay.
func TestEndedByItself(t *testing.T) {
	e, space := opened(t)
	other := startIn(t, e, space, spec.Service{Name: "other", Command: []string{"sh", "-c", "sleep 1000 & wait"}})
	again := filepath.Join(t.TempDir(), "again")
	must.Write(again, `exec sh "$0"`) // it is often between two programs, where it has no environment
	for i := range 30 {
		r := startIn(t, e, space, spec.Service{Name: fmt.Sprint("short", i), Completes: true,
			Command: []string{"sh", "-c", "setsid sh " + again + " & echo $!"}})
		pid := must.Get(strconv.Atoi(strings.TrimSpace(string(must.Get(r.Logs(t.Context()))))))
		killed := syscall.Kill(pid, 0)
		for begin := time.Now(); killed == nil && time.Since(begin) < 10*time.Second; killed = syscall.Kill(pid, 0) {
			time.Sleep(time.Millisecond) // a busy machine is late to reap it
		}
		if !errors.Is(killed, syscall.ESRCH) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d of service %d is there: %v", pid, i, killed)
		}
	}
	if state, err := other.State(t.Context()); state.Ended || err != nil {
		t.Errorf("the other service has ended: %+v, %v", state, err)
	}
}

// Sweep leaves the folders of other programs, users and live runs alone.
func TestSweepLeavesOthersAlone(t *testing.T) {
	parent := t.TempDir()
	e := openIn(t, parent)
	part := strings.Split(engine.Owner(), ".")
	dead := strings.Join([]string{part[0], part[1], part[2], "1"}, ".")
	folders := map[string]string{ // with the text of the file that names the owner
		folderPrefix + "elsewhere": strings.Join([]string{"another", part[1], part[2], part[3]}, ".") + "\nrun\n",
		folderPrefix + "unowned":   "",
		folderPrefix + "alive":     engine.Owner() + "\nrun\n",
		folderPrefix + "dead":      dead + "\nrun\n",
		folderPrefix + "a-users":   dead + "\nrun\n",
		"of-another":               dead + "\nrun\n",
	}
	for name, owner := range folders {
		must.Do(os.Mkdir(filepath.Join(parent, name), 0o755))
		if owner == "" {
			continue
		}
		must.Write(filepath.Join(parent, name, ownerName), owner)
	}
	if os.Geteuid() == 0 {
		must.Do(os.Chown(filepath.Join(parent, folderPrefix+"a-users"), 65534, 65534))
	} else if err := os.Remove(filepath.Join(parent, folderPrefix+"a-users", ownerName)); err != nil { // then it has no owner
		t.Fatal(err)
	}
	outside := t.TempDir()
	must.Write(filepath.Join(outside, ownerName), dead+"\nrun\n")
	must.Do(os.Symlink(outside, filepath.Join(parent, folderPrefix+"link")))
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
	must.Get(os.Stat(filepath.Join(outside, ownerName)))
	must.Do(e.Close())
}

// Requests for what this machine lacks are rejected. The engine suite tests settings that need a container.
func TestRejected(t *testing.T) {
	e, space := opened(t)
	image := must.Get(e.Prepare(t.Context(), engine.Image{Machine: true}, io.Discard))
	other := must.Get(net.Listen("tcp", "127.0.0.1:0"))
	defer other.Close()
	port := other.Addr().(*net.TCPAddr).Port
	for want, service := range map[string]spec.Service{
		"working directory: there is no folder /etc/passwd on this machine": {WorkingDir: "/etc/passwd"},
		fmt.Sprintf("port %d is in use on this machine", port):              {Expose: []int{port}},
	} {
		service.Name, service.Command = "server", []string{"sleep", "1h"}
		_, err := space.Start(t.Context(), engine.Service{Image: image, Service: service})
		if !errors.As(err, new(*engine.RejectedError)) || !strings.HasPrefix(err.Error(), `"server" could not be started: `+want) {
			t.Errorf("got %v, want a RejectedError %q", err, want)
		}
	}
}
