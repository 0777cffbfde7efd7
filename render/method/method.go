// Package method says, from the records, how the experiments of an article were measured.
package method

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

// View is the method section in the template.
type View struct {
	Lead        string
	Facts       []factView // that all experiments have in common
	Experiments []experimentView
	Cite        string
}

type Writer struct {
	Dataset *dataset.Dataset
	Origin  cellview.Origin                      // of all that is shown
	Shown   func(e *dataset.Experiment) []string // the metrics of an experiment that the page shows
}

type experimentView struct {
	Name, Summary string
	Facts         []factView
	Failures      []failureView
	Checks        []checkView
}

type (
	factView struct {
		Name  string
		Texts []string
	}
	failureView struct{ Sentence, Log string }
	checkView   struct {
		Name, Level string
		Found       []foundView
	}
	foundView struct{ Cells, Words string }
)

// View describes how the article was measured. The title is plain text.
func (w *Writer) View(title string) View {
	v := View{Lead: "Generated from the records."}
	if list := substitutes(w.Dataset); len(list) > 0 {
		v.Lead += " No registry was reachable: " + strings.Join(list, "; ") + "."
	}
	if w.Origin.Measured == 0 {
		v.Lead = "Nothing has been measured yet. This is what a run would do."
	}
	for _, e := range w.Dataset.Experiments {
		v.Experiments = append(v.Experiments, w.experiment(e))
	}
	v.shareFacts()
	v.Cite = fmt.Sprintf("Cite as: benchbook, “%s”", title)
	if o := w.Origin; o.Measured > 0 {
		v.Cite += ", run " + strings.Join(o.Runs, ", ") + ", " + wording.LongDate(o.Last)
	}
	v.Cite += ". Rebuild this page from its records with"
	return v
}

// shareFacts states once what holds for all experiments.
func (v *View) shareFacts() {
	if len(v.Experiments) < 2 {
		return
	}
	isSame := func(f factView) bool {
		return !slices.ContainsFunc(v.Experiments, func(e experimentView) bool {
			return !slices.ContainsFunc(e.Facts, f.equals)
		})
	}
	v.Facts = slice.Filter(v.Experiments[0].Facts, isSame)
	for i := range v.Experiments {
		e := &v.Experiments[i]
		e.Facts = slices.DeleteFunc(e.Facts, func(f factView) bool { return slices.ContainsFunc(v.Facts, f.equals) })
	}
}

func (f factView) equals(g factView) bool { return f.Name == g.Name && slices.Equal(f.Texts, g.Texts) }

func (w *Writer) experiment(e *dataset.Experiment) experimentView {
	v := experimentView{Name: e.Plan.Name}
	if e.Plan.Skipped != "" {
		v.Summary = "left out"
		v.Facts = []factView{{"Left out", []string{wording.Sentence(e.Plan.Skipped)}}}
		return v
	}
	o := cellview.OriginOf(e.Cells)
	valid := cellview.OriginOf(e.Cells, w.Shown(e)...)
	v.Summary = wording.Count(len(e.Cells), "cell") + ", " + o.Repetitions()
	records := dataset.RecordsOf(e.Cells)
	add := func(name string, texts ...string) {
		if texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" }); len(texts) > 0 {
			v.Facts = append(v.Facts, factView{name, texts})
		}
	}
	add("Host", w.hostLines(records)...)
	add("CPUs", coresLine(records), common(records, "placement.hosts"))
	add("Repetitions", repetitionsLine(e, o, valid))
	add("Noise floor", w.floorLine(e))
	add("Failed", failedLine(records))
	if o.Measured > 0 {
		add("Time", wording.Lasting(o.Took))
		add("Measured", o.Where())
	}
	add("Limited by", limitedLine(e))
	add("Checks", passedLine(e))
	// Numbers of other load generators are not read without it.
	add("Tool", slice.Map(factsOf(records, toolNote), wording.Sentence)...)
	for _, cell := range dataset.OnePerTrial(e.Cells) {
		for _, f := range Failures(cell) {
			v.Failures = append(v.Failures, failureView{cell.Name() + ", " + f.Which + ": " + f.Words + ".", f.Log})
		}
	}
	v.Checks = checkViews(e)
	return v
}

