package show

import (
	"fmt"
	"strconv"
	"strings"

	"benchbook/lab"
	"benchbook/notebook/compare"
	"benchbook/notebook/expr"
)

// A Proof says whether a planted slowdown of a cell would have been seen.
type Proof struct {
	Cell     string   `json:"cell"`
	Metric   string   `json:"metric"`
	Slowdown float64  `json:"slowdown"` // such as 0.1
	Change   *float64 `json:"change"`   // that was found, as in Change
	Lo       *float64 `json:"lo"`
	Hi       *float64 `json:"hi"`
	Seen     bool     `json:"seen"`
	Reason   string   `json:"reason,omitempty"`

	shown string
}

// Slowdown reads Prove as a share; 0 without it.
func (o *CompareOptions) Slowdown() (float64, error) {
	if o.Prove == "" {
		return 0, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(o.Prove), "%"), 64)
	if err != nil || !strings.HasSuffix(o.Prove, "%") || !(percent > 0 && percent < 100) {
		return 0, lab.UsageError(fmt.Errorf("--prove %q: write a slowdown in percent, such as 10%%", o.Prove))
	}
	return percent / 100, nil
}

// prove judges the planted slowdown, if there is one.
func (c *Comparison) prove(sides []compare.Sides, o compare.ChangeOptions, gate *compare.Gate) error {
	found, err := compare.Prove(sides, c.changes, o, gate)
	for i := range found {
		p := &found[i]
		out := Proof{Cell: p.CellName(), Metric: p.Metric.Name, Slowdown: p.Slowdown, Seen: p.Seen, Reason: p.Reason,
			shown: changeWords(&p.Change)}
		n := numberOf(p.Effect)
		out.Change, out.Lo, out.Hi = n.Value, n.Lo, n.Hi
		c.Proofs = append(c.Proofs, out)
	}
	return err
}

func (p *Proof) String() string {
	words := "would have been seen"
	if !p.Seen {
		words = "would not have been seen"
	}
	out := fmt.Sprintf("a slowdown of %s in %s %s: planted in the second measurement of %s, it shows as %s",
		expr.Percent(p.Slowdown), p.Metric, words, p.Cell, p.shown)
	if p.Reason != "" {
		out += " (" + p.Reason + ")"
	}
	return out
}
