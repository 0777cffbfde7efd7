package plan

import (
	"cmp"
	"math"
	"time"

	"benchbook/notebook/article"
)

// Rules of searches.
//
// Source: docs/searches.md.
const (
	searchProbes    = 3    // of every candidate, short ones; their median counts
	searchGrowth    = 1.5  // from one candidate to the next
	searchPatience  = 2    // candidates running that do not improve
	searchLeast     = 8    // of the last candidate, where nothing is written
	searchPerCore   = 4    // the same, by cores of the services
	searchEffect    = 0.05 // that an improvement has to exceed
	capacityStep    = 0.05 // between the bounds in the end
	capacityRepeats = 3    // full repetitions that confirm or refute a bound
	capacityProbe   = 60 * time.Second
)

// Search finds, before the repetitions of a trial, the smallest value from which on more does not help.
//
// Source: docs/method.md#tuned-values.
type Search struct {
	Name     string        `json:"name"`
	Of       string        `json:"of,omitempty"`   // takes what this experiment chose for the same parameters; then nothing else holds
	From     int           `json:"from,omitempty"` // the first candidate
	To       int           `json:"to,omitempty"`   // the last; 0: by the cores of the services, see Candidates
	Maximize string        `json:"maximize,omitempty"`
	Budget   time.Duration `json:"budget,omitempty"` // 0: none
	Probes   int           `json:"probes,omitempty"` // of every candidate
	Patience int           `json:"patience,omitempty"`
	Effect   float64       `json:"effect,omitempty"` // share by which a candidate has to be better

	// Points is how many candidates are tried at most, 0 for all, where no fresh search of the full profile has
	// chosen already.
	Points int `json:"points,omitempty"`
}

// Candidates are the values that a search may try, in order, where services have so many cores.
func (s Search) Candidates(cores int) []int {
	if s.Of != "" {
		return nil
	}
	last := cmp.Or(s.To, max(searchLeast, searchPerCore*cores))
	var list []int
	for g := max(s.From, 1); ; {
		list = append(list, min(g, last))
		if g >= last || len(list) == s.Points {
			return list
		}
		g = max(g+1, int(math.Ceil(searchGrowth*float64(g))))
	}
}

// Capacity finds the highest rate that still meets an objective.
//
// Source: docs/method.md#capacities.
type Capacity struct {
	SLO     string        `json:"slo"`
	From    float64       `json:"from"`    // floor, per second
	To      float64       `json:"to"`      // limit, per second
	Step    float64       `json:"step"`    // the bounds differ by this share in the end
	Repeats int           `json:"repeats"` // full repetitions that confirm or refute a bound
	Probe   time.Duration `json:"probe"`   // the longest, within which the objective's percentile has to be admissible
}

func (p *planner) tune(d *article.Experiment) []Search {
	var out []Search
	for i := range d.Tune {
		name, s := d.Tune[i].Name, &d.Tune[i].Value
		if !s.Of.IsZero() {
			out = append(out, Search{Name: name.Value, Of: s.Of.Value})
			continue
		}
		one := Search{Name: name.Value, From: 1, To: s.To.V, Maximize: s.Maximize.Value, Budget: s.Budget.V,
			Probes: searchProbes, Patience: searchPatience, Effect: searchEffect}
		if s.From.Known() {
			one.From = s.From.V
		}
		if one.Maximize == "" {
			one.Maximize = "throughput"
			if d.Command != nil {
				one.Maximize = "time.real"
			}
		}
		if p.options.Profile == Quick {
			one.Points = quickPoints
		}
		for _, v := range []article.Value[int]{s.From, s.To} {
			if v.Known() && (v.V < 1 || v.V > 1_000_000) {
				p.problems.Add("wrong-value", v.Text.Pos, "a search goes through numbers from 1 to 1000000, not %d", v.V)
			}
		}
		if s.From.Known() && s.To.Known() && s.From.V > s.To.V {
			p.problems.Add("empty-range", s.From.Text.Pos, "the range from %d to %d is empty", s.From.V, s.To.V).
				Hint = "swap from and to"
		}
		if s.Budget.Known() && s.Budget.V <= 0 {
			p.problems.Add("wrong-value", s.Budget.Text.Pos, "budget has to be more than 0").
				Hint = "write a time, such as 3m"
		}
		out = append(out, one)
	}
	return out
}

func (p *planner) capacity(d *article.Experiment) *Capacity {
	c := d.Capacity
	if c == nil {
		return nil
	}
	if d.Load == nil {
		p.problems.Add("contradiction", c.Pos, "capacity is a rate of requests, and a command makes none").
			Hint = "remove capacity, or replace command by load"
		return nil
	}
	if tool := d.Load.Tool; tool.Known() && tool.V != article.OwnTool {
		p.problems.Add("no-flag", tool.Text.Pos, "%s has no flag for a rate, which a search for a capacity changes", tool.V).
			Hint = "remove tool, or the search"
	}
	for _, missing := range []struct {
		is        bool
		key, hint string
	}{
		{c.SLO.Text.IsZero(), "slo", "add slo: with an objective, such as latency.p99 < 100ms and failed < 0.1%"},
		{!c.From.Set(), "from", "add from: with the lowest rate to try, such as 100/s"},
		{!c.To.Set(), "to", "add to: with the highest rate to try, such as 20000/s"},
	} {
		if missing.is && !c.Tried.Has(missing.key) {
			p.problems.Add("missing-key", c.Pos, "capacity has no %s", missing.key).Hint = missing.hint
		}
	}
	for _, v := range []article.Value[article.PerSecond]{c.From, c.To} {
		if v.Known() && v.V <= 0 {
			p.problems.Add("wrong-value", v.Text.Pos, "a rate has to be more than 0")
		}
	}
	if c.From.Known() && c.To.Known() && c.From.V >= c.To.V {
		p.problems.Add("empty-range", c.From.Text.Pos, "the range from %s to %s is empty", c.From.Text.Value, c.To.Text.Value).
			Hint = "swap from and to"
	}
	return &Capacity{SLO: c.SLO.Text.Value, From: float64(c.From.V), To: float64(c.To.V),
		Step: capacityStep, Repeats: capacityRepeats, Probe: capacityProbe}
}
