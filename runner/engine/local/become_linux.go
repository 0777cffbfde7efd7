package local

import (
	"bufio"
	"cmp"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/docker/go-units"
	"github.com/moby/sys/capability"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
)

// becoming is the name under which this program is started to become another one.
const becoming = "benchbook-becoming"

// Files that such a process finds open, beside the usual three.
const (
	orderFile  = 3 // is read to its end
	answerFile = 4 // says what went wrong, as JSON; it is closed, with nothing said, by becoming the program
)

// An order is what a process that we started is to become. It is sent once everything around the process is there.
type order struct {
	Surroundings    *surroundings // to be made first; nil where they are those of a process that runs already
	Args            []string
	Environment     []string
	WorkingDir      string
	User            string
	CPUs            []int
	Ulimits         map[string]spec.Ulimit
	CapAdd, CapDrop []string
	NoNewPrivileges bool
	Init            bool // a process of ours stays around the program, and reaps
}

// An answer is why a process did not become what it was to.
type answer struct {
	Rejected bool // what was asked for cannot be had, which is no fault of the engine
	Message  string
}

// refusal is an error about what was asked for.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }

func (r *refusal) Unwrap() error { return r.err }

func refusef(format string, args ...any) error { return &refusal{fmt.Errorf(format, args...)} }

// BecomeProgram turns a process that was started by an Engine into the program that it was started for, and does not
// return then. In any other process it does nothing. It has to be called first of all.
func BecomeProgram() {
	if os.Args[0] != becoming {
		return
	}
	runtime.LockOSThread() // much of what follows is about the thread that becomes the program
	syscall.CloseOnExec(orderFile)
	syscall.CloseOnExec(answerFile)
	if err := dieWithParent(); err != nil {
		os.Exit(1)
	}
	var o order
	if err := gob.NewDecoder(bufio.NewReader(os.NewFile(orderFile, "order"))).Decode(&o); err != nil {
		os.Exit(1) // whoever started us is gone
	}
	err := o.carryOut()
	text, _ := json.Marshal(answer{errors.As(err, new(*refusal)), err.Error()}) // it is made of strings
	_, _ = os.NewFile(answerFile, "answer").Write(text)                         // if nobody listens, nobody misses it
	os.Exit(1)
}

// carryOut returns only if something goes wrong.
func (o *order) carryOut() error {
	if o.Surroundings != nil {
		if err := o.Surroundings.make(); err != nil {
			return err
		}
	}
	environment, err := o.environment()
	if err != nil {
		return err
	}
	steps := []func() error{o.enterFolder, o.limit, o.pin, o.drop}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	program, err := exec.LookPath(o.Args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return &refusal{err}
	}
	if o.Init {
		err = o.stayAround(program, environment)
	} else {
		err = syscall.Exec(program, o.Args, environment)
	}
	switch {
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("starting %s: %w", program, err)
	default:
		return refusef("exec: %q: %w", o.Args[0], err)
	}
}

// environment is what the program gets: of variables that are there twice the last, and HOME, if nobody has said it,
// that of the user. What is looked up from now on is looked up by its PATH.
func (o *order) environment() ([]string, error) {
	names, values := engine.Variables(o.Environment)
	if _, ok := values["HOME"]; !ok {
		who, err := o.who()
		if err != nil {
			return nil, err
		}
		names, values["HOME"] = append(names, "HOME"), cmp.Or(who.Home, "/")
	}
	environment := make([]string, 0, len(names))
	for _, name := range names {
		environment = append(environment, name+"="+values[name])
	}
	os.Clearenv()
	return environment, os.Setenv("PATH", values["PATH"])
}

// who is the user that the program is to run as, as the files say that it sees.
func (o *order) who() (*user.ExecUser, error) {
	who, err := user.GetExecUserPath(o.User, &user.ExecUser{Home: "/"}, "/etc/passwd", "/etc/group")
	if err != nil {
		return nil, &refusal{err}
	}
	return who, nil
}

// enterFolder makes the working directory if it is not there, as Docker does.
func (o *order) enterFolder() error {
	folder := cmp.Or(o.WorkingDir, "/")
	if o.Surroundings != nil {
		if info, err := os.Stat(folder); err == nil && !info.IsDir() {
			return refusef("Cannot mkdir: %s is not a directory", folder)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil && !errors.Is(err, syscall.EROFS) {
			return refusef("working directory: %w", err)
		}
	}
	if err := os.Chdir(folder); err != nil {
		return refusef("working directory: %w", err)
	}
	return nil
}

// limit sets resource limits, which what is started inherits.
func (o *order) limit() error {
	for _, name := range slices.Sorted(maps.Keys(o.Ulimits)) {
		u := o.Ulimits[name]
		limit, err := (&units.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)}).GetRlimit()
		if err != nil {
			return refusef("wrong rlimit value: RLIMIT_%s", strings.ToUpper(name))
		}
		if err := syscall.Setrlimit(limit.Type, &syscall.Rlimit{Cur: limit.Soft, Max: limit.Hard}); err != nil {
			return refusef("setting limit %s to %d and %d: %w", name, u.Soft, u.Hard, err)
		}
	}
	return nil
}

