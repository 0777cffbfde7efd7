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

// errGone is a process that is no longer there.
var errGone = errors.New("process has ended")

// KeeperVariable is an environment variable that names an owner as the keeper of this process. While the keeper lives,
// only processes with the same keeper sweep what this process leaves behind. Tests that kill a process and look for what
// it left have one, as others may sweep the same engine at that time.
const KeeperVariable = "BENCHBOOK_KEEPER"

// Owner names this process as OwnerOf does, followed by @ and its keeper if it has one. It goes into LabelOwner.
func Owner() string {
	owner := OwnerOf(os.Getpid())
	if keeper := os.Getenv(KeeperVariable); keeper != "" {
		owner += "@" + keeper
	}
	return owner
}

// OwnerOf names a process among all that ever ran on any machine: MACHINE.BOOT.PID.START, with digests of the machine and
// the boot, and the start time in the units of the operating system.
func OwnerOf(pid int) string {
	start, err := startTime(pid)
	if err != nil {
		start = "unknown" // such an owner never counts as dead
	}
	return fmt.Sprintf("%s.%s.%d.%s", machine(), boot(), pid, start)
}

// OwnerAlive reports whether the process that Owner named runs, or a keeper that is not ours. Known is false for
// processes of other machines and other process namespaces, which must be left alone.
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

// machine digests the identity of this machine and its process namespace. The identity itself is confidential
// (machine-id(5)).
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(bytes.TrimSpace(id)) == 0 {
		hostID, _ := host.HostID() // else the name and the namespace must do
		name, _ := os.Hostname()
		id = []byte(hostID + "\n" + name)
	}
	namespace, _ := os.Readlink("/proc/self/ns/pid") // only Linux has them
	return digest("machine", string(id), namespace)
}

// boot digests the identity of the current boot. Without one, start times are absolute.
func boot() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return digest("boot", string(id))
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte("benchbook\x00" + strings.Join(parts, "\x00")))
	return fmt.Sprintf("%x", sum[:6])
}

// startTime returns when a process was started. The error is errGone if it has ended, or was not waited for.
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
	// In ticks since boot: a time of day would move when the clock is set, and a live owner would look dead.
	stat, err := proc.Read(pid)
	if err != nil {
		// With the mount option hidepid, processes of other users look as if they were not there.
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
