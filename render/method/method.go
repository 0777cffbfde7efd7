// Package method describes how the experiments of an article were measured, from the records.
package method

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// View is the method section in the template.
type View struct {
	Lead        string
	Facts       []factView // common to all experiments
	Experiments []experimentView
	Cite        string
}

type Writer struct {
	Dataset *dataset.Dataset
	Origin  cellview.Origin                      // of all cells
	Shown   func(e *dataset.Experiment) []string // returns the metrics of an experiment that the page shows
}

type experimentView struct {
	Name, Summary string
	Facts         []factView
	Failures      []Failure
	Checks        []checkView
}

type (
	factView struct {
		Name  string
		Texts []string
	}
	checkView struct {
		Name, Level string
		Found       []foundView
	}
	foundView struct{ Cells, Words string }
)

// View describes how the article was measured. title is plain text.
func (w *Writer) View(title string) View {
	v := View{Lead: "Generated from the records."}
	if slices.ContainsFunc(w.Dataset.Experiments, hasServices) {
		v.Lead += " Services are started fresh for each repetition, unless a row says otherwise."
	}
	if list := substitutes(w.Dataset); len(list) > 0 {
		v.Lead += " No registry was reachable: " + strings.Join(list, "; ") + "."
	}
	if w.Origin.Measured == 0 {
		v.Lead = "Nothing has been measured yet. This is what a run would do."
	}
	v.Experiments = slice.Map(w.Dataset.Experiments, w.experiment)
	v.shareFacts()
	v.Cite = fmt.Sprintf("Cite as: benchbook, “%s”", title)
	if o := w.Origin; o.Measured > 0 {
		v.Cite += ", run " + strings.Join(o.Runs, ", ") + ", " + wording.LongDate(o.Last)
	}
	v.Cite += ". Rebuild this page from its records with"
	return v
}

// shareFacts moves facts that all experiments share to the view, and the CPUs if most share them.
func (v *View) shareFacts() {
	if len(v.Experiments) < 2 {
		return
	}
	shared := map[string]factView{} // by name, with the experiments' texts
	for _, e := range v.Experiments {
		for _, f := range e.Facts {
			count := slice.Count(v.Experiments, func(e experimentView) bool { return slices.ContainsFunc(e.Facts, f.equals) })
			isOfAll := count == len(v.Experiments)
			if _, known := shared[f.Name]; known || !isOfAll && (f.Name != cpus || 2*count <= len(v.Experiments)) {
				continue
			}
			shared[f.Name] = f
			if !isOfAll {
				f = factView{f.Name, append(slices.Clone(f.Texts), "unless an experiment says otherwise")}
			}
			v.Facts = append(v.Facts, f)
		}
	}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		e.Facts = slices.DeleteFunc(e.Facts, func(f factView) bool { return f.equals(shared[f.Name]) })
	}
}

// cpus names the fact about the CPUs of services and load.
const cpus = "CPUs"

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
	add(cpus, coresLine(records), common(records, "placement.hosts"))
	add("Repetitions", repetitionsLine(e, o, valid))
	add("Noise floor", w.floorLine(e))
	add("Failed", failedLine(records))
	if o.Measured > 0 {
		add("Time", wording.Lasting(o.Took))
		add("Measured", o.When())
	}
	add("Limited by", limitedLine(e))
	add("Checks", passedLine(e))
	// Notes of other load generators are needed to read their numbers.
	add("Tool", slice.Map(factsOf(records, "tool.note"), wording.Sentence)...)
	for _, cell := range dataset.OnePerTrial(e.Cells) {
		for _, f := range Failures(cell) {
			f.Which = cell.Name() + ", " + f.Which
			v.Failures = append(v.Failures, f)
		}
	}
	v.Checks = checkViews(e)
	return v
}

// mostFound limits the findings shown of a check.
const mostFound = 3

