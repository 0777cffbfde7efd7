// Package method says, from the records, how the experiments of an article were measured.
package method

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/dataset"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

// View is the method section in the template.
type View struct {
	Lead        string
	Experiments []experimentView
	Images      []imageView
	Facts       []factView
	Values      []Value
	Cite, Slug  string
}

// Value is a row of the table of all values in the text.
type Value struct{ Text, Interval, Repetitions, From string }

type Writer struct {
	Dataset *dataset.Dataset
	Origin  cellview.Origin                      // of all that is shown
	Shown   func(e *dataset.Experiment) []string // the metrics of an experiment that the page shows
	Listing func(name, lines, language string, code []byte) template.HTML
}

type experimentView struct {
	Name, Summary string
	Facts         []factView
	Tools         template.HTML
	Failures      []failureView
	Checks        []checkView
}

type (
	factView struct {
		Name  string
		Texts []string
		Code  bool
	}
	imageView   struct{ Service, Image, Digest, Base string }
	failureView struct{ Sentence, Log string }
	checkView   struct {
		Name, Level string
		Found       []foundView
	}
	foundView struct{ Cells, Words string }
)

// View describes how the article was measured. The title is plain text; values are those in the text.
func (w *Writer) View(title string, values []Value) View {
	v := View{Lead: "Generated from the records.", Slug: w.Dataset.Doc.Slug, Values: values}
	if w.Origin.Measured == 0 {
		v.Lead = "Nothing has been measured yet. This is what a run would do."
	}
	for _, e := range w.Dataset.Experiments {
		v.Experiments = append(v.Experiments, w.experiment(e))
	}
	records := Records(w.Dataset)
	v.Images = images(records)
	v.Facts = sharedFacts(records)
	v.Cite = fmt.Sprintf("Cite as: benchbook, “%s”", title)
	if o := w.Origin; o.Measured > 0 {
		v.Cite += ", run " + strings.Join(o.Runs, ", ") + ", " + wording.LongDate(o.Last)
	}
	v.Cite += ". Rebuild this page from its records with"
	return v
}

func (w *Writer) experiment(e *dataset.Experiment) experimentView {
	v := experimentView{Name: e.Plan.Name}
	if e.Plan.Skipped != "" {
		v.Summary = "left out"
		v.Facts = []factView{{Name: "Left out", Texts: []string{wording.Sentence(e.Plan.Skipped)}}}
		return v
	}
	o := cellview.OriginOf(w.Dataset, e.Cells)
	valid := cellview.OriginOf(w.Dataset, e.Cells, w.Shown(e)...)
	v.Summary = wording.Count(len(e.Cells), "cell") + ", " + o.Repetitions()
	list := func(name string, code bool, texts ...string) {
		if texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" }); len(texts) > 0 {
			v.Facts = append(v.Facts, factView{name, texts, code})
		}
	}
	add := func(name, text string) { list(name, false, text) }
	records := slices.Concat(slice.Map(e.Cells, func(cell *dataset.Cell) []*record.Record { return cell.Records })...)
	add("What", e.Plan.Description)
	for _, fact := range w.machineFacts(records) {
		add(fact.Name, fact.Texts[0])
	}
	add("Cores", coresLine(records))
	add("Profile", w.Dataset.Profile)
	type key struct{ of *dataset.Experiment }
	definitions := dataset.Once(w.Dataset, key{e}, func() []cellview.Definition {
		return slice.Map(e.Cells, cellview.DefinitionOf)
	})
	list("Services", false, servicesOf(definitions)...)
	loads := loadsOf(definitions)
	var loadLines, checked []string
	for _, l := range loads {
		loadLines = append(loadLines, loadLine(l))
		checked = slice.Add(checked, answersLine(l))
	}
	list("Load", true, loadLines...)
	list("Answers", false, checked...)
	list("Command", true, commandsOf(definitions)...)
	list("Line", true, factsOf(records, toolLine)...)
	list("Tool", false, slice.Map(factsOf(records, toolNote), wording.Sentence)...)
	add("Order", orderLine(e, records))
	add("Repetitions", repetitionsLine(e, o, valid))
	add("Intervals", intervalsLine(e, records))
	add("Noise floor", w.floorLine(e))
	add("Failed", failedLine(records))
	if o.Measured > 0 {
		add("Took", wording.Lasting(o.Took)+efficiency(records)+", "+o.Where())
	}
	if other := w.othersLine(); other != "" {
		add("Also recorded", other)
	}
	lines, cannot := sameLoads(loads)
	if lines != "" {
		v.Tools = w.Listing("equivalent.sh",
			"approximate: of a server on this machine, without warm-up, and answers are not checked", "sh", []byte(lines))
	}
	add("wrk and ab", cannot)
	add("Machine before", beforeLine(records))
	add("Limited by", limitedLine(e))
	add("Checks", passedLine(e))
	for _, cell := range e.Cells {
		for _, f := range Failures(cell) {
			v.Failures = append(v.Failures, failureView{cell.Name() + ", " + f.Which + ": " + f.Words + ".", f.Log})
		}
	}
	v.Checks = checkViews(e)
	return v
}

