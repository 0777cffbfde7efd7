package hosts

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/badge"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/number"
	"benchbook/render/outcome"
	"benchbook/render/wording"
	"benchbook/slice"
)

// Options say what only the page of the article knows.
type Options struct {
	Says func(*article.Claim) string             // a claim in the words of its author
	Page func(m *compare.Moment) string          // the address of the page of a run; may be empty
	Of   func(h Host) (of string, warn []string) // what its standing counts, and what to keep in mind of its results
	Year string                                  // the head of what was published
	ID   func(*article.Claim) string             // of a claim on the page of a run
	// Markdown is that of outcome.Options.
	Markdown func(line string) (template.HTML, string)
}

// View is what the template shows.
type View struct {
	Lead     string
	Findings []Finding
	Hosts    []HostView
	Facts    []FactView // of all hosts, if there are too many for a column each
	Claims   TableView
	Others   TableView // without rows if there are none
	Pairs    []PairView
}

// HostView is what identifies a host, and what it found by itself.
type HostView struct {
	Name, Href string
	Standing   badge.Badge
	Of         string
	Facts      []Fact
}

// FactView is a fact of all hosts.
type FactView struct {
	Name  string
	Hosts []Fact // by host, each with the name of the host
}

// Fact is something known of a host.
type Fact struct {
	Name, Text string
	Differs    bool // from another host
}

// TableView is a table of claims with a column for each host.
type TableView struct {
	ID, Number, Title, Sub string
	Published              string // the head of that column; empty without one
	Hosts                  []string
	Rows                   []RowView
}

// RowView is a claim.
type RowView struct {
	Says      string
	Note      string
	Published string
	Cells     []CellView
	Agreement string
	Holds     string // "holds on 1 of 2"
	Differs   bool
}

// CellView is what became of a claim on a host.
type CellView struct {
	Host, Href      string
	Badge           badge.Badge
	Value, Interval string
	Note            string
}

// PairView is what differs between a host and the first.
type PairView struct {
	First, Host string
	Explanation string
	Count       string // how many things differ
	Rows        []DifferenceView
	More        int // parts of them that are not shown
}

// DifferenceView is one thing that differs.
type DifferenceView struct {
	Name, A, B, Where string
}

// mostAsColumns is how many hosts have their facts side by side.
const mostAsColumns = 3

// View makes what is shown.
func (s *Sheet) View(o Options) View {
	v := View{Lead: s.Lead(), Findings: s.findings(o)}
	for _, h := range s.Hosts {
		standing := claim.StandingOf(h.Dataset)
		of, warn := o.Of(h)
		if h.isOlder() {
			standing, of = claim.Standing{Is: stats.StandingMeasured}, "an older version of this article"
		}
		v.Hosts = append(v.Hosts, HostView{Name: h.Name, Href: o.Page(h.Newest),
			Standing: badge.WithoutCount(standing), Of: of, Facts: h.facts(warn)})
	}
	for i := range recorded {
		first := v.Hosts[0].Facts[i].Text
		differs := slices.ContainsFunc(v.Hosts, func(h HostView) bool { return h.Facts[i].Text != first })
		for k := range v.Hosts {
			v.Hosts[k].Facts[i].Differs = differs
		}
	}
	if len(s.Hosts) > mostAsColumns {
		v.Facts = factsByName(v.Hosts)
	}
	v.Claims = s.table("tbl-hosts", "Table\u00a01", s.Headlines(), o)
	v.Others = s.table("tbl-others", "Table\u00a02", s.Others(), o)
	for i := range s.Pairs {
		v.Pairs = append(v.Pairs, s.Pairs[i].view())
	}
	return v
}

// factsByName are the facts of hosts, fact by fact.
func factsByName(hosts []HostView) (list []FactView) {
	for i, f := range hosts[0].Facts {
		row := FactView{Name: f.Name}
		for _, h := range hosts {
			row.Hosts = append(row.Hosts, Fact{h.Name, h.Facts[i].Text, h.Facts[i].Differs})
		}
		list = append(list, row)
	}
	return list
}

