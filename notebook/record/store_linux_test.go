package record

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// A process that is killed at any moment loses nothing that it has saved, and the next one can continue.
func TestKilledWhileItSaves(t *testing.T) {
	if folder := os.Getenv("SAVE_TO"); folder != "" {
		saveForEver(Dir(folder))
	}
	dir, saved := Dir(t.TempDir()), 0
	for range 30 {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "SAVE_TO="+string(dir), fmt.Sprint("FIRST=", saved+1))
		out := must.Get(cmd.StdoutPipe())
		must.Do(cmd.Start())
		said, most := bufio.NewScanner(out), 1+rand.IntN(20)
		for n := 0; n < most && said.Scan(); n++ {
			must.Get(fmt.Sscan(said.Text(), &saved))
		}
		time.Sleep(rand.N(2 * time.Millisecond))
		must.Do(cmd.Process.Kill())
		for said.Scan() { // what it printed before it was killed
			must.Get(fmt.Sscan(said.Text(), &saved))
		}
		_ = cmd.Wait() // it was killed
		got := repetitionsOf(t, dir, 0)
		for _, n := range []int{saved, saved + 1} { // the last one may be saved and not yet printed
			if len(got) == n {
				saved = n
			}
		}
		if len(got) != saved || len(got) == 0 || got[len(got)-1] != saved || !slices.IsSorted(got) {
			t.Fatalf("it saved up to %d, and %v are there", saved, got)
		}
	}
	t.Logf("%d records", saved)
}

// saveForEver saves one repetition after another, and prints the number of each.
func saveForEver(dir Dir) {
	var n int
	_, _ = fmt.Sscan(os.Getenv("FIRST"), &n) // the test has set it
	for ; ; n++ {
		r := repetition(n)
		r.Log = strings.Repeat("x", rand.IntN(100_000))
		if err := dir.Save(r); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// On a full disk a record is not saved, earlier ones stay, and the same record can be saved once there is room.
func TestFullDisk(t *testing.T) {
	dir := Dir(t.TempDir())
	err := unix.Mount("benchbook-test", string(dir), "tmpfs", 0, "size=256k")
	if errors.Is(err, unix.EPERM) && !strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "local") {
		t.Skip("only root can make a small file system")
	}
	must.Do(err)
	defer func() { must.Do(unix.Unmount(string(dir), 0)) }()
	large := func(n int) *Record {
		r := repetition(n)
		r.Log = strings.Repeat("x", 30<<10)
		return r
	}
	must.Do(dir.Writable())
	n := 1
	for ; err == nil; n++ {
		err = dir.Save(large(n))
	}
	n-- // the last was not saved
	if !errors.Is(err, unix.ENOSPC) || dir.Writable() == nil {
		t.Fatalf("record %d: %v", n, err)
	}
	data, err := os.ReadFile(dir.fileOf())
	if got := repetitionsOf(t, dir, 0); err != nil || len(got) != n-1 || n < 3 || data[len(data)-1] != '\n' {
		t.Errorf("%v are there, want those before %d; %v", got, n, err)
	}
	must.Do(unix.Mount("benchbook-test", string(dir), "tmpfs", unix.MS_REMOUNT, "size=1m"))
	save(dir, large(n))
	assert.Equal(t, len(repetitionsOf(t, dir, 0)), n, "repetitions, now that there is room")
}

// An unreadable run or folder is left out, and hides no other.
func TestRunsThatCannotBeRead(t *testing.T) {
	if os.Getenv("UNREADABLE") == "" && os.Geteuid() == 0 { // root can read everything
		withoutPrivilege(t)
		return
	}
	other := sample()
	other.Host = "c2-aaaaaa"
	become := func(path string, put func() error) error { return errors.Join(os.Remove(path), put()) }
	for why, spoil := range map[string]func(path string) error{
		"it cannot be read: permission denied": func(path string) error { return os.Chmod(path, 0) },
		"not a record: it is a folder, not a file": func(path string) error {
			return become(path, func() error { return os.Mkdir(path, 0o755) })
		},
		"not a record: it is a named pipe, not a file": func(path string) error {
			return become(path, func() error { return syscall.Mkfifo(path, 0o644) })
		},
		"not a record: it is a symbolic link, not a file": func(path string) error {
			return become(path, func() error { return os.Symlink(filepath.Base(path), path) })
		},
	} {
		dir := Dir(t.TempDir())
		save(dir, sample(), other)
		must.Do(spoil(dir.fileOf()))
		records, bad, err := dir.Read()
		if err != nil || len(records) != 1 || len(bad) != 1 || bad[0].Path != dir.fileOf() || bad[0].Err.Error() != why {
			t.Errorf("%s: %d records, %v, %v", why, len(records), bad, err)
		}
		assert.Equal(t, dir.Save(sample()) != nil, true, "%s: a record is refused there", why)
	}
	for _, folder := range []string{"c2-1f3a9b", "."} {
		dir := Dir(t.TempDir())
		save(dir, sample(), other)
		closed := filepath.Join(string(dir), folder)
		must.Do(os.Chmod(closed, 0))
		records, bad, err := dir.Read()
		if err != nil || len(bad) != 1 || bad[0].Path != closed || len(records) != len(folder)/9 {
			t.Errorf("folder %s: %d records, %v, %v", folder, len(records), bad, err)
		}
		must.Do(os.Chmod(closed, 0o755))
	}
}

// withoutPrivilege reruns the test in a process of root that cannot read everything.
func withoutPrivilege(t *testing.T) {
	failed := make(chan error, 1)
	var out []byte
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends without its capabilities
		for _, capability := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
				failed <- err
				return
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "UNREADABLE=yes")
		var err error
		out, err = cmd.CombinedOutput()
		failed <- err
	}()
	if err := <-failed; err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}
