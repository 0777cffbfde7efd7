// Package compare compares two sets of records of one article.
package compare

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Sides are two sets of records of one article, A before and B after. Both use the present plan of the article.
type Sides struct {
	A, B        *dataset.Dataset
	Experiments []string // the experiments to compare; if empty, all
	// From and To are the revisions of the sides if A and B are the same dataset, else empty.
	From, To string
}

// partner returns the cell of b that is compared with a, or nil.
func (s *Sides) partner(a *dataset.Cell, b *dataset.Experiment) *dataset.Cell {
	isPartner := func(o *dataset.Cell) bool { return o.Trial.Name == a.Trial.Name }
	if s.From != "" {
		if !isOfRevision(a, s.From) {
			return nil
		}
		name := withoutRevision(a)
		isPartner = func(o *dataset.Cell) bool { return isOfRevision(o, s.To) && withoutRevision(o) == name }
	}
	partner, _ := slice.Find(b.Cells, isPartner)
	return partner
}

// names returns the name of a's trial that both sides share, and the cell's name for readers.
func (s *Sides) names(a *dataset.Cell) (trial, cell string) {
	if s.From == "" {
		return a.Trial.Name, a.Name()
	}
	others := slice.Map(a.Trial.Parameters, func(p record.Parameter) string { return p.Name })
	if others = slices.DeleteFunc(others, func(name string) bool { return name == plan.RevisionAxis }); len(others) == 0 {
		return a.Experiment.Plan.Name, a.Experiment.Plan.Name
	}
	return withoutRevision(a), a.Name(others...)
}

func isOfRevision(c *dataset.Cell, revision string) bool {
	return slices.Contains(c.Trial.Parameters, record.Parameter{Name: plan.RevisionAxis, Value: revision})
}

func withoutRevision(c *dataset.Cell) string {
	return plan.WithoutAxis(c.Trial.Parameters, plan.RevisionAxis)
}

// ChangeOptions select metrics and hosts.
type ChangeOptions struct {
	Metrics     []string // metrics to compare; if empty, the key metrics of each experiment
	Gate        *Gate    // condition of --fail-on, whose metric is compared too; may be nil
	Prove       float64  // slowdown for proofs, such as 0.1; 0 means no proofs
	AcrossHosts bool     // compare hosts that differ in processor or cores, and mark the numbers
}

// SetFailOn reads a condition, such as "throughput < -5%".
func (o *ChangeOptions) SetFailOn(text string) (err error) {
	if o.Gate, err = NewGate(text); err != nil {
		return fmt.Errorf("--fail-on %q: %w", text, err)
	}
	return nil
}

// SetProve reads a slowdown in percent, such as 10%.
func (o *ChangeOptions) SetProve(text string) error {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !isPercent || !(percent > 0 && percent < 100) {
		return fmt.Errorf("--prove %q: write a slowdown in percent, such as 10%%", text)
	}
	o.Prove = percent / 100
	return nil
}

// named returns the metrics that the user named, including the gate's.
func (o ChangeOptions) named() []string {
	if o.Gate == nil {
		return o.Metrics
	}
	return slices.Concat(o.Metrics, []string{o.Gate.Metric})
}

// A Change is the change of one metric of one cell from A to B.
type Change struct {
	Article string        // slug
	A, B    *dataset.Cell // the same trial on each side
	Trial   string        // name of the trial that both sides share
	Name    string        // name of the cell for readers
	Metric  record.Metric
	ResultA dataset.Result
	ResultB dataset.Result
	// Effect is B/A - 1 of the centres, or B - A if Points. Its 95 % interval is widened by Floor. It is nil if the sides
	// cannot be compared.
	Effect     *dataset.Quantity
	Points     bool        // Effect is B - A in the metric's unit, because failures may be zero
	P          float64     // p-value of no change beyond Floor and smallest effect, corrected; 1 without a test
	Floor      float64     // the larger noise floor of both sides
	HasFloor   bool        // Floor was measured on at least one side
	Verdict    stats.Shift // judged together with all cells of the metric
	Reason     string      // why the numbers are not comparable, or why no difference is shown
	Unchanged  bool        // both sides are the same repetitions
	Marks      []string    // sentences for readers
	Refused    bool        // both sides have numbers, but Reason forbids comparing them
	mayCompare bool        // both sides have numbers that may be compared
	looks      int         // the larger number of looks of the sides
}

