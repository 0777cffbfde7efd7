package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// fewTrials returns an experiment of the trials a and b, where a comes first in odd rounds, b in even ones. Options add
// an A/A pair, a trial c whose capacity is searched for, or a rate that is a share of another experiment's throughput.
func fewTrials(name string, looks []int, options string) *plan.Experiment {
	if looks == nil {
		looks = []int{3}
	}
	e := &plan.Experiment{Name: name, Digest: "digest of " + name, Looks: looks, Seed: 1}
	add := func(t *plan.Trial) *plan.Trial {
		t.Key = "key"
		e.Trials = append(e.Trials, t)
		return t
	}
	a := add(&plan.Trial{Name: "a", Parameters: []record.Parameter{{Name: "x", Value: "a"}}})
	steps := []*plan.Trial{a, add(&plan.Trial{Name: "b", Parameters: []record.Parameter{{Name: "x", Value: "b"}}})}
	if strings.Contains(options, "capacity") {
		add(&plan.Trial{Name: "c", Capacity: &spec.Capacity{}})
	}
	if strings.Contains(options, "pair") {
		steps = append(steps, add(&plan.Trial{Name: "aa", Calibration: true, Parameters: a.Parameters}))
	}
	if _, other, ok := strings.Cut(options, "rate of "); ok {
		a.Load = &spec.Load{Pace: spec.Pace{RateOf: other}}
	}
	for round := 1; round <= e.Most(); round++ {
		for _, t := range steps {
			e.Steps = append(e.Steps, plan.Step{Trial: t, Round: round, Repetition: round})
		}
		slices.Reverse(steps)
	}
	return e
}

var written = regexp.MustCompile(`^(?:(f)\.)?([a-c]+)(\d*)(~?)(?:>(\d+))?(?:/(\w+))?$`)

// recordsOf parses runs such as "r1: a1 a2~ f.b1; r2: b1". Run r1 has repetitions 1 and 2 of trial a, the latter
// disturbed, and one of experiment f. a4>2 replaces repetition 2, c is a capacity search, c~ one on a busy machine,
// a1/old has another key, and "r1/old:" another plan.
func recordsOf(t *testing.T, text string) (out []*record.Record) {
	t.Helper()
	for line := range strings.SplitSeq(text, "; ") {
		run, list, _ := strings.Cut(line, ": ")
		run, isOld := strings.CutSuffix(run, "/old")
		for _, item := range strings.Fields(list) {
			is := written.FindStringSubmatch(item)
			if is == nil {
				t.Fatalf("cannot read %q", item)
			}
			r := &record.Record{Experiment: "e", Run: run, Trial: is[2], Key: "key"}
			if is[1] != "" {
				r.Experiment = is[1]
			}
			if r.Plan = "digest of " + r.Experiment; isOld {
				r.Plan = "another"
			}
			if is[6] != "" {
				r.Key = is[6]
			}
			r.Repetition, _ = strconv.Atoi(is[3])
			r.Order.Replaces, _ = strconv.Atoi(is[5])
			switch isDisturbed := is[4] != ""; {
			case is[3] == "":
				r.Search = &record.Search{Kind: record.SearchCapacity, Busy: isDisturbed}
			case isDisturbed:
				r.Machine, r.Load = &record.Machine{Steal: 0.2}, &record.Load{Window: 1}
			}
			out = append(out, r)
		}
	}
	return out
}

