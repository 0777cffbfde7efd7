package integrity_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/integrity"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/slowtest"
)

// The experiments that fakes are made of, below the folder of articles. Four are runs of November 2026 without seals,
// whose designs the articles have given up; the first has a closed loop.
const (
	steady   = "../notebook/integrity/testdata/async-101/records/c2-ecb3ae/full/steady"
	slow     = "async-101/records/c2-ecb3ae/full/slow-client" // with failures
	open     = "asyncio-worth-it/records/c2-ecb3ae/full/exhausted"
	commands = "../notebook/integrity/testdata/not-faster/records/c2-ecb3ae/full/accidents"
	ab       = "../notebook/integrity/testdata/async-vs-sync-web/records/c2-ecb3ae/full/planets"
	ceiling  = "../notebook/integrity/testdata/not-faster/records/c2-ecb3ae/full/ceiling" // a search
	clock    = "cpu-vs-io/records/c2-39de7f/full/clock"                                   // on another host
)

// What becomes of a fake.
const (
	isInvalid = "invalid"
	isWarning = "warning"
	isLeftOut = "left out"
)

// A saved record is a file, with what it holds.
type saved struct {
	path string // that it keeps, whatever becomes of the record; empty for the record's own
	*record.Record
}

// A forgery is records in somebody's hands.
type forgery struct {
	t     *testing.T
	files []*saved
}

// first is the first record that fits; nil for any.
func (f *forgery) first(fits func(*record.Record) bool) *record.Record {
	for _, s := range f.files {
		if fits == nil || fits(s.Record) {
			return s.Record
		}
	}
	f.t.Fatal("no record fits")
	return nil
}

func isRight(r *record.Record) bool { return r.Load != nil && r.Load.Completed > 100 }
func fails(r *record.Record) bool   { return r.Load != nil && r.Load.Failed > 0 }
func repetition(n int) func(*record.Record) bool {
	return func(r *record.Record) bool { return r.Repetition == n }
}

// each edits all repetitions of the trial of the first record.
func (f *forgery) each(edit func(*record.Record)) {
	trial := f.files[0].Trial
	for _, s := range f.files {
		if s.Trial == trial {
			edit(s.Record)
		}
	}
}

func (f *forgery) add(r *record.Record) { f.files = append(f.files, &saved{Record: r}) }