// ExperimentName returns ARTICLE#EXPERIMENT, as on the command line.
func (c *Change) ExperimentName() string { return c.Article + "#" + c.A.Experiment.Plan.Name }

// CellName returns ARTICLE#EXPERIMENT and the name of the trial.
func (c *Change) CellName() string { return c.ExperimentName() + " " + c.Trial }

// Compare returns the changes of all cells that both sides plan, in the order of sides, experiments, metrics and cells,
// and the proofs that the options ask for. It is an error if the options name a metric that no experiment has.
//
// Verdicts are corrected for the number of cells of a metric over all sides. Better and worse mean a change beyond the
// noise floor and the smallest effect. Failures, which may be zero, differ if the intervals of both sides do not
// overlap. Numbers are not compared if samples have different meanings, or hosts a different processor or number of
// cores.
//
// Source: docs/method.md#ratios, docs/method.md#claims-as-regions, docs/method.md#several-comparisons,
// docs/method.md#number-of-looks, docs/method.md#the-noise-floor and
// docs/validity.md#checks.
func Compare(sides []Sides, o ChangeOptions) (changes []*Change, proofs []Proof, err error) {
	found := map[string]bool{} // metrics by name
	var planted []*Change
	for _, s := range sides {
		for _, e := range s.A.Experiments {
			other, ok := s.B.Experiment(e.Plan.Name)
			if !ok || len(s.Experiments) > 0 && !slices.Contains(s.Experiments, e.Plan.Name) {
				continue
			}
			for _, m := range metricsOf(e, other, o) {
				found[m.Name] = true
				for _, a := range e.Cells {
					if b := s.partner(a, other); b != nil {
						changes = append(changes, s.newChange(a, b, m, o))
					}
				}
			}
			planted = append(planted, s.planted(e, o)...)
		}
	}
	for _, name := range o.named() {
		if !found[name] {
			return nil, nil, unknownMetric(sides, name)
		}
	}
	byMetric := map[string][]*Change{}
	for _, c := range changes {
		byMetric[c.Metric.Name] = append(byMetric[c.Metric.Name], c)
	}
	for _, together := range byMetric {
		judgeTogether(together)
	}
	return changes, slice.Map(planted, func(c *Change) Proof { return newProof(c, byMetric[c.Metric.Name], o.Gate) }), nil
}

// unknownMetric returns the error for a metric that no experiment has, with a suggestion.
func unknownMetric(sides []Sides, name string) error {
	hint := ""
	for _, s := range sides {
		for _, e := range s.A.Experiments {
			if h := e.SuggestMetric(name); hint == "" || dataset.IsSuggestion(h) && !dataset.IsSuggestion(hint) {
				hint = h
			}
		}
	}
	return fmt.Errorf("no metric %q in what is compared: %s", name, hint)
}

func metricsOf(a, b *dataset.Experiment, o ChangeOptions) []record.Metric {
	var out []record.Metric
	add := func(m record.Metric) {
		if !slices.ContainsFunc(out, func(o record.Metric) bool { return o.Name == m.Name }) {
			out = append(out, m)
		}
	}
	if len(o.Metrics) == 0 {
		for _, m := range slices.Concat(a.KeyMetrics(), b.KeyMetrics()) {
			if !dataset.IsUnmeasured(m.Name, slices.Concat(a.Cells, b.Cells)) {
				add(m)
			}
		}
	}
	for _, name := range o.named() {
		m, ok := a.Metric(name)
		_, known := record.LookupMetric(name)
		// A program may print any metric, so one that neither side printed is unknown.
		if ok && (!a.Measured.Command || known || a.Has(name) || b.Has(name)) {
			add(m)
		}
	}
	return out
}

