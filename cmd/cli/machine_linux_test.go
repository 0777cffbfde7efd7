package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// If the machine lacks something, the command either works without it or says so once, in words. Saved records are
// intact, and the same command resumes when the machine has it.
func TestOddMachines(t *testing.T) {
	slowtest.Skip(t)
	whole := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "WORK=" + t.TempDir()}
	for _, test := range []struct {
		name, shell string // what comes before the command in a shell
		words       string // of the reason; empty where it does all the same
	}{
		{"no HOME", "unset HOME;", ""},
		{"TMPDIR that is not there", "TMPDIR=/nonexistent", ""},
		{"a Turkish LANG", "LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8", ""},
		{"none of the three", "exec 0<&- 1>&- 2>&-;", ""},
		{"8 descriptors", "ulimit -n 8;", "too many open files"},
		{"files of 1 KiB", "ulimit -f 1;", "file too large"},
		{"signals that are ignored", "trap '' HUP PIPE XFSZ USR1;", ""},
		{"a working folder that is gone", `d=$(mktemp -d); cd "$d"; rmdir "$d";`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, folder := project(t, "pair", pair)
			for _, verb := range [][]string{{"run"}, {"render"}, {"clean"}} {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				script := []string{"-c", test.shell + ` benchbook "$@"`, "bash", "-C", dir}
				cmd := exec.CommandContext(ctx, "bash", append(script, verb...)...)
				cmd.Env, cmd.WaitDelay = whole, 5*time.Second
				out, err := cmd.CombinedOutput()
				exit, _ := err.(*exec.ExitError)
				if strings.Contains(string(out), "goroutine ") || exit != nil && exit.Sys().(syscall.WaitStatus).Signaled() {
					t.Fatalf("%q crashes: %v\n%.2000s", verb, err, out)
				}
				switch {
				case test.words == "" && err != nil:
					t.Errorf("%q: %v\n%s", verb, err, out)
				case test.words != "" && verb[0] == "run" && (err == nil || !strings.Contains(string(out), test.words)):
					t.Errorf("%q: %v, want %q:\n%s", verb, err, test.words, out)
				}
			}
			mustRun(t, unlocked(), "-C", dir, "run")
			wantRecords(t, folder, 6)
		})
	}
}

// If a folder for something other than records is full or read-only, the error names the use of that folder.
func TestPlacesThatAreFull(t *testing.T) {
	dir, folder := project(t, "pair", pair)
	mustRun(t, unlocked(), "-C", dir, "run")
	inGit(dir)
	small := t.TempDir()
	remount := mountMemory(t, small, "size=4k,nr_inodes=3")
	unmount(t, small)
	in := func(name string) string { return filepath.Join(small, name) }
	must.Write(in("fill"), strings.Repeat("x", 4096))
	for _, full := range []string{"no space left on device", "read-only file system"} {
		if full == "read-only file system" {
			remount("ro")
		}
		for _, test := range []struct {
			name   string
			args   []string
			status int // 0 where it does all the same
		}{
			{"the site", []string{"render", "--output", in("site")}, lab.StatusFailed},
			{"a bundle", []string{"bundle", "pair", "--output", in("pair.bundle")}, lab.StatusFailed},
			{"a new project", []string{"init", in("new")}, lab.StatusFailed},
			{"temporary files of run", []string{"run", "--force"}, 0},
			{"temporary files of one line", []string{"time", "true"}, lab.StatusFailed},
		} {
			t.Run(fmt.Sprint(test.name, ", ", full), func(t *testing.T) {
				t.Setenv("TMPDIR", small)
				status, stdout, stderr := benchbook(dir, test.args...)
				assert.Equal(t, status, test.status, "status\n%s%s", stdout, stderr)
				if test.status != 0 && strings.Count(stderr, full) != 1 {
					t.Errorf("it does not say %q once: %s", full, stderr)
				}
			})
		}
	}
	wantRecords(t, folder, 18) // the first run, and two that were forced
}

// wantRecords fails the test unless an article has so many records, all of them good.
func wantRecords(t *testing.T, folder string, want int) {
	t.Helper()
	assert.Equal(t, len(recordsIn(t, folder)), want, "records")
}
