package validity

import (
	"slices"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

func TestCellLevel(t *testing.T) {
	for _, tt := range []struct {
		name string
		is   []Level // of the repetitions
		want Level
	}{
		{"all ok", []Level{OK, OK, OK}, OK},
		{"one warns", []Level{OK, Warn, OK}, Warn},
		{"one of five left out", []Level{OK, OK, Invalid, OK, OK}, Warn},
		{"fewer than three remain", []Level{OK, Invalid, OK}, Invalid},
		{"more than half", []Level{OK, Invalid, Invalid, OK, Invalid}, Invalid},
		{"half of eight", []Level{OK, Invalid, Invalid, OK, Invalid, OK, Invalid, OK}, Warn},
		{"one planned", []Level{OK}, OK},
		{"one of two", []Level{OK, Invalid}, Warn},
		{"none valid", []Level{Invalid}, Invalid},
	} {
		valid := slice.Map(tt.is, func(l Level) bool { return l != Invalid })
		assert.Equal(t, cellLevel(valid, tt.is), tt.want, "%s", tt.name)
	}
}

// findingOf returns the finding of a check in a repetition, whether it applies or not.
func findingOf(name string, r *record.Record) finding {
	i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
	return checks[i].read(repetitionsOf([]*record.Record{r})[0])
}

func TestChecksOfARepetition(t *testing.T) {
	// The examples of docs/validity.md: 100 connections, 50 000 completions in 10 s and a mean latency.
	example := func(mean float64) func(*record.Record) {
		return func(r *record.Record) {
			r.Load.Connections, r.Load.Completions = 100, slices.Repeat([]int64{5000}, 10)
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(mean, 50000))
		}
	}
	// counted is a run of a thousand requests. Most end within a tenth of a second, some stall for a second more.
	counted := func(share, think float64) func(*record.Record) {
		return func(r *record.Record) {
			l := r.Load
			l.Connections, l.Attempted, l.Window, l.InFlight, l.InFlightOver, l.Think = 150, 1000, 1.1, share, 0.09, think
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.01, 950), recordtest.Times(1, 50))
		}
	}
	load := func(f func(*record.Load)) func(*record.Record) { return func(r *record.Record) { f(r.Load) } }
	halved := func(r *record.Record) { // the times
		h := r.Histograms["latency"]
		h.Sum /= 2
		r.Histograms["latency"] = h
	}
	overlap := func(right, failed, time float64) func(*record.Record) {
		return load(func(l *record.Load) { l.Overlap = &record.Overlap{Right: right, Failed: failed, Time: time} })
	}
	late := func(of, said string) func(*record.Record) {
		return func(r *record.Record) { r.Facts = map[string]string{of: said} }
	}
	command := func(seconds, foreign float64) func(*record.Record) {
		return func(r *record.Record) { r.Load, r.Command = nil, &record.Command{Real: seconds, ForeignCPU: foreign} }
	}
	health := func(window, standstill, waiting float64) func(*record.Record) {
		return load(func(l *record.Load) {
			l.Window, l.Health = window, &record.Health{Standstill: standstill, Waiting: waiting}
		})
	}
	machine := func(f func(*record.Machine)) func(*record.Record) {
		return func(r *record.Record) {
			r.Machine = &record.Machine{}
			f(r.Machine)
		}
	}
	throttled := func(periods, cut int64, limited bool) func(*record.Record) {
		return machine(func(m *record.Machine) {
			m.Throttled = map[string]record.Throttling{"db": {Periods: 10}, "server": {Periods: periods, Throttled: cut,
				Limited: limited}}
		})
	}
	// open is a load by schedule, with the lag and the latency of all requests in seconds; 0 if unknown.
	open := func(due, sent int64, lag, latency float64) func(*record.Record) {
		return func(r *record.Record) {
			r.Load.Open = &record.OpenLoop{Due: due, Sent: sent}
			delete(r.Histograms, "latency")
			for family, seconds := range map[string]float64{"lag": lag, "latency": latency} {
				if seconds > 0 {
					r.Histograms[family] = recordtest.Histogram(t, recordtest.Times(seconds, 100))
				}
			}
		}
	}
	// ab is a load by a tool that reports the mean time.
	ab := func(f func(*record.Load)) func(*record.Record) {
		return func(r *record.Record) {
			r.Load = &record.Load{Tool: "ab", Window: 10, Connections: 10, Attempted: 10000, Completed: 10000, InFlight: -1,
				Busy: -1, ForeignCPU: -1}
			r.Samples, r.Histograms = []record.Sample{{Metric: "latency.mean", Value: 0.01, Unit: "s"}}, nil
			f(r.Load)
		}
	}
	for _, tt := range []struct {
		name  string
		check string
		set   func(*record.Record)
		want  Level
		words string
	}{
		{"Little's law of the example", "Little's law", example(0.0199), OK,
			"Little's law gives 0.99 of the connections in use (ok within 0.05 of 1)"},
		{"connections idle", "Little's law", example(0.017), Invalid,
			"Little's law gives 0.85 of the connections in use (ok within 0.05 of 1)"},
		{"a little off", "Little's law", example(0.0184), Warn, ""},
		{"times that overlap", "Little's law", example(0.023), Invalid,
			"Little's law gives 1.15 of the connections in use (ok within 0.05 of 1)"},
		// With requests, each took ρ·N/attempted of the time that ρ covers: 150·0.85/1000.
		{"requests counted off", "Little's law", counted(0.85, 0), OK,
			"Little's law gives 0.85 of the connections in use (ok within 0.18 of 1)"},
		{"requests counted off, a little fewer", "Little's law", counted(0.81, 0), Warn,
			"Little's law gives 0.81 of the connections in use (ok within 0.17 of 1)"},
		{"requests counted off, too few under way", "Little's law", counted(0.7, 0), Invalid, ""},
		{"requests counted off, by clients that think", "Little's law", counted(0.85, 0.005), Warn,
			"Little's law gives 0.85 of the connections in use (ok within 0.12 of 1)"},
		{"requests counted off, near the limit", "Little's law", counted(0.8258, 0), Warn,
			"Little's law gives 0.8258 of the connections in use (ok within 0.1739 of 1)"},
		{"failed requests count", "Little's law", func(r *record.Record) {
			example(0.01)(r)
			r.Histograms["latency.failed"] = recordtest.Histogram(t, recordtest.Times(0.03, 50000))
		}, OK, ""},
		// It is computed from counts and times: the generator's own number decides nothing.
		{"as measured", "Little's law", func(*record.Record) {}, OK, ""},
		{"another number of the generator", "Little's law", load(func(l *record.Load) { l.InFlight = 0.5 }), OK, ""},
		{"twice the answers", "Little's law", load(func(l *record.Load) {
			l.Completed *= 2
			for i := range l.Completions {
				l.Completions[i] *= 2
			}
		}), Invalid, ""},
		{"half of the times", "Little's law", halved, Invalid, ""},
		{"shares", "Little's law", overlap(10000, 0, 100), OK, ""},
		{"shares with half of the time", "Little's law", overlap(10000, 0, 50), Invalid, ""},
		{"twice the shares", "Little's law", overlap(20000, 0, 100), Invalid, ""},
		{"shares of right and failed ones", "Little's law", overlap(9000, 1000, 100), OK, ""},
		{"counted off", "Little's law", load(func(l *record.Load) { l.InFlight, l.InFlightOver = 1, 9.9 }), OK, ""},
		{"counted off, and more in flight than the times allow", "Little's law", func(r *record.Record) {
			halved(r)
			r.Load.InFlight, r.Load.InFlightOver = 1, 9
		}, Invalid, ""},
		{"no completions", "Little's law", load(func(l *record.Load) { l.Completed, l.Completions = 0, []int64{0, 0} }),
			Invalid, "no completions"},
		{"a run that was too short to tell", "Little's law", load(func(l *record.Load) { l.InFlight, l.InFlightOver = -1, 0 }),
			NotChecked, "the load generator does not report it"},
		{"generator at 0.49", "generator CPU", load(func(l *record.Load) { l.Busy = 0.49 }), OK, ""},
		{"generator of the example", "generator CPU", load(func(l *record.Load) { l.Busy = 0.75 }), Warn,
			"load generator busy 75 %"},
		{"generator at 0.50", "generator CPU", load(func(l *record.Load) { l.Busy = 0.50 }), Warn, ""},
		{"generator at 0.90", "generator CPU", load(func(l *record.Load) { l.Busy = 0.90 }), Invalid,
			"load generator busy 90 %"},
		{"generator just below", "generator CPU", load(func(l *record.Load) { l.Busy = 0.89996 }), Warn,
			"load generator busy 89.996 %"},
		{"generator that does not report it", "generator CPU", load(func(l *record.Load) { l.Busy = -1 }), NotChecked,
			"the load generator does not report it"},
		{"a generator that ran all the time", "generator stalls", health(1, 0.009, 0), OK,
			"the load generator stood still for 9 ms at most (ok up to 10 ms)"},
		{"a standstill in a short window", "generator stalls", health(1, 0.02, 0), Warn,
			"the load generator stood still for 20 ms at most (ok up to 10 ms)"},
		{"a long one in a short window", "generator stalls", health(1, 0.051, 0), Invalid, ""},
		{"a standstill in a window", "generator stalls", health(5, 0.051, 0), Warn,
			"the load generator stood still for 51 ms at most (ok up to 50 ms)"},
		{"a long one in a window", "generator stalls", health(5, 0.26, 0), Invalid, ""},
		{"a second in a long window", "generator stalls", health(600, 1, 0), Invalid,
			"the load generator stood still for 1 s at most (ok up to 100 ms)"},
		{"a standstill that is not told", "generator stalls", health(10, -1, 0), NotChecked,
			"the load generator does not report it"},
		{"a timer that was stopped", "generator stalls", func(r *record.Record) {
			command(2, 0)(r)
			r.Command.Health = &record.Health{Standstill: 0.5, Waiting: -1}
		}, Invalid, "the timer stood still for 500 ms at most (ok up to 20 ms)"},
		{"a core of its own", "generator waits", health(10, 0, 0.04), OK,
			"the load generator waited for a core for 4 % of the window"},
		{"a core that others want", "generator waits", health(10, 0, 0.15), Warn,
			"the load generator waited for a core for 15 % of the window"},
		{"half a core", "generator waits", health(10, 0, 0.47), Invalid,
			"the load generator waited for a core for 47 % of the window"},
		{"waits that are not told", "generator waits", health(10, 0, -1), NotChecked,
			"the load generator does not report it"},
		{"others at 0.05", "foreign CPU", load(func(l *record.Load) { l.ForeignCPU = 0.05 }), OK, ""},
		{"others at 0.12", "foreign CPU", load(func(l *record.Load) { l.ForeignCPU = 0.12 }), Warn, ""},
		{"others above", "foreign CPU", load(func(l *record.Load) { l.ForeignCPU = 0.121 }), Invalid,
			"others used 12.1 % of the CPU"},
		{"others that are known", "foreign CPU", func(r *record.Record) {
			r.Load.ForeignCPU, r.Facts = 0.21, map[string]string{record.FactOthers: "dockerd 13 %, make 8 %"}
		}, Invalid, "others used 21 % of the CPU (dockerd 13 %, make 8 %)"},
		{"others in a short window", "foreign CPU", load(func(l *record.Load) { l.ForeignCPU, l.Window = 0.5, 0.5 }),
			Warn, "others used 50 % ± 2 % of the CPU"},
		{"others in a short window, by no more than the clock's step", "foreign CPU",
			load(func(l *record.Load) { l.ForeignCPU, l.Window = 0.07, 0.5 }), OK, "others used 7 % ± 2 % of the CPU"},
		{"others in a window too short for the clock", "foreign CPU",
			load(func(l *record.Load) { l.ForeignCPU, l.Window = 0.5, 0.19 }), NotChecked,
			"the window is shorter than 0.2 s, too short for the kernel's clock"},
		{"others in a short window of an older record", "foreign CPU",
			load(func(l *record.Load) { l.ForeignCPU, l.Window = -1, 0.99 }), NotChecked, "the window is shorter than 1 s"},
		{"others unknown", "foreign CPU", load(func(l *record.Load) { l.ForeignCPU = -1 }), NotChecked,
			"the host does not report it"},
		{"others beside a command", "foreign CPU", command(2, 0.3), Invalid, "others used 30 % of the CPU"},
		{"others beside a short command", "foreign CPU", command(0.5, -1), NotChecked, "the command is shorter than 1 s"},
		{"5 of 10 000 failed", "errors", load(func(l *record.Load) { l.Failed, l.Attempted = 5, 10000 }), OK,
			"errors 0.05 %"},
		{"1 % failed", "errors", load(func(l *record.Load) { l.Failed, l.Attempted = 100, 10000 }), Warn, ""},
		{"more than 1 % failed", "errors", load(func(l *record.Load) { l.Failed, l.Attempted = 101, 10000 }), Invalid,
			"errors 1.01 %"},
		{"all failed as expected", "errors", load(func(l *record.Load) { l.Failed, l.Attempted, l.FailuresMax = 100, 100, 1 }),
			OK, "errors 100 %, which the article expects"},
		{"above what is expected", "errors", load(func(l *record.Load) { l.Failed, l.Attempted, l.FailuresMax = 6, 100, 0.05 }),
			Invalid, ""},
		{"nothing attempted", "errors", load(func(l *record.Load) { l.Attempted = 0 }), Invalid, "nothing was attempted"},
		{"nothing told of the machine", "swap", func(*record.Record) {}, NotChecked, "not recorded"},
		{"no swap to read from", "swap", machine(func(*record.Machine) {}), OK, "nothing was read from swap"},
		{"read from swap", "swap", machine(func(m *record.Machine) { m.SwappedIn = 8192 }), Warn,
			"8 KiB were read from swap"},
		{"swap unknown", "swap", machine(func(m *record.Machine) { m.SwappedIn = -1 }), NotChecked,
			"the host does not report it"},
		{"steal at 0.01", "steal", machine(func(m *record.Machine) { m.Steal = 0.01 }), OK, "1 % of the CPU time was stolen"},
		{"steal at 0.05", "steal", machine(func(m *record.Machine) { m.Steal = 0.05 }), Warn,
			"5 % of the CPU time was stolen"},
		{"steal above", "steal", machine(func(m *record.Machine) { m.Steal = 0.051 }), Invalid,
			"5.1 % of the CPU time was stolen"},
		{"steal unknown", "steal", machine(func(m *record.Machine) { m.Steal = -1 }), NotChecked,
			"the host does not report it"},
		{"no limits", "throttled", throttled(0, 0, false), OK, "no service was throttled"},
		{"throttled now and then", "throttled", throttled(100, 1, false), OK, "server was throttled in 1 % of its periods"},
		{"throttled often", "throttled", throttled(100, 5, false), Warn, "server was throttled in 5 % of its periods"},
		{"throttled most of the time", "throttled", throttled(100, 60, false), Invalid,
			"server was throttled in 60 % of its periods"},
		{"throttled as the article wants", "throttled", throttled(100, 60, true), Warn,
			"server was throttled in 60 % of its periods, by the article's own limit"},
		{"the schedule kept", "offered rate", open(10000, 9900, 0, 0), OK, "99 % of the schedule was sent"},
		{"the schedule of the example", "offered rate", open(10000, 9700, 0, 0), Warn, "97 % of the schedule was sent"},
		{"the schedule missed", "offered rate", open(10000, 9400, 0, 0), Invalid, "94 % of the schedule was sent"},
		{"nothing due", "offered rate", open(0, 0, 0, 0), Invalid, "nothing was due"},
		{"a lag below a millisecond", "send lag", open(100, 100, 0.0009, 0.001), OK,
			"requests left 900 µs late at the percentile 99 (ok up to 1 ms)"},
		{"the lag of the example", "send lag", open(100, 100, 0.004, 0.05), Warn,
			"requests left 4 ms late at the percentile 99 (ok up to 2.5 ms)"},
		{"a lag beyond", "send lag", open(100, 100, 0.0052, 0.05), Invalid, ""},
		{"a lag without answers", "send lag", open(100, 100, 0.0015, 0), Warn,
			"requests left 1.5 ms late at the percentile 99 (ok up to 1 ms)"},
		{"a lag that is not told", "send lag", open(100, 100, 0, 0.05), NotChecked, "the load generator does not report it"},
		// Benchbook's links and origins promise to be at most a millisecond late, and records show it.
		{"a link in time", "delays", late("link.late.db", "p50 9µs, p99 1ms, max 3.867ms of 993"), OK,
			"the link before db was 1 ms late at the percentile 99 (ok up to 1 ms)"},
		{"a link that was late", "delays", late("link.late.db", "p50 18µs, p99 4.293ms, max 4.489ms of 488"), Warn,
			"the link before db was 4.29 ms late at the percentile 99 (ok up to 1 ms)"},
		{"ten times the promise", "delays", late("origin.late.api", "p50 18µs, p99 10ms, max 1.2s of 488"), Warn, ""},
		{"much later", "delays", late("origin.late.api", "p50 18µs, p99 10.001ms, max 1.2s of 488"), Invalid,
			"origin api was 10 ms late at the percentile 99 (ok up to 1 ms)"},
		{"the later of two", "delays", func(r *record.Record) {
			late("link.late.db", "p50 1µs, p99 20ms, max 1s of 9")(r)
			r.Facts["origin.late.api"] = "p50 1µs, p99 2ms, max 1s of 9"
		}, Invalid, "the link before db was 20 ms late at the percentile 99 (ok up to 1 ms)"},
		{"a link in other words", "delays", late("link.late.db", "hardly"), NotChecked, "not recorded"},
		{"no overflow", "overflow", func(*record.Record) {}, OK, "0 answers beyond the histogram"},
		{"a tool without the time of all requests", "Little's law", ab(func(*record.Load) {}), NotChecked,
			"the load generator does not report it"},
		{"a tool with a mean time", "Little's law", ab(func(l *record.Load) { l.InFlight, l.Window = 0, 12.5 }), Invalid,
			"Little's law gives 0.80 of the connections in use (ok within 0.05 of 1)"},
		{"a tool without right answers", "Little's law", ab(func(l *record.Load) { l.Completed = -1 }), NotChecked,
			"the load generator does not report it"},
		{"a tool without failures", "errors", ab(func(l *record.Load) { l.Failed = -1 }), NotChecked, "ab does not report it"},
		{"failures of a tool", "errors", ab(func(l *record.Load) { l.Failed = 500 }), Invalid, "errors 5 %"},
		{"a tool without a histogram", "overflow", ab(func(*record.Load) {}), NotChecked, "no histogram"},
		{"any overflow", "overflow", func(r *record.Record) {
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(61, 1), recordtest.Times(1, 99))
		}, Warn, "1 answer beyond the histogram"},
	} {
		r := &record.Record{}
		recordtest.FillLoad(t, r, 1000)
		tt.set(r)
		f := findingOf(tt.check, r)
		if f.level != tt.want || tt.words != "" && f.words != tt.words {
			t.Errorf("%s: %v %q, want %v %q", tt.name, f.level, f.words, tt.want, tt.words)
		}
	}
}