func (o *order) pin() error {
	if len(o.CPUs) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range o.CPUs {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return refusef("binding it to CPUs %v: %w", o.CPUs, err)
	}
	return nil
}

// usual capabilities are Docker's, without that of making device files: no control group keeps a process from using
// them here.
//
// Source: Docker, "Runtime privilege and Linux capabilities".
func usual() []capability.Cap {
	return []capability.Cap{
		capability.CAP_AUDIT_WRITE, capability.CAP_CHOWN, capability.CAP_DAC_OVERRIDE, capability.CAP_FOWNER,
		capability.CAP_FSETID,
		capability.CAP_KILL, capability.CAP_NET_BIND_SERVICE, capability.CAP_NET_RAW, capability.CAP_SETFCAP,
		capability.CAP_SETGID,
		capability.CAP_SETPCAP, capability.CAP_SETUID, capability.CAP_SYS_CHROOT,
	}
}

// capabilities are those that remain: the usual ones without those to drop, and then those to add, as in Compose.
func capabilities(add, drop []string) ([]capability.Cap, error) {
	supported, err := capability.ListSupported()
	if err != nil {
		return nil, err
	}
	named := func(name string) ([]capability.Cap, error) {
		if strings.EqualFold(name, "ALL") {
			return supported, nil
		}
		for _, c := range capability.ListKnown() {
			if strings.EqualFold(strings.TrimPrefix(strings.ToUpper(name), "CAP_"), c.String()) {
				return []capability.Cap{c}, nil
			}
		}
		return nil, refusef("unknown capability: %q", name)
	}
	caps := usual()
	for _, name := range drop {
		dropped, err := named(name)
		if err != nil {
			return nil, err
		}
		caps = slices.DeleteFunc(caps, func(c capability.Cap) bool { return slices.Contains(dropped, c) })
	}
	for _, name := range add {
		added, err := named(name)
		if err != nil {
			return nil, err
		}
		caps = append(caps, added...)
	}
	return caps, nil
}

// drop gives up what the program is not to have: it becomes its user, with its capabilities only.
func (o *order) drop() error {
	caps, err := capabilities(o.CapAdd, o.CapDrop)
	if err != nil {
		return err
	}
	who, err := o.who()
	if err != nil {
		return err
	}
	sets, err := capability.NewPid2(0)
	if err != nil {
		return err
	}
	sets.Set(capability.EFFECTIVE|capability.PERMITTED|capability.BOUNDING, caps...)
	if err := sets.Apply(capability.BOUNDS); err != nil {
		return fmt.Errorf("dropping capabilities: %w", err)
	}
	if err := syscall.Setgroups(who.Sgids); err != nil {
		return refusef("becoming user %q: %w", o.User, err)
	}
	if err := syscall.Setgid(who.Gid); err != nil {
		return refusef("becoming user %q: %w", o.User, err)
	}
	if who.Uid != 0 {
		if err := syscall.Setuid(who.Uid); err != nil {
			return refusef("becoming user %q: %w", o.User, err)
		}
	} else if err := sets.Apply(capability.CAPS | capability.AMBS); err != nil {
		return fmt.Errorf("dropping capabilities: %w", err)
	}
	if o.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("keeping it from new privileges: %w", err)
		}
	}
	return dieWithParent() // becoming somebody else has let go of that
}

// dieWithParent binds the process to benchbook. That may have ended before, and the number of a parent tells nothing in
// another namespace, which is also why Go cannot do this when it starts a process; but then nobody waits for the answer
// any more.
//
// Source: pipe(7), poll(2).
func dieWithParent() error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("binding it to benchbook: %w", err)
	}
	waiting := []unix.PollFd{{Fd: answerFile}}
	for {
		_, err := unix.Poll(waiting, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("binding it to benchbook: %w", err)
		case waiting[0].Revents&unix.POLLERR != 0:
			return errors.New("benchbook has ended")
		}
		return nil
	}
}

// stayAround runs the program as a child, passes on signals, reaps whatever loses its parent, and ends as the program
// does. It returns only if the program cannot be started.
func (o *order) stayAround(program string, environment []string) error {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	status, err := agent.StayAround(program, o.Args, environment, signals, func() error {
		return syscall.Close(answerFile) // it has become what it was to
	})
	if err == nil {
		os.Exit(status)
	}
	if failed := (*os.PathError)(nil); errors.As(err, &failed) {
		err = failed.Err
	}
	return err
}

// writeFile puts a file where it belongs. Folders that are missing are made, those that are there stay as they are.
func writeFile(root string, file spec.File) error {
	name := filepath.Join(root, file.Path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := file.Mode()
	if err := os.WriteFile(name, file.Data, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}
