package compare_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/rendertest"
)

const (
	first  = "20261110T100000Z-aaaa"
	second = "20261112T100000Z-bbbb"
	third  = "20261114T100000Z-cccc"
)

// measured is the sample article, with a run of all its cells for each mean of async.
func measured(t *testing.T, async map[string]float64, changes ...func(*record.Record)) *rendertest.Bench {
	t.Helper()
	text, err := os.ReadFile("../../render/testdata/sockets.md")
	if err != nil {
		t.Fatal(err)
	}
	b := rendertest.New(t, "sockets", text)
	for i, run := range []string{first, second, third} {
		mean, ok := async[run]
		if !ok {
			continue
		}
		in := append([]func(*record.Record){rendertest.In(run, 10+2*i)}, changes...)
		for trial, mean := range map[string]float64{"sync": 571, "async": mean, "again": 572, "threads": 574} {
			b.Measure("full", "sockets", trial, []float64{mean, mean - 9, mean + 9, mean - 4, mean + 3}, in...)
		}
	}
	return b
}

// Each moment has what was known when its run had ended, and nothing of later ones.
func TestHistory(t *testing.T) {
	b := measured(t, map[string]float64{first: 500, second: 751, third: 752})
	// stopped, and never resumed
	b.Measure("full", "sockets", "async", []float64{760, 761}, rendertest.In("20261116T100000Z-dddd", 16))
	moments := b.Moments()
	var got []string
	for _, m := range moments {
		got = append(got, m.Run)
	}
	if want := []string{"20261116T100000Z-dddd", third, second, first}; !slices.Equal(got, want) {
		t.Fatalf("moments are of %q, want %q", got, want)
	}
	verdicts := map[string]stats.Verdict{}
	for _, m := range moments {
		verdicts[m.Run] = claim.Judgements(m.Dataset)[0].Verdict
		if whole := m.Run != "20261116T100000Z-dddd"; m.Complete != whole {
			t.Errorf("run %s is complete: %v", m.Run, m.Complete)
		}
		for _, e := range m.Dataset.Experiments {
			for _, c := range e.Cells {
				if c.Run > m.Run {
					t.Errorf("%s of the moment of run %s is of run %s", c.Trial.Name, m.Run, c.Run)
				}
			}
		}
		if m.Ended.Before(m.Started) || !slices.Equal(m.Experiments, []string{"sockets"}) {
			t.Errorf("run %s measured %q from %v to %v", m.Run, m.Experiments, m.Started, m.Ended)
		}
	}
	if verdicts[first] != stats.Contradicted || verdicts[second] != stats.Supported || verdicts[third] != stats.Supported {
		t.Errorf("verdicts are %v", verdicts)
	}
	if before := moments[1].Before(moments); before == nil || before.Run != second {
		t.Errorf("before %s comes %v", third, before)
	}
	if before := moments[3].Before(moments); before != nil {
		t.Errorf("before the first comes %s", before.Run)
	}
}

// twoExperiments is an article whose experiments can be measured apart.
func twoExperiments(t *testing.T) *rendertest.Bench {
	t.Helper()
	text := "---\ntitle: Two experiments\n---\n\n```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n"
	for _, name := range []string{"one", "two"} {
		text += "\n```yaml experiment\nname: " + name +
			"\nservices: {server: {build: ., expose: [\"8080\"]}}\nmatrix: {server: [a, b]}\n" +
			"load: {target: \"http://server:8080/\", connections: 10}\nrepetitions: 3\ncalibrate: false\n```\n"
	}
	text += "\n```yaml claim\n"
	for _, name := range []string{"one", "two"} {
		text += "- {name: " + name + "-is-faster, experiment: " + name +
			", expect: 'throughput{server=\"a\"} > throughput{server=\"b\"}'}\n"
	}
	return rendertest.New(t, "two", []byte(text+"```\n"))
}

// measure measures an experiment of twoExperiments, in which a is so much faster than b.
func measure(b *rendertest.Bench, experiment string, a float64, changes ...func(*record.Record)) {
	b.Measure("full", experiment, "a", []float64{a, a + 9, a - 9}, changes...)
	b.Measure("full", experiment, "b", []float64{500, 509, 491}, changes...)
}

