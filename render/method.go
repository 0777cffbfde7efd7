package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/number"
)

// methodView is the part of a page that says how it was measured.
type methodView struct {
	Lead        string
	Experiments []experimentView
	Images      []imageView
	Facts       []factView
	Values      []valueRow
	Cite, Slug  string
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
		Name, Text string
		Code       bool
	}
	imageView   struct{ Service, Image, Digest, Base string }
	failureView struct{ Sentence, Log string }
	checkView   struct{ Cell, Name, Level, Words string }
)

// method writes, from the records, how the article was measured. It comes last, since it lists all values of the text.
func (c *composer) method(title string) methodView {
	v := methodView{Lead: "Written from the records, by the program that made them.", Slug: c.doc.Slug, Values: c.values}
	if c.origin.measured == 0 {
		v.Lead = "Nothing was measured yet. This is what a run would do."
	}
	for _, e := range c.d.Experiments {
		v.Experiments = append(v.Experiments, c.experiment(e))
	}
	records := c.records()
	v.Images = images(records)
	v.Facts = sharedFacts(records)
	v.Cite = fmt.Sprintf("Cite as: benchbook, “%s”", title)
	if o := c.origin; o.measured > 0 {
		v.Cite += ", run " + strings.Join(o.runs, ", ") + ", " + longDate(o.last)
	}
	v.Cite += ". Rebuild this page from its records with"
	return v
}

// records are all that the page rests on, the A/A copies included.
func (c *composer) records() []*record.Record {
	var out []*record.Record
	for _, e := range c.d.Experiments {
		for _, cell := range e.Cells {
			out = append(out, cell.Records...)
		}
		if e.Calibration != nil {
			out = append(out, e.Calibration.Records...)
		}
	}
	return out
}

func (c *composer) experiment(e *dataset.Experiment) experimentView {
	v := experimentView{Name: e.Plan.Name}
	if e.Plan.Skipped != "" {
		v.Summary = "left out"
		v.Facts = []factView{{Name: "Left out", Text: sentence(e.Plan.Skipped)}}
		return v
	}
	o := originOf(e.Cells)
	valid := originOf(e.Cells, c.shownMetrics(e)...)
	v.Summary = number.Count(len(e.Cells), "cell") + ", " + o.repetitions()
	add := func(name, text string) {
		if text != "" {
			v.Facts = append(v.Facts, factView{Name: name, Text: text})
		}
	}
	var records []*record.Record
	for _, cell := range e.Cells {
		records = append(records, cell.Records...)
	}
	add("What", e.Plan.Description)
	if c.imported() {
		add("Imported", "from saved output of "+listWords(c.importedFrom())+"; load and definition are what the article says, not what was seen")
	} else {
		add("Host", hostLine(c.d.Host, records))
	}
	add("Cores", coresLine(records))
	add("Profile", c.d.Profile)
	loads := loadsOf(e)
	for _, l := range loads {
		v.Facts = append(v.Facts, factView{"Load", loadLine(l), true})
	}
	for _, command := range commandsOf(e) {
		v.Facts = append(v.Facts, factView{"Command", command, true})
	}
	for _, line := range factsOf(records, toolLine) {
		v.Facts = append(v.Facts, factView{"Line", line, true})
	}
	for _, note := range factsOf(records, toolNote) {
		add("Tool", sentence(note))
	}
	if !c.imported() {
		add("Order", orderLine(e, records))
	}
	add("Repetitions", repetitionsLine(e, o, valid, !c.imported()))
	add("Intervals", intervalsLine(e, records))
	add("Noise floor", c.floorLine(e))
	add("Failed", failedLine(records))
	if o.measured > 0 {
		add("Took", inWords(o.took)+", "+o.where())
	}
	if other := c.othersLine(); other != "" {
		add("Also recorded", other)
	}
	if len(loads) == 1 && loads[0].Tool == "" {
		if lines := equivalents(loads[0]); lines != "" {
			v.Tools = c.listing("equivalent.sh", "approximately: they drop no warm-up and check no answer", "sh", []byte(lines))
		}
	}
	add("Checks", passedLine(e))
	for _, cell := range e.Cells {
		v.Failures = append(v.Failures, failures(cell)...)
	}
	v.Checks = checkViews(e)
	return v
}

