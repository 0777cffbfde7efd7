package inpod

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
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
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/proc"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// Main runs the program with its arguments.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	words := append(slices.Clone(args), "", "") // a missing word or argument is invalid
	word, argument := words[0], words[1]
	switch word {
	case Fill:
		return with(argument, Filling.fill)
	case Do:
		return with(argument, Deed.become)
	case Resolve:
		return with(argument, func(all []Resolution) error { return resolve(ctx, all) })
	case Signal:
		return signalFirst(argument)
	case Meter:
		return answer(stdin, stdout)
	case Probe:
		return with(argument, func(p Port) error { return engine.ProbeAt(p.Address, p.Service)(ctx, p.Port, p.Path) })
	}
	return fmt.Errorf("unknown word %q", word)
}

func with[T any](argument string, do func(T) error) error {
	var parsed T
	if err := json.Unmarshal([]byte(argument), &parsed); err != nil {
		return err
	}
	return do(parsed)
}

// become replaces this process by the command. It returns only on failure.
func (d Deed) become() error {
	for _, limit := range d.Ulimits {
		r, err := limit.GetRlimit()
		if err == nil {
			// Unless package syscall sets the limit of open files, syscall.Exec restores the old one.
			err = syscall.Setrlimit(r.Type, &syscall.Rlimit{Cur: r.Soft, Max: r.Hard})
		}
		if err != nil {
			return fmt.Errorf("setting ulimit %s: %w", limit.Name, err)
		}
	}
	for _, variable := range d.Environment {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if d.WorkingDir != "" {
		if err := os.Chdir(d.WorkingDir); err != nil {
			return err
		}
	}
	if len(d.Args) == 0 {
		return errors.New("there is no command")
	}
	if d.Stdin {
		if err := readStdin(); err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
	}
	program, err := exec.LookPath(d.Args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return err
	}
	return fmt.Errorf("exec: %q: %w", program, syscall.Exec(program, d.Args, os.Environ()))
}

// readStdin reads all of standard input into memory and makes that the standard input.
func readStdin() error {
	fd, err := unix.MemfdCreate("stdin", 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "stdin")
	defer file.Close()
	if _, err := io.Copy(file, os.Stdin); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return unix.Dup3(fd, 0, 0)
}

func (f Filling) fill() error {
	for _, c := range f.Copies {
		if err := c.copy(); err != nil {
			return fmt.Errorf("copying %s: %w", c.From, err)
		}
	}
	for _, m := range f.Modes {
		mode := fs.FileMode(m.Mode & 0o777)
		if m.Mode&0o1000 != 0 {
			mode |= fs.ModeSticky
		}
		if err := errors.Join(os.Chown(m.Path, m.UID, m.GID), os.Chmod(m.Path, mode)); err != nil {
			return err
		}
	}
	return nil
}

func (c Copy) copy() error {
	info, err := os.Stat(c.From)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if info.IsDir() {
		if entries, err := os.ReadDir(c.To); err != nil || len(entries) > 0 {
			return err
		}
	}
	return filepath.WalkDir(c.From, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(c.From, path)
		if err != nil {
			return err
		}
		return copyEntry(entry, path, filepath.Join(c.To, inside))
	})
}

// copyEntry copies a file, or a folder without its contents. It skips sockets and devices.
func copyEntry(entry fs.DirEntry, from, to string) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	switch {
	case entry.IsDir():
		if err = os.Mkdir(to, 0o700); errors.Is(err, fs.ErrExist) {
			err = nil // the volume itself
		}
	case entry.Type() == fs.ModeSymlink:
		var link string
		if link, err = os.Readlink(from); err == nil {
			err = os.Symlink(link, to)
		}
	case entry.Type().IsRegular():
		err = copyFile(from, to)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Lchown(to, int(owner.Uid), int(owner.Gid)); err != nil || entry.Type() == fs.ModeSymlink {
		return err
	}
	return os.Chmod(to, info.Mode())
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// processes returns the other processes of this container, oldest first. It compares control groups, because containers
// of a pod may share a process namespace.
func processes() (found []proc.Process, err error) {
	group, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	for _, p := range proc.All() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.PID))
		if err == nil && string(text) == string(group) && p.PID != os.Getpid() {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b proc.Process) int {
		return cmp.Or(cmp.Compare(len(a.Start), len(b.Start)), cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	return found, nil
}

func signalFirst(name string) error {
	number := unix.SignalNum(name)
	if number == 0 {
		return fmt.Errorf("there is no signal %q", name)
	}
	all, err := processes()
	if err != nil || len(all) == 0 {
		return err
	}
	return syscall.Kill(all[0].PID, number)
}

// answer answers questions about the container's control group until stdin ends.
func answer(stdin io.Reader, stdout io.Writer) error {
	group, err := machine.OpenGroup("/", os.Getpid(), "")
	if err != nil {
		return err
	}
	defer group.Close()
	answers := json.NewEncoder(stdout)
	for questions := bufio.NewScanner(stdin); questions.Scan(); {
		var question Question
		err := json.Unmarshal(questions.Bytes(), &question)
		var reading Reading
		if err == nil {
			reading, err = read(group, question)
		}
		if err != nil {
			reading.Error = err.Error()
		}
		reading.At = time.Now()
		if err := answers.Encode(reading); err != nil {
			return err
		}
	}
	return nil
}

func read(group *machine.Group, question Question) (reading Reading, err error) {
	if reading.Usage, err = group.Usage(question.Detail); err != nil {
		return reading, err
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return reading, err
	}
	reading.CPU -= time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if reading.Memory > 0 {
		kibibytes, _ := strconv.ParseInt(strings.TrimSuffix(proc.Status("self", "RssAnon"), " kB"), 10, 64)
		reading.Memory = max(0, reading.Memory-kibibytes<<10)
	}
	if own, err := os.ReadDir("/proc/self/task"); err == nil {
		for _, thread := range own {
			number, _ := strconv.Atoi(thread.Name())
			delete(reading.Threads, number)
		}
	}
	if question.CPUs {
		all, err := os.ReadFile("/sys/devices/system/cpu/online")
		if err != nil {
			return reading, err
		}
		reading.CPUs, reading.AllCPUs = group.CPUs(), strings.TrimSpace(string(all))
	}
	if question.OOM {
		reading.OOMKills = group.OOMKills()
	}
	return reading, nil
}

// resolve waits until all names resolve. If the context is done, it returns the error of the last lookup.
func resolve(ctx context.Context, all []Resolution) error {
	for _, r := range all {
		for {
			found, err := net.DefaultResolver.LookupHost(ctx, r.Name)
			if slices.Contains(found, r.Address) && !slices.ContainsFunc(r.Gone,
				func(gone string) bool { return slices.Contains(found, gone) }) {
				break
			}
			if err == nil {
				err = fmt.Errorf("%s resolves to %v, and not to %s", r.Name, found, r.Address)
			}
			if engine.Sleep(ctx, resolveEvery) != nil {
				return err
			}
		}
	}
	return nil
}