// checkViews lists the findings of checks, then the checks that could not run. Cells with the same words are together.
func checkViews(e *dataset.Experiment) (out []checkView) {
	cells := map[validity.CheckResult][]string{}
	var found, unchecked []validity.CheckResult
	for _, cell := range e.Cells {
		for _, check := range cell.Validity().Checks() {
			cells[check] = append(cells[check], cell.Name())
			switch check.Level {
			case validity.OK:
			case validity.NotChecked:
				unchecked = slice.Add(unchecked, check)
			default:
				found = slice.Add(found, check)
			}
		}
	}
	if check, ok := validity.SharedCores(dataset.RecordsOf(e.Cells)); ok && check.Level != validity.OK {
		unchecked = append(unchecked, check)
	}
	for _, check := range slices.Concat(found, unchecked) {
		level := check.Level.String()
		v := slice.FindOrAdd(&out, func(v checkView) bool { return v.Name == check.Name && v.Level == level },
			checkView{Name: check.Name, Level: level})
		which := strings.Join(cells[check], "; ")
		if n := len(cells[check]); n == 0 || n > 1 && n == len(e.Cells) {
			which = "all cells"
		}
		v.Found = append(v.Found, foundView{which, check.Words})
	}
	for i, v := range out {
		if more := len(v.Found) - mostFound; more > 1 {
			out[i].Found = append(v.Found[:mostFound], foundView{Words: fmt.Sprintf("and %d more like these", more)})
		}
	}
	return out
}

