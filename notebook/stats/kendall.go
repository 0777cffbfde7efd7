package stats

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
