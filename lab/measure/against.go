package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// maxSaved bounds a file of saved results, in bytes.
const maxSaved = 64 << 20

// saved is an earlier result of one command or URL.
type saved struct {
	name   string
	values []float64 // of the compared metric, by repetition
}

// savedBefore reads the file of --against: output of the same verb with --json, or times that hyperfine or
// --export-json wrote. It returns nil without a file.
func (o *oneLine) savedBefore(file string) ([]saved, error) {
	if file == "" {
		return nil, nil
	}
	data, _, err := files.Read(file, maxSaved)
	if err != nil {
		return nil, lab.UsageError(fmt.Errorf("--against %s: %s", file, files.Reason(err)))
	}
	out, err := o.decodeSaved(data)
	if err != nil {
		return nil, lab.UsageError(fmt.Errorf("--against %s: %w", file, err))
	}
	return out, nil
}

func (o *oneLine) decodeSaved(data []byte) (out []saved, err error) {
	var times savedTimes
	var own []struct {
		Experiments []struct {
			Experiment string
			Cells      []struct {
				Trial       string
				Calibration bool
				Metrics     []struct {
					Metric string
					Values []float64
				}
			}
		}
	}
	switch {
	case json.Unmarshal(data, &times) == nil:
		if o.metric != "time.real" {
			return nil, fmt.Errorf("it has times of commands, and %s is compared", o.metric)
		}
		for _, r := range times.Results {
			out = append(out, saved{r.Command, r.Times})
		}
	case json.Unmarshal(data, &own) == nil && len(own) == 1 && len(own[0].Experiments) == 1:
		for _, c := range own[0].Experiments[0].Cells {
			for _, m := range c.Metrics {
				if m.Metric == o.metric && !c.Calibration {
					out = append(out, saved{c.Trial, m.Values})
				}
			}
		}
	default:
		return nil, errors.New("it is not a result in JSON: save one with --json, or with hyperfine's --export-json")
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("it has no result of %s", o.metric)
	}
	for _, s := range out {
		if i := slices.IndexFunc(s.values, func(v float64) bool { return !(v > 0) || math.IsInf(v, 0) }); i >= 0 {
			return nil, fmt.Errorf("%q has the value %g, which cannot be compared", s.name, s.values[i])
		}
	}
	return out, nil
}

// against returns a sentence for each cell that was measured before. Cells are matched by name; if there is only one on
// each side, the names may differ.
func (o *oneLine) against(d *dataset.Dataset, before []saved) (sentences []string) {
	e, names := d.Experiments[0], shortNames(d.Experiments[0])
	matched := false
	for _, c := range e.Cells {
		r := c.Metric(o.metric)
		for _, s := range before {
			if s.name != c.Trial.Name && !(len(e.Cells) == 1 && len(before) == 1) {
				continue
			}
			matched = true
			if r.Missing != "" {
				continue // the table gives the reason
			}
			sentences = append(sentences, o.compareSaved("“"+names[c]+"” now", r, s))
		}
	}
	if !matched {
		return []string{fmt.Sprintf("None of these was measured before: the saved result has “%s”.", clipped(before[0].name))}
	}
	if len(sentences) > 0 {
		sentences = append(sentences, "What else changed on the machine in between is part of that.")
	}
	return sentences
}

func (o *oneLine) compareSaved(now string, r dataset.Result, before saved) string {
	c, err := stats.Ratio(r.Cell(), stats.Cell{Values: before.values, NonNegative: true}, stats.DefaultAlpha)
	if err != nil && !errors.Is(err, stats.ErrTooFew) {
		return fmt.Sprintf("%s cannot be compared with before: %v.", now, err)
	}
	q := dataset.RatioOf(c)
	j := claim.Judgement{Verdict: stats.Inconclusive, Effect: &q}
	if j.Region = stats.Within(stats.DefaultSmallestEffect); q.Interval != nil {
		j.Verdict = stats.Judge(*q.Interval, j.Region)
	}
	return o.words.sentence(&j, now, "before")
}
