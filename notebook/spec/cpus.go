package spec

import (
	"slices"
	"strconv"
	"strings"
)

// MaxCPU is a CPU number above those of any machine.
const MaxCPU = 4096

// ParseCPUSet parses numbers and ranges of CPUs, such as "0-2,5", in the order written. It returns false for invalid
// text, numbers above MaxCPU, and too many of them.
func ParseCPUSet(s string) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(s, ",") {
		first, last, ranged := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && ranged {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 0 || to < from || to > MaxCPU || len(out)+to-from > MaxCPU {
			return nil, false
		}
		for i := from; i <= to; i++ {
			out = append(out, i)
		}
	}
	return out, true
}

// CPUSet formats CPUs as sorted ranges, such as "0-2,5".
func CPUSet(cpus []int) string {
	cpus = slices.Sorted(slices.Values(cpus))
	var out []string
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		text := strconv.Itoa(cpus[i])
		if j > i {
			text += "-" + strconv.Itoa(cpus[j])
		}
		out = append(out, text)
		i = j + 1
	}
	return strings.Join(out, ",")
}
