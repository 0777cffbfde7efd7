package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"benchbook/internal/phrase"
	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/record"
)

// A daemon is a Docker engine of a test, with its own folder and its own network namespace. In the namespace of another
// engine it would replace that one's bridge and rules, and without a bridge it would even remove docker0.
type daemon struct {
	root   string
	net    *os.File // the namespace, which whoever wants to reach its containers has to be in
	args   []string
	cmd    *exec.Cmd
	killed bool // at some time
}

// ownEngine makes a daemon, not yet started, whose networks share a limited range of addresses. It ends with the test.
func ownEngine(t *testing.T, pool string) *daemon {
	t.Helper()
	needEngine(t)
	_, err := exec.LookPath("dockerd")
	if err == nil && os.Getuid() != 0 {
		err = os.ErrPermission
	}
	slowtest.Missing(t, "engine", "a second one needs dockerd and root", err)
	root := must.Get(os.MkdirTemp("", "bb-")) // the paths of sockets are short
	d := &daemon{root: root, net: newNetwork(t)}
	must.Write(d.path("daemon.json"), "{}\n")
	must.Do(os.Mkdir(d.path("data"), 0o700))
	d.args = []string{"--config-file", d.path("daemon.json"), "--data-root", d.path("data"), "--exec-root", d.path("exec"),
		"--pidfile", d.path("pid"),
		"--host", d.address(), "--bip", "10.213.255.1/24",
		"--iptables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false",
		"--containerd-namespace", filepath.Base(root), "--containerd-plugins-namespace", filepath.Base(root) + "-plugins",
		"--default-address-pool", pool}
	t.Cleanup(func() { d.remove(t) })
	return d
}

func (d *daemon) path(name string) string { return filepath.Join(d.root, name) }

// address returns the value of DOCKER_HOST for programs that use the engine.
func (d *daemon) address() string { return "unix://" + d.path("sock") }

func (d *daemon) client(t *testing.T) *client.Client {
	t.Helper()
	return engineClient(t, client.WithHost(d.address()))
}

// inThread runs a function in a thread of its own, which ends with it.
func inThread(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		do()
	}()
	<-done
}

// newNetwork makes a network namespace.
func newNetwork(t *testing.T) (namespace *os.File) {
	t.Helper()
	inThread(func() {
		must.Do(unix.Unshare(unix.CLONE_NEWNET))
		namespace = must.Get(os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())))
	})
	t.Cleanup(func() { _ = namespace.Close() })
	return namespace
}

// within runs a program in the daemon's network namespace.
func (d *daemon) within(start func() error) {
	inThread(func() {
		must.Do(unix.Setns(int(d.net.Fd()), unix.CLONE_NEWNET))
		must.Do(start())
	})
}

// begin starts a process of benchbook in the namespace, on this engine.
func (d *daemon) begin(l *life) {
	l.cmd.Env = append(l.cmd.Env, client.EnvOverrideHost+"="+d.address())
	d.within(l.start)
}

// start starts the engine and waits until it answers.
func (d *daemon) start(t *testing.T) {
	t.Helper()
	log := must.Get(os.OpenFile(d.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644))
	defer log.Close()
	var begun time.Time
	launch := func() {
		begun = time.Now()
		d.cmd = exec.Command("dockerd", d.args...)
		d.cmd.Stdout, d.cmd.Stderr = log, log
		d.within(d.cmd.Start)
	}
	launch()
	c := d.client(t)
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err := c.Ping(t.Context(), client.PingOptions{}); err == nil {
			return
		}
		// dockerd gives up if its containerd needs more than 15 s to start, as on a busy machine.
		if time.Since(begun) > 40*time.Second {
			_ = d.cmd.Process.Kill() // it may have ended
			_ = d.cmd.Wait()
			launch()
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(d.path("log"))
			t.Fatalf("the engine does not answer within three minutes:\n%s", said[max(0, len(said)-40000):])
		}
	}
}

// stop ends the engine by a signal.
func (d *daemon) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if d.cmd == nil {
		return
	}
	must.Do(d.cmd.Process.Signal(signal))
	over := time.AfterFunc(3*time.Minute, func() { _ = d.cmd.Process.Kill() })
	_ = d.cmd.Wait() // however it ends
	over.Stop()
	d.cmd = nil
	d.killed = d.killed || signal == syscall.SIGKILL
}

// remove ends the daemon and everything it started, and removes its folder. It fails the test if anything is left.
func (d *daemon) remove(t *testing.T) {
	d.stop(t, syscall.SIGTERM)
	// its containerd, and a shim whose container ended meanwhile, belong to nobody then: the next engine has not started
	// them
	if d.killed {
		for pid := range d.processes() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	for deadline := time.Now().Add(2 * time.Minute); len(d.processes()) > 0 &&
		time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
	}
	for pid, line := range d.processes() {
		t.Errorf("process %d outlives its engine: %s", pid, strings.ReplaceAll(line, "\x00", " "))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for line := range strings.Lines(must.Read("/proc/self/mountinfo")) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], d.root+"/") {
			_ = unix.Unmount(fields[4], unix.MNT_DETACH) // what cannot be unmounted cannot be removed either
		}
	}
	must.Do(os.RemoveAll(d.root))
}

