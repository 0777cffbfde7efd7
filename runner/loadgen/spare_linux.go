package loadgen

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"benchbook/notebook/spec"
)

// coreToSpare reports whether so many threads may each keep a core busy while they wait: whether there are as many that
// only we may use, or one more than we need where others may use them too, and no quota that polling would eat up.
func coreToSpare(threads int) bool {
	var mask unix.CPUSet
	if unix.SchedGetaffinity(0, &mask) != nil {
		return false
	}
	online := 0
	if list, err := os.ReadFile("/sys/devices/system/cpu/online"); err == nil {
		online = countCPUs(string(list))
	}
	quota := 0.0 // none
	if limit, err := os.ReadFile("/sys/fs/cgroup/cpu.max"); err == nil {
		quota = parseQuota(limit)
	}
	return spares(threads, mask.Count(), online, quota)
}

func spares(threads, allowed, online int, quota float64) bool {
	if quota > 0 && quota < float64(threads) {
		return false
	}
	if allowed < online {
		return allowed >= threads
	}
	return allowed > threads
}

// countCPUs counts those of a list such as 0-3,8.
func countCPUs(list string) int {
	cpus, _ := spec.ParseCPUSet(list)
	return len(cpus)
}

// parseQuota is the number of cores that a control group may use in each period, 0 for any.
func parseQuota(limit []byte) float64 {
	fields := bytes.Fields(limit)
	if len(fields) != 2 {
		return 0
	}
	quota, err := strconv.ParseFloat(string(fields[0]), 64)
	period, err2 := strconv.ParseFloat(string(fields[1]), 64)
	if err != nil || err2 != nil || period <= 0 {
		return 0 // "max" among them
	}
	return quota / period
}