func (w *Writer) machineFacts(records []*record.Record) []factView {
	var out []factView
	add := func(name, text string) { out = append(out, factView{Name: name, Texts: []string{text}}) }
	add("Host", hostLine(w.Dataset.Host, records))
	for _, host := range otherHosts(records) {
		add("Host "+host, hostFacts("hosts."+host+".", records))
	}
	add("Where", common(records, "placement.hosts"))
	add("Between hosts", common(records, "network.crossing"))
	return out
}

// checkViews lists findings and checks that could not run, and groups cells with the same words.
func checkViews(e *dataset.Experiment) []checkView {
	var out []checkView
	add := func(cell string, check validity.CheckResult) {
		level := check.Level.String()
		i := slices.IndexFunc(out, func(v checkView) bool { return v.Name == check.Name && v.Level == level })
		if i < 0 {
			i = len(out)
			out = append(out, checkView{Name: check.Name, Level: level})
		}
		found := &out[i].Found
		k := slices.IndexFunc(*found, func(f foundView) bool { return f.Words == check.Words })
		if k < 0 {
			*found = append(*found, foundView{cell, check.Words})
			return
		}
		(*found)[k].Cells += "; " + cell
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
	if check, ok := e.SharedCores(); ok && check.Level != validity.OK {
		add("all cells", check)
	}
	if len(e.Cells) > 1 {
		sayAllCells(out, e.Cells)
	}
	return out
}

// sayAllCells shortens a list of all cells to "all cells".
func sayAllCells(views []checkView, cells []*dataset.Cell) {
	names := slice.Map(cells, func(cell *dataset.Cell) string { return cell.Name() })
	all := strings.Join(names, "; ")
	for _, v := range views {
		for i := range v.Found {
			if v.Found[i].Cells == all {
				v.Found[i].Cells = "all cells"
			}
		}
	}
}

// limitedLine groups cells by what limited them: docs/method.md#limiting-resource.
func limitedLine(e *dataset.Experiment) string {
	var order []string
	cells := map[string][]string{}
	for _, cell := range e.Cells {
		l := cell.Validity().LimitedBy()
		if len(l.Resources) == 0 {
			continue
		}
		by := cmp.Or(l.By, wording.NothingFull)
		order = slice.Add(order, by)
		name := cell.Name()
		for _, r := range l.Resources {
			if r.Name == l.By {
				name += " (" + wording.PercentUnit.Quantity(r.Share, 0) + ")"
			}
		}
		cells[by] = append(cells[by], name)
	}
	out := slice.Map(order, func(by string) string { return by + ": " + strings.Join(cells[by], "; ") })
	return strings.Join(out, " · ")
}

// passedLine counts the cells that passed each validity check.
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
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("%s %d of %d", name, passed[name], asked[name]))
	}
	if len(out) == 0 {
		return ""
	}
	return "passed, of cells: " + strings.Join(out, ", ")
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

