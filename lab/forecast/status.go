package forecast

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// StatusJSON is what status prints with --json. Fields are added to it in later versions, none are renamed or removed.
type StatusJSON struct {
	Host        string                 `json:"host"` // class and digest, as in records
	Profile     string                 `json:"profile"`
	Fresh       bool                   `json:"fresh"` // all trials are
	Experiments []experimentStatusJSON `json:"experiments"`
}

type experimentStatusJSON struct {
	Article    string `json:"article"`
	Experiment string `json:"experiment"`
	Skipped    string `json:"skipped,omitempty"` // why the profile leaves it out; then there are no trials
	// Unsupported is empty: nothing that an article says cannot be run any more.
	Unsupported []string          `json:"unsupported"`
	Trials      []trialStatusJSON `json:"trials"`
	Drift       []driftJSON       `json:"drift"` // with --why: facts that are others now than when trials were measured
}

type trialStatusJSON struct {
	Trial       string `json:"trial"`
	Calibration bool   `json:"calibration"` // second half of the A/A pair
	// fresh, stale, undecided, disturbed, unfinished, missing or unavailable
	State       string `json:"state"`
	Run         string `json:"run,omitempty"`       // the run that the state is about
	Repetitions int    `json:"repetitions"`         // of it that are there; 0 of a search for a capacity, which has none
	Planned     int    `json:"planned_repetitions"` // at most, as the plan wants them; 0 of a search for a capacity
	Least       int    `json:"least_repetitions"`   // up to the first look
	// repetitions that a run would do at least; 1 if it would search for a capacity
	ToMeasure int      `json:"to_measure"`
	Why       []string `json:"why"` // a sentence for each input that changed, or what is missing
}