// mostFound is how many findings of a check are shown.
const mostFound = 3

// checkViews lists findings and checks that could not run, and groups cells with the same words.
func checkViews(e *dataset.Experiment) []checkView {
	var out []checkView
	cells := map[string][]string{} // by check, level and words
	add := func(cell string, check validity.CheckResult) {
		level := check.Level.String()
		i := slices.IndexFunc(out, func(v checkView) bool { return v.Name == check.Name && v.Level == level })
		if i < 0 {
			i = len(out)
			out = append(out, checkView{Name: check.Name, Level: level})
		}
		key := check.Name + level + check.Words
		if cells[key] == nil {
			out[i].Found = append(out[i].Found, foundView{key, check.Words})
		}
		cells[key] = append(cells[key], cell)
	}
	for _, unchecked := range []bool{false, true} { // what was found comes first
		for _, cell := range e.Cells {
			for _, check := range cell.Validity().Checks() {
				if check.Level != validity.OK && (check.Level == validity.NotChecked) == unchecked {
					add(cell.Name(), check)
				}
			}
		}
	}
	if check, ok := validity.SharedCores(dataset.RecordsOf(e.Cells)); ok && check.Level != validity.OK {
		add("all cells", check)
	}
	for i := range out {
		out[i].finish(cells, len(e.Cells))
	}
	return out
}

// finish names the cells of findings, whose names are keys of cells, and shortens the list of findings.
func (v *checkView) finish(cells map[string][]string, all int) {
	for i, f := range v.Found {
		if v.Found[i].Cells = strings.Join(cells[f.Cells], "; "); len(cells[f.Cells]) == all && all > 1 {
			v.Found[i].Cells = "all cells"
		}
	}
	if more := len(v.Found) - mostFound; more > 1 {
		v.Found = append(v.Found[:mostFound], foundView{Words: fmt.Sprintf("and %d more like these", more)})
	}
}

// limitedLine counts the cells by what limited them: docs/method.md#limiting-resource.
func limitedLine(e *dataset.Experiment) string {
	type limit struct {
		by     string
		cells  int
		lo, hi float64 // how far it was used
	}
	var limits []limit
	known := 0
	for _, cell := range e.Cells {
		l := cell.Validity().LimitedBy()
		if len(l.Resources) == 0 {
			continue
		}
		known++
		by := cmp.Or(l.By, wording.NothingFull)
		i := slices.IndexFunc(limits, func(k limit) bool { return k.by == by })
		if i < 0 {
			i, limits = len(limits), append(limits, limit{by: by, lo: math.Inf(1)})
		}
		limits[i].cells++
		for _, r := range l.Resources {
			if r.Name == l.By {
				limits[i].lo, limits[i].hi = min(limits[i].lo, r.Share), max(limits[i].hi, r.Share)
			}
		}
	}
	return strings.Join(slice.Map(limits, func(l limit) string {
		words := fmt.Sprintf("%s in %d of %s", l.by, l.cells, wording.Count(known, "cell"))
		if l.hi > 0 {
			used := wording.PercentUnit.Number(l.hi, 0)
			if lowest := wording.PercentUnit.Number(l.lo, 0); lowest != used {
				used = lowest + "–" + used
			}
			words += " (" + used + "\u202f%)"
		}
		return words
	}), "; ")
}