// limitedLine counts cells by what limited them: docs/method.md#limiting-resource.
func limitedLine(e *dataset.Experiment) string {
	var names []string
	cells, shares, known := map[string]int{}, map[string][]float64{}, 0 // shares are utilizations
	for _, cell := range e.Cells {
		l := cell.Validity().LimitedBy()
		if len(l.Resources) == 0 {
			continue
		}
		known++
		by := cmp.Or(l.By, wording.NothingFull)
		names = slice.Add(names, by)
		cells[by]++
		for _, r := range l.Resources {
			if r.Name == l.By {
				shares[by] = append(shares[by], r.Share)
			}
		}
	}
	return strings.Join(slice.Map(names, func(by string) string {
		words := fmt.Sprintf("%s in %d of %s", by, cells[by], wording.Count(known, "cell"))
		if used := shares[by]; len(used) > 0 {
			lo, hi := wording.PercentUnit.Number(slices.Min(used), 0), wording.PercentUnit.Number(slices.Max(used), 0)
			words += " (" + strings.Join(slices.Compact([]string{lo, hi}), "–") + "\u202f%)"
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
	others := slice.Map(slices.DeleteFunc(names, isPassed), func(name string) string {
		return fmt.Sprintf("%s %d of %d", name, passed[name], asked[name])
	})
	return strings.TrimSuffix(words+"; "+strings.Join(others, ", "), "; ")
}

// common returns the values of a fact, joined by "or" if records differ.
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

// hostLines describes the host of the records, and other hosts that took part.
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

// otherHosts returns the hosts that took part besides the one that the run was started on, sorted.
func otherHosts(records []*record.Record) (hosts []string) {
	for _, r := range records {
		for fact := range r.Facts {
			host, isCPU := strings.CutSuffix(fact, ".host.cpu")
			if host, ok := strings.CutPrefix(host, "hosts."); ok && isCPU {
				hosts = append(hosts, host)
			}
		}
	}
	return cellview.SortedSet(hosts)
}

// hostFacts describes a machine from the facts with a prefix.
func hostFacts(prefix string, records []*record.Record) string {
	var words []string
	for _, fact := range []struct{ name, before, after string }{{"cpu", "", ""}, {"cores", "", " cores"},
		{"memory", "", ""}, {"kernel", "Linux ", ""}, {"governor", "governor ", ""}, {"virtual", "virtual (", ")"}} {
		if v := common(records, prefix+"host."+fact.name); v != "" {
			words = append(words, fact.before+v+fact.after)
		}
	}
	return strings.Join(words, ", ")
}

func coresLine(records []*record.Record) string {
	services, load := common(records, "placement.services"), common(records, "placement.load")
	isOneMachine := common(records, "placement.hosts") == "" // on two machines, equal numbers are different CPUs
	if services != "" && services == load && isOneMachine {
		return "services and load share " + load
	}
	var words []string
	if services != "" {
		words = append(words, "services "+services)
	}
	if load != "" {
		words = append(words, "load "+load)
	}
	return strings.Join(words, ", ")
}

// repetitionsLine says how many repetitions were planned and measured, and how many the numbers rest on.
func repetitionsLine(e *dataset.Experiment, o, valid cellview.Origin) string {
	if slices.ContainsFunc(e.Plan.Trials, func(t *plan.Trial) bool { return t.Capacity != nil }) {
		return "none: each cell has one capacity search, on services that are started fresh for each probe" + probesAgain(e)
	}
	planned := wording.Count(e.Plan.Most(), "repetition")
	if e.Plan.Most() > e.Plan.Least() {
		planned = fmt.Sprintf("%d to %s", e.Plan.Least(), planned)
	}
	if o.Measured == 0 {
		return planned + " per cell planned" + startsWords(e)
	}
	if o.Low == o.High && o.Low == e.Plan.Least() && o.High == e.Plan.Most() {
		planned = "as"
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
	return words + startsWords(e)
}

func hasServices(e *dataset.Experiment) bool {
	return slices.ContainsFunc(e.Plan.Trials, func(t *plan.Trial) bool { return len(t.Services) > 0 })
}

// startsWords says which services all repetitions share, and whether the page cache is dropped before each.
func startsWords(e *dataset.Experiment) (words string) {
	if shared := e.Plan.Shared; len(shared) > 0 {
		words = "; all repetitions share the same " + strings.Join(shared, ", ")
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
		case missing == dataset.NoPair && f.Missing != "":
			return "not measured: " + missing
		case missing != dataset.NoPair && mayHaveFloor(name, e):
			reasons, unknown[missing] = slice.Add(reasons, missing), append(unknown[missing], name)
		}
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
		parts = append(parts, "unknown for "+phrase.List(unknown[why])+" ("+why+")")
	}
	return strings.Join(parts, "; ")
}

// mayHaveFloor reports whether a name is a metric with ratios, and so with a noise floor.
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

// Failure is a failure of some repetitions of a cell, with the end of the log.
type Failure struct{ Which, Words, Log string }

// Failures returns the distinct failures of a cell, each with the first log.
func Failures(cell *dataset.Cell) (out []Failure) {
	var repetitions [][]string // of each failure
	for _, r := range cell.Records {
		if r.Failure == "" {
			continue
		}
		words := strings.TrimSuffix(r.Failure, ".")
		i := slices.IndexFunc(out, func(f Failure) bool { return f.Words == words })
		if i < 0 {
			i, out, repetitions = len(out), append(out, Failure{Words: words, Log: r.Log}), append(repetitions, nil)
		}
		repetitions[i] = append(repetitions[i], strconv.Itoa(r.Repetition))
	}
	for i, list := range repetitions {
		switch n := len(list); {
		case n == 1:
			out[i].Which = "repetition " + list[0]
		case n == len(cell.Records):
			out[i].Which = fmt.Sprintf("all %d repetitions", n)
		default:
			out[i].Which = "repetitions " + phrase.List(list)
		}
	}
	return out
}

// substitutes lists the base images that were replaced, sorted.
func substitutes(d *dataset.Dataset) (out []string) {
	for _, e := range d.Experiments {
		for _, r := range dataset.RecordsOf(e.AllCells()) {
			for fact, v := range r.Facts {
				if !strings.HasPrefix(fact, record.FactBase) {
					continue
				}
				for base := range strings.SplitSeq(v, "; ") {
					if from, to, ok := strings.Cut(base, record.ReplacedBy); ok {
						out = append(out, from+" is replaced by "+strings.Fields(to + " –")[0])
					}
				}
			}
		}
	}
	return cellview.SortedSet(out)
}
