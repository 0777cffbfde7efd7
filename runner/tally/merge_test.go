package tally_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/runner/load/http"
	"benchbook/runner/tally"
	"benchbook/runner/tally/tallytest"
	"benchbook/slowtest"
)

// dealtOut deals outcomes out to as many generators, each with a window of its own that is like all others, and gives
// what each found.
func dealtOut(t *testing.T, config *http.Config, outcomes []tally.Outcome, parts int) []*http.Result {
	t.Helper()
	var results []*http.Result
	for i := range parts {
		all := tally.NewTally(openWindow(10*time.Second), config)
		for k := i; k < len(outcomes); k += parts {
			all.Add(&outcomes[k])
		}
		r, err := all.Result(0)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	return results
}

// However requests are dealt out to generators, their results together are that of one generator to which all of them
// happened, to the last bucket of each histogram.
func TestMergeIsWhatOneGeneratorFinds(t *testing.T) {
	slowtest.Skip(t)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		config := &http.Config{Targets: []http.Target{{URL: "https://a/"}}, Timeout: time.Second}
		if seed%2 == 1 {
			config.Rate = 100
		}
		var outcomes []tally.Outcome
		for range 1 + random.IntN(2000) {
			start := 8 + 12*random.Float64()
			o := ok(start, start+70*random.Float64()*random.Float64()*random.Float64()) // some beyond what a histogram holds
			switch random.IntN(10) {
			case 0:
				o = failed(start, start+random.Float64(), http.Kinds[random.IntN(len(http.Kinds))])
				if o.Kind == http.Wrong {
					o.Status = 500
				}
			case 1:
				o.Status = 404
			case 2:
				o.Connect, o.TLS = random.Int64N(1e9), random.Int64N(1e9)
			case 3:
				o.Stale, o.Unrequested, o.Blocked = true, true, true
			}
			o.Sent = o.Start + random.Int64N(o.End-o.Start+1)
			if o.Kind == http.Timeout {
				o.Sent = tally.NeverSent
			}
			o.BytesIn, o.BytesOut = random.Int64N(1000), random.Int64N(1000)
			outcomes = append(outcomes, o)
		}
		want := dealtOut(t, config, outcomes, 1)[0]
		for parts := 1; parts <= 5; parts++ {
			results := dealtOut(t, config, outcomes, parts)
			before := fmt.Sprintf("%+v", *results[0]) // maps and lists with what is in them
			got, err := http.Merge(results)
			if err != nil {
				t.Fatal(err)
			}
			tallytest.CheckSums(t, got)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("seed %d: %d generators find\n%+v\none finds\n%+v", seed, parts, got, want)
			}
			if after := fmt.Sprintf("%+v", *results[0]); after != before {
				t.Errorf("seed %d: merging %d results has changed the first of them", seed, parts)
			}
		}
	}
}

