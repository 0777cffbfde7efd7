package progress

import (
	"bytes"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/lab/forecast"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
	"benchbook/runner"
	"benchbook/slowtest"
)

// twoTrials are two of a load, of which one repetition takes ten seconds as planned.
func twoTrials() (*plan.Plan, map[*plan.Trial]*forecast.TrialState) {
	e := &plan.Experiment{Name: "e", Looks: []int{3}}
	known_ := map[*plan.Trial]*forecast.TrialState{}
	for _, name := range []string{"a", "b"} {
		t := &plan.Trial{Name: name, Load: &spec.Load{Warmup: time.Second, Duration: 6 * time.Second}}
		e.Trials = append(e.Trials, t)
		known_[t] = &forecast.TrialState{ToMeasure: 3}
		for k := range 3 {
			e.Steps = append(e.Steps, plan.Step{Trial: t, Round: k + 1, Repetition: k + 1})
		}
	}
	return &plan.Plan{Experiments: []*plan.Experiment{e}}, known_
}

// A run in the middle of its third repetition.
func inTheMiddle(w io.Writer, width int, plain bool) *Live {
	p, known := twoTrials()
	f := forecast.NewETA()
	f.Add(p, plan.Placement{}, known, false)
	l := NewLive(&terminal.Screen{W: w, Width: func() int { return width }, Plain: plain}, true, f)
	l.Article("servers", &Judge{Judgements: func([]*record.Record) ([]claim.Judgement, error) { return nil, nil }})
	e := p.Experiments[0]
	l.Experiment(e, len(e.Steps))
	for i, t := range e.Trials {
		l.Begin(plan.Step{Trial: t, Repetition: 1})
		l.End(plan.Step{Trial: t, Repetition: 1},
			&record.Record{Load: &record.Load{Window: 2, Completed: int64(1000 * (i + 1))}})
	}
	l.judge.verdicts = []verdict{{"faster", "supported", "faster, 2.0 [1.9, 2.1]", terminal.Green}}
	l.Begin(plan.Step{Trial: e.Trials[1], Repetition: 2})
	return l
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	l := inTheMiddle(&out, 100, true)
	defer l.Close()
	l.mu.Lock()
	for t := range l.forecast.Took {
		l.forecast.Took[t] = 10 * time.Second
	}
	lines := strings.Join(l.lines(l.began.Add(5*time.Second), 100), "\n")
	l.mu.Unlock()
	const want = `overall  ██████████░░░░░░░░░░░░░░  42 %, 0:00:35 left, 2 of 6 of servers#e
now      ████████████░░░░░░░░░░░░ 0:00:05 of about 0:00:10, repetition 2 of b, 1,000/s before
so far   a 500/s (1), b 1,000/s (1)
claims   supported so far: faster, 2.0 [1.9, 2.1]`
	if got := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(lines); got != want {
		t.Errorf("the lines are\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(out.String(), "servers#e: 6 repetitions of 2 trials") {
		t.Errorf("nothing tells what is measured: %q", out.String())
	}
}

// What lasts longer than usual is named, with what is missing, while it lasts.
func TestWaiting(t *testing.T) {
	server := func(missing string) runner.Wait {
		return runner.Wait{For: `service "server"`, Service: true, Missing: missing, Usual: 5 * time.Second}
	}
	database := runner.Wait{For: `service "db"`, Service: true, Usual: 5 * time.Second}
	load := runner.Wait{For: "the load on http://server/", Usual: 12 * time.Second}
	command := runner.Wait{For: "the command sleep 1000"}
	tests := []struct {
		name  string
		waits []runner.Wait
		after time.Duration
		want  string
	}{
		{"a service that starts", []runner.Wait{server("")}, 4 * time.Second, ""},
		{"a service that does not", []runner.Wait{server(""), database, server("nothing listens on port 80")},
			6 * time.Second,
			`waiting  0:00:06 for service "server": nothing listens on port 80 (at most 0:05:00)`},
		{"a load that goes on", []runner.Wait{server("no"), load}, 11 * time.Second, ""},
		{"answers that do not come", []runner.Wait{server("no"), load}, 15 * time.Second,
			"waiting  0:00:15 for the load on http://server/ (at most 0:05:00)"},
		{"a command", []runner.Wait{command}, 9 * time.Second, ""},
		{"a command that does not end", []runner.Wait{command}, time.Minute,
			"waiting  0:01:00 for the command sleep 1000 (at most 0:05:00)"},
		{"a repetition that is over", []runner.Wait{load, {}}, time.Minute, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := inTheMiddle(io.Discard, 100, true)
			defer l.Close()
			l.experiment.Timeout = 5 * time.Minute
			for _, w := range tt.waits {
				l.Waits(w)
			}
			got := ""
			for _, line := range l.lines(time.Now().Add(tt.after), 100) {
				if strings.HasPrefix(line, "waiting") {
					got = line
				}
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// Each image that is being made has a line, from its builder's first word to its end.
func TestLinesOfImages(t *testing.T) {
	var out bytes.Buffer
	l := NewLive(&terminal.Screen{W: &out, Width: func() int { return 100 }, Plain: true}, true, forecast.NewETA())
	defer l.Close()
	lines := func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		now := time.Now()
		for i, m := range l.making {
			m.since = now.Add(time.Duration(i-10) * time.Second)
		}
		return strings.Join(l.lines(now, 100), "\n")
	}
	one, other, there := l.Preparing("pair a"), l.Preparing("pair b"), l.Preparing("pair c")
	for _, w := range []io.Writer{one, other} {
		if _, err := io.WriteString(w, "Step 1/2\n"); err != nil {
			t.Fatal(err)
		}
	}
	there.End(true)
	if got, want := lines(), "images   pair a, for 0:00:10\n         pair b, for 0:00:09"; got != want {
		t.Errorf("the lines are\n%s\nwant\n%s", got, want)
	}
	one.End(true)
	if got, want := lines(), "images   pair b, for 0:00:10"; got != want {
		t.Errorf("then\n%s\nwant\n%s", got, want)
	}
	other.End(true)
	if got := lines(); got != "" {
		t.Errorf("in the end %q", got)
	}
	if want := "  preparing the image of pair a\n    pair a: Step 1/2\n"; !strings.Contains(out.String(), want) {
		t.Errorf("above them stands %q", out.String())
	}
}

// On a narrow terminal no line is wider than it, and there are colours only where they are wanted.
func TestNarrowTerminals(t *testing.T) {
	for _, width := range []int{terminal.Narrowest, 40, 60, 200} {
		for _, plain := range []bool{true, false} {
			var out bytes.Buffer
			l := inTheMiddle(&out, width, plain)
			l.Close()
			_, drawn, _ := strings.Cut(out.String(), "overall") // above are lines that scroll
			for line := range strings.Lines(drawn) {
				if terminal.Visible(strings.TrimSuffix(line, "\n")) >= width {
					t.Errorf("%d columns: %q", width, line)
				}
			}
			if coloured := strings.Contains(out.String(), "\x1b[34m"); coloured == plain && width >= 60 {
				t.Errorf("%d columns, without colours %v: %q", width, plain, out.String())
			}
		}
	}
}

// A judge shows what has formed, what changed last first, and takes a small part of the time.
func TestJudge(t *testing.T) {
	judgement := func(name string, v stats.Verdict) claim.Judgement {
		block := &article.Claim{}
		block.Name.Value = name
		return claim.Judgement{Claim: block, Verdict: v}
	}
	var now []claim.Judgement
	asked := 0
	began := time.Now()
	j := &Judge{Began: began, Judgements: func([]*record.Record) ([]claim.Judgement, error) {
		asked++
		return now, nil
	}}
	shown := func() string {
		var out []string
		for _, v := range j.latest() {
			out = append(out, v.claim+" "+v.verdict)
		}
		return strings.Join(out, ", ")
	}
	for i, step := range []struct {
		now  []claim.Judgement
		want string
	}{
		{[]claim.Judgement{judgement("x", stats.NotMeasured), judgement("y", stats.Inconclusive)}, "y inconclusive"},
		{[]claim.Judgement{judgement("x", stats.Supported), judgement("y", stats.Inconclusive)},
			"x supported, y inconclusive"},
		{[]claim.Judgement{judgement("x", stats.Supported), judgement("y", stats.Contradicted)},
			"y contradicted, x supported"},
	} {
		now = step.now
		found, ok := j.Add(&record.Record{}, began.Add(time.Hour))
		if !ok {
			t.Fatal("it was not judged")
		}
		if j.note(found); shown() != step.want {
			t.Errorf("step %d: %s, want %s", i, shown(), step.want)
		}
	}
	j.last = 2 * time.Second
	if _, ok := j.Add(&record.Record{}, began.Add(100*time.Second)); ok || asked != 3 || len(j.Records) != 4 {
		t.Errorf("it was judged again after %d times, with %d records", asked, len(j.Records))
	}
}

// processTime is the processor time of this process.
func processTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Drawing takes less than a thousandth of a core, at the rate at which it happens beside a measurement.
func TestDrawingDisturbsNobody(t *testing.T) {
	l := inTheMiddle(io.Discard, 120, false)
	defer l.Close()
	const draws = 300
	each := time.Hour
	for range 5 { // what else runs on the machine can only make it longer
		before := processTime(t)
		for range draws {
			l.Draw(time.Now())
		}
		each = min(each, (processTime(t)-before)/draws)
	}
	if share := each.Seconds() / drawEvery.Seconds(); share > 0.001 && !slowtest.RaceDetector {
		t.Errorf("drawing takes %v each, %.3f %% of a core", each, 100*share)
	}
}

func BenchmarkDrawing(b *testing.B) {
	l := inTheMiddle(io.Discard, 120, false)
	defer l.Close()
	before := processTime(b)
	for range b.N {
		l.Draw(time.Now())
	}
	b.ReportMetric(100*(processTime(b)-before).Seconds()/float64(b.N)/drawEvery.Seconds(), "%core")
}
