package schedule

import (
	"math"
	"slices"
	"testing"
	"time"

	"benchbook/runner/load/http"
)

// due lists what all engines together are told, by time.
func due(c *http.Config, base int64, engines int) []int64 {
	var all []int64
	for i := range engines {
		a := NewArrivals(c, base, i, engines)
		for t, ok := a.Next(); ok; t, ok = a.Next() {
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
	tests := []struct {
		name   string
		config http.Config
		want   []int64
	}{
		{"constant", http.Config{Rate: 1000, Duration: 4 * time.Millisecond}, ms(0, 1, 2, 3)},
		{"a rate that does not fit", http.Config{Rate: 400, Duration: 6 * time.Millisecond}, ms(0, 2.5, 5)},
		{"the window starts anew", http.Config{Rate: 400, Duration: 4 * time.Millisecond, Warmup: 4 * time.Millisecond},
			ms(0, 2.5, 4, 6.5)},
		{"slower than the window", http.Config{Rate: 1, Duration: time.Millisecond}, ms(0)},
		// Half of 1/ms² t² requests are there by t.
		{"a ramp from nothing", http.Config{Stages: []http.Stage{{Duration: 4 * time.Millisecond, Rate: 4000}}},
			ms(0, math.Sqrt(2), 2, math.Sqrt(6), math.Sqrt(8), math.Sqrt(10), math.Sqrt(12), math.Sqrt(14))},
		{"a ramp down", http.Config{Rate: 2000, Stages: []http.Stage{{Duration: 2 * time.Millisecond, Rate: 1000}}},
			ms(0, 4-math.Sqrt(12), 4-math.Sqrt(8))},
		{"a ramp and a plateau", http.Config{Stages: []http.Stage{{Duration: 2 * time.Millisecond, Rate: 1000},
			{Duration: 3 * time.Millisecond, Rate: 1000}}},
			ms(0, 2, 3, 4)},
		{"a warm-up before stages that start from nothing", http.Config{Warmup: time.Second,
			Stages: []http.Stage{{Duration: 2 * time.Millisecond, Rate: 1000}}}, ms(1000)},
	}
	for _, tt := range tests {
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
			c := &http.Config{Rate: rate, Duration: time.Duration(ms) * time.Millisecond}
			if got := len(due(c, 0, 2)); got != int(rate)*ms/1000 {
				t.Errorf("%d requests at %v/s in %v", got, rate, c.Duration)
			}
		}
	}
	if got := len(due(&http.Config{Rate: 10000, Duration: 700 * time.Millisecond}, 0, 1)); got != 7000 {
		t.Errorf("%d requests at 10000/s in 700 ms", got)
	}
}

// Poisson arrivals are the same however many engines there are, others for another seed, and spread as they should be:
// mean and variance of their number in equal parts of the time agree, and no part of the schedule has more than its
// share.
func TestPoissonArrivals(t *testing.T) {
	c := &http.Config{Rate: 10000, Duration: 10 * time.Second, Arrivals: http.PoissonArrivals, Seed: 7}
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
	ramp := &http.Config{Stages: []http.Stage{{Duration: 10 * time.Second, Rate: 10000}}, Arrivals: http.PoissonArrivals,
		Seed: 1}
	times := due(ramp, 0, 2)
	early, _ := slices.BinarySearch(times, sec(5))
	if share := float64(early) / float64(len(times)); share < 0.24 || share > 0.26 || len(times) < 49000 ||
		len(times) > 51000 {
		t.Errorf("%d arrivals on a ramp, %v of them in its first half; want 50000 and a quarter", len(times), share)
	}
}

func TestClients(t *testing.T) {
	c := &http.Config{Connections: 2, Warmup: time.Second, Stages: []http.Stage{
		{Duration: 2 * time.Second, Connections: 4}, {Duration: time.Second, Connections: 4},
		{Duration: 3 * time.Second, Connections: 1},
	}}
	s := Clients(c)
	for at, want := range map[float64]float64{0: 2, 1: 2, 2: 3, 3: 4, 3.5: 4, 4: 4, 5: 3, 7: 1, 8: 1} {
		if got := s.Value(sec(at)); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v clients after %v s, want %v", got, at, want)
		}
	}
	for _, tt := range []struct{ v, from, want float64 }{{1, 0, 0}, {3, 0, 2}, {3, 2.5, 2.5}, {4, 0, 3}, {4, 4.5, -1},
		{5, 0, -1}} {
		at, ok := s.Reach(tt.v, sec(tt.from))
		if ok != (tt.want >= 0) || ok && math.Abs(float64(at-sec(tt.want))) > 2 {
			t.Errorf("%v clients are reached at %d (%v) from %v s on, want %v s", tt.v, at, ok, tt.from, tt.want)
		}
	}
	if Clients(&http.Config{Connections: 5}) != nil ||
		Clients(&http.Config{Stages: []http.Stage{{Rate: 5}}}) != nil {
		t.Error("a number of clients that does not change has a schedule")
	}
}

// What several generators are told is what one is, whichever threads each of them has: constant arrivals stay evenly
// spaced, and Poisson ones are the same.
func TestPartsOfASchedule(t *testing.T) {
	for name, c := range map[string]http.Config{
		"constant": {Rate: 333, Duration: time.Second, Warmup: 100 * time.Millisecond},
		"poisson": {Rate: 333, Duration: time.Second, Warmup: 100 * time.Millisecond, Arrivals: http.PoissonArrivals,
			Seed: 3},
		"a ramp":    {Stages: []http.Stage{{Duration: time.Second, Rate: 500}, {Duration: time.Second, Rate: 10}}},
		"few":       {Rate: 2, Duration: time.Second},
		"one alone": {Rate: 1, Duration: time.Second},
	} {
		for parts := 1; parts <= 4; parts++ {
			var got []int64
			for part := range parts {
				threads := part + 1
				for i := range threads {
					a := NewArrivals(&c, 5, part+i*parts, threads*parts)
					for at, more := a.Next(); more; at, more = a.Next() {
						got = append(got, at)
					}
				}
			}
			slices.Sort(got)
			if want := due(&c, 5, 1); !slices.Equal(got, want) {
				t.Errorf("%s: %d generators are told of %d requests, one of %d, or at other times", name, parts, len(got),
					len(want))
			}
		}
	}
}

func sec(s float64) int64 { return int64(math.Round(s * 1e9)) }