// What was measured in one go is one moment, whatever its experiments.
func TestMomentsOfSeveralExperiments(t *testing.T) {
	const again = "20261114T090000Z-dddd"
	planned := func(r *record.Record) { r.Plans = map[string]string{"one": "1", "two": "2"} }
	tests := []struct {
		name    string
		measure func(b *rendertest.Bench)
		want    string // run and experiments of each moment, and with which it is compared, the newest first
		turned  string // claims that the newest has turned, against the moment before it
	}{
		{"one run, and another", func(b *rendertest.Bench) {
			for i, a := range []float64{400, 600} {
				for _, name := range []string{"one", "two"} {
					measure(b, name, a, rendertest.In([]string{first, third}[i], 10+4*i), planned)
				}
			}
		}, third + " one two against " + first + "; " + first + " one two", "one-is-faster two-is-faster"},
		{"records from when each experiment was a run of its own", func(b *rendertest.Bench) {
			for i, a := range []float64{400, 600} {
				for k, name := range []string{"one", "two"} {
					measure(b, name, a, rendertest.In([][]string{{first, second}, {third, again}}[i][k], 10+4*i))
				}
			}
		}, third + " one two against " + second + "; " + second + " one two", "one-is-faster two-is-faster"},
		{"a part of it later, and then all of it", func(b *rendertest.Bench) {
			measure(b, "one", 400, rendertest.In(first, 10), planned)
			measure(b, "two", 400, rendertest.In(first, 10), planned)
			measure(b, "one", 600, rendertest.In(second, 12), planned)
			measure(b, "one", 610, rendertest.In(third, 14), planned)
			measure(b, "two", 600, rendertest.In(third, 14), planned)
		}, third + " one two against " + first + "; " + second + " one against " + first + "; " + first + " one two",
			"two-is-faster"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := twoExperiments(t)
			test.measure(b)
			moments := b.Moments()
			var got []string
			for _, m := range moments {
				words := m.Run + " " + strings.Join(m.Experiments, " ")
				if before := m.Before(moments); before != nil {
					words += " against " + before.Run
				}
				got = append(got, words)
				if !m.Complete || !slices.Equal(m.Whole, m.Experiments) {
					t.Errorf("of run %s, which measured %q, only %q is complete", m.Run, m.Experiments, m.Whole)
				}
				for _, e := range m.Dataset.Experiments {
					for _, c := range e.Cells {
						if c.State == dataset.Missing {
							t.Errorf("%s of %s is missing as of run %s", c.Trial.Name, e.Plan.Name, m.Run)
						}
						if measured := slices.Contains(m.Experiments, e.Plan.Name); m.Has(c) != measured {
							t.Errorf("%s of %s, of run %s, is of the moment of run %s: %v", c.Trial.Name, e.Plan.Name, c.Run, m.Run,
								m.Has(c))
						}
					}
				}
			}
			if words := strings.Join(got, "; "); words != test.want {
				t.Errorf("moments are\n%s, want\n%s", words, test.want)
			}
			var turned []string
			for _, turn := range compare.VerdictChangesOf(moments[1].Dataset, moments[0].Dataset).Claims {
				turned = append(turned, turn.Claim.Name.Value)
			}
			if words := strings.Join(turned, " "); words != test.turned {
				t.Errorf("turned are %q, want %q", words, test.turned)
			}
		})
	}
}

// What a run finished stays comparable, though it was stopped in another experiment.
func TestRunThatWasStoppedInOneExperiment(t *testing.T) {
	b := twoExperiments(t)
	measure(b, "one", 600, rendertest.In(first, 10))
	b.Measure("full", "two", "a", []float64{600}, rendertest.In(first, 10)) // and never resumed
	measure(b, "one", 610, rendertest.In(second, 12))
	moments := b.Moments()
	if m := moments[1]; m.Complete || !slices.Equal(m.Whole, []string{"one"}) ||
		!slices.Equal(m.Experiments, []string{"one", "two"}) {
		t.Errorf("run %s, which measured %q, is complete: %v, and %q of it are", m.Run, m.Experiments, m.Complete, m.Whole)
	}
	if before := moments[0].Before(moments); before == nil || before.Run != first {
		t.Errorf("%s is compared with %v", second, before)
	}
}