// recorded are the facts that tell hosts apart, as records name them.
var recorded = []struct {
	name string
	of   []string
}{{"Processor", []string{"host.cpu"}}, {"Cores", []string{"host.cores"}}, {"Memory", []string{"host.memory"}},
	{"Kernel", []string{"host.kernel"}}, {"Engine", []string{"engine.name", "engine.version"}}}

// facts are those that are recorded of a host, and what was measured on it; all hosts have the same ones in the same
// order.
func (h Host) facts(warn []string) (list []Fact) {
	records := h.records()
	for _, f := range recorded {
		var words []string
		for _, name := range f.of {
			if all := valuesOf(records, name); all != "" {
				words = append(words, all)
			}
		}
		list = append(list, Fact{Name: f.name, Text: cmp.Or(strings.Join(words, " "), "not recorded")})
	}
	o := h.origin()
	measured := fmt.Sprintf("%d of %s", o.Measured, number.Count(len(o.Cells), "cell"))
	if o.Measured > 0 {
		measured = wording.LongDate(o.Last) + ", " + measured + ", " + o.Repetitions()
	}
	return append(list, Fact{Name: "Measured", Text: measured}, Fact{Name: "Runs", Text: cmp.Or(h.runs(), "none")},
		Fact{Name: "Cautions", Text: cmp.Or(strings.Join(warn, "; "), "none")})
}

// origin says where the values of a host are from.
func (h Host) origin() cellview.Origin { return cellview.OriginOf(h.Dataset, h.cells()) }

func (h Host) cells() []*dataset.Cell {
	return slices.Concat(slice.Map(h.Dataset.Experiments,
		func(e *dataset.Experiment) []*dataset.Cell { return e.Cells })...)
}

// isOlder says that all measured there is of an older version of the experiments, so that it has no say in whether the
// claims of the present one hold.
func (h Host) isOlder() bool {
	states := slice.Map(h.cells(), func(c *dataset.Cell) dataset.State { return c.State })
	return slices.Contains(states, dataset.Stale) && !slices.Contains(states, dataset.Fresh) &&
		!slices.Contains(states, dataset.Partial)
}

// runs are those that its values are of.
func (h Host) runs() string { return strings.Join(h.origin().Runs, ", ") }

// valuesOf are the values of a fact in some records, each once.
func valuesOf(records []*record.Record, fact string) string {
	var all []string
	for _, r := range records {
		if words := compare.OfMachines(r, fact); words != "" {
			all = slice.Add(all, words)
		}
	}
	return strings.Join(all, ", ")
}

// records are those that are shown of the host.
func (h Host) records() (list []*record.Record) {
	for _, e := range h.Dataset.Experiments {
		for _, c := range e.AllCells() {
			list = append(list, c.Records...)
		}
	}
	return list
}

