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

// Stated is what an article claims at one time: all that may change the verdict of a claim, or that it counts. Each run
// holds that of its beginning.
type Stated struct {
	Claim string            `json:"claim"`
	Says  map[string]string `json:"says"`            // by key: "expect", "headline", "smallest_effect", "published", "metric NAME"
	Looks int               `json:"looks,omitempty"` // at its cells, by runs that were known
}

// State returns what the claims of an article say, in its order. Values of the front matter stand in expressions, so a
// change of one is a change of the claims that use it.
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

// sayExpression writes an expression in its normal form and adds to says the metrics of the article that it uses, with
// those that these are computed from.
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

// sayMetric writes how a metric is computed or found, its unit, and what is better.
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

// publishedRows lists the published numbers of the cells of a test: "throughput of async 705.41/s".
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

// Stating is how a claim stands to what the article said when its run began.
type Stating string

// The ways in which a claim may stand to the beginning of its run.
const (
	StatedBefore      Stating = "stated before measuring"
	StatedUncommitted Stating = "stated, not committed"
	ChangedAfter      Stating = "changed after measuring"
	NewAfter          Stating = "stated after measuring"
	NoLongerMade      Stating = "no longer made"
	StatingIsNotKnown Stating = "not known"
)

// A StatedClaim is a claim with its mark.
type StatedClaim struct {
	Claim   string
	Is      Stating
	Changes []string // "expect: A, was B"
}

// Beginning is what is known of an article when something was measured.
type Beginning struct {
	Known     bool // false for records that hold no claims
	Claims    []Stated
	Committed bool // the article was as in a commit
}

// beginningOf reads what the article claimed when the first of some records was measured.
func beginningOf(records []*record.Record) (b Beginning) {
	if len(records) == 0 {
		return b
	}
	first := slices.MinFunc(records, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
	b.Committed = record.IsCommitted(first.Facts[record.FactRevision])
	b.Known = json.Unmarshal([]byte(first.Facts[record.FactClaims]), &b.Claims) == nil // a digest is not JSON
	return b
}

// Since compares a claim with what the article said before it was measured.
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

// Stated compares each claim with what the article said when the first of its cells was measured, in the order of the
// article. Claims that the article made when the first cell of all was measured, and makes no more, come last.
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

// NoMore lists the claims of the beginning that are not among those of now.
func NoMore(b Beginning, now []Stated) (out []StatedClaim) {
	for _, s := range b.Claims {
		if !slices.ContainsFunc(now, func(n Stated) bool { return n.Claim == s.Claim }) {
			out = append(out, StatedClaim{Claim: s.Claim, Is: NoLongerMade})
		}
	}
	return out
}

// changes lists the parts in which two statements differ.
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
