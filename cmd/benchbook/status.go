package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner"
)

// statusJSON is what status prints with --json. Fields are added to it in later versions, none are renamed or removed.
type statusJSON struct {
	Host        string                 `json:"host"` // class and digest, as in records
	Profile     string                 `json:"profile"`
	Fresh       bool                   `json:"fresh"` // all trials are
	Experiments []experimentStatusJSON `json:"experiments"`
}

type experimentStatusJSON struct {
	Article    string `json:"article"`
	Experiment string `json:"experiment"`
	Skipped    string `json:"skipped,omitempty"` // why the profile leaves it out; then there are no trials
	// Unsupported is what this version cannot run yet; if there is anything, run leaves the experiment out.
	Unsupported []unsupportedJSON `json:"unsupported"`
	Trials      []trialStatusJSON `json:"trials"`
}

type trialStatusJSON struct {
	Trial       string   `json:"trial"`
	Calibration bool     `json:"calibration"`         // second half of the A/A pair
	State       string   `json:"state"`               // fresh, stale, unfinished, missing or unavailable
	Run         string   `json:"run,omitempty"`       // the run that the state is about
	Repetitions int      `json:"repetitions"`         // of it that are there
	Planned     int      `json:"planned_repetitions"` // as the plan wants them
	ToMeasure   int      `json:"to_measure"`          // repetitions that a run would do
	Why         []string `json:"why"`                 // a sentence for each input that changed, or what is missing
}

// The words for states that status prints and promises; unavailable is that of a trial that cannot be measured.
var stateWords = map[dataset.State]string{
	dataset.Fresh: "fresh", dataset.Stale: "stale", dataset.Partial: "unfinished", dataset.Missing: "missing",
}

const unavailable = "unavailable"