// Commands are checked for disturbance by others and the machine; older records of commands are not.
func TestChecksOfACommand(t *testing.T) {
	for _, tt := range []struct {
		command *record.Command
		want    []CheckResult
	}{
		{nil, []CheckResult{{"run", OK, "all 1 repetitions"}}},
		{&record.Command{Real: 2, ForeignCPU: 0.3}, []CheckResult{{"run", OK, "all 1 repetitions"},
			{"foreign CPU", Invalid, "1 of 1 repetitions: others used 30 % of the CPU"},
			{"swap", OK, "nothing was read from swap"},
			{"throttled", OK, "no service was throttled"}, {"steal", OK, "0 % of the CPU time was stolen"}}},
	} {
		r := NewReport([]*record.Record{{Command: tt.command, Machine: &record.Machine{}}})
		assert.Slice(t, r.Checks(), tt.want)
	}
}

func TestDelaysOfALinkThatNothingWentThrough(t *testing.T) {
	r := &record.Record{Facts: map[string]string{"link.semantics": "1"}}
	assert.Equal(t, hasDelays(repetition{Record: r}), false, "they are checked")
}

func TestStalls(t *testing.T) {
	const overflows = "net.listen_overflows."
	// quick is a thousand answers of 10 ms and a longer one.
	quick := func(longest float64, family string, n float64) func(*record.Record) {
		return func(r *record.Record) {
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.01, 1000), recordtest.Times(longest, 1))
			r.Samples = append(r.Samples, record.Sample{Metric: family + "server", Value: n, Unit: "1"})
		}
	}
	connecting := func(longest, connect float64) func(*record.Record) {
		return func(r *record.Record) {
			quick(longest, overflows, 0)(r)
			r.Histograms["latency.connect"] = recordtest.Histogram(t, recordtest.Times(connect, 1))
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*record.Record)
		want   Level
		words  string
	}{
		{"a queue overflowed", quick(1.03, overflows, 12), Warn,
			"stalled: a request took 1.03 s (12 listen overflows), and the mean is 10 ms"},
		{"it overflowed, and nobody waited a second", quick(0.94, overflows, 12), OK, ""},
		{"nothing overflowed", quick(1.03, overflows, 0), OK, ""},
		{"a slow server whose queue overflowed", func(r *record.Record) {
			quick(1.03, overflows, 12)(r)
			r.Histograms["latency"] = recordtest.Histogram(t, recordtest.Times(0.5, 1000), recordtest.Times(1.5, 1))
		}, OK, ""},
		{"opening a connection", connecting(3.02, 3.01), Warn,
			"stalled: a request took 3.02 s (opening a connection), and the mean is 10 ms"},
		{"a slow answer over a quick connection", connecting(3.02, 0.2), OK, ""},
		{"one answer", quick(0.01, overflows, 3), OK, ""},
		{"no times", func(r *record.Record) {
			quick(1, overflows, 3)(r)
			r.Histograms = nil
		}, NotChecked, "the load generator does not report it"},
		{"another tool", func(r *record.Record) {
			quick(1.03, overflows, 12)(r)
			r.Load.Tool, r.Histograms = "ab", nil
			r.Samples = append(r.Samples, record.Sample{Metric: "latency.max", Value: 1.03, Unit: "s"},
				record.Sample{Metric: "latency.mean", Value: 0.011, Unit: "s"})
		}, Warn, "stalled: a request took 1.03 s (12 listen overflows), and the mean is 11 ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &record.Record{}
			recordtest.FillLoad(t, r, 100.1)
			tt.change(r)
			f := findingOf("stalls", r)
			if f.level != tt.want || tt.words != "" && f.words != tt.words {
				t.Errorf("%v: %q; want %v: %q", f.level, f.words, tt.want, tt.words)
			}
			assert.Equal(t, Stalled(r), tt.want == Warn, "stalled")
		})
	}
}