// missingWords formats non-empty groups like recordsOf. The run of a group without one is "new".
func missingWords(groups []Group) (out []string) {
	for _, g := range groups {
		of := map[string]string{"e": "", "f": "f."}[g.Experiment.Name]
		words := []string{"new:"}
		if g.Run != "" {
			words[0] = g.Run + ":"
		}
		for _, t := range g.Searches {
			words = append(words, of+t.Name)
		}
		for _, s := range g.Steps {
			word := fmt.Sprint(of, s.Trial.Name, s.Repetition)
			if s.Replaces > 0 {
				word += fmt.Sprint(">", s.Replaces)
			}
			words = append(words, word)
		}
		if g.Len() > 0 {
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}

func TestMissing(t *testing.T) {
	const all = "r1: a1 b1 a2 b2 a3 b3"
	looks := []int{3, 5, 10}
	only := func(name string) func(*plan.Experiment, *plan.Trial) bool {
		return func(_ *plan.Experiment, t *plan.Trial) bool { return t.Name == name }
	}
	anew := func(*plan.Experiment) bool { return true }
	givenUp := map[Turn]bool{} // of b what is left in all looks
	for k := 4; k <= 10; k++ {
		givenUp[Turn{"e", "b", k}] = true
	}
	for _, tt := range []struct {
		name    string
		looks   []int              // of experiment e; nil for one, after 3 repetitions
		options string             // of it
		plan    []*plan.Experiment // several experiments instead
		records string
		open    string // trials that claims are undecided about, of all experiments
		scope   Scope
		want    string
	}{
		// Up to the first look.
		{name: "no records", want: "new: a1 b1 b2 a2 a3 b3"},
		{name: "no records, with more looks", looks: looks, open: "a b", want: "new: a1 b1 b2 a2 a3 b3"},
		{name: "all is fresh", records: all},
		{name: "a stopped run is resumed, in the order of the plan", records: "r1: b3 a1 a2", want: "r1: b1 b2 a3"},
		{name: "the newest of two stopped runs is resumed", records: "r1: a1 a2; r2: a1", want: "r2: b1 b2 a2 a3 b3"},
		{name: "what another run has in full is fresh", records: "r1: a1 a2 a3; r2: b1", want: "r2: b2 b3"},
		{name: "a run of another plan is not resumed", records: "r1/old: a1 a2 b1", want: "new: a1 b1 b2 a2 a3 b3"},
		{name: "a run of another plan is fresh if it has all", records: "r1/old: a1 a2 a3 b1 b2 b3"},
		{name: "a changed trial is measured, the others are fresh", records: "r1/old: a1/old a2/old a3/old b1 b2 b3",
			want: "new: a1 a2 a3"},
		{name: "an outdated run is not resumed", records: "r1: a1 b1", scope: Scope{Outdated: map[string]bool{"r1": true}},
			want: "new: a1 b1 b2 a2 a3 b3"},
		{name: "measured anew", looks: looks, options: "capacity", records: all + " c", scope: Scope{Anew: anew},
			want: "new: c a1 b1 b2 a2 a3 b3"},
		{name: "one trial is asked for", records: "r1: a1", scope: Scope{Only: only("b")}, want: "r1: b1 b2 b3"},
		{name: "given up: not tried again in this session", records: "r1: a1", want: "r1: b1 b2 b3",
			scope: Scope{Tried: map[Turn]bool{{"e", "a", 2}: true, {"e", "a", 3}: true}}},

		// Searches.
		{name: "a search for a capacity", options: "capacity", records: all, want: "r1: c"},
		{name: "a capacity was found", options: "capacity", records: all + " c"},
		{name: "a search on a busy machine is made again", options: "capacity", records: all + " c~", want: "r1: c"},
		{name: "but not in the same session", options: "capacity", records: all + " c~",
			scope: Scope{Tried: map[Turn]bool{{"e", "c", 0}: true}}},

		// Disturbed repetitions.
		{name: "a disturbed repetition is measured again", records: "r1: a1 b1 a2~ b2 a3 b3", want: "r1: a4>2"},
		{name: "one at a time", records: "r1: a1~ b1 a2~ b2 a3 b3", want: "r1: a4>1"},
		{name: "then the other one", records: "r1: a1~ b1 a2~ b2 a3 b3 a4>1", want: "r1: a5>2"},
		{name: "the one in its place was disturbed too", records: "r1: a1~ b1 a2 b2 a3 b3 a4~>1", want: "r1: a5>4"},
		{name: "enough are valid", records: "r1: a1~ b1 a2 b2 a3 b3 a4>1"},
		{name: "the order is drawn by the seed", options: "pair", records: "r1: a1~ b1~ a2 b2 a3 b3 aa1~ aa2 aa3",
			want: "r1: aa4>1 b4>1 a4>1"},
		{name: "at most twice as many", records: "r1: a1~ b1 a2~ b2 a3~ b3 a4~>1 a5~>2 a6~>3"},
		{name: "no verdict comes of two, disturbed or not", looks: []int{2}, records: "r1: a1~ b1 a2~ b2"},
		{name: "a number is never given twice", records: "r1: a1~ b1 a2~ b2 a3 b3 a6~>1", want: "r1: a7>2"},
		{name: "the disturbed ones of the run that is resumed alone", records: "r1: a1~ b1 a2 b2 a3 b3; r2: b1 b2 b3"},
		{name: "after what is missing", records: "r1: a1 b1 a2~ b2 a3", want: "r1: b3"},
		{name: "what is not asked for does not hold it back", records: "r1: a1 a2~ a3", scope: Scope{Only: only("a")},
			want: "r1: a4>2"},

		// Looks.
		{name: "all is decided", looks: looks, records: all, open: "-"},
		{name: "one is undecided", looks: looks, records: all, open: "b", want: "r1: b4 b5"},
		{name: "the pair goes on with it", looks: looks, options: "pair", records: all + " aa1 aa2 aa3", open: "b",
			want: "r1: aa4 b4 a4 a5 b5 aa5"},
		{name: "one look is all", records: all, open: "a b"},
		{name: "after the last look", looks: []int{1, 3}, records: all, open: "a b"},
		{name: "those that are behind go first", looks: looks, records: all + " a4 a5", open: "a b", want: "r1: b4 b5"},
		{name: "one that was given up holds no other back", looks: looks, records: all + " a4 a5", open: "a b",
			scope: Scope{Tried: givenUp}, want: "r1: a6 a7 a8 a9 a10"},
		{name: "stopped between two looks: b has become decided, and its round is finished", looks: looks,
			records: all + " a4 b4", open: "a, b until 7", want: "r1: a5 b5"},
		{name: "repetitions of another run are not gone on with", looks: looks, records: "r1/old: a1 a2 a3 b1 b2 b3",
			open: "a", want: "new: a1 a2 a3"},

		// Several experiments.
		{name: "all come to the first look before any goes on",
			plan:    []*plan.Experiment{fewTrials("e", looks, ""), fewTrials("f", looks, "")},
			records: all + "; r1: f.a1 f.a2 f.a3 f.b1 f.b2", open: "a", want: "r1: f.b3"},
		{name: "then to the next", plan: []*plan.Experiment{fewTrials("e", looks, ""), fewTrials("f", looks, "")},
			records: all + "; r1: f.a1 f.a2 f.a3 f.b1 f.b2 f.b3", open: "a", want: "r1: a4 a5; r1: f.a4 f.a5"},
		{name: "one after another", plan: []*plan.Experiment{fewTrials("e", looks, ""), fewTrials("f", looks, "")},
			records: all + " a4 a5; r1: f.a1 f.a2 f.a3 f.b1 f.b2 f.b3", open: "a", want: "r1: f.a4 f.a5"},
		{name: "a rate is a share of what is measured before",
			plan: []*plan.Experiment{fewTrials("e", []int{1}, "rate of f"), fewTrials("f", []int{1}, "")},
			want: "new: f.a1 f.b1; new: a1 b1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var undecided Undecided
			if tt.open != "" {
				undecided = func(records []*record.Record) map[string][]string {
					open := strings.Fields(tt.open)
					if before, _, ok := strings.Cut(tt.open, ", b until "); ok {
						if open = []string{before}; len(records) < 7 {
							open = append(open, "b")
						}
					}
					return map[string][]string{"e": open, "f": open}
				}
			}
			p := &plan.Plan{Experiments: tt.plan}
			if tt.plan == nil {
				p.Experiments = []*plan.Experiment{fewTrials("e", tt.looks, tt.options)}
			}
			got := missingWords(Missing(p, recordsOf(t, tt.records), undecided, tt.scope))
			assert.Equal(t, strings.Join(got, "; "), tt.want)
		})
	}
}