func copyOf(t *testing.T, r *record.Record) *record.Record {
	t.Helper()
	data, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	out, err := record.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// committed reads the records of an experiment: of its newest run those of a few trials.
func committed(t *testing.T, of string) []*record.Record {
	t.Helper()
	records := recordsOf(t, of)
	newest := slices.MaxFunc(records, func(a, b *record.Record) int { return strings.Compare(a.Run, b.Run) }).Run
	records = slices.DeleteFunc(records, func(r *record.Record) bool { return r.Run != newest })
	failing := slices.IndexFunc(records, fails)
	var trials []string
	return slices.DeleteFunc(records, func(r *record.Record) bool {
		if !slices.Contains(trials, r.Trial) && len(trials) < 3 {
			trials = append(trials, r.Trial)
		}
		return !slices.Contains(trials, r.Trial) && (failing < 0 || r.Trial != records[failing].Trial)
	})
}

// recordsOf reads the committed records of an experiment, by its folder below the articles.
func recordsOf(t *testing.T, of string) []*record.Record {
	t.Helper()
	slug, rest, _ := strings.Cut(of, "/records/")
	records, bad, err := record.Dir(filepath.Join(articles, slug, "records")).Read()
	records = slices.DeleteFunc(records, func(r *record.Record) bool {
		return strings.Join([]string{r.Host, r.Profile, r.Experiment}, "/") != rest
	})
	if err != nil || len(bad) > 0 || len(records) == 0 {
		t.Fatal(err, bad, len(records))
	}
	return records
}

func edit(fits func(*record.Record) bool, change func(*record.Record)) func(*forgery) {
	return func(f *forgery) { change(f.first(fits)) }
}

func histogram(name string, change func(*record.Histogram)) func(*record.Record) {
	return func(r *record.Record) {
		h := r.Histograms[name]
		change(&h)
		r.Histograms[name] = h
	}
}

func load(change func(*record.Load)) func(*record.Record) {
	return func(r *record.Record) { change(r.Load) }
}

// byShares gives a record, which is older, what its requests add up to by shares of the window, and edits that.
func byShares(edit func(*record.Overlap)) func(*record.Record) {
	return load(func(l *record.Load) {
		l.Overlap = &record.Overlap{Right: float64(l.Completed) - 0.3, Time: 0.98 * float64(l.Connections) * l.Window}
		edit(l.Overlap)
	})
}

func sample(metric string, change func(float64) float64) func(*record.Record) {
	return func(r *record.Record) {
		for i := range r.Samples {
			if r.Samples[i].Metric == metric {
				r.Samples[i].Value = change(r.Samples[i].Value)
			}
		}
	}
}

// definition changes the definition as text.
func definition(old, new string) func(*record.Record) {
	return func(r *record.Record) {
		r.Definition = json.RawMessage(strings.Replace(string(r.Definition), old, new, 1))
	}
}

// shift moves all times of a repetition.
func shift(by time.Duration) func(*record.Record) {
	return func(r *record.Record) {
		r.Started, r.Ended = r.Started.Add(by), r.Ended.Add(by)
		if r.Load != nil {
			r.Load.WindowStart = r.Load.WindowStart.Add(by)
		}
		if r.Command != nil {
			r.Command.Start = r.Command.Start.Add(by)
		}
	}
}

// scale multiplies all counts of a repetition.
func scale(by int64) func(*record.Record) {
	return func(r *record.Record) {
		l := r.Load
		l.Attempted, l.Completed, l.Failed = l.Attempted*by, l.Completed*by, l.Failed*by
		for _, list := range [][]int64{l.Answers, l.Completions} {
			for i := range list {
				list[i] *= by
			}
		}
		for _, counts := range []map[string]int64{l.Failures, l.Statuses} {
			for kind := range counts {
				counts[kind] *= by
			}
		}
	}
}

// measured takes the numbers of another repetition.
func measured(r, from *record.Record) {
	r.Samples, r.Histograms, r.Load, r.Command, r.Machine, r.Output = from.Samples, from.Histograms, from.Load,
		from.Command, from.Machine, from.Output
}

type fake struct {
	name, of string
	forge    func(*forgery)
	want     string // what becomes of it
	reason   string // a part of it
}

// fakes are what somebody may do to records, who cheats or has an accident.
var fakes = slices.Concat(fakesOfCounts, fakesOfTimes, fakesOfRuns, fakesOfInputs, fakesOfFiles)

var fakesOfCounts = []fake{
	{"completed doubled", steady, edit(isRight, load(func(l *record.Load) { l.Completed *= 2 })), isInvalid,
		"answers by second"},
	{"completed doubled, by second too", steady, edit(isRight, load(func(l *record.Load) {
		l.Completed *= 2
		for i := range l.Answers {
			l.Answers[i] *= 2
			l.Completions[i] *= 2
		}
	})), isInvalid, "requests were answered by"},
	{"a request more", steady, edit(isRight, load(func(l *record.Load) { l.Attempted++ })), isInvalid, "attempted is"},
	{"attempted lowered", slow, edit(fails, load(func(l *record.Load) { l.Attempted, l.Failed = 10, 10 })), isInvalid,
		"failures by kind"},
	{"failures hidden", slow, edit(fails, load(func(l *record.Load) { l.Failed = 0 })), isInvalid, "attempted is"},
	{"failures hidden as answers", slow, edit(fails, load(func(l *record.Load) {
		l.Completed, l.Failed = l.Completed+l.Failed, 0
	})), isInvalid, "attempted is"},
	{"failures hidden, and their kinds", slow, edit(fails, load(func(l *record.Load) {
		l.Attempted, l.Failed, l.Failures = l.Attempted-l.Failed, 0, map[string]int64{}
	})), isInvalid, "histograms.latency.failed"},
	{"kinds of failures dropped", slow, edit(fails, load(func(l *record.Load) { l.Failures = map[string]int64{} })),
		isInvalid, "failures by kind"},
	{"a kind of failure lowered", slow, edit(fails, load(func(l *record.Load) { l.Failures["timeout"]-- })), isInvalid,
		"failures by kind"},
	{"failed added", steady, edit(isRight, load(func(l *record.Load) { l.Failed, l.Failures["reset"] = 50, 50 })),
		isInvalid, "attempted is"},
	{"statuses added", steady, edit(isRight, load(func(l *record.Load) { l.Statuses["500"] = 10 })), isInvalid,
		"have a status"},
	{"statuses removed", steady, edit(isRight, load(func(l *record.Load) { l.Statuses["200"] -= 100 })), isInvalid,
		"have a status"},
	{"a second without answers", steady, edit(isRight, load(func(l *record.Load) { l.Answers[1] = 0 })), isInvalid,
		"answers by second"},
	{"completions of a second raised", steady, edit(isRight, load(func(l *record.Load) { l.Completions[1] += 10_000 })),
		isInvalid, "completions by second"},
	{"completions of a second lowered", steady, edit(isRight, load(func(l *record.Load) { l.Completions[1] -= 20 })),
		isInvalid, "completions by second"},
	{"all counts doubled", steady, edit(isRight, scale(2)), isInvalid, "attempted is"},
	{"all counts doubled, and those of histograms", steady, edit(isRight, func(r *record.Record) {
		scale(2)(r)
		for name, h := range r.Histograms {
			h.Count, h.Sum = h.Count*2, h.Sum*2
			r.Histograms[name] = h
		}
	}), isInvalid, "times, and count is"},
	{"counts and histogram of one trial taken to another", slow, func(f *forgery) {
		a := f.first(isRight)
		b := f.first(func(r *record.Record) bool { return fails(r) })
		b.Histograms = copyOf(f.t, a).Histograms
	}, isInvalid, "attempted is"},
	{"latencies halved", steady, edit(isRight, histogram("latency", func(h *record.Histogram) {
		h.Min, h.Max, h.Sum = h.Min/2, h.Max/2, h.Sum/2
	})), isInvalid, "together, and sum is"},
	{"the sum of latencies lowered", steady, edit(isRight, histogram("latency",
		func(h *record.Histogram) { h.Sum *= 0.8 })),
		isInvalid, "together, and sum is"},
	{"the largest latency hidden", steady, edit(isRight, histogram("latency", func(h *record.Histogram) { h.Max /= 3 })),
		isInvalid, "and max is"},
	{"the smallest latency lowered", steady, edit(isRight, histogram("latency", func(h *record.Histogram) { h.Min /= 3 })),
		isInvalid, "and min is"},
	{"the count of latencies raised", steady, edit(isRight, histogram("latency",
		func(h *record.Histogram) { h.Count += 5 })),
		isInvalid, "count is"},
	{"latencies beyond the histogram hidden in it", steady, edit(isRight, histogram("latency",
		func(h *record.Histogram) { h.Overflow = 3 })), isInvalid, "count is"},
	{"a histogram made anew", steady, func(f *forgery) {
		r := f.first(isRight)
		r.Histograms["latency"] = recordtest.Histogram(f.t, recordtest.Times(0.001, r.Histograms["latency"].Count))
	}, isInvalid, "latencies by second"},
	{"a histogram made anew, slower than there is time for", steady, func(f *forgery) {
		r := f.first(isRight)
		n := r.Histograms["latency"].Count
		slower := 3 * r.Load.Window * float64(r.Load.Connections) / float64(n)
		r.Histograms["latency"] = recordtest.Histogram(f.t, recordtest.Times(slower, n))
	}, isInvalid, "cannot wait for"},
	{"histograms of two repetitions exchanged", steady, func(f *forgery) {
		a, b := f.files[0].Record, f.files[1].Record
		a.Histograms, b.Histograms = b.Histograms, a.Histograms
	}, isInvalid, "attempted is"},
	{"a histogram cut off", steady, edit(isRight, histogram("latency",
		func(h *record.Histogram) { h.HDR = h.HDR[:len(h.HDR)/2] })), isInvalid, "cannot be read"},
	{"a histogram emptied", steady, edit(isRight, histogram("latency", func(h *record.Histogram) {
		h.HDR, h.Count, h.Sum, h.Min, h.Max = "", 0, 0, 0, 0
	})), isInvalid, "cannot be read"},
	{"more connects than requests", steady, edit(isRight, histogram("latency.connect", func(h *record.Histogram) {
		h.Count += 100_000
	})), isInvalid, "latency.connect"},
	{"the generator less busy", steady, edit(isRight, load(func(l *record.Load) { l.Busy /= 2 })), isInvalid,
		"generator.cpu"},
	{"the sample of the generator lowered", steady, edit(isRight, sample("generator.cpu",
		func(x float64) float64 { return x / 2 })), isInvalid, "generator.cpu"},
	{"a sample of throughput added", steady, edit(isRight, func(r *record.Record) {
		r.Samples = append(r.Samples, record.Sample{Metric: "throughput", Value: 99_999, Unit: "1/s"})
	}), isInvalid, "throughput is"},
	{"answers by shares of the window added", steady, edit(isRight, byShares(func(o *record.Overlap) { o.Right *= 1.5 })),
		isInvalid, "load.overlap has"},
	{"answers by shares of the window taken away", steady, edit(isRight, byShares(func(o *record.Overlap) {
		o.Right *= 0.5
	})), isInvalid, "load.overlap has"},
	{"failures by shares of the window added", steady, edit(isRight, byShares(func(o *record.Overlap) {
		o.Failed += 5000
	})), isInvalid, "requests, and completions by second"},
	{"more time than the connections have", steady, edit(isRight, byShares(func(o *record.Overlap) { o.Time *= 2 })),
		isInvalid, "load.overlap.time is"},
	{"less time than the requests took", steady, edit(isRight, byShares(func(o *record.Overlap) { o.Time *= 0.01 })),
		isInvalid, "by the histograms"},
	{"a share of CPU above 1", steady, edit(isRight, load(func(l *record.Load) { l.ForeignCPU = 1.5 })), isInvalid,
		"it is a share"},
	{"a generator busier than a core", steady, edit(isRight, func(r *record.Record) {
		r.Load.Busy = 1.8
		sample("generator.cpu", func(float64) float64 { return 1.8 })(r)
	}), isInvalid, "it is a share"},
	{"more CPUs in use than there are", steady, edit(isRight, sample("cpu.server", func(float64) float64 { return 12 })),
		isInvalid, "the machine has 2"},
	{"steal above 1", steady, edit(isRight, func(r *record.Record) { r.Machine.Steal = 3 }), isInvalid, "it is a share"},
	{"a thread that runs twice at a time", steady, edit(isRight, func(r *record.Record) {
		r.Machine.Threads = map[string]float64{"server": 2}
	}), isInvalid, "it is a share"},
	{"more throttled than there were periods", steady, edit(isRight, func(r *record.Record) {
		r.Machine.Throttled["server"] = record.Throttling{Periods: 1, Throttled: 3}
	}), isInvalid, "were throttled"},
	{"more sent than was due", open, edit(nil, load(func(l *record.Load) { l.Open.Sent = l.Open.Due + 1 })), isLeftOut,
		"load.open: sent"},
	{"an open loop with answers added", open, edit(isRight, load(func(l *record.Load) {
		l.Completed += 500
		l.Answers[0] += 500
	})), isInvalid, "completions by second"},
	{"the latency of another tool lowered", ab, edit(isRight, sample("latency.p99",
		func(x float64) float64 { return x - 0.005 })), isInvalid, "by the output of ab"},
	{"the window of another tool shortened", ab, edit(isRight, load(func(l *record.Load) { l.Window *= 0.8 })), isInvalid,
		"parts.measure"},
	{"failures taken out of the counts of another tool", ab, edit(isRight, load(func(l *record.Load) {
		l.Attempted, l.Completed = 900, 900
	})), isInvalid, "by the output of ab"},
	{"the count of another tool raised", ab, edit(isRight, load(func(l *record.Load) { l.Completed += 1000 })), isInvalid,
		"were completed"},
	{"failures of another tool hidden", ab, edit(isRight, load(func(l *record.Load) {
		l.Failures = map[string]int64{"other": 50}
	})), isInvalid, "failures by kind"},
	{"a negative window", steady, edit(isRight, load(func(l *record.Load) { l.Window = -3 })), isLeftOut,
		"load.window is -3"},
	{"a sample without an end", steady, edit(isRight, sample("cpu.server", func(float64) float64 { return 1e300 })),
		isLeftOut, "cannot be more than"},
}

var fakesOfTimes = []fake{
	{"measured in the future", steady, edit(nil, shift(20*365*24*time.Hour)), isInvalid, "in the future"},
	{"measured before its run", steady, edit(nil, shift(-48*time.Hour)), isInvalid, "started before its run"},
	{"ended before it started", steady, edit(nil, func(r *record.Record) { r.Ended = r.Started.Add(-time.Second) }),
		isLeftOut, "ended before it started"},
	{"ended before its window", steady, edit(nil, func(r *record.Record) { r.Ended = r.Started.Add(time.Second) }),
		isInvalid, "its window ended after"},
	{"a window before the repetition", steady, edit(nil, load(func(l *record.Load) {
		l.WindowStart = l.WindowStart.Add(-time.Minute)
	})), isInvalid, "its window began before"},
	{"a window after the repetition", steady, edit(nil, load(func(l *record.Load) {
		l.WindowStart = l.WindowStart.Add(time.Minute)
	})), isInvalid, "its window ended after"},
	{"parts longer than the repetition", steady, edit(nil, func(r *record.Record) { r.Parts["warmup"] += 30 }), isInvalid,
		"its parts took"},
	{"a window shortened", steady, edit(isRight, load(func(l *record.Load) { l.Window /= 2 })), isInvalid,
		"parts.measure"},
	{"a window of a second", steady, edit(isRight, load(func(l *record.Load) { l.Window = 1 })), isLeftOut,
		"completions has"},
	{"a window shortened, with its seconds", steady, edit(isRight, load(func(l *record.Load) {
		n := len(l.Completions) / 2
		l.Window, l.Completions = float64(n), l.Completions[:n]
		l.Answers, l.Latencies = l.Answers[:n], l.Latencies[:n]
	})), isInvalid, "parts.measure"},
	{"a window shortened, everywhere", steady, edit(isRight, func(r *record.Record) {
		r.Load.Window *= 0.8
		r.Parts["measure"] *= 0.8
	}), isInvalid, "its window is"},
	{"times shifted into another repetition", steady, edit(nil, shift(3*time.Second)), isInvalid,
		"at the same time as"},
	{"times shifted behind the run", steady, func(f *forgery) { shift(time.Hour)(f.first(repetition(1))) }, isWarning,
		"out of the order"},
	{"a command quicker than it was", commands, edit(nil, func(r *record.Record) { r.Command.Real /= 2 }), isInvalid,
		"parts.measure"},
	{"a command after its repetition", commands, edit(nil, func(r *record.Record) {
		r.Command.Start = r.Ended.Add(time.Second)
	}), isInvalid, "its command ended after"},
}

var fakesOfRuns = []fake{
	{"a repetition copied", steady, func(f *forgery) {
		r := copyOf(f.t, f.first(repetition(5)))
		r.Repetition = 6
		f.add(r)
	}, isInvalid, "it has the same start as"},
	{"a repetition copied, with a place and times of its own", steady, func(f *forgery) {
		r := copyOf(f.t, f.first(repetition(5)))
		r.Repetition, r.Order.Round, r.Order.Position, r.Order.Replaces = 6, 6, r.Order.Of+1, 1
		shift(time.Hour)(r)
		f.add(r)
	}, isInvalid, "it has the same latencies as"},
	{"a repetition overwritten with a better one", steady, func(f *forgery) {
		a, b := f.files[0].Record, f.files[1].Record
		measured(a, copyOf(f.t, b))
	}, isInvalid, "it has the same latencies as"},
	{"only the counts of a better one taken over", steady, func(f *forgery) {
		a, b := f.files[0].Record, copyOf(f.t, f.files[1].Record)
		a.Load = b.Load
		a.Histograms = b.Histograms
	}, isInvalid, "it has the same latencies by second as"},
	{"the use of CPUs of another one taken over", steady, func(f *forgery) {
		a, b := f.files[0].Record, copyOf(f.t, f.files[1].Record)
		a.Samples, a.Load.Busy = b.Samples, b.Load.Busy
	}, isInvalid, "it has the same use of CPUs as"},
	{"the times of a command copied", commands, func(f *forgery) {
		a, b := f.files[0].Record, copyOf(f.t, f.files[1].Record)
		start := a.Command.Start
		a.Command, a.Samples, a.Parts = b.Command, b.Samples, b.Parts
		a.Command.Start = start
	}, isInvalid, "it has the same times as"},
	{"the output of another tool copied", ab, func(f *forgery) {
		a, b := f.files[0].Record, copyOf(f.t, f.files[1].Record)
		a.Output, a.Samples = b.Output, b.Samples
	}, isInvalid, "it has the same output as"},
	{"the records of one trial named after another", steady, func(f *forgery) {
		from := f.files[0].Trial
		to := f.first(func(r *record.Record) bool { return r.Trial != from })
		f.each(func(r *record.Record) {
			r.Trial, r.Key, r.Parameters = to.Trial, to.Key, to.Parameters
			r.Repetition += 5
		})
	}, isInvalid, "its key is not that of its inputs"},
	{"two trials exchanged", steady, func(f *forgery) {
		a := f.files[0].Record
		b := f.first(func(r *record.Record) bool { return r.Trial != a.Trial && r.Repetition == a.Repetition })
		a.Order, b.Order = b.Order, a.Order
	}, isInvalid, "is not the one that the seed gives it"},
	{"the place in the order edited", steady, edit(nil, func(r *record.Record) {
		r.Order.Position = r.Order.Position%r.Order.Of + 1
	}), isInvalid, "same place in the order"},
	{"the round edited", steady, edit(nil, func(r *record.Record) { r.Order.Round = 4 }), isInvalid, "in round 4"},
	{"a place beyond the order", steady, edit(nil, func(r *record.Record) { r.Order.Position = r.Order.Of + 3 }),
		isInvalid, "in the order of its run"},
	{"the seed of one repetition edited", steady, edit(nil, func(r *record.Record) { r.Order.Seed = 7 }), isInvalid,
		"order.seed"},
	{"the seed of all repetitions edited", steady, func(f *forgery) {
		for _, s := range f.files {
			s.Order.Seed = 7
		}
	}, isInvalid, "is not the one that the seed gives it"},
	{"a repetition of another plan", steady, edit(nil, func(r *record.Record) { r.Plan = "0123456789abcdef" }), isInvalid,
		"its plan is"},
	{"a repetition of another host, renamed", clock, func(f *forgery) {
		other := committed(f.t, strings.Replace(clock, "39de7f", "ecb3ae", 1))[0]
		own := f.files[0]
		other = copyOf(f.t, other)
		other.Host, other.Run, other.Trial, other.Key = own.Host, own.Run, own.Trial, own.Key
		other.Repetition = own.Repetition
		own.Record = other
	}, isInvalid, "its host is"},
	{"the host of one repetition edited, and its folder", steady, edit(nil,
		func(r *record.Record) { r.Host = "c4-123456" }),
		isInvalid, "it was measured on c2-ecb3ae"},
	{"the processor of one repetition edited", steady, edit(nil, func(r *record.Record) {
		r.Facts["host.cpu"] = "Another Processor"
	}), isInvalid, "host.cpu"},
	{"the memory of all repetitions edited", steady, func(f *forgery) {
		for _, s := range f.files {
			s.Facts["host.memory"] = "512 GiB"
		}
	}, isInvalid, "by its processor, cores and memory"},
	{"a run of another day mixed in", steady, func(f *forgery) {
		r := f.first(repetition(2))
		shift(26 * time.Hour)(r)
		r.Order.Seed++
	}, isInvalid, "order.seed"},
}

var fakesOfInputs = []fake{
	{"the definition edited", steady, edit(nil, definition(`"connections": `, `"connections": 1`)), isInvalid,
		"its definition is not the one"},
	{"the definition edited, with its digest", steady, edit(nil, func(r *record.Record) {
		definition(`"timeout": `, `"timeout": 1`)(r)
		withDigest(r)
	}), isInvalid, "its key is not that of its inputs"},
	{"the definition edited, with its digest and key", steady, edit(nil, func(r *record.Record) {
		definition(`"connections": `, `"connections": 1`)(r)
		withDigest(r)
		withKey(r)
	}), isInvalid, "connections, and its definition has"},
	{"the load edited", steady, edit(nil, load(func(l *record.Load) { l.Connections++ })), isInvalid,
		"and its definition has"},
	{"the time to think edited", steady, edit(nil, load(func(l *record.Load) { l.Think = 5 })), isInvalid,
		"its clients thought"},
	{"failures expected that are not", slow, edit(nil, load(func(l *record.Load) { l.FailuresMax = 0.5 })), isInvalid,
		"it expects a share"},
	{"the digest of a file edited", steady, edit(nil, func(r *record.Record) {
		r.Inputs[len(r.Inputs)-1].Digest = strings.Repeat("0", 64)
	}), isInvalid, "its key is not that of its inputs"},
	{"a file taken out of the inputs", steady, edit(nil, func(r *record.Record) { r.Inputs = r.Inputs[:len(r.Inputs)-1] }),
		isInvalid, "its key is not that of its inputs"},
	{"the key edited", steady, edit(nil, func(r *record.Record) { r.Key = strings.Repeat("a", 32) }), isInvalid,
		"its key is not that of its inputs"},
	{"the definition of another trial", commands, func(f *forgery) {
		a := f.files[0].Record
		b := f.first(func(r *record.Record) bool { return r.Key != a.Key })
		a.Definition = b.Definition
	}, isInvalid, "its definition is not the one"},
	{"a definition without a load", steady, edit(nil, func(r *record.Record) {
		r.Definition = json.RawMessage(`{}`)
		withDigest(r)
		withKey(r)
	}), isInvalid, "its definition has none"},
}

// withDigest gives the inputs the digest of the definition.
func withDigest(r *record.Record) {
	r.Inputs = slices.Clone(r.Inputs)
	for i := range r.Inputs {
		if r.Inputs[i].Name == "definition" {
			r.Inputs[i].Digest = digestOf(r.Definition)
		}
	}
}

func withKey(r *record.Record) {
	var all strings.Builder
	for _, in := range r.Inputs {
		fmt.Fprintln(&all, in.Name, in.Digest)
	}
	r.Key = digestOf([]byte(all.String()))[:32]
}

var fakesOfFiles = []fake{
	{"the host edited where it lies", steady, stays(func(r *record.Record) { r.Host = "c4-123456" }), isLeftOut,
		"by its host it belongs"},
	{"the profile edited where it lies", steady, stays(func(r *record.Record) { r.Profile = "quick" }), isLeftOut,
		"by its profile it belongs"},
	{"the repetition edited where it lies", steady, stays(func(r *record.Record) { r.Repetition = 9 }), isLeftOut,
		"trial, key, run and repetition"},
	{"the name of a record edited to lead elsewhere", steady, stays(func(r *record.Record) { r.Run = "../../x" }),
		isLeftOut, "cannot be the name of its run"},
	{"a capacity whose bounds are exchanged", ceiling, edit(nil, func(r *record.Record) {
		r.Search.Lo = 2*r.Search.Hi + 1
	}), isLeftOut, "search: lo is"},
}

// stays edits a record, which keeps its path.
func stays(change func(*record.Record)) func(*forgery) {
	return func(f *forgery) {
		f.files[0].path = f.files[0].Path()
		change(f.files[0].Record)
	}
}

// save writes what was forged into a folder, as it is.
func (f *forgery) save(dir string) {
	f.t.Helper()
	for _, s := range f.files {
		data, err := s.Bytes()
		if err != nil {
			f.t.Fatal(err)
		}
		path := s.path
		if path == "" {
			path = s.Path()
		}
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
}

// Somebody who edits records is found out, or at least has to edit everything that depends on it.
func TestFakesAreMarked(t *testing.T) {
	slowtest.Skip(t)
	if len(fakes) < 60 {
		t.Errorf("there are only %d fakes", len(fakes))
	}
	sets := map[string][]*record.Record{}
	for _, f := range fakes {
		if sets[f.of] == nil {
			sets[f.of] = committed(t, f.of)
		}
	}
	for _, f := range fakes {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			forged := &forgery{t: t}
			for _, r := range sets[f.of] {
				forged.add(copyOf(t, r))
			}
			f.forge(forged)
			dir := t.TempDir()
			forged.save(dir)
			c, _, err := integrity.Read(record.Dir(dir))
			if err != nil {
				t.Fatal(err)
			}
			records, bad := c.Records, c.Bad
			found := foundIn(records, bad)
			if !slices.ContainsFunc(found[f.want], func(reason string) bool { return strings.Contains(reason, f.reason) }) {
				t.Errorf("it is not %s with %q, but:", f.want, f.reason)
				for _, kind := range slices.Sorted(maps.Keys(found)) {
					t.Errorf("%s: %q", kind, found[kind])
				}
			}
			if f.want == isWarning && len(found[isInvalid]) > 0 {
				t.Errorf("it is invalid: %q", found[isInvalid])
			}
			if marked := countOf(records, bad); marked == len(records)+len(bad) && !strings.Contains(f.name, " all ") &&
				len(records) > 2 {
				t.Error("all of its run is marked")
			}
		})
	}
}

