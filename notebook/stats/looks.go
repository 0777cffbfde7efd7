package stats

import "math"

// Looks are the rounds after which a run of up to n rounds judges its claims: 3, 5, 10, 20, 40 … below n, and n.
//
// Source: docs/method.md#number-of-looks.
func Looks(n int) []int {
	var out []int
	for look := 3; look < n; look = afterLook(look) {
		out = append(out, look)
	}
	return append(out, n)
}

func afterLook(look int) int {
	if look == 3 {
		return 5
	}
	return 2 * look
}

// LookCount returns K, for how many looks the claims of a run are judged. A run that stayed within its plan is judged
// for the planned looks, whether it took all of them or ended sooner. Rounds added afterwards are further looks: K is
// the place of the largest round in 3, 5, 10, 20 …, and at least one more than planned.
//
// Source: docs/method.md#number-of-looks.
func LookCount(planned []int, rounds int) int {
	if len(planned) == 0 || rounds <= planned[len(planned)-1] {
		return max(1, len(planned))
	}
	return max(len(planned)+1, len(Looks(rounds)))
}

// Level returns the level at which claims, rank groups and A/A pairs are judged that are looked at so often, in the
// run-th whole run of unchanged cells, from 1: alpha/(looks·2^(run-1)). Printed intervals of cells stay at alpha.
//
// Source: docs/method.md#number-of-looks.
func Level(alpha float64, looks, run int) float64 {
	return math.Ldexp(alpha/float64(max(1, looks)), 1-max(1, run))
}