// What cannot be added up is that of the generator which was worst off.
func TestMergeOfWhatGeneratorsTellOfThemselves(t *testing.T) {
	begin := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	found := func(after, length time.Duration, by http.Ending, change func(*http.Result)) *http.Result {
		r := dealtOut(t, &http.Config{Timeout: time.Second}, nil, 1)[0]
		r.Start, r.Length, r.EndedBy, r.CPU, r.Health = begin.Add(after), length, by,
			&http.CPU{User: time.Second, Length: length, Busiest: new(0.25)}, &http.Health{Standstill: 5, Waiting: new(0.02)}
		if change != nil {
			change(r)
		}
		return r
	}
	tests := []struct {
		name  string
		parts []*http.Result
		want  string
	}{
		{"equally long", []*http.Result{found(0, 2*time.Second, http.EndedByDuration, nil),
			found(time.Millisecond, 2*time.Second, http.EndedByDuration, nil)},
			"after 1ms for 2s by duration, busiest 0.25 of 2s, stood still for 5ns, waited for 0.02, in flight unknown"},
		{"one is busy", []*http.Result{found(0, time.Second, http.EndedByDuration,
			func(r *http.Result) { r.CPU.Busiest = new(0.95) }), found(0, time.Second, http.EndedByDuration, nil)},
			"after 0s for 1s by duration, busiest 0.95 of 2s, stood still for 5ns, waited for 0.02, in flight unknown"},
		{"one was held back", []*http.Result{found(0, time.Second, http.EndedByDuration, nil),
			found(0, time.Second, http.EndedByDuration, func(r *http.Result) {
				r.Health.Standstill, r.Health.Waiting = 9,
					new(0.5)
			})},
			"after 0s for 1s by duration, busiest 0.25 of 2s, stood still for 9ns, waited for 0.5, in flight unknown"},
		// 3 of 4 clients over 2 s, and 1 of 4 over 1 s, which is as if they had gone on for 2 s.
		{"by requests", []*http.Result{
			found(0, 2*time.Second, http.EndedByRequests,
				func(r *http.Result) { r.InFlight = &http.InFlight{Time: 6 * time.Second, Length: 2 * time.Second} }),
			found(10*time.Millisecond, 1500*time.Millisecond, http.EndedByRequests,
				func(r *http.Result) { r.InFlight = &http.InFlight{Time: time.Second, Length: time.Second} }),
		}, "after 0s for 2s by requests, busiest 0.25 of 2s, stood still for 5ns, waited for 0.02, in flight 8s of 2s"},
		{"by requests, the last one to begin ending last", []*http.Result{
			found(0, time.Second, http.EndedByRequests, func(r *http.Result) {
				r.InFlight = &http.InFlight{Time: time.Second,
					Length: time.Second}
			}),
			found(500*time.Millisecond, time.Second, http.EndedByRequests,
				func(r *http.Result) { r.InFlight = &http.InFlight{} }),
		}, "after 0s for 1.5s by requests, busiest 0.25 of 2s, stood still for 5ns, waited for 0.02, in flight 0s of 0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.Merge(tt.parts)
			if err != nil {
				t.Fatal(err)
			}
			inFlight := "unknown"
			if r.InFlight != nil {
				inFlight = fmt.Sprintf("%v of %v", r.InFlight.Time, r.InFlight.Length)
			}
			got := fmt.Sprintf("after %v for %v by %s, busiest %v of %v, stood still for %v, waited for %v, in flight %s",
				r.Start.Sub(begin), r.Length, r.EndedBy,
				*r.CPU.Busiest, r.CPU.User, r.Health.Standstill, *r.Health.Waiting, inFlight)
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
	untold, err := http.Merge([]*http.Result{found(0, time.Second, http.EndedByDuration, nil),
		found(0, time.Second, http.EndedByDuration, func(r *http.Result) { r.CPU, r.Health = nil, nil })})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := http.Merge([]*http.Result{found(0, time.Second, http.EndedByDuration,
		func(r *http.Result) { r.Health.Waiting = nil }), found(0, time.Second, http.EndedByDuration, nil)})
	if err != nil || silent.Health == nil || silent.Health.Waiting != nil || silent.Health.Standstill != 5 {
		t.Errorf("one generator does not tell how long it waited, and all together %+v, %v", silent.Health, err)
	}
	if untold.CPU != nil || untold.Health != nil {
		t.Errorf("one generator tells nothing, and all together %+v and %+v", untold.CPU, untold.Health)
	}
}

func TestMergeErrors(t *testing.T) {
	closed := dealtOut(t, &http.Config{Timeout: time.Second}, []tally.Outcome{ok(11, 12)}, 1)[0]
	left := ok(11, 12)
	left.Sent = left.Start
	open := dealtOut(t, &http.Config{Timeout: time.Second, Rate: 1}, []tally.Outcome{left}, 1)[0]
	patient := dealtOut(t, &http.Config{Timeout: time.Hour}, []tally.Outcome{ok(11, 12)}, 1)[0]
	broken := *closed
	broken.Latency.Count++
	for name, tt := range map[string]struct {
		parts []*http.Result
		want  string
	}{
		"nothing":                 {nil, "there is no result"},
		"an open and a closed":    {[]*http.Result{closed, open}, "merging lag: part 2 of 2 is of another load"},
		"a closed and an open":    {[]*http.Result{open, closed}, "merging lag: part 2 of 2 is of another load"},
		"other timeouts":          {[]*http.Result{closed, patient}, "up to 60000000000, another one up to 7200000000000"},
		"a histogram that is off": {[]*http.Result{closed, &broken}, "merging latency: decoding histogram"},
	} {
		if _, err := http.Merge(tt.parts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tt.want)
		}
	}
}

// Whatever does not go in evenly, the parts add up to the whole, and none has more than one thing more than another.
func TestShare(t *testing.T) {
	for _, tt := range []struct {
		n, of int
		want  []int
	}{
		{10, 1, []int{10}}, {10, 2, []int{5, 5}}, {10, 3, []int{4, 3, 3}}, {10, 4, []int{3, 3, 2, 2}},
		{7, 7, []int{1, 1, 1, 1, 1, 1, 1}},
		{1, 3, []int{1, 0, 0}}, {0, 3, []int{0, 0, 0}}, {60_001, 2, []int{30_001, 30_000}},
		{997, 5, []int{200, 200, 199, 199, 199}},
	} {
		var got []int
		sum := 0
		for i := range tt.of {
			got = append(got, http.Part{Number: i, Of: tt.of}.Share(tt.n))
			sum += got[i]
		}
		if !slices.Equal(got, tt.want) || sum != tt.n {
			t.Errorf("%d in %d parts: got %v, which is %d, want %v", tt.n, tt.of, got, sum, tt.want)
		}
	}
	if got := (http.Part{}).Share(5); got != 5 {
		t.Errorf("the whole of 5 is %d", got)
	}
}

// What has the load begin at a moment is read as that moment, and nothing else is.
func TestParseWord(t *testing.T) {
	moment := time.Unix(1_800_000_000, 123_456_789)
	for _, tt := range []struct {
		word string
		want time.Time
		ok   bool
	}{
		{http.AwaitedWord, time.Time{}, true},
		{http.BeginAt(moment), moment, true},
		{"begin", time.Time{}, false},
		{"begin 5", time.Time{}, false},
		{"begin x\n", time.Time{}, false},
		{"begin +5\n", time.Time{}, false},
		{"begin  5\n", time.Time{}, false},
		{"beginning\n", time.Time{}, false},
		{"", time.Time{}, false},
	} {
		if got, ok := http.ParseWord(tt.word); ok != tt.ok || !got.Equal(tt.want) {
			t.Errorf("%q: got %v, %v, want %v, %v", tt.word, got, ok, tt.want, tt.ok)
		}
	}
}
