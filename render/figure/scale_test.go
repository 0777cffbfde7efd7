package figure

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Whatever the range, ticks ascend, enclose it, and are two to nine; their labels differ.
func TestLinearTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		span := math.Pow(10, 40*r.Float64()-20)
		lo := span * r.NormFloat64() * math.Pow(10, 5*r.Float64())
		hi := lo + span
		sets := 0
		for set := range linearTicks(lo, hi) {
			if sets++; sets > 6 {
				break
			}
			ticks := set.ticks
			slack := (ticks[1] - ticks[0]) * 1e-8
			if ticks[0] > lo+slack || ticks[len(ticks)-1] < hi-slack || len(ticks) < 2 || len(ticks) > maxSteps+1 ||
				set.lo != ticks[0] || set.hi != ticks[len(ticks)-1] || len(set.labels) != len(ticks) {
				t.Fatalf("%v to %v: ticks %v", lo, hi, ticks)
			}
			for i := range ticks[1:] {
				if ticks[i] >= ticks[i+1] || set.labels[i] == set.labels[i+1] {
					t.Fatalf("%v to %v: ticks %v and %v are both %q", lo, hi, ticks[i], ticks[i+1], set.labels[i])
				}
			}
		}
	}
}