// checkViews are the checks that found something, by cell; what could not be checked of several cells for the same reason is one line.
func checkViews(e *dataset.Experiment) []checkView {
	var found []checkView
	var unchecked []dataset.CheckResult
	cells := map[dataset.CheckResult][]string{}
	for _, cell := range e.Cells {
		for _, check := range cell.Checks() {
			switch check.Level {
			case dataset.OK:
			case dataset.NotChecked:
				if cells[check] == nil {
					unchecked = append(unchecked, check)
				}
				cells[check] = append(cells[check], cell.Trial.Name)
			default:
				found = append(found, checkView{cell.Trial.Name, check.Name, check.Level.String(), check.Words})
			}
		}
	}
	for _, check := range unchecked {
		names := strings.Join(cells[check], "; ")
		if len(cells[check]) == len(e.Cells) && len(e.Cells) > 1 {
			names = "all cells"
		}
		found = append(found, checkView{names, check.Name, check.Level.String(), check.Words})
	}
	return found
}

// passedLine says of each check of validity in how many cells it found nothing.
func passedLine(e *dataset.Experiment) string {
	var names []string
	asked, passed := map[string]int{}, map[string]int{}
	for _, cell := range e.Cells {
		for _, check := range cell.Checks() {
			if !slices.Contains(names, check.Name) {
				names = append(names, check.Name)
			}
			if asked[check.Name]++; check.Level == dataset.OK {
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

// common gives the value of a fact that all records share; several are told as such.
func common(records []*record.Record, fact string) string {
	return strings.Join(factsOf(records, fact), " or ")
}

// factsOf gives the values that records have of a fact, each once.
func factsOf(records []*record.Record, fact string) []string {
	var values []string
	for _, r := range records {
		if v := r.Facts[fact]; v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

func hostLine(id string, records []*record.Record) string {
	if len(records) == 0 {
		return ""
	}
	words := []string{id}
	if v := common(records, "host.cpu"); v != "" {
		words = append(words, v)
	}
	if v := common(records, "host.cores"); v != "" {
		words = append(words, v+" cores")
	}
	if v := common(records, "host.memory"); v != "" {
		words = append(words, v)
	}
	if v := common(records, "host.kernel"); v != "" {
		words = append(words, "Linux "+v)
	}
	if v := common(records, "host.governor"); v != "" {
		words = append(words, "governor "+v)
	}
	if v := common(records, "host.virtual"); v != "" {
		words = append(words, "virtual ("+v+")")
	}
	return strings.Join(words, ", ")
}

func coresLine(records []*record.Record) string {
	services, load := common(records, "placement.services"), common(records, "placement.load")
	switch {
	case services == "" && load == "":
		return ""
	case services == load:
		return "services and load share " + load
	}
	return "services " + services + ", load " + load
}

// A definition is what was carried out, or would be, in a cell.
type definition struct {
	Services []*plan.Service `json:"services"`
	Load     *plan.Load      `json:"load"`
	Command  *plan.Command   `json:"command"`
}

// definitionOf is what the records of a cell say was done, and only without any what the plan says: the article may have
// changed since.
func definitionOf(cell *dataset.Cell) definition {
	read := func(raw json.RawMessage) (is definition, ok bool) {
		err := json.Unmarshal(record.NewRedactor(raw).Definition(raw), &is)
		return is, err == nil && (is.Load != nil || is.Command != nil)
	}
	if len(cell.Records) > 0 {
		// A record from before the definition had this form still has its plan.
		if was, ok := read(cell.Records[0].Definition); ok {
			return was
		}
	}
	planned, _ := read(cell.Trial.Definition)
	return planned
}

// loadsOf gives the loads of an experiment, as its records have them where there are any, each once.
func loadsOf(e *dataset.Experiment) []*plan.Load {
	var out []*plan.Load
	seen := map[string]bool{}
	for _, cell := range e.Cells {
		l := definitionOf(cell).Load
		if l != nil && !seen[loadLine(l)] {
			seen[loadLine(l)] = true
			out = append(out, l)
		}
	}
	return out
}

// commandsOf gives the commands of an experiment, likewise.
func commandsOf(e *dataset.Experiment) []string {
	var out []string
	for _, cell := range e.Cells {
		if command := definitionOf(cell).Command; command != nil {
			if line := shellLine(command.Run); !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

// loadLine is a load in one line, every number that shapes it named.
func loadLine(l *plan.Load) string {
	var words []string
	if l.Tool != "" {
		words = append(words, "tool="+l.Tool)
	}
	words = append(words, "closed", "connections="+strconv.Itoa(l.Connections))
	if l.Requests > 0 {
		words = append(words, "requests="+strconv.Itoa(l.Requests))
	}
	if l.Duration > 0 {
		words = append(words, "for="+duration(l.Duration))
	}
	if l.Warmup > 0 {
		words = append(words, "warmup="+duration(l.Warmup))
	}
	if l.Think > 0 {
		words = append(words, "think="+duration(l.Think))
	}
	keepalive := "off"
	if l.Keepalive {
		keepalive = "on"
	}
	words = append(words, "keepalive="+keepalive, "timeout="+duration(l.Timeout))
	return strings.Join(append(words, l.Method, l.Target), " ")
}

// duration is a time without the zeros that Go prints: "1m", not "1m0s".
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// equivalents are the lines by which wrk and ab put nearly the same load on the target; empty for what they cannot do.
func equivalents(l *plan.Load) string {
	if l.Think > 0 || l.Method != "GET" || l.Body != "" {
		return ""
	}
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
		lines = append(lines, shellLine(append(append(wrk, headers...), l.Target)))
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
	return strings.Join(append(lines, shellLine(append(append(ab, headers...), l.Target))), "\n")
}

// shellLine is a command as a person would type it.
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

// orderLine says in which order repetitions came, run by run as their records have it; without any, as it is planned.
func orderLine(e *dataset.Experiment, records []*record.Record) string {
	byRun := map[string][]*record.Record{}
	for _, r := range records {
		byRun[r.Run] = append(byRun[r.Run], r)
	}
	if len(byRun) == 0 {
		return orderWords(e.Plan.Interleaved, e.Plan.Repetitions, e.Plan.Seed)
	}
	var out []string
	for _, run := range slices.Sorted(maps.Keys(byRun)) {
		list := byRun[run]
		slices.SortStableFunc(list, func(a, b *record.Record) int { return cmp.Compare(a.Order.Position, b.Order.Position) })
		rounds := 0
		for _, r := range list {
			rounds = max(rounds, r.Order.Round)
		}
		if words := orderWords(interleaved(list, e.Plan.Interleaved), rounds, list[0].Order.Seed); !slices.Contains(out, words) {
			out = append(out, words)
		}
	}
	return strings.Join(out, "; ")
}

func orderWords(interleaved bool, rounds int, seed int64) string {
	if !interleaved {
		return "sequential: all repetitions of one cell after the other"
	}
	return fmt.Sprintf("interleaved in %s, each round shuffled, seed %d", number.Count(rounds, "round"), seed)
}

// interleaved tells whether the records of a run, in their order, came round by round rather than trial by trial; as planned
// where they are too few to tell.
func interleaved(list []*record.Record, planned bool) bool {
	for i, r := range list[1:] {
		switch before := list[i]; {
		case r.Order.Position == before.Order.Position: // records that do not tell
			return planned
		case r.Order.Round < before.Order.Round:
			return false
		case r.Order.Round > before.Order.Round && r.Trial != before.Trial:
			return true
		case r.Order.Round == before.Order.Round && r.Trial != before.Trial && r.Order.Round > 1:
			return true
		}
	}
	return planned
}

// repetitionsLine says how many repetitions were run, and how many of them are behind the numbers that are shown.
func repetitionsLine(e *dataset.Experiment, o, valid origin, ours bool) string {
	planned := number.Count(e.Plan.Repetitions, "repetition")
	fresh := "; services are started afresh for each"
	if o.measured == 0 {
		return planned + " of each cell are planned" + fresh
	}
	words := o.repetitions() + " of each measured cell, " + planned + " planned"
	if valid.low != o.low || valid.high != o.high {
		words += ", numbers of " + valid.repetitions()
	}
	if !ours {
		return words
	}
	return words + fresh
}

func intervalsLine(e *dataset.Experiment, records []*record.Record) string {
	if len(records) == 0 {
		return ""
	}
	kinds := map[stats.IntervalKind]bool{}
	for _, cell := range e.Cells {
		for _, name := range []string{"throughput", "latency.p50", "time.real"} {
			if r := cell.Metric(name); r.Missing == "" {
				kinds[r.Estimate.Kind] = true
			}
		}
	}
	var words []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		switch k {
		case stats.NoInterval:
			words = append(words, "none for a single repetition")
		case stats.RangeOfTwo:
			words = append(words, "of two repetitions only their range")
		case stats.OrderStatistics:
			words = append(words, "order statistics of the repetitions around the median")
		case stats.TOnLogs:
			words = append(words, "Student's t on the logarithms of the repetitions")
		case stats.TOnValues:
			words = append(words, "Student's t on the repetitions")
		}
	}
	words = append(words, "ratios by Welch's t on logarithms, of geometric means, which can differ from the quotient of the medians shown")
	return "95\u202f%: " + strings.Join(words, "; ")
}

func (c *composer) floorLine(e *dataset.Experiment) string {
	if c.origin.measured == 0 {
		return ""
	}
	var words []string
	for _, name := range c.shownMetrics(e) {
		if f, ok := c.d.Floor(e.Plan.Name, name); ok {
			words = append(words, name+" "+percentOf(f.F))
		}
	}
	if len(words) == 0 {
		return "not measured: there is no A/A pair to compare"
	}
	text := "the same cell under two names differs by: " + strings.Join(words, ", ")
	if !e.FloorTogether() {
		text += "; not measured together: the two are of different runs"
	}
	return text
}

func failedLine(records []*record.Record) string {
	if len(records) == 0 {
		return ""
	}
	failed := 0
	for _, r := range records {
		if r.Failure != "" {
			failed++
		}
	}
	return fmt.Sprintf("%d of %s", failed, number.Count(len(records), "repetition"))
}

func (c *composer) othersLine() string {
	var out []string
	for _, o := range c.d.Others {
		out = append(out, "host "+o.Host+", profile "+o.Profile+", "+shortDate(o.Newest))
	}
	return strings.Join(out, "; ")
}

// failures tells what failed in a cell, each failure once, with the end of the log that the first record of it kept.
func failures(cell *dataset.Cell) []failureView {
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
	var out []failureView
	for _, s := range sentences {
		which := "repetition " + repetitions[s][0]
		switch n := len(repetitions[s]); {
		case n == len(cell.Records) && n > 1:
			which = fmt.Sprintf("all %d repetitions", n)
		case n > 1:
			which = "repetitions " + listWords(repetitions[s])
		}
		out = append(out, failureView{cell.Trial.Name + ", " + which + ": " + strings.TrimSuffix(s, ".") + ".", logs[s]})
	}
	return out
}

// Facts that name images end in the service: "image.server" is the id, "base.server" what it was built from.
const (
	imageFact   = "image."
	baseFact    = "base."
	packageFact = "packages."
	toolLine    = "tool.line"     // what another tool than ours was called with
	toolNote    = "tool.note"     // what is to be said of its numbers
	replaced    = " replaced by " // between what FROM names and what stood in for it
)

// images lists the images that records name, as they were when they were used.
func images(records []*record.Record) []imageView {
	var out []imageView
	for _, r := range records {
		names := map[string]string{} // service -> image
		var was definition
		_ = json.Unmarshal(r.Definition, &was) // an image without a name still has its digest
		for _, s := range was.Services {
			names[s.Name] = imageName(s.Image)
		}
		if was.Command != nil {
			names["command"] = imageName(was.Command.Image)
		}
		if was.Load != nil {
			names["load"] = was.Load.Tool
		}
		for _, fact := range slices.Sorted(maps.Keys(r.Facts)) {
			service, ok := strings.CutPrefix(fact, imageFact)
			if !ok {
				continue
			}
			v := imageView{service, cmp.Or(names[service], "–"), shortDigest(r.Facts[fact]), shortDigests(r.Facts[baseFact+service])}
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b imageView) int { return cmp.Compare(a.Service, b.Service) })
	return out
}

func imageName(i plan.Image) string {
	if i.Build == nil {
		return i.Name
	}
	return "built from " + i.Build.Dockerfile
}

// shortDigest keeps both ends of a digest, which is enough to compare by eye; JSON has the whole in the records.
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

// substitutes lists bases that stood in for others.
func (c *composer) substitutes() []string {
	var out []string
	for _, r := range c.records() {
		for fact, v := range r.Facts {
			if strings.HasPrefix(fact, baseFact) && strings.Contains(v, replaced) {
				for _, base := range strings.Split(v, "; ") {
					if from, to, ok := strings.Cut(base, replaced); ok {
						out = append(out, from+" is replaced by "+strings.Fields(to + " –")[0])
					}
				}
			}
		}
	}
	return sortedSet(out)
}

// sharedFacts are the facts of all records; what differs between them is listed with every value. Images have a
// table of their own.
func sharedFacts(records []*record.Record) []factView {
	names := map[string]bool{}
	for _, r := range records {
		for name := range r.Facts {
			if !strings.HasPrefix(name, imageFact) && !strings.HasPrefix(name, baseFact) && name != toolLine && name != toolNote {
				names[name] = true
			}
		}
	}
	var out []factView
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text := common(records, name)
		if strings.HasPrefix(name, packageFact) {
			text = strings.ReplaceAll(text, "\n", ", ")
		}
		out = append(out, factView{Name: name, Text: text})
	}
	return out
}