// processes returns the processes with the engine's folder in their command line, in which a zero ends each word: its
// own, and those around its containers.
func (d *daemon) processes() map[int]string {
	lines := map[int]string{}
	for _, name := range must.Get(filepath.Glob("/proc/[0-9]*/cmdline")) {
		line, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(line), d.root+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && pid != os.Getpid() {
			lines[pid] = string(line)
		}
	}
	return lines
}

// After the engine is killed, its containers keep running. The run ends soon, with the reason, and the failure does not
// become a result. Once the engine is back, clean finds the leftovers, and the same command resumes.
func TestEngineThatIsKilled(t *testing.T) {
	t.Parallel()
	program := installed(t)
	d := ownEngine(t, "base=10.213.48.0/20,size=26")
	d.start(t)
	c := d.client(t)
	dir, folder := project(t, "mortal", mortal(2))
	saved, temporary := &archive{folder: filepath.Join(folder, "records")}, t.TempDir()
	begin := func(verb string) *life {
		t.Helper()
		l := newLife(program, temporary, "-C", dir, verb)
		l.cmd.Env = append(l.cmd.Env, locksVariable+"=") // the usual locks, so that it takes the engine's too
		d.begin(l)
		return l
	}
	l := begin("run")
	awaitRecords(t, l, saved, 1)
	time.Sleep(300 * time.Millisecond)
	d.stop(t, syscall.SIGKILL)
	if status := l.end(t); status != lab.StatusFailed {
		t.Fatalf("status %d, want %d:\n%s", status, lab.StatusFailed, &l.stderr)
	}
	kept := saved.look(t)
	assert.Contains(t, l.stderr.String(),
		"the engine no longer answers: "+phrase.Are(len(kept), "finished repetition")+" kept")
	wantNoFailures(t, kept)

	d.start(t)
	assert.Equal(t, len(leftBy(t, c, l.owner)) > 0, true, "there is something to clean")
	clean := begin("clean")
	assert.Equal(t, clean.end(t), 0, "status of clean:\n%s", &clean.stderr)
	assert.None(t, leftBy(t, c, l.owner))
	wantCompleted(t, c, begin("run"), saved, 4)
	wantNoFailures(t, saved.look(t))
}

// If an engine has no room for networks or images, the run ends with the reason and leaves the engine as it was. Once
// there is room, the same command resumes.
func TestEngineWithoutRoom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, pool, data string // options of the file system of its data, if that is small
		said             []string
	}{
		{"for a network", "base=10.213.16.0/28,size=28", "", []string{"opening a space: ", "docker network prune"}},
		{"for images", "base=10.213.32.0/20,size=26", "size=12m", []string{"no space left on device"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			program := installed(t)
			d := ownEngine(t, tt.pool)
			var room func()
			if tt.data != "" {
				remount := mountMemory(t, d.path("data"), tt.data) // which goes with the engine
				room = func() { remount("size=400m") }
			}
			d.start(t)
			c := d.client(t)
			if tt.data == "" {
				taken := must.Get(c.NetworkCreate(t.Context(), "bystander", client.NetworkCreateOptions{Internal: true}))
				room = func() { must.Get(c.NetworkRemove(t.Context(), taken.ID, client.NetworkRemoveOptions{})) }
			}
			dir, folder := project(t, "mortal", mortal(1))
			saved, lock := &archive{folder: filepath.Join(folder, "records")}, t.TempDir()
			l := newLife(program, lock, "-C", dir, "run")
			d.begin(l)
			assert.Equal(t, l.end(t), lab.StatusFailed, "status")
			assert.Contains(t, l.stderr.String(), tt.said...)
			if n, left := len(saved.look(t)), leftBy(t, c, l.owner); n > 0 || len(left) > 0 {
				t.Errorf("it left %d records and %v", n, left)
			}
			room()
			again := newLife(program, lock, "-C", dir, "run")
			d.begin(again)
			if status := again.end(t); !wasMeasured(status, again.stderr.String()) || len(saved.look(t)) < 2 {
				t.Errorf("when there is room: status %d, %d records:\n%s", status, len(saved.look(t)), &again.stderr)
			}
		})
	}
}

func wantNoFailures(t *testing.T, records []*record.Record) {
	t.Helper()
	for _, r := range records {
		if r.Failure != "" {
			t.Errorf("repetition %d of %s passes for a failure of the benchmark: %s\n%s", r.Repetition, r.Trial, r.Failure,
				r.Log)
		}
	}
}