// foundIn is what was found of records, by what becomes of them.
func foundIn(records []*record.Record, bad []record.Bad) map[string][]string {
	found := map[string][]string{}
	for _, b := range bad {
		found[isLeftOut] = append(found[isLeftOut], b.Err.Error())
	}
	for _, r := range records {
		found[isInvalid] = append(found[isInvalid], r.Doubts.Invalid...)
		found[isWarning] = append(found[isWarning], r.Doubts.Warnings...)
	}
	return found
}

// countOf is how many records are marked.
func countOf(records []*record.Record, bad []record.Bad) int {
	n := len(bad)
	for _, r := range records {
		if len(r.Doubts.Invalid)+len(r.Doubts.Warnings) > 0 {
			n++
		}
	}
	return n
}

// What requests add up to by shares of the window is not doubted as a generator tells it.
func TestSharesOfTheWindow(t *testing.T) {
	records := committed(t, steady)
	for _, r := range records {
		if isRight(r) {
			byShares(func(*record.Overlap) {})(r)
		}
	}
	integrity.Check(records, time.Now())
	for _, r := range records {
		for _, why := range r.Doubts.Invalid {
			if strings.Contains(why, "overlap") {
				t.Errorf("%s-%d: %s", r.Trial, r.Repetition, why)
			}
		}
	}
}

// A request that waited long when the window began is in its first second, and not in the histogram of those that were
// started in the window. On a busy machine one of five clients waited for 40 ms there, and nobody later.
func TestRequestsFromBeforeTheWindow(t *testing.T) {
	records := committed(t, steady)
	for _, r := range records {
		if isRight(r) {
			r.Load.Latencies[0] += min(r.Parts["warmup"], 3*float64(r.Load.Connections)*r.Histograms["latency"].Max)
		}
	}
	integrity.Check(records, time.Now())
	for _, r := range records {
		for _, why := range r.Doubts.Invalid {
			if strings.Contains(why, "latencies by second are") {
				t.Errorf("%s-%d: %s", r.Trial, r.Repetition, why)
			}
		}
	}
}