func hostLine(id string, records []*record.Record) string {
	if len(records) == 0 {
		return ""
	}
	if facts := hostFacts("", records); facts != "" {
		return id + ", " + facts
	}
	return id
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

// loadsOf returns the distinct loads of an experiment.
func loadsOf(definitions []cellview.Definition) []*spec.Load {
	var out []*spec.Load
	seen := map[string]bool{}
	for _, d := range definitions {
		l := d.Load
		if l != nil && !seen[loadLine(l)] {
			seen[loadLine(l)] = true
			out = append(out, l)
		}
	}
	return out
}

func commandsOf(definitions []cellview.Definition) []string {
	var out []string
	for _, d := range definitions {
		if d.Command != nil {
			out = slice.Add(out, shellLine(d.Command.Run))
		}
	}
	return out
}

// servicesOf describes the services of an experiment, each variant once.
func servicesOf(definitions []cellview.Definition) []string {
	var names []string
	ways := map[string][]string{}
	for _, d := range definitions {
		for _, s := range d.Services {
			names, ways[s.Name] = slice.Add(names, s.Name), slice.Add(ways[s.Name], serviceWords(s))
		}
	}
	var out []string
	for _, name := range names {
		const most = 3
		words := ways[name]
		if n := len(words); n > most {
			words = append(slices.Clone(words[:most-1]), fmt.Sprintf("and %d more variants, by cell", n-most+1))
		}
		out = append(out, name+": "+strings.Join(words, "; or "))
	}
	return out
}

// phrases are words that are said together; those that do not apply are left out.
type phrases []string

func (p *phrases) add(applies bool, words string) {
	if applies {
		*p = append(*p, words)
	}
}

func serviceWords(s *spec.Service) string {
	cores := " cores"
	if s.CPUs == 1 {
		cores = " core"
	}
	image := imageName(s.Image)
	var words phrases
	words.add(image != "", image)
	words.add(s.Image.Machine, "a process on the machine")
	words.add(s.Origin != nil, "an origin provided by benchbook")
	words.add(len(s.Command) > 0, shellLine(s.Command))
	words.add(s.Scale > 1, fmt.Sprintf("%d containers", s.Scale))
	words.add(s.CPUs > 0, "at most "+strconv.FormatFloat(s.CPUs, 'g', -1, 64)+cores)
	words.add(s.Memory > 0, "at most "+wording.UnitFor("B", false, float64(s.Memory)).Exact(float64(s.Memory)))
	if l := s.Link; l != nil && l.RTT > 0 {
		words.add(true, "a round trip of "+record.DefinitionDuration(l.RTT)+" away")
	}
	return strings.Join(words, ", ")
}

// loadLine describes a load in one line, with every number.
func loadLine(l *spec.Load) string {
	kind, keepalive := "closed", "off"
	if isOpen(l) {
		kind = "open"
	}
	if l.Keepalive {
		keepalive = "on"
	}
	var words phrases
	words.add(l.Tool != "", "tool="+l.Tool)
	if l.Driver != nil {
		words.add(true, "driver="+strconv.Quote(l.Driver.String()))
	}
	words.add(true, kind)
	words.add(l.Rate > 0, "rate="+rateWords(l.Rate))
	whose := " of the slowest cell of "
	if l.RateOwn {
		whose = " of the same cell of "
	}
	words.add(l.Rate <= 0 && l.RateShare > 0, "rate="+wording.PercentUnit.Exact(l.RateShare)+whose+l.RateOf)
	words.add(l.Arrivals != "", "arrivals="+l.Arrivals)
	words.add(true, "connections="+strconv.Itoa(l.Connections))
	words.add(l.Requests > 0, "requests="+strconv.Itoa(l.Requests))
	words.add(l.Requests > 0 && !l.Cut && l.Tool == "", "drain")
	words.add(l.Duration > 0, "for="+record.DefinitionDuration(l.Duration))
	words.add(l.Warmup > 0, "warmup="+record.DefinitionDuration(l.Warmup))
	words.add(l.Think > 0, "think="+record.DefinitionDuration(l.Think))
	words.add(true, "keepalive="+keepalive)
	words.add(true, "timeout="+record.DefinitionDuration(l.Timeout))
	words.add(l.Network != "", "network="+l.Network)
	words.add(l.Priority != "", "priority="+l.Priority)
	words.add(len(l.Targets) == 0, l.Method+" "+l.Target)
	for _, t := range l.Targets {
		words = append(words, t.Method, t.URL, "weight="+strconv.FormatFloat(t.Weight, 'g', -1, 64))
	}
	return strings.Join(words, " ")
}

func rateWords(rate float64) string { return strconv.FormatFloat(rate, 'f', -1, 64) + "/s" }

// isOpen reports whether requests are sent at a rate, regardless of answers.
func isOpen(l *spec.Load) bool {
	return l.Rate > 0 || l.RateShare > 0
}

// answersLine says which answers count as correct.
func answersLine(l *spec.Load) string {
	if l.Tool != "" {
		return ""
	}
	var words phrases
	words.add(len(l.Status) > 0, "status "+strings.Join(slice.Map(l.Status, strconv.Itoa), " or "))
	if l.Length != nil {
		words.add(true, fmt.Sprintf("%d bytes", *l.Length))
	}
	words.add(l.Contains != "", fmt.Sprintf("containing %q", l.Contains))
	words.add(l.Match != "", fmt.Sprintf("matching %q", l.Match))
	words.add(len(l.JSON) > 0, wording.Count(len(l.JSON), "field")+" of the JSON")
	words.add(len(l.WantHeaders) > 0, wording.Count(len(l.WantHeaders), "header"))
	if len(words) == 0 {
		return ""
	}
	text := "correct if " + wording.List(words)
	if l.CheckBefore {
		text += "; one answer is checked completely before timing"
	}
	if l.FailuresMax > 0 {
		text += "; up to " + wording.PercentUnit.Exact(l.FailuresMax) + " failures are accepted"
	}
	return text
}

// sameLoads returns command lines of wrk and ab for nearly the same loads, and why some loads have none.
func sameLoads(loads []*spec.Load) (lines, cannot string) {
	const most = 4
	var all, reasons []string
	for _, l := range loads {
		if l.Tool == "" && l.Driver == nil {
			line, why := equivalents(l)
			all, reasons = slice.Add(all, line), slice.Add(reasons, why)
		}
	}
	isEmpty := func(s string) bool { return s == "" }
	all, reasons = slices.DeleteFunc(all, isEmpty), slices.DeleteFunc(reasons, isEmpty)
	if n := len(all); n > most {
		all = append(all[:most], fmt.Sprintf("# and %d more, one for each load above", n-most))
	}
	return strings.Join(all, "\n"), strings.Join(reasons, "; ")
}

// equivalents returns command lines of wrk and ab for nearly the same load, or why they cannot produce it.
func equivalents(l *spec.Load) (lines, cannot string) {
	switch {
	case isOpen(l):
		return "", "cannot reproduce this load: they have no fixed rate"
	case l.Think > 0:
		return "", "cannot reproduce this load: they have no think time"
	case len(l.Targets) > 1:
		return "", "cannot reproduce this load: they take one target only"
	case l.Method != "GET" || l.Body != "":
		return "", "cannot reproduce this load in one line: its requests have a method or a body"
	}
	return toolLines(l), ""
}

func toolLines(l *spec.Load) string {
	var lines []string
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(l.Headers)) {
		headers = append(headers, "-H", name+": "+l.Headers[name])
	}
	seconds := strconv.Itoa(int(max(1, l.Duration.Round(time.Second)/time.Second)))
	connections := strconv.Itoa(l.Connections)
	if l.Requests == 0 {
		wrk := []string{"wrk", "-t", strconv.Itoa(max(1, l.Threads)), "-c", connections, "-d", seconds + "s", "--latency"}
		if !l.Keepalive {
			wrk = append(wrk, "-H", "Connection: close")
		}
		lines = append(lines, shellLine(append(append(wrk, headers...), onLocalhost(l.Target))))
	}
	ab := []string{"ab"}
	if l.Keepalive {
		ab = append(ab, "-k")
	}
	ab = append(ab, "-c", connections)
	if l.Duration > 0 {
		// -t sets -n to 50 000, so the number follows it.
		ab = append(ab, "-t", seconds)
	}
	const noLimit = 10_000_000
	ab = append(ab, "-n", strconv.Itoa(cmp.Or(l.Requests, noLimit)))
	return strings.Join(append(lines, shellLine(append(append(ab, headers...), onLocalhost(l.Target)))), "\n")
}

