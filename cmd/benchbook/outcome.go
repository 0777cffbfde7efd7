package main

import (
	"errors"
	"fmt"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/runner"
)

// outcomeJSON is what run, report and render print with --json: what the claims of articles came to. Fields are added to it in later
// versions, none are renamed or removed.
type outcomeJSON struct {
	Articles []articleOutcomeJSON `json:"articles"` // those without problems
	Site     string               `json:"site,omitempty"`
	Time     *timeJSON            `json:"time,omitempty"` // what run and report spent on measuring, if anything
}

// timeJSON is what a run spent its time on, in seconds.
type timeJSON struct {
	Total      float64            `json:"total"`
	Efficiency float64            `json:"efficiency"` // the share of it that was measuring or warm-up, searches aside
	Parts      map[string]float64 `json:"parts"`      // they add up to the total
}

func timeOf(s *runner.Spent) *timeJSON {
	if s == nil {
		return nil
	}
	out := &timeJSON{Total: s.Whole().Seconds(), Efficiency: s.Efficiency(), Parts: map[string]float64{}}
	for _, p := range s.Parts() {
		out.Parts[p.Name()] = s[p].Seconds()
	}
	return out
}

type articleOutcomeJSON struct {
	Article  string       `json:"article"`
	Standing string       `json:"standing"`
	Reason   string       `json:"reason,omitempty"` // of the standing
	Host     string       `json:"host"`             // whose results these are: class and digest
	Own      bool         `json:"own"`              // it is this machine
	Profile  string       `json:"profile"`
	Claims   []claimJSON  `json:"claims"` // in the order of the article
	Orders   []ordersJSON `json:"orders"` // of the experiments that were measured by two metrics
}

// judgementJSON is what was found of a claim, of a part of one, or of one by another metric.
type judgementJSON struct {
	What    string      `json:"what"` // in words, what the effect is of
	Verdict string      `json:"verdict"`
	Reason  string      `json:"reason,omitempty"` // why inconclusive or not measured
	Effect  *effectJSON `json:"effect,omitempty"`
	// NeededRepetitions would have an even chance to decide an inconclusive claim; 0 if that is not known.
	NeededRepetitions int      `json:"needed_repetitions,omitempty"`
	NoiseFloor        float64  `json:"noise_floor"` // by which the interval of a ratio is widened, as its excess over 1
	Marks             []string `json:"marks"`       // what readers have to know
	Invalid           bool     `json:"invalid"`     // it rests on a number that is not valid
}

type claimJSON struct {
	Name     string `json:"name"`
	Headline bool   `json:"headline"`
	Expect   string `json:"expect,omitempty"`
	// Level is that at which the claim was judged: 0.05, or less where rounds were added to a run that was finished; 0 without a test.
	Level float64 `json:"level"`
	judgementJSON
	Parts       []judgementJSON `json:"parts,omitempty"`
	Sensitivity sensitivityJSON `json:"sensitivity"`
}

// effectJSON is unrounded, in the base unit. Ends are null where the interval has none, and both where there is no interval.
type effectJSON struct {
	Value  float64  `json:"value"`
	Lo     *float64 `json:"lo"`
	Hi     *float64 `json:"hi"`
	Unit   string   `json:"unit"`
	Ratio  bool     `json:"ratio"`  // of two cells
	Change bool     `json:"change"` // the ratio less 1
	// RegionLo and RegionHi are where the claim says the value lies; null for no end.
	RegionLo *float64 `json:"region_lo"`
	RegionHi *float64 `json:"region_hi"`
}

type sensitivityJSON struct {
	Is       string         `json:"is"` // robust, reversed, weaker or one metric
	ByMetric []byMetricJSON `json:"by_metric"`
}

type byMetricJSON struct {
	Metric string `json:"metric"`
	judgementJSON
}

// ordersJSON is how far metrics put the cells of an experiment in the same order.
type ordersJSON struct {
	Experiment    string       `json:"experiment"`
	Metrics       []string     `json:"metrics"`
	Tau           [][]*float64 `json:"tau_b"` // by row and column as metrics; null with itself, and where a metric is the same for all
	Smallest      *float64     `json:"smallest_tau_b"`
	WinnerDepends bool         `json:"winner_depends_on_metric"`
}

// articleOutcome is what the results of an article came to, without the records that it rests on.
type articleOutcome struct {
	data   articleOutcomeJSON
	words  string            // the same for people
	others []dataset.SetName // sets of records that are not shown
}