// newChange returns a Change with the numbers of both sides and whether they may be compared, but without a verdict.
func (s *Sides) newChange(a, b *dataset.Cell, m record.Metric, o ChangeOptions) *Change {
	c := &Change{Article: s.A.Doc.Slug, A: a, B: b, Metric: m, ResultA: a.Metric(m.Name), ResultB: b.Metric(m.Name), P: 1,
		Points: record.CountsFailures(m.Name), Verdict: stats.NotComparable, looks: 1}
	c.Trial, c.Name = s.names(a)
	if c.ResultA.Metric.Unit == "" {
		c.Metric.Unit = c.ResultB.Metric.Unit
	}
	if a.IsGivenByRate(m.Name) && b.IsGivenByRate(m.Name) {
		c.Metric.Better = "" // the article set the rate, so it is not a result
	}
	c.mark()
	refusal, marks := refused(a, b, o.AcrossHosts)
	c.Marks = append(c.Marks, marks...)
	missing := strings.Join(bySide([]string{c.ResultA.Missing}, []string{c.ResultB.Missing}), "; ")
	unitA, unitB := c.ResultA.Metric.Unit, c.ResultB.Metric.Unit
	switch {
	case sameRepetitions(a, b):
		c.Unchanged, c.Reason, c.Marks = true, "both sides are the same repetitions", nil
	case missing != "":
		c.Reason = missing
	case refusal != "":
		c.Refused, c.Reason = true, refusal
	case unitA != unitB:
		c.Reason = fmt.Sprintf("A is in %s and B in %s", unitA, unitB)
	default:
		c.mayCompare = true
	}
	return c
}

// mark sets the marks, the noise floor and the looks from both sides.
func (c *Change) mark() {
	cells := []*dataset.Cell{c.A, c.B}
	isSearched := record.IsSearched(c.Metric.Name)
	hasFloor := !isSearched && !c.Points && len(c.A.Records) > 0 && len(c.B.Records) > 0
	var marks [2][]string
	for i, result := range []dataset.Result{c.ResultA, c.ResultB} {
		side := cells[i]
		if side.State == dataset.Stale || side.State == dataset.Partial {
			marks[i] = append(marks[i], side.State.String())
		}
		marks[i] = append(marks[i], result.Marks...)
		if !hasFloor {
			continue
		}
		f, mark := side.Experiment.Floor(c.Metric.Name, side)
		c.Floor, c.HasFloor = max(c.Floor, f), c.HasFloor || mark != dataset.MarkNoFloor
		marks[i] = append(marks[i], mark)
	}
	c.Marks = bySide(marks[0], marks[1])
	if !isSearched {
		c.looks = dataset.LookCount(cells)
	}
	if record.IsTime(c.Metric.Name) && dataset.LoadsDiffer(cells, stats.DefaultSmallestEffect) {
		c.Marks = append(c.Marks, dataset.MarkLoads)
	}
}

var sideNames = []string{"A", "B"}

// bySide puts the name of its side before each mark, and "A and B" before common marks. It drops empty marks.
func bySide(a, b []string) (out []string) {
	hasNoFloor := false // on both sides
	for _, mark := range slice.Add(slices.Clip(a), b...) {
		isOfA, isOfB := slices.Contains(a, mark), slices.Contains(b, mark)
		switch {
		case mark == "":
		case !isOfB:
			out = append(out, "A: "+mark)
		case !isOfA:
			out = append(out, "B: "+mark)
		case mark == dataset.MarkNoFloor:
			hasNoFloor = true
		default:
			out = append(out, "A and B: "+mark)
		}
	}
	if hasNoFloor {
		out = append(out, dataset.MarkNoFloor)
	}
	return out
}