// StatusOf is the state of all trials of articles in a profile, with why also what facts are others now.
func StatusOf(ctx context.Context, a *lab.Session, project *projects.Project, list []*lab.Article,
	plans map[string]*plan.Plan, profile string, why bool) (*StatusJSON, error) {
	this, err := sysinfo.ThisHost()
	if err != nil {
		return nil, lab.Failure(err)
	}
	available := a.Present(project)
	defer available.Close()
	var now *present
	if why {
		var closing func()
		if now, closing, err = lookAround(ctx, a, project, this); err != nil {
			return nil, err
		}
		defer closing()
	}
	out := &StatusJSON{Host: this.ID, Profile: profile, Fresh: true, Experiments: []experimentStatusJSON{}}
	for _, c := range list {
		host, err := a.HostOf(project, c, this)
		if err != nil {
			return nil, lab.Failure(err)
		}
		known, err := Inspect(ctx, a, project, c, plans[c.Slug], host.ID, available)
		if err != nil {
			return nil, lab.Interrupted(ctx, err)
		}
		if err := out.add(ctx, c.Slug, plans[c.Slug], known, now); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// add adds the experiments of an article; now, which may be nil, is what facts are compared with.
func (s *StatusJSON) add(ctx context.Context, slug string, p *plan.Plan, known map[*plan.Trial]*TrialState,
	now *present) error {
	for _, e := range p.Experiments {
		out := experimentStatusJSON{Article: slug, Experiment: e.Name, Skipped: e.Skipped, Unsupported: []string{},
			Trials: []trialStatusJSON{}, Drift: []driftJSON{}}
		for _, t := range e.Trials {
			k := known[t]
			s.Fresh = s.Fresh && (k.state == dataset.Fresh && k.ToMeasure == 0 || k.unavailable)
			one := trialStatusJSON{Trial: t.Name, Calibration: t.Calibration, State: k.word(), Run: k.run,
				Repetitions: len(k.records), Planned: e.Most(), Least: e.Least(), ToMeasure: k.ToMeasure,
				Why: append([]string{}, k.why...)}
			if t.Capacity != nil {
				one.Repetitions, one.Planned, one.Least = 0, 0, 0
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

// PrintStatus prints states for people: the more is named, the more of them. With why, all trials that are not fresh
// are there, with the reasons.
func PrintStatus(a *lab.Session, s *StatusJSON, list []*lab.Article, why bool) {
	isNamed := slices.ContainsFunc(list, func(c *lab.Article) bool { return len(c.Experiments) > 0 })
	brief := !isNamed && (len(list) > 1 || len(s.Experiments) > 1)
	if brief {
		s.printSummary(a, len(list) > 1)
	}
	for _, e := range s.Experiments {
		if !brief || why && (e.fresh() < e.measurable() || len(e.Drift) > 0) {
			s.printTrials(a, e, !brief, why)
		}
	}
}

// printSummary prints a line for each article, or for each experiment of a single one.
func (s *StatusJSON) printSummary(a *lab.Session, articles bool) {
	fmt.Fprintf(a.Stdout, "profile %s, host %s\n", s.Profile, s.Host)
	var rows [][]string
	for i := 0; i < len(s.Experiments); {
		name, those := s.Experiments[i].Article, 1
		if articles {
			for i+those < len(s.Experiments) && s.Experiments[i+those].Article == name {
				those++
			}
		} else {
			name += "#" + s.Experiments[i].Experiment
		}
		rows = append(rows, []string{name, sumOf(s.Experiments[i : i+those])})
		i += those
	}
	terminal.PrintColumns(a.Stdout, "  ", rows)
	if articles {
		fmt.Fprintln(a.Stdout, "all of one: benchbook status ARTICLE, or ARTICLE#EXPERIMENT")
	} else {
		fmt.Fprintf(a.Stdout, "all of one: benchbook status %s\n", rows[0][0])
	}
}

// sumOf says how many trials of experiments are fresh, and what the others are.
func sumOf(list []experimentStatusJSON) string {
	fresh, measurable := 0, 0
	states := map[string]int{}
	for _, e := range list {
		fresh, measurable = fresh+e.fresh(), measurable+e.measurable()
		for _, t := range e.Trials {
			states[t.State]++
		}
	}
	if measurable == 0 && list[0].Skipped != "" {
		return list[0].Skipped
	}
	var others []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		if state != stateWords[dataset.Fresh] {
			others = append(others, fmt.Sprintf("%d %s", states[state], state))
		}
	}
	words := fmt.Sprintf("%d of %s fresh", fresh, terminal.Count(measurable, "trial"))
	if len(others) > 0 {
		words += ": " + strings.Join(others, ", ")
	}
	return words
}

// fresh counts trials.
func (e *experimentStatusJSON) fresh() int {
	return slice.Count(e.Trials, func(t trialStatusJSON) bool { return t.State == stateWords[dataset.Fresh] })
}

// measurable counts trials, without those that the article says cannot be measured.
func (e *experimentStatusJSON) measurable() int {
	return slice.Count(e.Trials, func(t trialStatusJSON) bool { return t.State != unavailable })
}

// printTrials prints the trials of an experiment: all, or those that are not fresh.
func (s *StatusJSON) printTrials(a *lab.Session, e experimentStatusJSON, all, why bool) {
	name := e.Article + "#" + e.Experiment
	if e.Skipped != "" {
		fmt.Fprintf(a.Stdout, "%s: %s\n", name, e.Skipped)
		return
	}
	width, states := 0, len(stateWords[dataset.Partial])
	for _, t := range e.Trials {
		width = max(width, terminal.Width(t.Trial))
		states = max(states, len(t.State))
	}
	fmt.Fprintf(a.Stdout, "%s: %d of %s fresh (profile %s, host %s)\n", name, e.fresh(), terminal.Count(e.measurable(),
		"trial"), s.Profile, s.Host)
	for _, t := range e.Trials {
		if !all && t.State == stateWords[dataset.Fresh] {
			continue
		}
		line := fmt.Sprintf("  %-*s  %s  %s", states, t.State, terminal.Padded(t.Trial, width), t.Run)
		fmt.Fprintln(a.Stdout, strings.TrimRight(line, " "))
		for _, reason := range t.Why {
			if why || t.State == unavailable {
				fmt.Fprintf(a.Stdout, "    %s\n", reason)
			}
		}
	}
	printDrift(a, e.Drift, e.measurable())
}
