package loadgen

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// throughputs are the estimator of docs/method.md#definitions for a closed loop, and the count that it replaces.
func throughputs(r *Result) (overlap, count float64) {
	seconds := r.Length.Seconds()
	return float64(r.Overlap.Right) / WholeRequest / seconds, float64(r.Completed.Right) / seconds
}

// fixed are the requests of clients in step, one after the other from a moment on.
func fixed(clients, requests int, from, took float64) (out []outcome) {
	for i := range requests {
		for range clients {
			out = append(out, ok(from+float64(i)*took, from+float64(i+1)*took))
		}
	}
	return out
}

func TestOverlap(t *testing.T) {
	tests := []struct {
		name        string
		length      time.Duration
		wanted      int64
		outcomes    []outcome
		want, count float64
	}{
		{"two clients out of step", 5 * time.Second, 0, []outcome{ok(8, 10.5), ok(10.5, 13), ok(13, 15.5), ok(9, 11.4),
			ok(11.4, 13.8), ok(13.8, 16.2)}, 0.8166667, 0.8},
		{"four clients in step", 5 * time.Second, 0, fixed(4, 5, 7.5, 2), 2, 1.6},
		{"longer than the window", 5 * time.Second, 0, []outcome{ok(5, 25)}, 0.05, 0},
		{"failed ones", 5 * time.Second, 0, []outcome{failed(8, 12, Reset), failed(12, 13, Short),
			failed(13, 43, Timeout)}, 0, 0},
		{"ended as it began", 5 * time.Second, 0, []outcome{ok(8, 10)}, 0, 0.2},
		{"ended on its end", 5 * time.Second, 0, []outcome{ok(14, 15)}, 0.2, 0},
		{"begun as it ended", 5 * time.Second, 0, []outcome{ok(9, 15), ok(15, 16)}, 1. / 6, 0},
		{"in no time", 5 * time.Second, 0, []outcome{ok(12, 12)}, 0.2, 0.2},
		{"counted off", 0, 3, fixed(1, 3, 10, 0.5), 2, 2},
		{"counted off after a warm-up", 0, 2, []outcome{ok(9, 10.25), ok(8, 12), ok(10, 10.5), ok(10.5, 11)},
			(0.25/1.25 + 1./4 + 2) / 1, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, counted := throughputs(count(t, openWindow(tt.length), tt.wanted, tt.outcomes...))
			if math.Abs(got-tt.want) > 5e-8 || math.Abs(counted-tt.count) > 5e-8 {
				t.Errorf("%.7f per second (counted %.7f), want %.7f (%.7f)", got, counted, tt.want, tt.count)
			}
		})
	}
}

// The time in flight is that of connections with a request, up to both ends of the window.
func TestTimeInFlight(t *testing.T) {
	r := count(t, openWindow(5*time.Second), 0, ok(8, 10.5), failed(10.5, 13, Reset), ok(13, 20), ok(4, 9))
	want := Overlap{Right: 200_000_000 + 285_714_286, Failed: WholeRequest, Time: 5 * time.Second}
	if *r.Overlap != want {
		t.Errorf("got %+v, want %+v", r.Overlap, want)
	}
}

// Closed loops of long requests, whose throughput is known, seen through short windows at any moment: the estimator is
// right in the mean and spreads less than the count.
func TestThroughputOfFewRequests(t *testing.T) {
	services := map[string]func(*rand.Rand) float64{
		"fixed":       func(*rand.Rand) float64 { return 2 },
		"log-normal":  func(r *rand.Rand) float64 { return 2 * math.Exp(0.5*r.NormFloat64()-0.125) },
		"exponential": func(r *rand.Rand) float64 { return 2 * r.ExpFloat64() },
	}
	for name, service := range services {
		for _, clients := range []int{1, 4} {
			random := rand.New(rand.NewPCG(1, uint64(clients)))
			const windows = 2000
			var sum, squares, sumOfCounts, squaresOfCounts float64
			w := newWindow(5 * time.Second)
			tallied := newTally(w, &Config{Timeout: testTimeout})
			for range windows {
				w.start.Store(sec(50 + 10*random.Float64()))
				*tallied.found.Overlap, tallied.found.Seconds, tallied.found.Completed = Overlap{}, nil, Completed{}
				for range clients {
					for at := 0.0; at < 70; {
						o := ok(at, at+service(random))
						tallied.overlap(&o, w.end())
						if w.contains(o.end) {
							tallied.complete(&o)
						}
						at = float64(o.end) / 1e9
					}
				}
				x, n := throughputs(&Result{Length: 5 * time.Second, Overlap: tallied.found.Overlap,
					Completed: tallied.found.Completed})
				sum, squares = sum+x, squares+x*x
				sumOfCounts, squaresOfCounts = sumOfCounts+n, squaresOfCounts+n*n
			}
			mean, truth := sum/windows, float64(clients)/2
			spread := math.Sqrt(max(0, squares/windows-mean*mean)) / mean
			counted := sumOfCounts / windows
			spreadOfCounts := math.Sqrt(max(0, squaresOfCounts/windows-counted*counted)) / counted
			if off := math.Abs(mean/truth - 1); off > 0.01+4*spread/math.Sqrt(windows) {
				t.Errorf("%s, %d clients: the mean is %.4f, and the truth %.4f", name, clients, mean, truth)
			}
			if spread >= spreadOfCounts || name == "fixed" && spread > 0.003 {
				t.Errorf("%s, %d clients: it spreads by %.1f %%, and the count by %.1f %%", name, clients, 100*spread,
					100*spreadOfCounts)
			}
			t.Logf("%s, %d clients: spread %.1f %%, of the count %.1f %%", name, clients, 100*spread, 100*spreadOfCounts)
		}
	}
}

// An open loop on a server that answers half of what is due counts what ended, since shares of requests that wait in a
// growing queue are no throughput: they would be 39 % too many.
func TestOverloadedOpenLoopIsCounted(t *testing.T) {
	tallied := newTally(openWindow(10*time.Second), &Config{Timeout: testTimeout})
	for k := range 10_000 {
		due := float64(k) / 1000
		o := ok(10+due, 10+2*due+0.001)
		tallied.add(&o)
	}
	r, err := tallied.result(0)
	if err != nil {
		t.Fatal(err)
	}
	shares, counted := throughputs(r)
	if math.Abs(counted-500) > 1 || math.Abs(shares-1000*(math.Ln2)) > 5 {
		t.Errorf("%.0f per second counted and %.0f by shares, want 500 and 693", counted, shares)
	}
}