// Runs of another host or profile are not what a run is compared with.
func TestBeforeIsOfTheSameSet(t *testing.T) {
	b := measured(t, map[string]float64{first: 500, second: 751})
	for _, r := range b.Records {
		if r.Run == first {
			r.Host = "c4-ffffff"
		}
	}
	for _, m := range b.Moments() {
		if before := m.Before(b.Moments()); before != nil {
			t.Errorf("%s on %s is compared with %s on %s", m.Run, m.Host, before.Run, before.Host)
		}
	}
}

// The newest moment is what is shown, where it says just that: where there is one set of records, and none is of a
// later run.
func TestHistoryHasWhatIsShown(t *testing.T) {
	tests := []struct {
		name string
		more func(b *rendertest.Bench)
		want []bool // by moment, the newest first
	}{
		{"two runs", func(*rendertest.Bench) {}, []bool{true, false}},
		{"records that the article knows nothing of", func(b *rendertest.Bench) {
			r := *b.Records[0]
			r.Experiment, r.Run = "gone", third
			b.Records = append(b.Records, &r)
		}, []bool{true, false}},
		{"another host", func(b *rendertest.Bench) { b.Records[0].Host = "c4-ffffff" }, []bool{false, false, false}},
		{"another profile", func(b *rendertest.Bench) { b.Records[0].Profile = plan.Quick }, []bool{false, false, false}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := measured(t, map[string]float64{first: 500, second: 751})
			test.more(b)
			shown, moments := b.Shown()
			var got []bool
			for _, m := range moments {
				got = append(got, m.Dataset == shown)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("moments that are what is shown: %v, want %v", got, test.want)
			}
		})
	}
	b := measured(t, map[string]float64{first: 500, second: 751})
	before, _ := b.Shown()
	b.Measure("full", "sockets", "async", []float64{760, 761}, rendertest.In(third, 14))
	moments, err := compare.History(b.Doc, b.Records, before, dataset.Options{ThisHost: rendertest.Host,
		Plan: func(string) (*plan.Plan, error) { return before.Plan, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range moments {
		if m.Dataset == before {
			t.Errorf("the moment of run %s is what was shown before a later one", m.Run)
		}
	}
}

// A run alone has what it measured itself, as compare takes it.
func TestAlone(t *testing.T) {
	b := measured(t, map[string]float64{first: 500, second: 751})
	for _, m := range b.Moments() {
		d, err := m.Alone()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.Experiments[0].Cells {
			if c.Run != m.Run {
				t.Errorf("%s of run %s alone is of run %q", c.Trial.Name, m.Run, c.Run)
			}
		}
	}
}

func TestTurnsOf(t *testing.T) {
	tests := []struct {
		name   string
		before map[string]float64
		turned string // claims with their verdicts
		newly  bool
	}{
		{"a verdict that turns", map[string]float64{first: 500, second: 751}, "async-is-faster contradicted supported",
			false},
		{"nothing", map[string]float64{first: 752, second: 751}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			moments := measured(t, test.before).Moments()
			turns := compare.VerdictChangesOf(moments[1].Dataset, moments[0].Dataset)
			var got []string
			for _, turn := range turns.Claims {
				got = append(got, turn.Claim.Name.Value+" "+string(turn.Before)+" "+string(turn.After))
			}
			if words := strings.Join(got, "; "); !strings.Contains(words, test.turned) || (words == "") != (test.turned == "") {
				t.Errorf("turned are %q, %+v", words, turns)
			}
		})
	}
	t.Run("what was never measured before is new, and no turn", func(t *testing.T) {
		none := measured(t, nil).Dataset()
		turns := compare.VerdictChangesOf(none, measured(t, map[string]float64{first: 751}).Dataset())
		if len(turns.Claims) > 0 || turns.New == 0 {
			t.Errorf("%+v", turns)
		}
	})
}

// A dataset until a run is what it was then.
func TestUntil(t *testing.T) {
	whole, then := measured(t, map[string]float64{first: 500, second: 751}), measured(t, map[string]float64{first: 500})
	if got, want := claim.Judgements(whole.Moments()[1].Dataset)[0],
		claim.Judgements(then.Dataset())[0]; got.Verdict != want.Verdict || got.Effect.Number != want.Effect.Number {
		t.Errorf("as of %s it is %+v, and was %+v", first, got, want)
	}
}
