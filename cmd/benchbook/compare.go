package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/machines"
)

// compareJSON is what compare prints with --format json. Fields are added to it in later versions, none are renamed or
// removed. Numbers are unrounded and in base units; null where there is none.
type compareJSON struct {
	A           sideJSON             `json:"a"`
	B           sideJSON             `json:"b"`
	Changes     []changeJSON         `json:"changes"`
	Differences []dataset.Difference `json:"differences"`
	Explanation dataset.Explanation  `json:"explanation"`
	LeftOut     []string             `json:"left_out"`
	FailOn      *failOnJSON          `json:"fail_on,omitempty"`
}

type sideJSON struct {
	Kind   string    `json:"kind"` // run, host, profile, revision or folder
	Name   string    `json:"name"`
	Commit string    `json:"commit,omitempty"`
	Sets   []setJSON `json:"sets"` // of each article what is compared
}

type setJSON struct {
	Article  string    `json:"article"`
	Host     string    `json:"host"`
	ThisHost bool      `json:"this_host"`
	Profile  string    `json:"profile"`
	Runs     []string  `json:"runs"`
	From     time.Time `json:"from"` // start of the first repetition
	To       time.Time `json:"to"`   // end of the last one
}

type changeJSON struct {
	Article    string     `json:"article"`
	Experiment string     `json:"experiment"`
	Trial      string     `json:"trial"`
	Metric     string     `json:"metric"`
	Unit       string     `json:"unit"`
	A          resultJSON `json:"a"`
	B          resultJSON `json:"b"`
	// Change is B/A - 1; of failures B - A. Its interval is at 95 %, widened by the noise floor.
	Change     *float64 `json:"change"`
	Lo         *float64 `json:"lo"`
	Hi         *float64 `json:"hi"`
	Difference bool     `json:"difference"` // Change is B - A
	P          *float64 `json:"p"`          // corrected for the cells of the metric and for looks; null where there is no such test
	NoiseFloor float64  `json:"noise_floor"`
	Verdict    string   `json:"verdict"`
	Refused    bool     `json:"refused"` // there are numbers that must not be compared, for Reason
	Reason     string   `json:"reason,omitempty"`
	Marks      []string `json:"marks"`
}

type resultJSON struct {
	Run      string `json:"run,omitempty"`
	State    string `json:"state"`
	Validity string `json:"validity"`
	measuredJSON
}

type failOnJSON struct {
	Condition string     `json:"condition"`
	Met       bool       `json:"met"`
	Cells     []string   `json:"cells"`   // that meet it
	Unknown   [][]string `json:"unknown"` // cells of which it cannot be judged, each with the reason
	Judged    int        `json:"judged"`  // cells of which it can
}

// compareOptions say what of two sides is compared, and what fails.
type compareOptions struct {
	failOn      string
	metrics     []string
	acrossHosts bool
}