// onLocalhost is the address of a target on the reader's machine: the name of its service is one of containers alone.
func onLocalhost(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return target
	}
	if port := u.Port(); port != "" {
		u.Host = net.JoinHostPort("localhost", port)
	} else {
		u.Host = "localhost"
	}
	return u.String()
}

// shellLine quotes a command for a shell.
func shellLine(words []string) string {
	var out []string
	for _, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// orderLine describes the order of repetitions of each run, or the planned one without records.
func orderLine(e *dataset.Experiment, records []*record.Record) string {
	byRun := map[string][]*record.Record{}
	for _, r := range records {
		byRun[r.Run] = append(byRun[r.Run], r)
	}
	if len(byRun) == 0 {
		return orderWords(e.Plan.Blocks, e.Plan.Most(), e.Plan.Seed)
	}
	var out []string
	for _, run := range slices.Sorted(maps.Keys(byRun)) {
		list := byRun[run]
		rounds := 0
		for _, r := range list {
			rounds = max(rounds, r.Order.Round)
		}
		blocks := list[0].Facts[record.FactStart] != ""
		out = slice.Add(out, orderWords(blocks, rounds, list[0].Order.Seed))
	}
	return strings.Join(out, "; ")
}

func orderWords(blocks bool, rounds int, seed int64) string {
	if blocks {
		return fmt.Sprintf("in blocks: all repetitions of one cell after the other, the cells shuffled, seed %d", seed)
	}
	return fmt.Sprintf("interleaved in %s, each round shuffled, seed %d", wording.Count(rounds, "round"), seed)
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
		return planned + " per cell planned; " + startsWords(e, e.Plan.Blocks)
	}
	words := o.Repetitions() + " per measured cell, " + planned + " planned"
	if l := e.Looks(); l.Count > 1 || l.Run > 1 {
		why := "cells went on until the claims about them were decided"
		switch {
		case l.Added:
			why = "rounds were added after results could be seen"
		case l.Count == 1:
			why = "cells had been measured before"
		}
		if l.Run > 1 {
			why += fmt.Sprintf(" (run %d of the same cells)", l.Run)
		}
		words += fmt.Sprintf("; %s, so claims are judged %s", why, l.Words())
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
	return words + "; " + startsWords(e, e.SharesStarts())
}

// startsWords says how often services are started.
func startsWords(e *dataset.Experiment, blocks bool) string {
	words := "services are started fresh for each"
	if blocks {
		words = "services stay up between those of a cell, so intervals do not cover differences between starts"
	}
	if shared := e.Plan.Shared; len(shared) > 0 {
		words += ", except those that all repetitions share: " + strings.Join(shared, ", ")
	}
	return words
}

// efficiency returns the share of time spent measuring or warming up, if recorded.
func efficiency(records []*record.Record) string {
	used, took := 0.0, 0.0
	for _, r := range records {
		if r.Search == nil {
			used, took = used+r.Parts["measure"]+r.Parts["warmup"], took+r.Ended.Sub(r.Started).Seconds()
		}
	}
	if used <= 0 || took <= 0 {
		return ""
	}
	return fmt.Sprintf(", %.0f\u202f%% of it measuring or warm-up", 100*min(1, used/took))
}

func probesAgain(e *dataset.Experiment) string {
	if n := e.ProbesAgain(); n > 0 {
		return "; " + wording.Count(n, "probe") + " of searches repeated because of background load"
	}
	return ""
}

func intervalsLine(e *dataset.Experiment, records []*record.Record) string {
	if len(records) == 0 {
		return ""
	}
	kinds := map[stats.IntervalKind]bool{}
	for _, cell := range e.Cells {
		for _, name := range []string{"throughput", "latency.p50", "time.real", "capacity.rate"} {
			if r := cell.Metric(name); r.Missing == "" {
				kinds[r.Estimate.Kind] = true
			}
		}
	}
	var words []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		switch k {
		case stats.WithinRun:
			words = append(words, "within the run for percentiles of a single repetition, by order statistics of its answers")
		case stats.NoInterval:
			words = append(words, "none for a single repetition")
		case stats.RangeOfTwo:
			words = append(words, "for two repetitions only their range")
		case stats.SignedRanks:
			words = append(words, "signed ranks of the repetitions")
		case stats.TOnLogs:
			words = append(words, "Student's t on the logarithms of the repetitions")
		case stats.TOnValues:
			words = append(words, "Student's t on the repetitions")
		case stats.BySearch:
			return "from the highest rate at which all probes met the objective to the lowest at which all failed it"
		}
	}
	words = append(words, "ratios, the quotients of the values shown, by Welch's t on logarithms below "+
		wording.Count(stats.MinRanked, "repetition")+" and from there on by rank sums")
	return "95\u202f%: " + strings.Join(words, "; ")
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
		if !e.FloorTogether() {
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

func (w *Writer) othersLine() string {
	var out []string
	for _, o := range w.Dataset.Others {
		out = append(out, "host "+o.Host+", profile "+o.Profile+", "+wording.ShortDate(o.Newest))
	}
	return strings.Join(out, "; ")
}

// Failure is a failure of some repetitions of a cell, with the end of a log.
type Failure struct{ Which, Words, Log string }

// Failures returns the distinct failures of a cell, each with the first log.
func Failures(cell *dataset.Cell) []Failure {
	var sentences []string
	repetitions, logs := map[string][]string{}, map[string]string{}
	for _, r := range cell.Records {
		if r.Failure == "" {
			continue
		}
		if repetitions[r.Failure] == nil {
			sentences = append(sentences, r.Failure)
			logs[r.Failure] = r.Log
		}
		repetitions[r.Failure] = append(repetitions[r.Failure], strconv.Itoa(r.Repetition))
	}
	var out []Failure
	for _, s := range sentences {
		which := "repetition " + repetitions[s][0]
		switch n := len(repetitions[s]); {
		case n == len(cell.Records) && n > 1:
			which = fmt.Sprintf("all %d repetitions", n)
		case n > 1:
			which = "repetitions " + wording.List(repetitions[s])
		}
		out = append(out, Failure{which, strings.TrimSuffix(s, "."), logs[s]})
	}
	return out
}

// Facts that name images end in the service: "image.server" is the id, "base.server" what it was built from.
const (
	imageFact = "image."
	toolLine  = "tool.line" // what another tool than ours was called with
	toolNote  = "tool.note" // what is to be said of its numbers
)

func images(records []*record.Record) []imageView {
	var out []imageView
	known := map[string]map[string]string{} // by definition, which most records share
	for _, r := range records {
		names := known[string(r.Definition)]
		if names == nil {
			names = imageNames(r.Definition)
			known[string(r.Definition)] = names
		}
		var services []string
		for fact := range r.Facts {
			if service, ok := strings.CutPrefix(fact, imageFact); ok {
				services = append(services, service)
			}
		}
		slices.Sort(services)
		for _, service := range services {
			v := imageView{service, cmp.Or(names[service], "–"), shortDigest(r.Facts[imageFact+service]),
				shortDigests(r.Facts[record.FactBase+service])}
			out = slice.Add(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b imageView) int { return cmp.Compare(a.Service, b.Service) })
	return out
}

func imageNames(raw json.RawMessage) map[string]string {
	names := map[string]string{}
	var was cellview.Definition
	_ = json.Unmarshal(raw, &was) // an image without a name still has its digest
	for _, s := range was.Services {
		names[s.Name] = imageName(s.Image)
	}
	if was.Command != nil {
		names["command"] = imageName(was.Command.Image)
	}
	switch {
	case was.Load == nil:
	case was.Load.Driver != nil:
		names["load"] = imageName(was.Load.Driver.Image)
	default:
		names["load"] = was.Load.Tool
	}
	return names
}

func imageName(i spec.Image) string {
	if i.Build == nil {
		return i.Name
	}
	return "built from " + i.Build.Dockerfile
}

// shortDigest keeps both ends of a digest, enough to compare by eye.
func shortDigest(d string) string {
	name, hex, ok := strings.Cut(d, ":")
	if !ok || len(hex) < 16 || strings.Trim(hex, "0123456789abcdef") != "" {
		return d
	}
	return name + ":" + hex[:8] + "…" + hex[len(hex)-4:]
}

func shortDigests(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if strings.HasPrefix(w, "sha256:") {
			words[i] = shortDigest(w)
		}
	}
	return strings.Join(words, " ")
}

// Substitutes lists base images that were replaced.
func Substitutes(d *dataset.Dataset) []string {
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

// sharedFacts returns the facts of all records, except those of images, with every value that differs.
func sharedFacts(records []*record.Record) []factView {
	names := map[string]bool{}
	for _, r := range records {
		for name := range r.Facts {
			if !strings.HasPrefix(name, imageFact) && !strings.HasPrefix(name, record.FactBase) && name != toolLine &&
				name != toolNote {
				names[name] = true
			}
		}
	}
	var out []factView
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text := common(records, name)
		if record.IsList(name) {
			text = strings.ReplaceAll(text, "\n", ", ")
		}
		out = append(out, factView{Name: name, Texts: []string{text}})
	}
	return out
}
