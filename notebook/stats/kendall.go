package stats

import (
	"cmp"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Tau is how far two orders of the same rows agree.
type Tau struct {
	Value float64 // Kendall's tau-b, from -1 (reversed) to 1 (the same order)
	P     float64 // one-sided, of agreement at least as strong by chance
	N     int     // rows
}

// Sizes up to which the distribution of S is counted, not approximated.
const (
	maxExactUntied = 60
	maxExactTied   = 9
)

// tauB returns Kendall's tau-b of two lists of equal length, and nil if they have no order: below two rows, or if
// one of them is constant.
//
// P is exact from the counts of inversions without ties, from all orders with ties in up to nine rows, and normal
// with continuity correction otherwise.
//
// Source: docs/method.md#published-against-measured; Kendall, Rank Correlation Methods, ch. 4.
func tauB(x, y []float64) *Tau {
	n := len(x)
	s, untiedX, untiedY := 0, 0, 0
	for i := range n {
		for j := range i {
			dx, dy := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			s += dx * dy
			untiedX += dx * dx
			untiedY += dy * dy
		}
	}
	if untiedX == 0 || untiedY == 0 {
		return nil
	}
	t := &Tau{Value: float64(s) / math.Sqrt(float64(untiedX)*float64(untiedY)), N: n}
	pairs := n * (n - 1) / 2
	tied := untiedX < pairs || untiedY < pairs
	switch {
	case !tied && n <= maxExactUntied:
		t.P = atMostInversions(n, (pairs-s)/2)
	case tied && n <= maxExactTied:
		t.P = shareOfOrders(x, y, s)
	default:
		t.P = distuv.UnitNormal.Survival(float64(s-1) / math.Sqrt(varianceOfS(x, y)))
	}
	return t
}

// atMostInversions returns the share of all orders of n things that have no more than k inversions.
func atMostInversions(n, k int) float64 {
	// share[i] is that of orders with exactly i inversions. The m-th thing can stand before 0 to m-1 of those
	// already placed, each as likely, and adds as many inversions.
	share := make([]float64, k+1)
	share[0] = 1
	for m := 2; m <= n; m++ {
		for i := k; i >= 0; i-- {
			sum := 0.0
			for added := range min(m, i+1) {
				sum += share[i-added]
			}
			share[i] = sum / float64(m)
		}
	}
	p := 0.0
	for _, s := range share {
		p += s
	}
	return min(1, p)
}

// shareOfOrders returns the share of all orders of y whose S with x is at least s.
func shareOfOrders(x, y []float64, s int) float64 {
	n := len(x)
	order := make([]int, 0, n) // of y, as far as placed
	placed := make([]bool, n)
	reached, orders := 0, 0
	var place func(sum int)
	place = func(sum int) {
		at := len(order)
		if at == n {
			orders++
			if sum >= s {
				reached++
			}
			return
		}
		for next := range n {
			if placed[next] {
				continue
			}
			more := 0
			for i, before := range order {
				more += cmp.Compare(x[at], x[i]) * cmp.Compare(y[next], y[before])
			}
			placed[next], order = true, append(order, next)
			place(sum + more)
			placed[next], order = false, order[:at]
		}
	}
	place(0)
	return float64(reached) / float64(orders)
}

// varianceOfS returns the variance of S over all orders of at least three rows, corrected for ties.
func varianceOfS(x, y []float64) float64 {
	n := float64(len(x))
	x1, x2, x3 := tieSums(x)
	y1, y2, y3 := tieSums(y)
	return (n*(n-1)*(2*n+5)-x3-y3)/18 + x1*y1/(2*n*(n-1)) + x2*y2/(9*n*(n-1)*(n-2))
}

// tieSums returns the sums of t(t-1), t(t-1)(t-2) and t(t-1)(2t+5) over the groups of t equal values.
func tieSums(values []float64) (two, three, weighted float64) {
	sizes := map[float64]float64{}
	for _, v := range values {
		sizes[v]++
	}
	for _, t := range sizes {
		two += t * (t - 1)
		three += t * (t - 1) * (t - 2)
		weighted += t * (t - 1) * (2*t + 5)
	}
	return two, three, weighted
}
