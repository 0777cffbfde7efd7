package show

import (
	"fmt"

	"benchbook/internal/phrase"
	"benchbook/notebook/compare"
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

func newProof(p *compare.Proof, slowdown float64) Proof {
	n := numberOf(p.Effect)
	return Proof{Cell: p.CellName(), Metric: p.Metric.Name, Slowdown: slowdown, Change: n.Value, Lo: n.Lo, Hi: n.Hi,
		Seen: p.Seen, Reason: p.Reason, shown: changeWords(&p.Change)}
}

func (p *Proof) String() string {
	words := "would have been seen"
	if !p.Seen {
		words = "would not have been seen"
	}
	out := fmt.Sprintf("a slowdown of %s in %s %s: planted in the second measurement of %s, it shows as %s",
		phrase.Percent(p.Slowdown), p.Metric, words, p.Cell, p.shown)
	if p.Reason != "" {
		out += " (" + p.Reason + ")"
	}
	return out
}
