package measure

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/plan"
	"benchbook/runner"
)

// Lines of images that are built at once name their image; an image that exists has no lines.
func TestLinesOfSeveralBuilds(t *testing.T) {
	const all = `  preparing the image of pair a
    pair a: Step 1/2
  preparing the image of pair b
    pair b: Step 1/1 : FROM x
    pair a: Step 2/2
  preparing the image of pair d
    pair d: no
  preparing the image of pair d stopped after TIME
  prepared the image of pair b in TIME
  prepared the image of pair a in TIME
`
	for _, verbose := range []bool{true, false} {
		want := all
		if !verbose {
			want = regexp.MustCompile(`(?m)^    .*\n`).ReplaceAllString(all, "")
		}
		assert.Equal(t, linesOfBuilds(verbose), want, "verbose %v", verbose)
	}
}

// linesOfBuilds returns the lines of the builds of four images, one of which exists.
func linesOfBuilds(verbose bool) string {
	var out bytes.Buffer
	p := &progress{w: &out, verbose: verbose}
	one, other, there, broken := p.Preparing("pair a"), p.Preparing("pair b"), p.Preparing("pair c"), p.Preparing("pair d")
	fmt.Fprint(one, "Step 1/2\nSte")
	fmt.Fprint(other, "Step 1/1 : FROM x\r\n\n")
	fmt.Fprint(one, "p 2/2\n")
	fmt.Fprint(broken, "no\n")
	broken.End(false)
	other.End(true)
	there.End(true)
	one.End(true)
	return regexp.MustCompile(`(in|after) .*s\n`).ReplaceAllString(out.String(), "$1 TIME\n")
}

// Only missing repetitions are announced, and the bar grows for them: with --quick, an experiment begins at each look.
func TestExperimentBegins(t *testing.T) {
	a, b, again := &plan.Trial{Name: "a"}, &plan.Trial{Name: "b"}, &plan.Trial{Name: "a again"}
	e := &plan.Experiment{Name: "e", Seed: 7, Trials: []*plan.Trial{a, b, again}}
	steps := func(trials ...*plan.Trial) (out runner.Group) {
		out.Experiment = e
		for _, trial := range trials {
			out.Steps = append(out.Steps, plan.Step{Trial: trial, Round: 5})
		}
		return out
	}
	var said bytes.Buffer
	p := &progress{w: &said, slug: "x", bar: newBar(io.Discard, 4)}
	defer p.close()
	for _, tt := range []struct {
		begin func(runner.Group)
		group runner.Group
		total int // of the bar
		want  string
	}{
		{p.Experiment, steps(), 4, "x#e is already measured"},
		{p.Experiment, steps(again, b, a, b), 4, "x#e: 4 repetitions of 3 trials (a; b; a again), in random order, seed 7"},
		{p.Experiment, steps(b), 5, "x#e: 1 repetition of 1 trial (b), in random order, seed 7"},
		{p.Again, steps(b, a), 7, "x#e continues to 5 rounds, as claims are undecided: 2 repetitions of 2 trials (a; b)"},
		{p.Experiment, runner.Group{Experiment: e, Searches: []*plan.Trial{b}}, 8, "x#e: 1 search for the capacity of b"},
	} {
		said.Reset()
		tt.begin(tt.group)
		for range tt.group.Len() {
			p.bar.increment()
		}
		if got := said.String(); got != tt.want+"\n" || p.bar.total != tt.total {
			t.Errorf("got %q in a bar of %d, want %q and %d", got, p.bar.total, tt.want, tt.total)
		}
	}
}
