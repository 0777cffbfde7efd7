package main

import (
	"bytes"
	"io"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/lab/labtest"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
	"benchbook/runner"
)

func TestShortLine(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  string
	}{
		{"short", 10, "short"}, {"exactly", 7, "exactly"}, {"too long", 7, "too lo…"}, {"日本語", 5, "日本…"}, {"日本語", 6, "日本語"},
		{"\x1b[32mgreen\x1b[0m line", 6, "\x1b[32mgreen\x1b[0m…"}, {"e\u0301te\u0301", 3, "e\u0301te\u0301"}, {"", 5, ""},
	} {
		if got := shortLine(tt.line, tt.width); got != tt.want || visible(got) > tt.width {
			t.Errorf("%q in %d: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}

// Whatever a line holds, it takes one line of the terminal.
func FuzzShortLine(f *testing.F) {
	f.Add("overall  \x1b[34m███\x1b[0m░░ 3 %", 20)
	f.Add("e\u0301\x1b[", 1)
	f.Fuzz(func(t *testing.T, line string, width int) {
		width = 1 + max(0, width)%300
		if got := shortLine(clean(line), width); visible(got) > width || strings.Contains(got, "\n") {
			t.Errorf("%q takes %d of %d columns", got, visible(got), width)
		}
	})
}

// A screen shows lines in the place of those before, and what else is written above them.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out, width: func() int { return 11 }, plain: true}
	s.draw("one", "a line that is too long")
	if _, err := s.Write([]byte("said \x1b[2Jby others\n")); err != nil {
		t.Fatal(err)
	}
	s.draw("two")
	s.draw()
	if want := "one\na line th…\n\x1b[2A\x1b[Jsaid by others\ntwo\n\x1b[1A\x1b[J"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
	if got := s.bar(0.5, 4); got != "██░░" {
		t.Errorf("bar %q", got)
	}
}

// trials are two of a load, of which one repetition takes ten seconds as planned.
func trials() (*plan.Plan, map[*plan.Trial]*known) {
	e := &plan.Experiment{Name: "e", Repetitions: 3}
	known_ := map[*plan.Trial]*known{}
	for _, name := range []string{"a", "b"} {
		t := &plan.Trial{Name: name, Load: &spec.Load{Warmup: time.Second, Duration: 6 * time.Second}}
		e.Trials = append(e.Trials, t)
		known_[t] = &known{toMeasure: 3}
		for k := range 3 {
			e.Steps = append(e.Steps, plan.Step{Trial: t, Round: k + 1, Repetition: k + 1})
		}
	}
	return &plan.Plan{Experiments: []*plan.Experiment{e}}, known_
}

func TestForecast(t *testing.T) {
	p, known := trials()
	a, b := p.Experiments[0].Trials[0], p.Experiments[0].Trials[1]
	f := newETA()
	f.add(p, plan.Placement{}, known, false)
	one := f.each[a]
	if one <= 7*time.Second || f.remaining(nil, 0) != 6*one || f.share(nil, 0) != 0 {
		t.Fatalf("one takes %v, all %v, share %v", one, f.remaining(nil, 0), f.share(nil, 0))
	}
	if got := f.remaining(a, time.Second); got != 6*one-time.Second {
		t.Errorf("a second later %v", got)
	}
	if got := f.remaining(a, time.Hour); got != 5*one {
		t.Errorf("much later %v: what is under way takes no less than no time", got)
	}
	// It takes twice as long: so will the trial that was not seen yet.
	f.finished(a, 2*one)
	if got, want := f.remaining(nil, 0), 10*one; (got - want).Abs() > time.Millisecond {
		t.Errorf("after one repetition %v, want %v", got, want)
	}
	if got := f.share(nil, 0); got < 0.166 || got > 0.167 {
		t.Errorf("share %v", got)
	}
	f.finished(b, one)
	if got, want := f.remaining(nil, 0), 2*2*one+2*one; (got - want).Abs() > time.Millisecond {
		t.Errorf("after two repetitions %v, want %v", got, want)
	}
	for range 2 {
		f.finished(a, one)
		f.finished(b, one)
	}
	if f.remaining(nil, 0) != 0 || f.share(nil, 0) != 1 {
		t.Errorf("in the end %v, %v", f.remaining(nil, 0), f.share(nil, 0))
	}
	// Two of them are measured again, since the machine was disturbed.
	f.begin(p.Experiments[0], 2)
	if got, want := f.remaining(nil, 0), f.one(a)+f.one(b); got != want {
		t.Errorf("to be measured again %v, want %v", got, want)
	}
	f.finished(a, one)
	f.finished(a, one)
	if f.remaining(nil, 0) != 0 {
		t.Errorf("after that %v", f.remaining(nil, 0))
	}
	if got := hms(3723 * time.Second); got != "1:02:03" {
		t.Errorf("hms %s", got)
	}
	forced := newETA()
	for _, k := range known {
		k.toMeasure = 0
	}
	if forced.add(p, plan.Placement{}, known, true); forced.remaining(nil, 0) != 6*one {
		t.Errorf("all again: %v", forced.remaining(nil, 0))
	}
}

// Searches take as long as their probes took so far, and need as many of them as those that have ended did.
func TestForecastOfSearches(t *testing.T) {
	p, known := trials()
	e := p.Experiments[0]
	for _, trial := range e.Trials {
		trial.Tune = []spec.Search{{Name: "workers", From: 1, To: 8, Probes: 3}} // 1, 2, 3, 5 and 8
	}
	f := newETA()
	f.add(p, plan.Placement{}, known, false)
	a, b := e.Trials[0], e.Trials[1]
	repetitions, probe := 6*f.each[a], f.searches[a].each
	near := func(what string, want time.Duration) {
		t.Helper()
		if got := f.remaining(nil, 0); (got - want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("as estimated", repetitions+30*probe)
	var s record.Search
	probed := func(t *plan.Trial, took time.Duration) {
		s.Probes = append(s.Probes, record.Probe{Seconds: took.Seconds()})
		f.searched(t, &s)
	}
	probed(a, 2*probe)
	near("after one that took twice as long", repetitions+29*2*probe)
	for range 5 {
		probed(a, 2*probe)
	}
	s.Stop = record.StopWorse
	f.searched(a, &s)
	near("after two of five candidates were enough", repetitions+6*2*probe)
	if got, want := f.share(nil, 0), (12*probe).Seconds()/(24*probe+repetitions).Seconds(); math.Abs(got-want) > 1e-3 {
		t.Errorf("share %v, want %v", got, want)
	}
	s = record.Search{}
	for range 7 {
		probed(b, 2*probe)
	}
	near("of one that goes on longer", repetitions+2*probe)
	s.Stop = record.StopLimit
	f.searched(b, &s)
	near("after both", repetitions)
}

// twoTrials are two of a load, of which one repetition takes ten seconds as planned.
func twoTrials() (*plan.Plan, map[*plan.Trial]*known) {
	e := &plan.Experiment{Name: "e", Repetitions: 3}
	known_ := map[*plan.Trial]*known{}
	for _, name := range []string{"a", "b"} {
		t := &plan.Trial{Name: name, Load: &spec.Load{Warmup: time.Second, Duration: 6 * time.Second}}
		e.Trials = append(e.Trials, t)
		known_[t] = &known{toMeasure: 3}
		for k := range 3 {
			e.Steps = append(e.Steps, plan.Step{Trial: t, Round: k + 1, Repetition: k + 1})
		}
	}
	return &plan.Plan{Experiments: []*plan.Experiment{e}}, known_
}

// A run in the middle of its third repetition.
func inTheMiddle(w io.Writer, width int, plain bool) *live {
	p, known := twoTrials()
	f := newETA()
	f.add(p, plan.Placement{}, known, false)
	l := newLive(&screen{w: w, width: func() int { return width }, plain: plain}, f)
	l.article("servers", &judge{judgements: func([]*record.Record) ([]dataset.Judgement, error) { return nil, nil }})
	e := p.Experiments[0]
	l.Experiment(e, len(e.Steps))
	for i, t := range e.Trials {
		l.Begin(plan.Step{Trial: t, Repetition: 1})
		l.End(plan.Step{Trial: t, Repetition: 1}, &record.Record{Load: &record.Load{Window: 2, Completed: int64(1000 * (i + 1))}})
	}
	l.judge.verdicts = []verdict{{"faster", "supported", "faster, 2.0 [1.9, 2.1]", green}}
	l.Begin(plan.Step{Trial: e.Trials[1], Repetition: 2})
	return l
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	l := inTheMiddle(&out, 100, true)
	defer l.close()
	l.mu.Lock()
	for t := range l.forecast.took {
		l.forecast.took[t] = 10 * time.Second
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

// Each image that is being made has a line, from its builder's first word to its end.
func TestLinesOfImages(t *testing.T) {
	var out bytes.Buffer
	l := newLive(&screen{w: &out, width: func() int { return 100 }, plain: true}, newETA())
	defer l.close()
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
	for _, width := range []int{narrowest, 40, 60, 200} {
		for _, plain := range []bool{true, false} {
			var out bytes.Buffer
			l := inTheMiddle(&out, width, plain)
			l.close()
			_, drawn, _ := strings.Cut(out.String(), "overall") // above are lines that scroll
			for line := range strings.Lines(drawn) {
				if visible(strings.TrimSuffix(line, "\n")) >= width {
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
	judgement := func(name string, v stats.Verdict) dataset.Judgement {
		claim := &article.Claim{}
		claim.Name.Value = name
		return dataset.Judgement{Claim: claim, Verdict: v}
	}
	var now []dataset.Judgement
	asked := 0
	began := time.Now()
	j := &judge{began: began, judgements: func([]*record.Record) ([]dataset.Judgement, error) {
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
		now  []dataset.Judgement
		want string
	}{
		{[]dataset.Judgement{judgement("x", stats.NotMeasured), judgement("y", stats.Inconclusive)}, "y inconclusive"},
		{[]dataset.Judgement{judgement("x", stats.Supported), judgement("y", stats.Inconclusive)}, "x supported, y inconclusive"},
		{[]dataset.Judgement{judgement("x", stats.Supported), judgement("y", stats.Contradicted)}, "y contradicted, x supported"},
	} {
		now = step.now
		found, ok := j.add(&record.Record{}, began.Add(time.Hour))
		if !ok {
			t.Fatal("it was not judged")
		}
		if j.note(found); shown() != step.want {
			t.Errorf("step %d: %s, want %s", i, shown(), step.want)
		}
	}
	j.last = 2 * time.Second
	if _, ok := j.add(&record.Record{}, began.Add(100*time.Second)); ok || asked != 3 || len(j.records) != 4 {
		t.Errorf("it was judged again after %d times, with %d records", asked, len(j.records))
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
	defer l.close()
	const draws = 300
	each := time.Hour
	for range 5 { // what else runs on the machine can only make it longer
		before := processTime(t)
		for range draws {
			l.draw(time.Now())
		}
		each = min(each, (processTime(t)-before)/draws)
	}
	if share := each.Seconds() / drawEvery.Seconds(); share > 0.001 && !labtest.RaceDetector {
		t.Errorf("drawing takes %v each, %.3f %% of a core", each, 100*share)
	}
}

func BenchmarkDrawing(b *testing.B) {
	l := inTheMiddle(io.Discard, 120, false)
	defer l.close()
	before := processTime(b)
	for range b.N {
		l.draw(time.Now())
	}
	b.ReportMetric(100*(processTime(b)-before).Seconds()/float64(b.N)/drawEvery.Seconds(), "%core")
}

// A run on a terminal is drawn, and ends with plain lines.
func TestRunOnATerminal(t *testing.T) {
	w := scripted()
	w.lockDir, w.terminal = "", func() int { return 80 }
	dir := t.TempDir()
	if status := run([]string{"-C", dir, "init", dir, "--template", "http"}, io.Discard, io.Discard, w); status != 0 {
		t.Fatalf("init ended with %d", status)
	}
	var out bytes.Buffer
	if status := run([]string{"-C", dir, "run", "--quick"}, io.Discard, &out, w); status != 0 {
		t.Fatalf("run ended with %d: %s", status, &out)
	}
	text := out.String()
	for _, want := range []string{"overall", "so far   ", "left, 0 of 9 of http#hello", "\x1b[2A\x1b[J"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %q", want, text)
		}
	}
	last := text[strings.LastIndex(text, "\x1b")+3:]
	if !strings.HasPrefix(last, "measured 9 repetitions in ") {
		t.Errorf("it ends with %q", last)
	}
}

// The rest of a run's time is told by size, without what cannot be seen.
func TestRestOf(t *testing.T) {
	s := runner.Spent{runner.Measuring: time.Hour, runner.Searching: time.Hour, runner.Starting: 2 * time.Second, runner.Stopping: 3400 * time.Millisecond,
		runner.Saving: 30 * time.Millisecond, runner.Other: -time.Second}
	if got, want := restOf(s), "3.4s stopping services, 2s starting services"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
