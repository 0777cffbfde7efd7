package stats

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

// Level returns the level at which claims, rank groups and A/A pairs are judged that are looked at so often:
// alpha/looks. Printed intervals of cells stay at alpha.
//
// Source: docs/method.md#number-of-looks.
func Level(alpha float64, looks int) float64 { return alpha / float64(max(1, looks)) }
