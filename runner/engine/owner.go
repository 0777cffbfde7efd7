package engine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/process"

	"benchbook/internal/proc"
)

// errGone means that a process no longer exists.
var errGone = errors.New("process has ended")

// KeeperVariable is the environment variable for the keeper of this process, in the format of Owner. While the keeper
// lives, only processes with the same keeper sweep what this process leaves behind. Tests that kill a process and look
// for its leftovers set it, because other tests may sweep the same engine meanwhile.
const KeeperVariable = "BENCHBOOK_KEEPER"

// Owner returns the value of LabelOwner: OwnerOf for this process, followed by @ and its keeper if it has one.
func Owner() string {
	owner := OwnerOf(os.Getpid())
	if keeper := os.Getenv(KeeperVariable); keeper != "" {
		owner += "@" + keeper
	}
	return owner
}

// OwnerOf returns a name for a process that is unique across machines and time: MACHINE.BOOT.PID.START, with digests of
// the machine and the boot, and the start time in the operating system's units.
func OwnerOf(pid int) string {
	start, err := startTime(pid)
	if err != nil {
		start = "unknown" // such an owner never counts as dead
	}
	return fmt.Sprintf("%s.%s.%d.%s", machine(), boot(), pid, start)
}

// OwnerAlive reports whether the process that Owner named is running, or its keeper, unless that is our keeper too.
// Known is false for processes of other machines and process namespaces, which must be left alone.
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
	return err == nil && start == parts[3], err == nil || errors.Is(err, errGone)
}

// machine returns a digest of this machine and its process namespace. The machine ID itself is confidential
// (machine-id(5)).
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(bytes.TrimSpace(id)) == 0 {
		hostID, _ := host.HostID() // if this fails too, the host name must do
		name, _ := os.Hostname()
		id = []byte(hostID + "\n" + name)
	}
	namespace, _ := os.Readlink("/proc/self/ns/pid") // Linux only
	return digest("machine", string(id), namespace)
}

// boot returns a digest of the boot ID. Systems without boot IDs have absolute start times.
func boot() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return digest("boot", string(id))
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte("benchbook\x00" + strings.Join(parts, "\x00")))
	return fmt.Sprintf("%x", sum[:6])
}

// startTime returns the start time of a process. The error is errGone if it has ended or is a zombie.
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
	// Use ticks since boot: wall time shifts when the clock is set, which would make a live owner look dead.
	stat, err := proc.Read(pid)
	if err != nil {
		// With the mount option hidepid, processes of other users are invisible.
		if exists, existsErr := process.PidExists(int32(pid)); existsErr == nil && !exists {
			return "", errGone
		}
		return "", fmt.Errorf("reading the state of process %d: %w", pid, err)
	}
	if stat.State == 'Z' || stat.State == 'X' {
		return "", errGone
	}
	return stat.Start, nil
}
