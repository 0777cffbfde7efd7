// Package timeline says in words what the runs of an article were, and where they have changed its values for good.
package timeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/compare"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// Lead says how many runs there are, newest first, on what they were measured and when.
func Lead(moments []*compare.Moment) string {
	var hosts, profiles []string
	for _, m := range moments {
		hosts, profiles = append(hosts, m.Host), append(profiles, m.Profile)
	}
	hosts, profiles = cellview.SortedSet(hosts), cellview.SortedSet(profiles)
	words := number.Count(len(moments), "run") + " on " + number.Count(len(hosts), "host")
	if len(hosts) == 1 {
		words = number.Count(len(moments), "run") + " on host\u00a0" + hosts[0]
	}
	words += ", " + cmp.Or(map[int]string{1: "profile\u00a0" + profiles[0]}[len(profiles)],
		"profiles "+wording.List(profiles))
	first, last := moments[len(moments)-1].Started, moments[0].Ended
	if wording.LongDate(first) == wording.LongDate(last) {
		return words + ", on " + wording.LongDate(last) + "."
	}
	return words + ", from " + wording.LongDate(first) + " to " + wording.LongDate(last) + "."
}

// MinRuns is how many runs a series has at least in which a step is looked for.
const MinRuns = 2 * stats.MinRepetitions

// A Step is a change of the level of a series that lasts, in words.
type Step struct {
	Is               string // better, worse, higher, lower, or small
	Change, Interval string
	Before, After    string          // what the last run before it came to, and the first one after it
	Run              *compare.Moment // the first after it
	From, To         *compare.Moment // between which of these the new level begins, at 95 %
	Revisions        [2]string       // that the runs before and after it were measured from; empty if not known
	Differences      []compare.Difference
}

// StepOf is one of the steps of a series in words.
func StepOf(s *compare.Series, at int) Step {
	step := &s.Steps[at]
	before, after := &s.Points[step.At-1], &s.Points[step.At]
	u := wording.ColumnOf(s.Metric, before.Result, after.Result)
	decimals := number.Percent.Decimals(number.Reading{Value: step.Ratio - 1, Lo: step.Interval.Lo - 1,
		Hi: step.Interval.Hi - 1})
	return Step{Is: cmp.Or(map[stats.Shift]string{stats.NotShown: "small"}[step.Shift], string(step.Shift)),
		Change:   number.Percent.Signed(step.Ratio-1, decimals),
		Interval: number.Percent.SignedBetween(step.Interval.Lo-1, step.Interval.Hi-1, decimals),
		Before:   wording.Estimate(before.Result, u), After: wording.Estimate(after.Result, u), Run: after.Moment,
		From: s.Points[step.From].Moment, To: s.Points[step.To].Moment,
		Revisions: [2]string{before.Revision(), after.Revision()}, Differences: step.Differences}
}

// A Row is a step of one metric of a cell.
type Row struct {
	Step
	Value string // of which cell and metric
	Class string // is-better, is-worse, is-other, or none
	Href  string // the page of the run; may be empty
}

// A Note says what may have made the steps that begin with a run.
type Note struct {
	Run, Words string
	Values     string // of which steps; empty for all of the run
}

// Changes are the steps in the key metrics of an article.
type Changes struct {
	Rows     []Row // the newest first
	Notes    []Note
	Followed int // series of at least MinRuns runs
}

// maxCauses is how many differences a Note names.
const maxCauses = 3

// ChangesOf finds the steps of an article. Its moments are those of compare.History; page gives the page of a run. The
// error is that of compare.SeriesOf.
func ChangesOf(moments []*compare.Moment, page func(*compare.Moment) string) (c Changes, err error) {
	series, err := compare.SeriesOf(moments, nil)
	if err != nil {
		return c, err
	}
	isSingle := !slices.ContainsFunc(moments, func(m *compare.Moment) bool {
		return m.Host != moments[0].Host || m.Profile != moments[0].Profile
	})
	for i := range series {
		s := &series[i]
		if len(s.Points) >= MinRuns {
			c.Followed++
		}
		value := s.Cell.Experiment.Plan.Name + ", " + s.Cell.Name() + ": " + s.Metric.InWords()
		if !isSingle {
			value += " (" + s.Host + ", " + s.Profile + ")"
		}
		for k := range s.Steps {
			row := Row{Step: StepOf(s, k), Value: value}
			row.Href = page(row.Run)
			switch s.Steps[k].Shift {
			case stats.NotShown:
			case stats.Better, stats.Worse:
				row.Class = "is-" + row.Is
			default:
				row.Class = "is-other"
			}
			c.Rows = append(c.Rows, row)
		}
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int { return cmp.Compare(b.Run.Run, a.Run.Run) })
	c.Notes = notesOn(c.Rows)
	return c, nil
}

// notesOn has a note for each run, or several where the steps of one have not all the same causes.
func notesOn(rows []Row) (notes []Note) {
	type of struct{ run, words string }
	values, causes := map[of][]string{}, map[string]int{}
	for _, row := range rows {
		at := of{row.Run.Run, row.causes()}
		if values[at] == nil {
			causes[at.run]++
			notes = append(notes, Note{Run: at.run, Words: at.words})
		}
		values[at] = append(values[at], row.Value)
	}
	for i, n := range notes {
		if causes[n.Run] > 1 {
			notes[i].Values = wording.List(values[of{n.Run, n.Words}])
		}
	}
	return notes
}

// causes says what differs between the runs before and after the step.
func (s Step) causes() string {
	var words []string
	if before, after := s.Revisions[0], s.Revisions[1]; before != after {
		words = append(words, "revision "+cmp.Or(after, "unknown")+" instead of "+cmp.Or(before, "unknown"))
	}
	for i := range s.Differences[:min(len(s.Differences), maxCauses)] {
		words = append(words, s.Differences[i].String())
	}
	if more := len(s.Differences) - maxCauses; more > 0 {
		words = append(words, number.Count(more, "other difference"))
	}
	if len(words) == 0 {
		return "Nothing differs that is recorded."
	}
	return wording.Sentence("with it came " + strings.Join(words, "; "))
}

// NewsOf says of each run what changed with it, the newest first. Steps that may be within the smallest effect are no
// news.
func (c Changes) NewsOf() (out []News) {
	for _, row := range c.Rows {
		if row.Class == "" {
			continue
		}
		if n := len(out); n == 0 || out[n-1].Run != row.Run.Run {
			out = append(out, News{Run: row.Run.Run, When: row.Run.Ended.UTC()})
		}
		n := &out[len(out)-1]
		n.Values = append(n.Values, row.Value+" is "+row.Is+", "+row.Change+" ["+row.Interval+"]")
	}
	return out
}

// News is what changed for good with a run.
type News struct {
	Run    string
	When   time.Time // the run ended
	Values []string  // in words
}
