package forecast

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"

	"benchbook/notebook/record"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// PlanJSON is what plan prints with --json. Times are in seconds. Fields are added to it in later versions, none are
// renamed or removed, except below "definition", which is that of records and follows their version.
type PlanJSON struct {
	Host        string               `json:"host"` // class and digest, as in records
	Profile     string               `json:"profile"`
	Placement   placementJSON        `json:"placement"`
	Experiments []experimentPlanJSON `json:"experiments"`
}

// placementJSON is the logical CPUs of services and load, as in cpuset, wherever the article does not say others. Those
// of commands stand with their trials.
type placementJSON struct {
	Services string `json:"services"`
	Load     string `json:"load"`
}

type experimentPlanJSON struct {
	Article     string          `json:"article"`
	Experiment  string          `json:"experiment"`
	Description string          `json:"description,omitempty"`
	Skipped     string          `json:"skipped,omitempty"` // why the profile leaves it out; then nothing below is there
	Unsupported []string        `json:"unsupported"`       // empty: nothing that an article says cannot be run any more
	Notes       []string        `json:"notes,omitempty"`   // what its Compose files say and has no effect
	Repetitions int             `json:"repetitions"`       // of each trial, at most
	Looks       []int           `json:"looks"`             // rounds after which claims are judged; the last is repetitions
	Order       string          `json:"order"`             // interleaved or blocks
	Seed        int64           `json:"seed"`
	Digest      string          `json:"digest"` // of all that makes a run of it the same run
	Timeout     float64         `json:"timeout"`
	Parameters  []string        `json:"parameters"` // those that identify a trial
	Trials      []trialPlanJSON `json:"trials"`
	Steps       []stepJSON      `json:"steps"` // in the order to run, whatever is fresh
	Estimate    estimateJSON    `json:"estimate"`
	Warnings    []string        `json:"warnings"` // what keeps it from deciding claims, or from doing so well
	// by path of the key, as written in the article: where its value came from
	Origins map[string]string `json:"origins"`
}

type trialPlanJSON struct {
	Trial       string             `json:"trial"`
	Calibration bool               `json:"calibration"`          // second half of the A/A pair
	InsteadOf   string             `json:"instead_of,omitempty"` // what it is a substitute for
	Parameters  []record.Parameter `json:"parameters"`
	Labels      []record.Parameter `json:"labels"`
	Key         string             `json:"key"`
	State       string             `json:"state"`      // as status has it
	ToMeasure   int                `json:"to_measure"` // up to the next look
	AtMost      int                `json:"at_most"`    // up to the last one, if claims about it stay undecided
	Why         []string           `json:"why"`
	// of the load or command, as in cpuset; absent where all of a node may be used
	CPUs       string          `json:"cpus,omitempty"`
	Definition json.RawMessage `json:"definition"` // times in it are in nanoseconds
	Inputs     []record.Input  `json:"inputs"`
}

type stepJSON struct {
	Round      int    `json:"round"`
	Repetition int    `json:"repetition"`
	Trial      string `json:"trial"`
}

// estimateJSON is how long a run would take, images aside: at least, and if claims stay undecided up to the last look.
// Total is the least, and the sum of the four below AtMost.
type estimateJSON struct {
	Total     float64  `json:"total"`
	AtMost    float64  `json:"at_most"`
	StartStop float64  `json:"start_stop"`
	Warmup    float64  `json:"warmup"`
	Measure   float64  `json:"measure"`
	Search    float64  `json:"search"`
	Recorded  bool     `json:"recorded"`  // some of it is what earlier repetitions took
	Elsewhere bool     `json:"elsewhere"` // on another host
	Assumed   []string `json:"assumed"`   // where neither the article sets a time nor records know one
}

// PrintPlans prints what a run of articles would do on a host, as data or for people: the more is named, the more of
// it. They may want the origin of each value.
func PrintPlans(ctx context.Context, a *lab.Session, project *article.Project, list []*lab.Article,
	plans map[string]*plan.Plan, this sysinfo.Host, asJSON, origins bool) error {
	s := sheet{w: a.Stdout, host: this.ID, at: plan.Place(this.Cores)}
	out := PlanJSON{Host: s.host, Placement: placementJSON{s.at.Services, s.at.Load}, Experiments: []experimentPlanJSON{}}
	present := a.Present(project)
	defer present.Close()
	var brief *overview
	if !asJSON && !origins {
		brief = newOverview(list, plans, s.at)
	}
	for _, c := range list {
		host, err := a.HostOf(project, c, this)
		if err != nil {
			return err
		}
		known, err := Inspect(ctx, a, project, c, plans[c.Slug], host.ID, present)
		if err != nil {
			return err
		}
		s.of, s.profile, out.Profile = host, plans[c.Slug].Profile, plans[c.Slug].Profile
		doubts, err := doubtsOf(c, plans[c.Slug], known, host.ID)
		if err != nil {
			return err
		}
		for _, e := range plans[c.Slug].Experiments {
			own := slice.Filter(doubts, func(d claim.Doubt) bool { return d.Concerns(e.Name) })
			switch {
			case asJSON:
				out.Experiments = append(out.Experiments, experimentJSON(c.Slug, e, known, host, s.at, own))
			case brief != nil:
				brief.add(c.Slug, e, known, own)
			default:
				if err := s.experiment(c.Slug, e, known, own, origins); err != nil {
					return err
				}
			}
		}
	}
	switch {
	case asJSON:
		return lab.PrintJSON(s.w, out)
	case brief != nil:
		brief.print(s.w, out.Profile)
	}
	return nil
}