// outcomeOf says what results came to. Orders and what claims came to by other metrics, which take time, are in it only if it is for JSON.
func outcomeOf(d *dataset.Dataset, asJSON bool) *articleOutcome {
	standing, reason := d.Standing()
	out := &articleOutcome{words: datasetWords(d), others: d.Others}
	out.data = articleOutcomeJSON{Article: d.Doc.Slug, Standing: string(standing), Reason: reason, Host: d.Host, Own: d.Own, Profile: d.Profile,
		Claims: []claimJSON{}, Orders: []ordersJSON{}}
	for _, j := range d.Judgements() {
		out.data.Claims = append(out.data.Claims, claimOutcome(d, &j, asJSON))
	}
	if !asJSON {
		return out
	}
	for _, e := range d.Experiments {
		if o := d.Orders(e.Plan.Name); len(o.Metrics) > 1 {
			out.data.Orders = append(out.data.Orders, ordersOutcome(e.Plan.Name, o))
		}
	}
	return out
}

func claimOutcome(d *dataset.Dataset, j *dataset.Judgement, asJSON bool) claimJSON {
	c := claimJSON{Name: j.Claim.Name.Value, Headline: j.Claim.Headline.V, Expect: j.Claim.Expect.Text.Value, Level: j.Level, judgementJSON: judgementOutcome(j)}
	for _, p := range j.Parts {
		c.Parts = append(c.Parts, judgementOutcome(&p))
	}
	if !asJSON {
		return c
	}
	s := d.Sensitivity(j.Claim)
	c.Sensitivity = sensitivityJSON{string(s.Is), []byMetricJSON{}}
	for _, m := range s.ByMetric {
		c.Sensitivity.ByMetric = append(c.Sensitivity.ByMetric, byMetricJSON{m.Metric.Name, judgementOutcome(&m.Judgement)})
	}
	return c
}

func judgementOutcome(j *dataset.Judgement) judgementJSON {
	out := judgementJSON{What: j.What, Verdict: string(j.Verdict), Reason: j.Reason, NeededRepetitions: j.Needed, NoiseFloor: j.Floor,
		Marks: append([]string{}, j.Marks...), Invalid: j.Invalid}
	out.Effect = effectData(j.Effect, j.Region, j.IsRatio)
	return out
}

// effectData is an effect and where a claim says that it lies; nil for none.
func effectData(q *dataset.Quantity, region stats.Region, isRatio bool) *effectJSON {
	if q == nil {
		return nil
	}
	e := &effectJSON{Value: q.Number, Unit: q.Unit, Ratio: isRatio, Change: isRatio && q.Share, RegionLo: finite(region.Lo), RegionHi: finite(region.Hi)}
	if q.Interval != nil {
		e.Lo, e.Hi = finite(q.Interval.Lo), finite(q.Interval.Hi)
	}
	return e
}

func ordersOutcome(experiment string, o dataset.Orders) ordersJSON {
	out := ordersJSON{Experiment: experiment, WinnerDepends: o.WinnerDepends}
	for i, m := range o.Metrics {
		out.Metrics = append(out.Metrics, m.Name)
		row := make([]*float64, len(o.Metrics))
		for k, t := range o.Tau[i] {
			if t != nil {
				row[k] = &t.Value
			}
		}
		out.Tau = append(out.Tau, row)
	}
	if o.Smallest != nil {
		out.Smallest = &o.Smallest.Value
	}
	return out
}

// claimStatus is the status that --claims asks for: that a claim is contradicted, or that one rests on a number that is not valid.
// Both are said.
func claimStatus(a *session, outcomes []*articleOutcome) error {
	var contradicted, invalid []string
	for _, o := range outcomes {
		for _, c := range o.data.Claims {
			name := fmt.Sprintf("claim %s of article %s", c.Name, o.data.Article)
			if c.Verdict == string(stats.Contradicted) {
				contradicted = append(contradicted, name)
			}
			if c.Invalid {
				invalid = append(invalid, name)
			}
		}
	}
	var first, then error
	if len(contradicted) > 0 {
		first = withStatus(statusContradicted, errors.New("contradicted: "+strings.Join(contradicted, ", ")))
	}
	if len(invalid) > 0 {
		then = withStatus(statusInvalid, errors.New("resting on a number that is not valid: "+strings.Join(invalid, ", ")))
	}
	return a.both(first, then)
}