// table has a row for each claim.
func (s *Sheet) table(id, no string, claims []Claim, o Options) TableView {
	t := TableView{ID: id, Number: no, Title: tableTitle(claims, len(s.Hosts)),
		Sub: "Each host judges by its own repetitions; effects with 95\u202f% intervals."}
	for _, h := range s.Hosts {
		t.Hosts = append(t.Hosts, h.Name)
	}
	for _, c := range claims {
		row := RowView{Says: o.Says(c.Block), Agreement: string(c.Agreement), Differs: c.Agreement == Differ}
		if c.Of > 1 {
			row.Holds = fmt.Sprintf("holds on %d of %d", c.Holds, c.Of)
		}
		if c.Absolute && c.Of > 1 {
			row.Note = "an absolute number: the hosts differ in processor or cores"
		}
		for i, r := range c.Results {
			h := s.Hosts[i]
			is := outcome.Of(h.Dataset, r.Judgement, outcome.Options{Markdown: o.Markdown})
			if is.Published != "" {
				row.Published, t.Published = is.Published, o.Year
			}
			row.Cells = append(row.Cells, cellOf(h, r, is, o))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// cellOf shows what became of a claim on a host.
func cellOf(h Host, r Result, is outcome.Outcome, o Options) CellView {
	v := CellView{Host: h.Name, Badge: badge.OfVerdict(r.Verdict)}
	if page := o.Page(h.Newest); page != "" {
		v.Href = page + "#" + o.ID(r.Claim)
	}
	if r.Verdict == stats.NotMeasured {
		return v
	}
	interval, found := "", false
	if v.Value, interval, found = strings.Cut(is.Here, " ["); found {
		v.Interval = strings.TrimSuffix(interval, "]")
	}
	for _, c := range outcome.CellsOf(r.Judgement) {
		if state := cellview.StateOf(c); state != "" {
			v.Note = state
			break
		}
	}
	if r.Apart {
		v.Note = strings.TrimPrefix(v.Note+", not compared", ", ")
	}
	return v
}

// tableTitle says how many claims come out differently.
func tableTitle(claims []Claim, hosts int) string {
	noun := "claim"
	if len(claims) > 0 && claims[0].Block.Headline.V {
		noun = "headline claim"
	}
	shared, alike := agreeing(claims)
	switch differ := len(shared) - len(alike); {
	case len(shared) == 0:
		return wording.Capital(noun + "s, host by host")
	case differ == 0 && len(claims) == 1:
		return "The " + noun + " has the same verdict on " + every(hosts)
	case differ == 0:
		return "No " + noun + " has different verdicts"
	case len(claims) == 1:
		return "The " + noun + " has different verdicts"
	case differ == 1 && len(shared) == 1:
		return "One " + noun + " has different verdicts"
	case differ == 1:
		return fmt.Sprintf("One of %d %ss has different verdicts", len(shared), noun)
	default:
		return fmt.Sprintf("%d of %d %ss have different verdicts", differ, len(shared), noun)
	}
}

// Summary counts claims by how hosts agree on them: "5 same, 9 one host only".
func (t TableView) Summary() string {
	var words []string
	for _, a := range []Agreement{Same, Differ, OneHost, NotCompared, Nowhere} {
		if n := slice.Count(t.Rows, func(r RowView) bool { return r.Agreement == string(a) }); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, a))
		}
	}
	return strings.Join(words, ", ")
}

// view shows what differs, each thing with its parts.
func (p *Pair) view() PairView {
	const most = 60
	v := PairView{First: p.First.Name, Host: p.Host.Name, Explanation: p.explanation(),
		Count: number.Count(len(p.Differences), "difference")}
	for i := range p.Differences {
		d := &p.Differences[i]
		where := "all cells"
		if !d.All {
			where = number.Count(len(d.Cells), "cell")
		}
		if d.Follows != "" {
			where += ", follows from " + d.Follows
		} else if d.OneSided {
			where += ", recorded on one host only"
		}
		for k, part := range d.Parts {
			switch {
			case len(v.Rows) == most:
				v.More++
			case k >= wording.MaxDetails:
				v.More++
			default:
				v.Rows = append(v.Rows, DifferenceView{part.Name, part.A, part.B, where})
			}
			where = ""
		}
	}
	return v
}

// Data are the verdicts of all hosts as a file.
func (s *Sheet) Data() *datafile.Table {
	data := &datafile.Table{Columns: []string{"claim", "headline", "host", "verdict", "effect", "lo", "hi", "unit",
		"agreement", "run"}}
	runs := slice.Map(s.Hosts, Host.runs)
	for _, c := range s.Claims {
		for i, r := range c.Results {
			var effect, lo, hi, unit any
			if q := r.Effect; q != nil && r.Verdict != stats.NotMeasured {
				effect, unit = cellview.Bound(true, q.Number), q.Unit
				if q.Interval != nil {
					lo, hi = cellview.Bound(true, q.Interval.Lo), cellview.Bound(true, q.Interval.Hi)
				}
			}
			data.Add([]any{c.Block.Name.Value, c.Block.Headline.V, s.Hosts[i].Name, string(r.Verdict)}, effect, lo, hi, unit,
				string(c.Agreement), runs[i])
		}
	}
	return data
}