func (a *app) statusCommand() *cobra.Command {
	var quiet, why, asJSON bool
	var profile string
	cmd := &cobra.Command{
		Use:   "status [ARTICLE[#NAME] ...]",
		Short: "Say what is fresh, stale or missing on this host",
		Long: `Say of every trial whether this host has measured it with the inputs that it has now: fresh; stale, with
other inputs; unfinished, not all repetitions of it; or missing. Trials that the article says are unavailable
are listed with their reason. With -q nothing is printed, and the status is 0 if
everything is fresh and 1 if not.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			plans, err := a.sound(project, list, plan.Options{Profile: profile}, "the state of articles with problems is not known")
			if err != nil {
				return err
			}
			host, err := runner.ThisHost()
			if err != nil {
				return &statusError{statusFailed, err}
			}
			out := statusJSON{Host: host.ID, Profile: profile, Fresh: true, Experiments: []experimentStatusJSON{}}
			for _, c := range list {
				known, err := a.inspect(project, c, plans[c.slug], host.ID)
				if err != nil {
					return &statusError{statusFailed, err}
				}
				out.add(c.slug, plans[c.slug], known)
			}
			switch {
			case quiet:
			case asJSON:
				if err := printJSON(a.stdout, out); err != nil {
					return &statusError{statusFailed, err}
				}
			default:
				a.printStatus(&out, why)
			}
			if quiet && !out.Fresh {
				return &statusError{status: statusFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing; status 0 if everything is fresh, 1 if not")
	cmd.Flags().BoolVar(&why, "why", false, "name the inputs that changed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.Flags().StringVar(&profile, "profile", plan.Full, "the state of this profile's records")
	return cmd
}

// sound plans the chosen articles and leaves the chosen experiments in the plans. Problems are printed and end the verb;
// consequence says what comes of them.
func (a *app) sound(project *article.Project, list []*chosen, o plan.Options, consequence string) (map[string]*plan.Plan, error) {
	plans, problems, err := a.check(project, list, o)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		printProblems(a.stderr, problems)
		return nil, &statusError{statusProblems, fmt.Errorf("%s; %s", count(len(problems), "problem"), consequence)}
	}
	for _, c := range list {
		only(plans[c.slug], c.experiments)
	}
	return plans, nil
}

// A known is what is known of a trial before it is measured.
type known struct {
	state     dataset.State
	run       string
	records   []*record.Record // of that run
	toMeasure int              // repetitions that a run would do
	why       []string         // it is not fresh: a sentence for each reason

	unavailable bool // it cannot be measured, and why has the reason
}

// word is the state of the trial as status prints it.
func (k *known) word() string {
	if k.unavailable {
		return unavailable
	}
	return stateWords[k.state]
}

// inspect lays the records of a host over a plan, trial by trial.
func (a *app) inspect(project *article.Project, c *chosen, p *plan.Plan, host string) (map[*plan.Trial]*known, error) {
	records, err := a.records(project, c)
	if err != nil {
		return nil, err
	}
	type trial struct{ experiment, name string }
	elsewhere := map[trial]bool{} // this host has measured it under some profile
	records = slices.DeleteFunc(records, func(r *record.Record) bool {
		if r.Host == host {
			elsewhere[trial{r.Experiment, r.Trial}] = true
		}
		return r.Host != host || r.Profile != p.Profile
	})
	d, err := dataset.New(c.doc, records, dataset.Options{ThisHost: host, Plan: func(string) (*plan.Plan, error) { return p, nil }})
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.slug, err)
	}
	out := map[*plan.Trial]*known{}
	for _, e := range d.Experiments {
		own := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		cells := e.Cells
		if e.Calibration != nil {
			cells = append(slices.Clone(cells), e.Calibration)
		}
		for _, cell := range cells {
			k := &known{state: cell.State, run: cell.Run, records: cell.Records, toMeasure: pending(p, e.Plan, cell.Trial, own, host)}
			switch {
			case cell.Trial.Unavailable != "":
				k.unavailable, k.why = true, []string{cell.Trial.Unavailable}
			case cell.State == dataset.Missing:
				k.why = []string{"no records on this host"}
				if elsewhere[trial{e.Plan.Name, cell.Trial.Name}] {
					k.why = []string{"no records of profile " + p.Profile + " on this host"}
				}
			case cell.State == dataset.Partial:
				k.why = []string{fmt.Sprintf("%d of %s are there", len(cell.Records), count(e.Plan.Repetitions, "repetition"))}
			case cell.State == dataset.Stale:
				k.why = changes(cell.Trial, cell.Records[0])
			}
			out[cell.Trial] = k
		}
	}
	return out, nil
}

// pending counts the repetitions of one trial that a run would do.
func pending(p *plan.Plan, e *plan.Experiment, t *plan.Trial, records []*record.Record, host string) int {
	one := *e
	one.Steps = slices.DeleteFunc(slices.Clone(e.Steps), func(s plan.Step) bool { return s.Trial != t })
	of := &plan.Plan{Article: p.Article, Profile: p.Profile, Experiments: []*plan.Experiment{&one}}
	return runner.Pending(of, records, host, runner.Options{})
}

func (s *statusJSON) add(slug string, p *plan.Plan, known map[*plan.Trial]*known) {
	for _, e := range p.Experiments {
		out := experimentStatusJSON{Article: slug, Experiment: e.Name, Skipped: e.Skipped, Unsupported: unsupported(e), Trials: []trialStatusJSON{}}
		for _, t := range e.Trials {
			k := known[t]
			s.Fresh = s.Fresh && (k.state == dataset.Fresh || k.unavailable)
			out.Trials = append(out.Trials, trialStatusJSON{Trial: t.Name, Calibration: t.Calibration, State: k.word(), Run: k.run,
				Repetitions: len(k.records), Planned: e.Repetitions, ToMeasure: k.toMeasure, Why: append([]string{}, k.why...)})
		}
		s.Experiments = append(s.Experiments, out)
	}
}

func (a *app) printStatus(s *statusJSON, why bool) {
	for _, e := range s.Experiments {
		name := e.Article + "#" + e.Experiment
		if e.Skipped != "" {
			fmt.Fprintf(a.stdout, "%s: %s\n", name, e.Skipped)
			continue
		}
		fresh, without := 0, 0
		width, states := 0, len(stateWords[dataset.Partial])
		for _, t := range e.Trials {
			width = max(width, runes(t.Trial))
			switch t.State {
			case stateWords[dataset.Fresh]:
				fresh++
			case unavailable:
				without, states = without+1, len(unavailable)
			}
		}
		fmt.Fprintf(a.stdout, "%s: %d of %s fresh (profile %s, host %s)\n", name, fresh, count(len(e.Trials)-without, "trial"), s.Profile, s.Host)
		if words := notYet(e.Unsupported); words != "" {
			fmt.Fprintf(a.stdout, "  %s\n", words)
		}
		for _, t := range e.Trials {
			line := fmt.Sprintf("  %-*s  %s  %s", states, t.State, padded(t.Trial, width), t.Run)
			fmt.Fprintln(a.stdout, strings.TrimRight(line, " "))
			for _, reason := range t.Why {
				if why || t.State == unavailable {
					fmt.Fprintf(a.stdout, "    %s\n", reason)
				}
			}
		}
	}
}
