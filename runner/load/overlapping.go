package load

import (
	"cmp"
	"slices"

	"benchbook/runner/loadgen"
)

// overlapping returns the index of the first sample that was under way together with at least most others, and -1 if
// none was. Times may be off by so many nanoseconds.
func overlapping(samples []loadgen.Sample, most int, off int64) (at int) {
	order, ends := make([]int, 0, len(samples)), make([]int64, 0, len(samples))
	for i := range samples {
		if s := &samples[i]; s.Sent != loadgen.NeverSent {
			order, ends = append(order, i), append(ends, s.End)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(samples[a].Sent, samples[b].Sent) })
	slices.Sort(ends)
	ended := 0
	for n, i := range order {
		for ended < len(ends) && ends[ended] <= samples[i].Sent+off {
			ended++
		}
		if n+1-ended > most {
			return i
		}
	}
	return -1
}
