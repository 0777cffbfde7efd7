package engine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/process"
)

// errGone is a process that is no longer there.
var errGone = errors.New("process has ended")

// KeeperVariable is an environment variable that names an owner as the keeper of this process, as Owner does: while
// that lives, what this process leaves behind is swept by processes of the same keeper only. Tests that kill a process
// and look for what it left have one, as others may sweep the same engine at that time.
const KeeperVariable = "BENCHBOOK_KEEPER"

// Owner names this process, as OwnerOf does, and behind an @ its keeper if it has one. It goes into LabelOwner.
func Owner() string {
	owner := OwnerOf(os.Getpid())
	if keeper := os.Getenv(KeeperVariable); keeper != "" {
		owner += "@" + keeper
	}
	return owner
}

// OwnerOf names a process among all that ever ran on any machine: MACHINE.BOOT.PID.START, where MACHINE and BOOT are
// digests of the machine's and the boot's identity and START is the time at which the process was started, in the
// units of the operating system.
func OwnerOf(pid int) string {
	start, err := startTime(pid)
	if err != nil {
		start = "unknown" // such an owner is never taken for dead
	}
	return fmt.Sprintf("%s.%s.%d.%s", machine(), boot(), pid, start)
}

// OwnerAlive says whether the process that Owner named is still running, or another's keeper is. It is known only for
// processes of this machine, as seen from the same process namespace: those of others may be alive and must be left
// alone.
func OwnerAlive(owner string) (alive, known bool) {
	owner, keeper, kept := strings.Cut(owner, "@")
	if kept && keeper != os.Getenv(KeeperVariable) {
		if alive, known := processAlive(keeper); alive || !known {
			return alive, known
		}
	}
	return processAlive(owner)
}

func processAlive(owner string) (alive, known bool) {
	parts := strings.Split(owner, ".")
	if len(parts) != 4 || parts[0] != machine() || parts[3] == "unknown" {
		return false, false
	}
	pid, err := strconv.Atoi(parts[2])
	if err != nil {
		return false, false
	}
	if parts[1] != boot() {
		return false, true
	}
	start, err := startTime(pid)
	if errors.Is(err, errGone) {
		return false, true
	}
	if err != nil {
		return false, false
	}
	return start == parts[3], true
}

// machine digests what tells this machine, and the process namespace we are in, from others: a number of a process
// means nothing outside it. The identity itself is confidential (machine-id(5)) and does not leave the machine.
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(bytes.TrimSpace(id)) == 0 {
		hostID, _ := host.HostID() // without one, the name and the namespace must do
		name, _ := os.Hostname()
		id = []byte(hostID + "\n" + name)
	}
	namespace, _ := os.Readlink("/proc/self/ns/pid") // only Linux has them
	return digest("machine", string(id), namespace)
}

// boot digests the identity of the current boot, after which numbers of processes begin anew. Where the operating
// system has none, start times are absolute and do not need it.
func boot() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return digest("boot", string(id))
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte("benchbook\x00" + strings.Join(parts, "\x00")))
	return fmt.Sprintf("%x", sum[:6])
}

// startTime returns when a process was started. The error is errGone if there is no such process, or only its exit
// status is left.
func startTime(pid int) (string, error) {
	if runtime.GOOS != "linux" {
		p, err := process.NewProcess(int32(pid))
		if errors.Is(err, process.ErrorProcessNotRunning) {
			return "", errGone
		}
		if err != nil {
			return "", err
		}
		created, err := p.CreateTime()
		return strconv.FormatInt(created, 10), err
	}
	// Ticks since boot, straight from the kernel: a time of day would move whenever the clock is set, and a live
	// owner would look dead.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		// With the mount option hidepid other users' processes look as if they were not there.
		if exists, existsErr := process.PidExists(int32(pid)); existsErr == nil && !exists {
			return "", errGone
		}
		return "", fmt.Errorf("reading the state of process %d: %w", pid, err)
	}
	return parseStat(stat)
}

// parseStat takes the start time, the 22nd field, from a /proc/PID/stat (proc_pid_stat(5)).
func parseStat(stat []byte) (string, error) {
	// The second field is the command's name in parentheses, and may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	if end < 0 || len(fields) < 20 {
		return "", fmt.Errorf("parsing /proc/PID/stat %q: %w", stat, fs.ErrInvalid)
	}
	if state := fields[0][0]; state == 'Z' || state == 'X' {
		return "", errGone
	}
	return string(fields[19]), nil
}