func sameRepetitions(a, b *dataset.Cell) bool {
	return len(a.Records) > 0 && slices.EqualFunc(a.Records, b.Records, func(x, y *record.Record) bool {
		return x.Run == y.Run && x.Key == y.Key && x.Repetition == y.Repetition && x.Host == y.Host &&
			x.Profile == y.Profile && x.Started.Equal(y.Started)
	})
}

// refused returns why numbers of two cells must not be compared, or the marks of their comparison.
func refused(a, b *dataset.Cell, acrossHosts bool) (why string, marks []string) {
	if len(a.Records) == 0 || len(b.Records) == 0 {
		return "", nil
	}
	ra, rb := a.Records[0], b.Records[0]
	if x, y := semanticsOf(ra), semanticsOf(rb); x != y {
		return fmt.Sprintf("what samples mean has changed: version %s in A, %s in B", cmp.Or(x, "unknown"),
			cmp.Or(y, "unknown")), nil
	}
	if ra.Host != rb.Host {
		if why = unlike(ra, rb); why != "" && !acrossHosts {
			return why, nil
		}
		marks = append(marks, cmp.Or(why, "different hosts of the same processor and cores"))
	}
	if x, y := ra.Facts["engine.name"], rb.Facts["engine.name"]; x != y && x != "" && y != "" {
		marks = append(marks, fmt.Sprintf("different engines: %s in A, %s in B", x, y))
	}
	if why == "" {
		marks = append(marks, conditions(ra.Facts, rb.Facts)...)
	}
	return "", marks
}

// conditions returns how the conditions of two records differ, including machine speeds that differ by more than 5 %.
//
// Source: docs/method.md#hosts.
func conditions(a, b map[string]string) (out []string) {
	for _, fact := range record.OtherConditions(a, b) {
		if strings.HasPrefix(fact, "engine.") && a["engine.name"] != b["engine.name"] { // the caller adds a mark for it
			continue
		}
		words := "different " + record.ConditionName(fact)
		if x, y := cmp.Or(a[fact], "unknown"), cmp.Or(b[fact], "unknown"); len(x)+len(y) < 50 {
			words += fmt.Sprintf(": %s in A, %s in B", x, y)
		}
		out = append(out, words)
	}
	for _, speed := range []string{"calls", "switches", "copied", "integer"} {
		var x, y float64
		_, _ = fmt.Sscanf(a["host.speed."+speed], "%g", &x) // 0 without the fact
		_, _ = fmt.Sscanf(b["host.speed."+speed], "%g", &y)
		if x > 0 && y > 0 && math.Abs(y/x-1) > 0.05 {
			out = append(out, fmt.Sprintf("host.speed.%s %.2f times as high in B", speed, y/x))
		}
	}
	return out
}

func semanticsOf(r *record.Record) string {
	in, _ := slice.Find(r.Inputs, func(in record.Input) bool { return in.Name == "semantics" })
	return in.Digest
}

// unlike says how the hosts of two records differ in processor or cores; empty if they do not.
func unlike(a, b *record.Record) string {
	for _, f := range []struct{ fact, name string }{{"host.cpu", "processors"}, {"host.cores", "cores"}} {
		x, y := ofMachines(a, f.fact), ofMachines(b, f.fact)
		switch {
		case x == "" || y == "":
			return fmt.Sprintf("the hosts differ, %s in A and %s in B, and the records do not say how", a.Host, b.Host)
		case x != y:
			return fmt.Sprintf("the hosts have different %s: %s in A, %s in B", f.name, x, y)
		}
	}
	return ""
}

// ofMachines lists the values of a fact for all machines of a record, ordered by name; empty if none has it.
func ofMachines(r *record.Record, fact string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		if withoutNode(name) != fact {
			continue
		}
		words := r.Facts[name]
		if node := strings.TrimSuffix(strings.TrimPrefix(name, "hosts."), "."+fact); name != fact {
			words += " on host " + node
		}
		all = append(all, words)
	}
	return strings.Join(all, ", ")
}
