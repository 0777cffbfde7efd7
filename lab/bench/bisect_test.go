package bench

import (
	"errors"
	"math/bits"
	"testing"
)

// The first bad one is found with as few questions as halving takes, and without any that cannot be answered:
// the nearest of those are left.
func TestHalve(t *testing.T) {
	for n := 1; n <= 64; n++ {
		for first := range n {
			questions := 0
			lo, hi, err := halve(n, func(at, left int) (verdict, error) {
				if questions++; left < 1 || left >= n {
					t.Fatalf("%d of %d are left", left, n)
				}
				if at >= first {
					return bad, nil
				}
				return good, nil
			})
			if lo != first-1 || hi != first || err != nil || questions > bits.Len(uint(n-1)) {
				t.Errorf("of %d the first bad one is %d: found between %d and %d with %d questions, %v", n, first, lo, hi,
					questions, err)
			}
		}
	}
	for _, test := range []struct {
		name     string
		verdicts []verdict
		lo, hi   int
	}{
		{"none can be answered", []verdict{undecided, undecided, undecided, bad}, -1, 3},
		{"beside the first bad one", []verdict{good, good, undecided, bad, bad}, 1, 3},
		{"elsewhere", []verdict{undecided, good, good, bad, undecided, undecided, bad}, 2, 3},
	} {
		asked := map[int]bool{}
		lo, hi, err := halve(len(test.verdicts), func(at, _ int) (verdict, error) {
			if asked[at] {
				t.Fatalf("%s: %d is asked about twice", test.name, at)
			}
			asked[at] = true
			return test.verdicts[at], nil
		})
		if lo != test.lo || hi != test.hi || err != nil {
			t.Errorf("%s: found between %d and %d, %v; want %d and %d", test.name, lo, hi, err, test.lo, test.hi)
		}
	}
	wrong := errors.New("interrupted")
	if _, _, err := halve(9, func(int, int) (verdict, error) { return undecided, wrong }); !errors.Is(err, wrong) {
		t.Errorf("the error is %v", err)
	}
}
