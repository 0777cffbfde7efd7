package loadgen

import (
	"math"
	"slices"
	"testing"
	"time"
)

// due lists what all engines together are told, by time.
func due(c *Config, base int64, engines int) []int64 {
	var all []int64
	for i := range engines {
		a := newSchedule(c, base, i, engines)
		for t, ok := a.next(); ok; t, ok = a.next() {
			all = append(all, t)
		}
	}
	slices.Sort(all)
	return all
}

func TestArrivals(t *testing.T) {
	ms := func(list ...float64) []int64 {
		var out []int64
		for _, x := range list {
			out = append(out, int64(math.Round(x*1e6)))
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		config Config
		want   []int64
	}{
		{"constant", Config{Rate: 1000, Duration: 4 * time.Millisecond}, ms(0, 1, 2, 3)},
		{"a rate that does not fit", Config{Rate: 400, Duration: 6 * time.Millisecond}, ms(0, 2.5, 5)},
		{"the window starts anew", Config{Rate: 400, Duration: 4 * time.Millisecond, Warmup: 4 * time.Millisecond},
			ms(0, 2.5, 4, 6.5)},
		{"slower than the window", Config{Rate: 1, Duration: time.Millisecond}, ms(0)},
	} {
		for engines := 1; engines <= 3; engines++ {
			got := due(&tt.config, 0, engines)
			if !slices.EqualFunc(got, tt.want, func(a, b int64) bool { return a-b <= 1 && b-a <= 1 }) {
				t.Errorf("%s, %d engines:\n got %v\nwant %v", tt.name, engines, got, tt.want)
			}
		}
	}
}

// A rate that fits into the window has as many requests in it as it says, not one more on its end.
func TestWholeNumberOfArrivals(t *testing.T) {
	for _, rate := range []float64{1, 3, 10, 700, 1000, 9999, 10000, 50000} {
		for _, ms := range []int{1000, 2000, 7000} {
			c := &Config{Rate: rate, Duration: time.Duration(ms) * time.Millisecond}
			if got := len(due(c, 0, 2)); got != int(rate)*ms/1000 {
				t.Errorf("%d requests at %v/s in %v", got, rate, c.Duration)
			}
		}
	}
	if got := len(due(&Config{Rate: 10000, Duration: 700 * time.Millisecond}, 0, 1)); got != 7000 {
		t.Errorf("%d requests at 10000/s in 700 ms", got)
	}
}

// Poisson arrivals are the same however many engines there are, others for another seed, and spread as they should be:
// mean and variance of their number in equal parts of the time agree, and no part of the schedule has more than its
// share.
func TestPoissonArrivals(t *testing.T) {
	c := &Config{Rate: 10000, Duration: 10 * time.Second, Arrivals: PoissonArrivals, Seed: 7}
	one, three := due(c, 5, 1), due(c, 5, 3)
	if !slices.Equal(one, three) {
		t.Error("three engines are not told what one is")
	}
	other := *c
	other.Seed = 8
	if slices.Equal(one, due(&other, 5, 1)) {
		t.Error("another seed gives the same times")
	}
	const parts = 1000
	counts := make([]float64, parts)
	for _, t := range one {
		counts[(t-5)*parts/c.Duration.Nanoseconds()]++
	}
	mean, variance := float64(len(one))/parts, 0.0
	for _, n := range counts {
		variance += (n - mean) * (n - mean) / (parts - 1)
	}
	// Of 100 000 arrivals; the share of the variance has a standard deviation of √(2/1000).
	if mean < 98.5 || mean > 101.5 || variance/mean < 0.8 || variance/mean > 1.2 {
		t.Errorf("mean %v and variance %v of the numbers in %d parts, want 100 of both", mean, variance, parts)
	}
}
