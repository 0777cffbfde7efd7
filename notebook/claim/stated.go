package claim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// Stated is what an article says in one claim at one time: all that may change its verdict, or whether it counts. The
// records of a run hold it as of the run's start.
type Stated struct {
	Claim string            `json:"claim"`
	Says  map[string]string `json:"says"`            // by key: "expect", "headline", "smallest_effect", "published", "metric NAME"
	Looks int               `json:"looks,omitempty"` // at its cells, in runs known then
}

// State returns what the claims of an article say, in its order. Front matter values are expanded, so changing one
// changes the claims that use it.
//
// Source: docs/trust.md#stated-before-it-was-measured.
func State(d *dataset.Dataset) []Stated {
	return slice.Map(d.Doc.Claims, func(c *article.Claim) Stated {
		says, looks := map[string]string{"headline": fmt.Sprint(c.Headline)}, 0
		add := func(key, text string) {
			if text != "" {
				says[key] = text
			}
		}
		add("experiment", c.Experiment.Value)
		add("smallest_effect", c.Node.TextAt("smallest_effect").Value)
		if c.Published.Node != nil {
			add("published", c.Published.Node.String())
		}
		if c.Expect.Node != nil {
			add("expect", sayExpression(d, c.Expect.Node, says))
		}
		if t, err := newTest(d, c); err == nil {
			add("published rows", publishedRows(d, t))
			looks = t.knownLooks(d, c)
		}
		return Stated{c.Name.Value, says, looks}
	})
}

// sayExpression returns an expression in its normal form. It adds to says the article's metrics that it uses, directly
// or through computed ones.
func sayExpression(d *dataset.Dataset, n expr.Node, says map[string]string) string {
	if expanded, err := d.Expand(n); err == nil {
		n = expanded
	}
	for _, name := range expr.Names(n) {
		for _, e := range d.Plan.Experiments {
			for _, m := range e.Metrics {
				if key := "metric " + name + " of " + e.Name; m.Name == name && says[key] == "" {
					says[key] = "circular" // if it is computed from itself
					says[key] = sayMetric(d, m, says)
				}
			}
		}
	}
	return n.String()
}

// sayMetric returns how a metric is computed or found, its unit, and which values are better.
func sayMetric(d *dataset.Dataset, m plan.Metric, says map[string]string) string {
	formula := strings.Join(strings.Fields(strings.Join([]string{m.Service, m.Stream, m.Regex, m.JSON}, " ")), " ")
	if n, err := expr.Parse(m.Value); err == nil {
		formula = sayExpression(d, n, says)
	}
	words := formula + ", in " + m.Unit
	if m.Better != "" {
		words += ", " + m.Better + " is better"
	}
	return words
}

// publishedRows returns the published numbers of a test's cells: "throughput of async 705.41/s".
func publishedRows(d *dataset.Dataset, t Test) string {
	var rows []string
	for _, side := range t.leafSides() {
		for _, cell := range side.Cells {
			if p, ok := d.Published(cell, side.Metric.Name, ""); ok {
				rows = slice.Add(rows, fmt.Sprintf("%s of %s %s", side.Metric.Name, cell.Trial.Name, p.Text))
			}
		}
	}
	return strings.Join(rows, ", ")
}

// Stating says how a claim relates to what the article said when its run began.
type Stating string

// The relations of a claim to what the article said when its run began.
const (
	StatedBefore      Stating = "stated before measuring"
	StatedUncommitted Stating = "stated, not committed"
	ChangedAfter      Stating = "changed after measuring"
	NewAfter          Stating = "stated after measuring"
	NoLongerMade      Stating = "no longer made"
	StatingIsNotKnown Stating = "not known"
)

// A StatedClaim is a claim and when it was stated.
type StatedClaim struct {
	Claim   string
	Is      Stating
	Changes []string // "expect: A, was B"
}

// Beginning is what is known about an article when measuring began.
type Beginning struct {
	Known     bool // false for records that hold no claims
	Claims    []Stated
	Committed bool // the article was as in a commit
}

// beginningOf returns what the article claimed when the first of some records was measured.
func beginningOf(records []*record.Record) (b Beginning) {
	if len(records) == 0 {
		return b
	}
	first := slices.MinFunc(records, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
	b.Committed = record.IsCommitted(first.Facts[record.FactRevision])
	b.Known = json.Unmarshal([]byte(first.Facts[record.FactClaims]), &b.Claims) == nil // a digest is not JSON
	return b
}

// Since compares a claim with what the article said before measuring.
//
// Source: docs/trust.md#stated-before-it-was-measured.
func (s Stated) Since(b Beginning) StatedClaim {
	c := StatedClaim{Claim: s.Claim, Is: StatedBefore}
	i := slices.IndexFunc(b.Claims, func(old Stated) bool { return old.Claim == s.Claim })
	switch {
	case !b.Known:
		c.Is = StatingIsNotKnown
	case i < 0:
		c.Is = NewAfter
	default:
		if c.Changes = changes(b.Claims[i].Says, s.Says); len(c.Changes) > 0 {
			c.Is = ChangedAfter
		} else if !b.Committed {
			c.Is = StatedUncommitted
		}
	}
	return c
}

// Stated compares each claim with what the article said when its first cell was measured, in the order of the article.
// Claims that were made when the first cell of all was measured, and are no longer made, come last.
//
// Source: docs/trust.md#stated-before-it-was-measured.
func (r *Results) Stated() []StatedClaim { return r.stated() }

func (r *Results) statedClaims() (out []StatedClaim) {
	now := State(r.Data)
	for i, s := range now {
		out = append(out, s.Since(beginningOf(dataset.RecordsOf(r.Claims[i].cells()))))
	}
	var all []*record.Record
	for _, e := range r.Data.Experiments {
		all = append(all, dataset.RecordsOf(e.Cells)...)
	}
	return append(out, NoMore(beginningOf(all), now)...)
}

// NoMore returns the claims of the beginning that are not made now.
func NoMore(b Beginning, now []Stated) (out []StatedClaim) {
	for _, s := range b.Claims {
		if !slices.ContainsFunc(now, func(n Stated) bool { return n.Claim == s.Claim }) {
			out = append(out, StatedClaim{Claim: s.Claim, Is: NoLongerMade})
		}
	}
	return out
}

// changes describes the keys in which two statements differ.
func changes(was, is map[string]string) (list []string) {
	all := maps.Clone(is)
	maps.Copy(all, was)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if was[key] != is[key] {
			list = append(list, fmt.Sprintf("%s: %s, was %s", key, cmp.Or(is[key], "nothing"), cmp.Or(was[key], "nothing")))
		}
	}
	return list
}