// doubtsOf say which claims what is planned cannot decide, or not as well as it might, as far as the plan and what is
// known of its trials tell.
func doubtsOf(c *lab.Article, p *plan.Plan, known map[*plan.Trial]*TrialState, host string) ([]claim.Doubt, error) {
	var records []*record.Record
	for _, k := range known {
		records = append(records, k.records...)
	}
	d, err := dataset.OfPlan(c.Doc, p, records, host)
	if err != nil {
		return nil, fmt.Errorf("article %s: %w", c.Slug, err)
	}
	return claim.Undecidable(d), nil
}

func experimentJSON(slug string, e *plan.Experiment, known map[*plan.Trial]*TrialState, of sysinfo.Host,
	at plan.Placement, doubts []claim.Doubt) experimentPlanJSON {
	out := experimentPlanJSON{Article: slug, Experiment: e.Name, Description: e.Description, Skipped: e.Skipped,
		Unsupported: []string{}, Notes: e.Notes, Repetitions: e.Most(), Looks: append([]int{}, e.Looks...), Order: order(e),
		Seed: e.Seed, Digest: e.Digest, Timeout: e.Timeout.Seconds(),
		Parameters: append([]string{}, e.Parameters...), Trials: []trialPlanJSON{}, Steps: []stepJSON{},
		Warnings: append([]string{}, slice.Map(doubts, func(d claim.Doubt) string { return d.String() })...),
		Origins:  map[string]string{}}
	maps.Copy(out.Origins, e.Origin)
	redact := redactorOf(e)
	for _, t := range e.Trials {
		k := known[t]
		cpus := ""
		if t.Unavailable == "" {
			cpus, _ = e.PlaceLoad(t, of.CoresOf(e.LoadHost(t)))
		}
		out.Trials = append(out.Trials, trialPlanJSON{Trial: t.Name, CPUs: cpus, Calibration: t.Calibration,
			InsteadOf:  t.InsteadOf,
			Parameters: append([]record.Parameter{}, redact.Parameters(t.Parameters)...), Labels: append([]record.Parameter{},
				redact.Parameters(t.Labels)...), Key: t.Key, State: k.word(), ToMeasure: k.ToMeasure, AtMost: k.ToMeasure + k.More,
			Why:        append([]string{}, k.why...),
			Definition: redact.Shown(t.Definition), Inputs: redact.Inputs(t.Inputs, t.Definition)})
	}
	for _, s := range e.Steps {
		out.Steps = append(out.Steps, stepJSON{s.Round, s.Repetition, s.Trial.Name})
	}
	time, most := e.Estimate(at, Experience(e, known)), e.Estimate(at, atMost(e, known))
	out.Estimate = estimateJSON{Total: time.Total.Seconds(), AtMost: most.Total.Seconds(),
		StartStop: time.Overhead.Seconds(), Warmup: time.Warmup.Seconds(),
		Measure: time.Window.Seconds(), Search: time.Searches.Seconds(), Recorded: time.Recorded, Elsewhere: time.Elsewhere,
		Assumed: append([]string{}, time.Guesses...)}
	return out
}

// redactorOf knows the secrets of all trials of an experiment: a plan is shown to others as records are.
func redactorOf(e *plan.Experiment) *record.Redactor {
	return record.NewRedactor(slice.Map(e.Trials, func(t *plan.Trial) json.RawMessage { return t.Definition })...)
}

func order(e *plan.Experiment) string {
	if e.Blocks {
		return "blocks"
	}
	return "interleaved"
}

// pendingTrials counts the trials of an experiment of which something is to be measured, the A/A pair once.
func pendingTrials(e *plan.Experiment, known map[*plan.Trial]*TrialState) int {
	return slice.Count(e.Trials, func(t *plan.Trial) bool { return known[t].ToMeasure > 0 && !t.Calibration })
}

// toMeasure counts what is to be measured of an experiment, at least and at most.
func toMeasure(e *plan.Experiment, known map[*plan.Trial]*TrialState) (least, most int) {
	for _, t := range e.Trials {
		least, most = least+known[t].ToMeasure, most+known[t].ToMeasure+known[t].More
	}
	return least, most
}

// What of one experiment is measured without a question: so many trials, which take so long at most.
const (
	ManyTrials = 100
	LongTime   = 6 * time.Hour
)

// IsMuch says that nobody may have meant to measure so much of an experiment: the lengths of axes are multiplied.
func IsMuch(trials int, e plan.Estimate) bool { return trials > ManyTrials || e.Total > LongTime }
