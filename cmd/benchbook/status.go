package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/machines"
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
	Drift       []driftJSON       `json:"drift"` // with --why: facts that are others now than when trials were measured
}

type trialStatusJSON struct {
	Trial       string   `json:"trial"`
	Calibration bool     `json:"calibration"`         // second half of the A/A pair
	State       string   `json:"state"`               // fresh, stale, disturbed, unfinished, missing or unavailable
	Run         string   `json:"run,omitempty"`       // the run that the state is about
	Repetitions int      `json:"repetitions"`         // of it that are there; 0 of a search for a capacity, which has none
	Planned     int      `json:"planned_repetitions"` // as the plan wants them; 0 of a search for a capacity
	ToMeasure   int      `json:"to_measure"`          // repetitions that a run would do; 1 if it would search for a capacity
	Why         []string `json:"why"`                 // a sentence for each input that changed, or what is missing
}

// The words for states that status prints and promises; unavailable is that of a trial that cannot be measured.
var stateWords = map[dataset.State]string{
	dataset.Fresh: "fresh", dataset.Stale: "stale", dataset.Partial: "unfinished", dataset.Missing: "missing",
}

const unavailable = "unavailable"

// disturbed is the state of a trial whose repetitions are all there, too few of them valid, as the machine was busy with something else.
const disturbed = "disturbed"

