package compare

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Gate is the condition of --fail-on: the change of a metric from A to B lies below or above a limit.
type Gate struct {
	Condition string // as written
	Metric    string
	region    stats.Region
}

var gateForm = regexp.MustCompile(`^\s*(\pL[\pL\pM\p{Nd}_.-]*)\s*([<>]=?)\s*([+-]?[0-9.]+)\s*(%?)\s*$`)

// NewGate reads a condition such as "throughput < -5%".
//
// Source: docs/command.md#compare.
func NewGate(text string) (*Gate, error) {
	m := gateForm.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("it is not METRIC OP NUMBER%%: write a metric, one of < > <= >=, and a percentage, such as " +
			"throughput < -5%%")
	}
	metric, op := m[1], m[2]
	percent, err := strconv.ParseFloat(m[3], 64)
	isBelow := strings.HasPrefix(op, "<")
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is not a number", m[3])
	case record.CountsFailures(metric) && metric != "failed":
		return nil, fmt.Errorf("%s is a number, not a percentage: write failed %s, with a percentage", metric, op)
	case m[4] == "":
		return nil, fmt.Errorf("the change of %s is a percentage: write %s %s %s%%", metric, metric, op, m[3])
	case percent <= -100 && (metric == "failed" || isBelow):
		return nil, fmt.Errorf("no change of %s goes below -100%%", metric)
	}
	region := stats.Above(percent / 100)
	if isBelow {
		region = stats.Below(percent / 100)
	}
	return &Gate{text, metric, region}, nil
}

// A GateCell is a cell that a Gate judges.
type GateCell struct {
	Name    string        `json:"cell"` // with its experiment and article
	A       *dataset.Cell `json:"-"`
	B       *dataset.Cell `json:"-"`
	Met     bool          `json:"met"`
	Refuted bool          `json:"refuted"`           // the whole interval lies outside of the region
	Unknown string        `json:"unknown,omitempty"` // why it cannot be judged; empty if it can
}

// Judge judges the condition for each cell that has the metric. A cell meets it if the whole interval of its change
// lies in the region, at a level corrected for the number of cells. A cell with the same repetitions on both sides does
// not meet it.
//
// Source: docs/command.md#compare; docs/method.md#claims-as-regions and docs/method.md#several-comparisons.
func (g *Gate) Judge(changes []*Change) []GateCell {
	own := slice.Filter(changes, func(c *Change) bool { return c.Metric.Name == g.Metric })
	out := make([]GateCell, len(own))
	for i, c := range own {
		verdict := g.verdict(c, stats.DefaultAlpha/float64(len(own)))
		out[i] = GateCell{Name: c.CellName(), A: c.A, B: c.B, Met: verdict == stats.Supported,
			Refuted: verdict == stats.Contradicted}
		if g.verdict(c, stats.DefaultAlpha) == stats.NotMeasured {
			out[i].Unknown = c.Metric.Name + ": " + c.Reason
		}
	}
	return out
}

func (g *Gate) verdict(c *Change, alpha float64) stats.Verdict {
	if c.Unchanged {
		return stats.Contradicted
	}
	interval, ok := c.interval(alpha)
	if !ok {
		return stats.NotMeasured
	}
	return stats.Judge(interval, g.region)
}