// WithAll restores only repetitions that nothing but checks of their own result left out.
func TestWithAll(t *testing.T) {
	foreign := func(r *record.Record) { r.Load.ForeignCPU = 0.5 }
	little := func(r *record.Record) { r.Load.Connections *= 2 }
	open := func(due, sent int64, lag float64) func(*record.Record) {
		return func(r *record.Record) {
			r.Load.Open = &record.OpenLoop{Due: due, Sent: sent}
			r.Histograms["lag"] = recordtest.Histogram(t, recordtest.Times(lag, 1000))
		}
	}
	for _, tt := range []struct {
		name string
		edit func(*record.Record)
		want int
		with Level // of the cell with all repetitions
	}{
		{"nothing", func(*record.Record) {}, 0, OK},
		{"Little's law", little, 1, Warn},
		{"offered rate", open(1000, 900, 0), 1, Warn},
		{"send lag", open(1000, 1000, 1), 1, Warn},
		{"delays", func(r *record.Record) {
			r.Facts = map[string]string{"link.late.db": "p50 30µs, p99 90ms, max 100ms of 5000"}
		}, 1, Warn},
		{"foreign CPU", foreign, 0, Warn},
		{"Little's law and foreign CPU", func(r *record.Record) { little(r); foreign(r) }, 0, Warn},
		{"no answers", func(r *record.Record) { r.Load.Completions, r.Load.Completed = nil, 0 }, 0, Warn},
		{"failed", recordtest.Failed("exited"), 0, Warn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var records []*record.Record
			for i := range 5 {
				r := &record.Record{Repetition: i + 1}
				recordtest.FillLoad(t, r, 1000)
				if i == 2 {
					tt.edit(r)
				}
				records = append(records, r)
			}
			r := NewReport(records)
			assert.Equal(t, r.LeftOutByResult("throughput"), tt.want, "left out by their result")
			all := r.WithAll()
			if back := len(all.ValidFor("throughput")) - len(r.ValidFor("throughput")); back != tt.want ||
				all.LeftOutByResult("throughput") != 0 {
				t.Errorf("%d repetitions came back, want %d", back, tt.want)
			}
			assert.Equal(t, all.Level(), tt.with, "with all repetitions the cell")
		})
	}
}