func (a *app) statusCommand() *cobra.Command {
	var quiet, why, asJSON bool
	var profile string
	cmd := &cobra.Command{
		Use:   "status [ARTICLE[#NAME] ...]",
		Short: "Show which trials are fresh, stale or missing on this host",
		Long: `Show which trials are fresh, stale or missing on this host:

  fresh        measured with the present inputs
  stale        measured with other inputs
  disturbed    all repetitions are there, but too few are valid: the machine was busy with something else
  unfinished   some repetitions are missing
  missing      not measured
  unavailable  the article says that it cannot be measured, with its reason

With -q nothing is printed, and the status is 0 if everything is fresh and 1 if not.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			plans, err := a.sound(project, list, plan.Options{Profile: profile}, "the state of articles with problems is not known")
			if err != nil {
				return err
			}
			host, err := machines.ThisHost()
			if err != nil {
				return failure(err)
			}
			at := a.present(project)
			defer at.Close()
			var now *present
			if why && !quiet {
				var closing func()
				if now, closing, err = lookAround(cmd.Context(), a.session, project, host); err != nil {
					return err
				}
				defer closing()
			}
			out := statusJSON{Host: host.ID, Profile: profile, Fresh: true, Experiments: []experimentStatusJSON{}}
			for _, c := range list {
				of, err := a.hostOf(project, c, host)
				if err != nil {
					return failure(err)
				}
				known, err := inspect(cmd.Context(), a.session, project, c, plans[c.slug], of.ID, at)
				if err != nil {
					return stopped(cmd.Context(), err)
				}
				if err := out.add(cmd.Context(), c.slug, plans[c.slug], known, now); err != nil {
					return err
				}
			}
			switch {
			case quiet:
			case asJSON:
				if err := printJSON(a.stdout, out); err != nil {
					return err
				}
			default:
				printStatus(a.session, &out, why)
			}
			if quiet && !out.Fresh {
				return withStatus(statusFailed, nil)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing; status 0 if everything is fresh, 1 if not")
	cmd.Flags().BoolVar(&why, "why", false, "name the inputs that changed, searches that were stopped, and facts that are others now, such as the kernel")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.Flags().StringVar(&profile, "profile", plan.Full, "the state of this profile's records")
	return cmd
}

// sound plans the chosen articles and leaves the chosen experiments in the plans. Problems are printed and end the verb;
// consequence says what comes of them.
func (a *session) sound(project *article.Project, list []*chosen, o plan.Options, consequence string) (map[string]*plan.Plan, error) {
	plans, problems, err := a.check(project, list, o)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		printProblems(a.stderr, problems)
		return nil, withStatus(statusProblems, fmt.Errorf("%s; %s", count(len(problems), "problem"), consequence))
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
	nearby    []*record.Record // of this host that are nearest to it: of the experiment under any profile, or else of the article
	same      []*record.Record // of the experiment: of this host under any profile, or else of other hosts
	elsewhere bool             // same is of other hosts
	toMeasure int              // repetitions that a run would do; 1 for a search for a capacity
	searched  bool             // the values that it searches for are known already
	why       []string         // it is not fresh: a sentence for each reason

	unavailable bool // it cannot be measured, and why has the reason
}

// word is the state of the trial as status prints it.
func (k *known) word() string {
	if k.unavailable {
		return unavailable
	}
	if k.state == dataset.Fresh && k.toMeasure > 0 {
		return disturbed
	}
	return stateWords[k.state]
}

// present tells what images and programs are now on the engine of a project, which is connected to if any record names some.
func (a *session) present(project *article.Project) *images.Present {
	return &images.Present{Connect: func(ctx context.Context) (engine.Engine, error) { return a.wiring.engineOf(ctx, project) }}
}

// inspect lays the records of a host over a plan, trial by trial. Of plans that run on this machine alone it compares what they were measured
// with to what is present.
func inspect(ctx context.Context, a *session, project *article.Project, c *chosen, p *plan.Plan, host string, present *images.Present) (map[*plan.Trial]*known, error) {
	records, bad, err := a.records(project, c)
	if err != nil {
		return nil, err
	}
	type trial struct{ experiment, name string }
	elsewhere := map[trial]bool{} // this host has measured it under some profile
	all := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Host != host })
	others := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Host == host || r.Host == record.ImportedHost })
	records = slices.DeleteFunc(records, func(r *record.Record) bool {
		if r.Host == host {
			elsewhere[trial{r.Experiment, r.Trial}] = true
		}
		stands := p.Profile == plan.Quick && r.Profile == plan.Full && r.Search != nil // for a search of quick
		return r.Host != host || r.Profile != p.Profile && !stands
	})
	d, err := dataset.New(c.doc, records, dataset.Options{ThisHost: host, Bad: bad, Plan: func(string) (*plan.Plan, error) { return p, nil }})
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.slug, err)
	}
	stopped, err := record.Dir(project.RecordsDir(c.slug)).Unfinished()
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.slug, err)
	}
	if p.UsesHosts() {
		present = nil
	}
	if err := present.Look(ctx, records); err != nil {
		return nil, err
	}
	out := map[*plan.Trial]*known{}
	for _, e := range d.Experiments {
		own := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		nearby := slices.DeleteFunc(slices.Clone(all), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		same := nearby
		if len(nearby) == 0 {
			nearby = all
			same = slices.DeleteFunc(slices.Clone(others), func(r *record.Record) bool { return r.Experiment != e.Plan.Name })
		}
		cells := e.Cells
		if e.Calibration != nil {
			cells = append(slices.Clone(cells), e.Calibration)
		}
		for _, cell := range cells {
			k := &known{state: cell.State, run: cell.Run, records: cell.Records, nearby: nearby, same: same, elsewhere: len(same) > 0 && same[0].Host != host, toMeasure: pending(p, e.Plan, cell.Trial, own, host, present)}
			others := present.Changes(cell.Records...)
			if len(others) > 0 && k.state != dataset.Stale {
				k.state = dataset.Stale
			}
			k.searched = k.state != dataset.Stale && !slices.ContainsFunc(cell.Trial.Tune, func(s spec.Search) bool {
				found := cell.Search(s.Name)
				return found == nil || found.Chosen == 0
			})
			switch {
			case cell.Trial.Unavailable != "":
				k.unavailable, k.why = true, []string{cell.Trial.Unavailable}
			case cell.State == dataset.Missing:
				k.why = []string{"no records on this host"}
				if elsewhere[trial{e.Plan.Name, cell.Trial.Name}] {
					k.why = []string{"no records of profile " + p.Profile + " on this host"}
				}
			case k.state == dataset.Stale:
				k.why = others
				if cell.State == dataset.Stale {
					k.why = append(changes(cell.Trial, cell.Records[0]), others...)
					if moved := p.PlacedOtherwise(cell.Records[0]); moved != "" {
						k.why = append(k.why, moved)
					}
				}
			case cell.State == dataset.Partial:
				k.why = []string{fmt.Sprintf("%d of %s are there", len(cell.Records), count(e.Plan.Repetitions, "repetition"))}
			case k.toMeasure > 0:
				k.why = []string{"too few of its repetitions are valid, as the machine was busy with something else: run measures again"}
			}
			for _, why := range cell.LeftOut {
				k.why = append(k.why, "a record was left out: "+why)
			}
			if k.toMeasure > 0 {
				k.why = append(k.why, stoppedSearches(stopped, c.slug, p, e.Plan, cell.Trial, host)...)
			}
			out[cell.Trial] = k
		}
	}
	return out, nil
}

// stoppedSearches says which searches of a trial were stopped and go on.
func stoppedSearches(stopped []*record.Record, slug string, p *plan.Plan, e *plan.Experiment, t *plan.Trial, host string) []string {
	var words []string
	for _, r := range stopped {
		if r.Article != slug || r.Host != host || r.Profile != p.Profile || r.Experiment != e.Name || r.Trial != t.Name || r.Key != t.Key {
			continue
		}
		of := "the capacity"
		if r.Search.Name != "" {
			of = "tune." + r.Search.Name
		}
		words = append(words, fmt.Sprintf("a search for %s was stopped after %s, and goes on from there", of, count(len(r.Search.Probes), "probe")))
	}
	return words
}

// pending counts the repetitions of one trial that a run would do.
func pending(p *plan.Plan, e *plan.Experiment, t *plan.Trial, records []*record.Record, host string, present *images.Present) int {
	one := *e
	one.Trials = []*plan.Trial{t}
	one.Steps = slices.DeleteFunc(slices.Clone(e.Steps), func(s plan.Step) bool { return s.Trial != t })
	of := &plan.Plan{Article: p.Article, Profile: p.Profile, Experiments: []*plan.Experiment{&one}}
	return runner.Pending(of, records, host, runner.Options{Present: present})
}

// add adds the experiments of an article; now, which may be nil, is what facts are compared with.
func (s *statusJSON) add(ctx context.Context, slug string, p *plan.Plan, known map[*plan.Trial]*known, now *present) error {
	for _, e := range p.Experiments {
		out := experimentStatusJSON{Article: slug, Experiment: e.Name, Skipped: e.Skipped, Unsupported: unsupported(e), Trials: []trialStatusJSON{},
			Drift: []driftJSON{}}
		for _, t := range e.Trials {
			k := known[t]
			s.Fresh = s.Fresh && (k.state == dataset.Fresh && k.toMeasure == 0 || k.unavailable)
			one := trialStatusJSON{Trial: t.Name, Calibration: t.Calibration, State: k.word(), Run: k.run,
				Repetitions: len(k.records), Planned: e.Repetitions, ToMeasure: k.toMeasure, Why: append([]string{}, k.why...)}
			if t.Capacity != nil {
				one.Repetitions, one.Planned = 0, 0
			}
			out.Trials = append(out.Trials, one)
		}
		if now != nil {
			var err error
			if out.Drift, err = now.drift(ctx, p, e, known); err != nil {
				return err
			}
		}
		s.Experiments = append(s.Experiments, out)
	}
	return nil
}

func printStatus(a *session, s *statusJSON, why bool) {
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
		printDrift(a, e.Drift, len(e.Trials)-without)
	}
}
