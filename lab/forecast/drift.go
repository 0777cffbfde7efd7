package forecast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/compare"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/sysinfo"
)

// driftJSON is a fact that is another one now than when something was measured. It makes nothing stale.
type driftJSON struct {
	Fact   string   `json:"fact"`
	Then   string   `json:"then"`
	Now    string   `json:"now"`
	Trials []string `json:"trials"` // of which it was recorded so
}

// A present is what can be found out now of what records tell as facts.
type present struct {
	facts map[string]string
	store engine.ImageStore // nil where nothing tells of images
}

// lookAround finds out the facts of this machine, and those of the engine if there is one.
func lookAround(ctx context.Context, a *lab.Session, project *projects.Project, host sysinfo.Host) (now *present,
	closing func(), err error) {
	now, closing = &present{facts: maps.Clone(host.Facts)}, func() {}
	e, err := a.Config.EngineOf(ctx, project)
	if errors.Is(err, engine.ErrUnavailable) {
		return now, closing, nil
	}
	if err != nil {
		return nil, nil, lab.Interrupted(ctx, err)
	}
	closing = func() { _ = e.Close() } // nothing was changed in it
	facts, err := e.Facts(ctx)
	if err != nil {
		closing()
		return nil, nil, lab.Interrupted(ctx, err)
	}
	maps.Copy(now.facts, facts)
	now.store, _ = e.(engine.ImageStore)
	return now, closing, nil
}

// drift lists what differs between records of trials and now. What is not known of one side is no drift.
func (now *present) drift(ctx context.Context, p *plan.Plan, e *plan.Experiment,
	known map[*plan.Trial]*TrialState) ([]driftJSON, error) {
	out := []driftJSON{}
	for _, t := range e.Trials {
		if len(known[t].records) == 0 {
			continue
		}
		is := maps.Clone(now.facts)
		if now.store != nil {
			images, err := images.IDs(ctx, now.store, p.Article, t)
			if err != nil {
				return nil, lab.Interrupted(ctx, err)
			}
			maps.Copy(is, images)
		}
		r := slices.MaxFunc(known[t].records, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
		for _, fact := range slices.Sorted(maps.Keys(is)) {
			if then := r.Facts[fact]; hasDrifted(e, r, fact, is[fact]) {
				i := slices.IndexFunc(out, func(d driftJSON) bool { return d.Fact == fact && d.Then == then && d.Now == is[fact] })
				if i < 0 {
					i = len(out)
					out = append(out, driftJSON{Fact: fact, Then: then, Now: is[fact]})
				}
				out[i].Trials = append(out[i].Trials, t.Name)
			}
		}
	}
	return out, nil
}

// hasDrifted reports whether a fact of a record is another one now, and that is not said elsewhere.
func hasDrifted(e *plan.Experiment, r *record.Record, fact, now string) bool {
	if e.Cluster != "" && strings.HasPrefix(fact, "engine.") {
		return false // what was asked is the project's engine, which is another one
	}
	if service, ok := strings.CutPrefix(fact, "image."); ok && strings.HasSuffix(r.Facts["base."+service],
		" "+r.Facts[fact]) {
		return false // it was not built: that it is another one makes the trial stale, and is said as the reason
	}
	then := r.Facts[fact]
	return then != "" && now != "" && !compare.SameFact(fact, then, now)
}

// printDrift says what is another one now, in how many of so many trials.
func printDrift(a *lab.Session, list []driftJSON, trials int) {
	for _, d := range list {
		line := fmt.Sprintf("  since then %s: %s, was %s", d.Fact, compare.SummaryOf(d.Now), compare.SummaryOf(d.Then))
		if len(d.Trials) < trials {
			line += fmt.Sprintf(" (%d of %s)", len(d.Trials), terminal.Count(trials, "trial"))
		}
		fmt.Fprintln(a.Stdout, line)
	}
}