func (a *app) compareCommand() *cobra.Command {
	var flags compareOptions
	var formatted formatFlag
	cmd := &cobra.Command{
		Use:   "compare A B [ARTICLE[#NAME] ...]",
		Short: "Compare two runs, revisions or hosts",
		Long: `Compare two runs, revisions or hosts, A before and B after. Each cell gets its change with an interval and a verdict,
corrected for the number of cells. Then follow the differences between A and B, and any single difference that could
explain a change.

A and B are each a run, a host, a profile, a git revision with records committed in it, or a folder of records. A word that
could be several of them is refused: write run:, host:, profile:, revision: or folder: before it. Articles are taken as they
stand now, and nothing is checked out. Of a side with several hosts or profiles the one is taken that the other side has too,
this host's first and full before quick.

Better and worse mean more than noise floor and smallest effect (5 %). Numbers of hosts with another processor or other cores
are listed and not compared, unless --across-hosts is given, and never those whose samples have another meaning.

With --fail-on 'throughput < -5% or latency.p99 > 10%' the status is 1 if the whole interval of some cell's change fulfils it,
or if it can be judged of none.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("compare needs two sides, A before and B after, each a run, a host, a profile, a git revision or a folder of records: " +
					"benchbook compare HEAD~1 HEAD")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := formatted.check(cmd)
			if err != nil {
				return err
			}
			var gate *dataset.Gate
			if flags.failOn != "" {
				if gate, err = dataset.NewGate(flags.failOn); err != nil {
					return failOnError(flags.failOn, err)
				}
			}
			c, err := compareSides(cmd.Context(), a.session, args, flags, gate)
			if err != nil {
				return err
			}
			if err := c.print(a.session, format); err != nil {
				return failure(err)
			}
			return c.gated(a.session)
		},
	}
	formatted.add(cmd)
	cmd.Flags().StringVar(&flags.failOn, "fail-on", "", "end with status 1 if this holds of some cell, such as 'throughput < -5%'")
	cmd.Flags().StringSliceVar(&flags.metrics, "metric", nil, "compare only this metric; can be given several times (default those that conclusions are drawn from)")
	cmd.Flags().BoolVar(&flags.acrossHosts, "across-hosts", false, "compare numbers of hosts that differ in processor or cores, and mark them")
	return cmd
}

// failOnError says what is wrong with a condition, which is a mistake of use.
func failOnError(text string, err error) error {
	return usageError(fmt.Errorf("--fail-on %q: %w", text, err))
}

// A comparison is all that compare prints.
type comparison struct {
	a, b        *side
	setsA       []setJSON
	setsB       []setJSON
	changes     []dataset.Change
	differences []dataset.Difference
	explanation dataset.Explanation
	leftOut     []string // sentences about records that have no cell
	failOn      *failOnJSON
}

func compareSides(ctx context.Context, a *session, args []string, flags compareOptions, gate *dataset.Gate) (*comparison, error) {
	project, list, err := a.choose(args[2:])
	if err != nil {
		return nil, err
	}
	named := len(args) > 2
	recordFinder, err := newRecordFinder(a, project, list)
	if err != nil {
		return nil, failure(err)
	}
	c := &comparison{}
	if c.a, err = recordFinder.find(ctx, args[0]); err != nil {
		return nil, err
	}
	if c.b, err = recordFinder.find(ctx, args[1]); err != nil {
		return nil, err
	}
	common := slices.DeleteFunc(slices.Clone(list), func(l *chosen) bool {
		return len(c.a.records[l.slug]) == 0 || len(c.b.records[l.slug]) == 0
	})
	if len(common) == 0 || named && len(common) < len(list) {
		return nil, usageError(c.nothingInCommon(list))
	}
	if _, err := a.sound(project, common, plan.Options{}, "articles with problems are not compared"); err != nil {
		return nil, err
	}
	this, err := machines.ThisHost()
	if err != nil {
		return nil, failure(err)
	}
	var sides []dataset.Sides
	for _, l := range common {
		host, err := a.hostOf(project, l, this)
		if err != nil {
			return nil, failure(err)
		}
		s, err := c.lay(project, l, host.ID)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	o := dataset.ChangeOptions{Metrics: flags.metrics, AcrossHosts: flags.acrossHosts}
	if gate != nil {
		o.Also = gate.Metrics()
	}
	if c.changes, err = dataset.Compare(sides, o); err != nil {
		return nil, usageError(err)
	}
	if len(c.changes) == 0 {
		return nil, usageError(errors.New("there is no cell to compare: the records are of experiments that the article no longer has, or that the profile leaves out"))
	}
	if c.differences, err = dataset.Differences(c.changes); err != nil {
		return nil, failure(err)
	}
	c.explanation = dataset.Explain(c.changes, c.differences)
	if gate != nil {
		return c, c.judge(gate, flags.failOn)
	}
	return c, nil
}

// nothingInCommon says which articles the sides have records of.
func (c *comparison) nothingInCommon(list []*chosen) error {
	of := func(s *side) string {
		var slugs []string
		for _, l := range list {
			if len(s.records[l.slug]) > 0 {
				slugs = append(slugs, l.slug)
			}
		}
		return cmp.Or(strings.Join(slugs, ", "), "none of the articles")
	}
	return fmt.Errorf("there is nothing to compare: %s has records of %s, and %s of %s", c.a, of(c.a), c.b, of(c.b))
}

// lay lays the sets of one article that are compared over it.
func (c *comparison) lay(project *article.Project, l *chosen, host string) (dataset.Sides, error) {
	x, y := alike(c.a.records[l.slug], c.b.records[l.slug], host)
	s := dataset.Sides{Experiments: l.experiments}
	for _, one := range []struct {
		name string
		set  *set
		to   **dataset.Dataset
		sets *[]setJSON
	}{{"A", x, &s.A, &c.setsA}, {"B", y, &s.B, &c.setsB}} {
		d, err := datasetOf(l, one.set.records, datasetOptions(project, l, host), "")
		if err != nil {
			return s, failure(fmt.Errorf("article %s: %w", l.slug, err))
		}
		if d.Host != one.set.host || d.Profile != one.set.profile {
			return s, usageError(fmt.Errorf("%s: its records are of profile %s, which article %s no longer has", one.name, one.set.profile, l.slug))
		}
		*one.to = d
		*one.sets = append(*one.sets, setOf(l.slug, d, one.set.records))
		c.leftOut = append(c.leftOut, goneTrials(one.name, l, d, one.set.records)...)
	}
	c.leftOut = append(c.leftOut, onlyPlannedIn("A", l, s.A, s.B)...)
	c.leftOut = append(c.leftOut, onlyPlannedIn("B", l, s.B, s.A)...)
	return s, nil
}

// wants reports whether an experiment of the article is one of those that were named, if any was.
func (c *chosen) wants(experiment string) bool {
	return len(c.experiments) == 0 || slices.Contains(c.experiments, experiment)
}

// onlyPlannedIn says which cells with records the profile of the other side does not have.
func onlyPlannedIn(side string, l *chosen, d, other *dataset.Dataset) []string {
	var out []string
	for _, e := range d.Experiments {
		o, ok := other.Experiment(e.Plan.Name)
		for _, c := range e.Cells {
			if l.wants(e.Plan.Name) && len(c.Records) > 0 && (!ok || !hasTrial(o, c.Trial.Name)) {
				out = append(out, fmt.Sprintf("%s: %s#%s %s, which profile %s of the other side does not have", side, l.slug, e.Plan.Name, c.Trial.Name, other.Profile))
			}
		}
	}
	return out
}

func hasTrial(e *dataset.Experiment, name string) bool {
	return slices.ContainsFunc(e.Cells, func(c *dataset.Cell) bool { return c.Trial.Name == name })
}

// setOf describes the records that are shown of a set.
func setOf(slug string, d *dataset.Dataset, records []*record.Record) setJSON {
	s := setJSON{Article: slug, Host: d.Host, ThisHost: d.Own, Profile: d.Profile, Runs: []string{}}
	for _, e := range d.Experiments {
		for _, cell := range e.Cells {
			for _, r := range cell.Records {
				s.add(r)
			}
		}
	}
	if len(s.Runs) == 0 { // of trials that are gone
		for _, r := range records {
			s.add(r)
		}
	}
	slices.Sort(s.Runs)
	return s
}

func (s *setJSON) add(r *record.Record) {
	if !slices.Contains(s.Runs, r.Run) {
		s.Runs = append(s.Runs, r.Run)
	}
	if s.From.IsZero() || r.Started.Before(s.From) {
		s.From = r.Started
	}
	if r.Ended.After(s.To) {
		s.To = r.Ended
	}
}

// goneTrials says which trials that were measured the article no longer has.
func goneTrials(side string, l *chosen, d *dataset.Dataset, records []*record.Record) []string {
	gone := map[string]int{}
	var names []string
	for _, r := range records {
		e, ok := d.Experiment(r.Experiment)
		if r.Calibration || !l.wants(r.Experiment) || ok && (e.Plan.Skipped != "" || hasTrial(e, r.Trial)) {
			continue
		}
		name := l.slug + "#" + r.Experiment + " " + r.Trial
		if gone[name]++; gone[name] == 1 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%s: %s of %s, which the article no longer has", side, count(gone[name], "record"), name)
	}
	return names
}

// judge asks of every cell whether the condition is met.
func (c *comparison) judge(gate *dataset.Gate, text string) error {
	cells, err := gate.Judge(c.changes)
	if err != nil {
		return failOnError(text, err)
	}
	c.failOn = &failOnJSON{Condition: text, Cells: []string{}, Unknown: [][]string{}}
	for _, cell := range cells {
		name := cell.Article + "#" + cell.A.Experiment.Plan.Name + " " + cell.A.Trial.Name
		switch {
		case cell.Met:
			c.failOn.Met = true
			c.failOn.Cells = append(c.failOn.Cells, name)
			c.failOn.Judged++
		case cell.Unknown != "":
			c.failOn.Unknown = append(c.failOn.Unknown, []string{name, cell.Unknown})
		default:
			c.failOn.Judged++
		}
	}
	return nil
}

// gated gives the status that --fail-on asks for. What could not be judged lets a cell pass, but not all of them.
func (c *comparison) gated(a *session) error {
	if c.failOn == nil {
		return nil
	}
	f := c.failOn
	for _, u := range f.Unknown {
		fmt.Fprintf(a.stderr, "--fail-on cannot be judged of %s: %s\n", u[0], u[1])
	}
	switch {
	case f.Met:
		return failure(fmt.Errorf("--fail-on %q is met by %s", f.Condition, strings.Join(f.Cells, ", ")))
	case f.Judged == 0:
		return failure(fmt.Errorf("--fail-on %q cannot be judged of any cell", f.Condition))
	}
	return nil
}