// passedLine counts the validity checks that all cells passed, and names the others.
func passedLine(e *dataset.Experiment) string {
	var names []string
	asked, passed := map[string]int{}, map[string]int{}
	for _, cell := range e.Cells {
		for _, check := range cell.Validity().Checks() {
			names = slice.Add(names, check.Name)
			if asked[check.Name]++; check.Level == validity.OK {
				passed[check.Name]++
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	isPassed := func(name string) bool { return passed[name] == asked[name] }
	words := fmt.Sprintf("all cells passed %d of %s", slice.Count(names, isPassed), wording.Count(len(names), "check"))
	for i, name := range slices.DeleteFunc(names, isPassed) {
		before := ", "
		if i == 0 {
			before = "; "
		}
		words += fmt.Sprintf("%s%s %d of %d", before, name, passed[name], asked[name])
	}
	return words
}

// common returns the values of a fact, joined if records differ.
func common(records []*record.Record, fact string) string {
	return strings.Join(factsOf(records, fact), " or ")
}

// factsOf returns the distinct values of a fact.
func factsOf(records []*record.Record, fact string) []string {
	var values []string
	for _, r := range records {
		if v := r.Facts[fact]; v != "" {
			values = slice.Add(values, v)
		}
	}
	return values
}

// hostLines describe the host of the records, and the others that took part.
func (w *Writer) hostLines(records []*record.Record) []string {
	if len(records) == 0 {
		return nil
	}
	lines := []string{strings.TrimSuffix(w.Dataset.Host+", "+hostFacts("", records), ", ")}
	for _, host := range otherHosts(records) {
		lines = append(lines, host+": "+hostFacts("hosts."+host+".", records))
	}
	return lines
}

// otherHosts returns the hosts other than the one the run was started on, sorted.
func otherHosts(records []*record.Record) []string {
	var hosts []string
	for _, r := range records {
		for fact := range r.Facts {
			rest, ok := strings.CutPrefix(fact, "hosts.")
			host, isCPU := strings.CutSuffix(rest, ".host.cpu")
			if ok && isCPU {
				hosts = slice.Add(hosts, host)
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

// hostFacts describes a machine by the facts with a prefix.
func hostFacts(prefix string, records []*record.Record) string {
	var words []string
	for _, fact := range []struct{ name, before, after string }{{"cpu", "", ""}, {"cores", "", " cores"},
		{"memory", "", ""},
		{"kernel", "Linux ", ""}, {"governor", "governor ", ""}, {"virtual", "virtual (", ")"}} {
		if v := common(records, prefix+"host."+fact.name); v != "" {
			words = append(words, fact.before+v+fact.after)
		}
	}
	return strings.Join(words, ", ")
}

// onHosts reports whether a record may span several machines.
func onHosts(r *record.Record) bool { return r.Facts["placement.hosts"] != "" }

func coresLine(records []*record.Record) string {
	services, load := common(records, "placement.services"), common(records, "placement.load")
	switch {
	case services == "" && load == "":
		return ""
	case services == load && !slices.ContainsFunc(records, onHosts): // on two machines the same numbers are other CPUs
		return "services and load share " + load
	case services == "":
		return "load " + load
	case load == "":
		return "services " + services
	}
	return "services " + services + ", load " + load
}

// repetitionsLine counts the repetitions, and those behind the numbers shown.
func repetitionsLine(e *dataset.Experiment, o, valid cellview.Origin) string {
	if slices.ContainsFunc(e.Plan.Trials, func(t *plan.Trial) bool { return t.Capacity != nil }) {
		return "none: each cell has one capacity search, on services that are started fresh for each probe" + probesAgain(e)
	}
	planned := wording.Count(e.Plan.Most(), "repetition")
	if e.Plan.Most() > e.Plan.Least() {
		planned = fmt.Sprintf("%d to %s", e.Plan.Least(), planned)
	}
	if o.Measured == 0 {
		return planned + " per cell planned; " + startsWords(e)
	}
	words := o.Repetitions() + " per measured cell, " + planned + " planned"
	if looks := dataset.LookCount(e.Cells); looks > 1 {
		words += "; cells went on until the claims about them were decided, so claims are judged " + dataset.LookWords(looks)
	}
	if n := e.MeasuredAgain(); n > 0 {
		words += "; " + wording.Count(n, "repetition") + " re-run because of background load"
	}
	words += probesAgain(e)
	switch {
	case valid.Without != "":
		words += "; " + valid.Without
	case valid.Low != o.Low || valid.High != o.High:
		words += ", numbers of " + valid.Repetitions()
	}
	return words + "; " + startsWords(e)
}

// startsWords says how often services are started.
func startsWords(e *dataset.Experiment) string {
	words := "services are started fresh for each"
	if shared := e.Plan.Shared; len(shared) > 0 {
		words += ", except those that all repetitions share: " + strings.Join(shared, ", ")
	}
	if e.Plan.Cold {
		words += "; the page cache of the machine is dropped before each measurement"
	}
	return words
}

func probesAgain(e *dataset.Experiment) string {
	if n := e.ProbesAgain(); n > 0 {
		return "; " + wording.Count(n, "probe") + " of searches repeated because of background load"
	}
	return ""
}

func (w *Writer) floorLine(e *dataset.Experiment) string {
	if w.Origin.Measured == 0 {
		return ""
	}
	var words, floors, reasons []string
	unknown := map[string][]string{} // metrics by the reason
	for _, name := range w.Shown(e) {
		f := w.Dataset.Floor(name)
		if f.Missing == "" {
			floors = append(floors, name+" "+wording.Percent(f.F))
		}
		p, missing := e.Pair(name)
		switch {
		case missing == "":
			words = append(words, name+" "+wording.Percent(math.Expm1(p.D)))
			continue
		case missing == dataset.NoPair && f.Missing != "":
			return "not measured: " + missing
		case missing == dataset.NoPair || !mayHaveFloor(name, e):
			continue
		case unknown[missing] == nil:
			reasons = append(reasons, missing)
		}
		unknown[missing] = append(unknown[missing], name)
	}
	var parts []string
	if len(words) > 0 {
		parts = append(parts, "the A/A pair differs by: "+strings.Join(words, ", "))
		if !e.PairIsTogether() {
			parts = append(parts, "not measured together: the pair is from different runs")
		}
	}
	if len(floors) > 0 {
		parts = append(parts, "noise floor of the article: "+strings.Join(floors, ", "))
	}
	for _, why := range reasons {
		parts = append(parts, "unknown for "+wording.List(unknown[why])+" ("+why+")")
	}
	return strings.Join(parts, "; ")
}

// mayHaveFloor reports whether a name is of a metric whose values have a ratio.
func mayHaveFloor(name string, e *dataset.Experiment) bool {
	_, isMetric := cellview.MetricOf(name, e.Cells)
	return isMetric && !record.IsSearched(name) && !record.CountsFailures(name)
}

func failedLine(records []*record.Record) string {
	if len(records) == 0 {
		return ""
	}
	failed := slice.Count(records, func(r *record.Record) bool { return r.Failure != "" })
	return fmt.Sprintf("%d of %s", failed, wording.Count(len(records), "repetition"))
}

// Failure is a failure of some repetitions of a cell, with the end of a log.
type Failure struct{ Which, Words, Log string }

// Failures returns the distinct failures of a cell, each with the first log.
func Failures(cell *dataset.Cell) (out []Failure) {
	repetitions := map[string][]string{}
	for _, r := range cell.Records {
		if r.Failure == "" {
			continue
		}
		if repetitions[r.Failure] == nil {
			out = append(out, Failure{r.Failure, strings.TrimSuffix(r.Failure, "."), r.Log})
		}
		repetitions[r.Failure] = append(repetitions[r.Failure], strconv.Itoa(r.Repetition))
	}
	for i, f := range out {
		list := repetitions[f.Which]
		switch n := len(list); {
		case n == 1:
			out[i].Which = "repetition " + list[0]
		case n == len(cell.Records):
			out[i].Which = fmt.Sprintf("all %d repetitions", n)
		default:
			out[i].Which = "repetitions " + wording.List(list)
		}
	}
	return out
}

// toolNote is the fact that says what to know of the numbers of another load generator.
const toolNote = "tool.note"

// substitutes lists base images that were replaced.
func substitutes(d *dataset.Dataset) []string {
	var out []string
	for _, r := range Records(d) {
		for fact, v := range r.Facts {
			if strings.HasPrefix(fact, record.FactBase) && strings.Contains(v, record.ReplacedBy) {
				for _, base := range strings.Split(v, "; ") {
					if from, to, ok := strings.Cut(base, record.ReplacedBy); ok {
						out = append(out, from+" is replaced by "+strings.Fields(to + " –")[0])
					}
				}
			}
		}
	}
	return cellview.SortedSet(out)
}

// Records returns all records behind a page, with the A/A copies.
func Records(d *dataset.Dataset) []*record.Record {
	var out []*record.Record
	for _, e := range d.Experiments {
		out = append(out, dataset.RecordsOf(e.AllCells())...)
	}
	return out
}
