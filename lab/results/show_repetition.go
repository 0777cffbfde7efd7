package results

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"

	"benchbook/internal/slice"
	"benchbook/render/wording"
)

func showRepetition(a *lab.Session, list []ShowJSON, flags Selection, format string) error {
	var found []*record.Record
	var metrics []record.Metric
	var known []string
	var added []plan.Metric
	for _, s := range list {
		for _, e := range s.Experiments {
			for _, c := range e.Cells {
				for _, r := range c.cell.Records {
					known = append(known, fmt.Sprint(r.Repetition))
					if r.Repetition == flags.Repetition {
						found, metrics, added = append(found, r), e.metrics, c.cell.Experiment.Plan.Metrics
					}
				}
			}
		}
	}
	switch {
	case len(found) == 0 && len(known) == 0:
		return lab.UsageError(fmt.Errorf("trial %s has no repetitions: it was not measured", flags.Trials[0]))
	case len(found) == 0:
		return lab.UsageError(fmt.Errorf("trial %s has no repetition %d: it has %s", flags.Trials[0], flags.Repetition,
			strings.Join(known, ", ")))
	case len(found) > 1:
		return lab.UsageError(fmt.Errorf("several experiments have a trial %s: name one, as in %s#%s", flags.Trials[0],
			found[0].Article, found[0].Experiment))
	}
	one := oneOf(found[0], metrics, added)
	var err error
	switch format {
	case FormatJSON:
		err = lab.PrintJSON(a.Stdout, one)
	case FormatCSV:
		rows := [][]string{{"metric", "unit", "value", "missing"}}
		for _, v := range one.Values {
			rows = append(rows, []string{v.Metric, v.Unit, terminal.Exact(v.Value), v.Missing})
		}
		err = terminal.PrintCSV(a.Stdout, rows)
	default:
		printOneText(a, &one)
	}
	if err != nil {
		return lab.Failure(err)
	}
	return nil
}

// oneOf says what a repetition is worth: its metrics, those of the experiment first and then its other samples, and its
// checks. Added are the metrics that the experiment adds.
func oneOf(r *record.Record, metrics []record.Metric, added []plan.Metric) oneJSON {
	level, checks := validity.Of(r)
	out := oneJSON{Path: r.Path(), Validity: level.String(), Checks: showChecks(checks), Values: []shownValue{},
		Limited: validity.LimitOf(r).By, Record: r}
	for _, s := range r.Samples {
		if slices.ContainsFunc(metrics, func(m record.Metric) bool { return m.Name == s.Metric }) {
			continue
		}
		m, ok := record.LookupMetric(s.Metric)
		if !ok {
			m = record.Metric{Name: s.Metric, Unit: s.Unit}
		}
		metrics = append(slices.Clip(metrics), m)
	}
	// what was looked for and not found, which there is no sample of
	for _, name := range slices.Sorted(maps.Keys(r.Missing)) {
		if !slices.ContainsFunc(metrics, func(m record.Metric) bool { return m.Name == name }) {
			metrics = append(slices.Clip(metrics), record.Metric{Name: name})
		}
	}
	for _, m := range metrics {
		v := shownValue{Metric: m.Name, Unit: m.Unit, metric: m}
		value, missing := dataset.Value(r, m.Name, added)
		if v.Missing = missing; missing == "" {
			v.Value = terminal.Finite(value)
		}
		out.Values = append(out.Values, v)
	}
	return out
}

func (o *oneJSON) title() string {
	r := o.Record
	return fmt.Sprintf("%s#%s %s, repetition %d of %d: %s", r.Article, r.Experiment, r.Trial, r.Repetition, r.Planned,
		o.Validity)
}

// A section is a part of a record, as rows of two or three columns.
type section struct {
	title string
	rows  [][]string
}

// sections are all that a record holds but for what was written.
func (o *oneJSON) sections() []section {
	r := o.Record
	about := [][]string{{"run", r.Run}, {"host", r.Host}, {"profile", r.Profile}, {"key", r.Key},
		{"started", r.Started.UTC().Format("2006-01-02 15:04:05.000")},
		{"ended", r.Ended.UTC().Format("2006-01-02 15:04:05.000")},
		{"order", fmt.Sprintf("round %d, %d of %d, seed %d", r.Order.Round, r.Order.Position, r.Order.Of, r.Order.Seed)}}
	if r.Order.Replaces > 0 {
		about = append(about, []string{"replaces", fmt.Sprintf("repetition %d, because other programs or virtual "+
			"machines took CPU time", r.Order.Replaces)})
	}
	for _, p := range slices.Concat(r.Parameters, r.Labels) {
		about = append(about, []string{p.Name, p.Value})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Parts)) {
		about = append(about, []string{"time to " + name, seconds(r.Parts[name])})
	}
	about = append(about, []string{"record", o.Path})
	var checks, metrics [][]string
	for _, c := range o.Checks {
		checks = append(checks, []string{c.Check, c.Level, c.Words})
	}
	for _, v := range o.Values {
		words := v.Missing
		if v.Value != nil {
			u := wording.UnitFor(v.metric.Unit, v.metric.Share, *v.Value)
			words = u.Alone(*v.Value)
		}
		metrics = append(metrics, []string{v.Metric, words, terminal.Exact(v.Value)})
	}
	load := loadRows(r.Load)
	if limit := wording.Limit(validity.LimitOf(r)); limit != "" {
		load = append(load, []string{"limited by", limit})
	}
	out := []section{{"the repetition", about}, {"checks", checks}, {"metrics", metrics}, {"load", load},
		{"machine", machineRows(r.Machine)}, {"machine before", beforeRows(r.Before)},
		{"histograms", histogramRows(r.Histograms)}}
	var defined, inputs, facts [][]string
	values, err := record.DefinitionEntries(r.Definition)
	for _, v := range values {
		defined = append(defined, []string{v.Path, v.Text})
	}
	if err != nil { // a record of a version that writes it otherwise
		defined = [][]string{{"definition", string(r.Definition)}}
	}
	for _, in := range r.Inputs {
		inputs = append(inputs, []string{in.Name, in.Digest})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Facts)) {
		for i, line := range strings.Split(strings.TrimSpace(r.Facts[name]), "\n") {
			if i > 0 {
				name = ""
			}
			facts = append(facts, []string{name, line})
		}
	}
	out = append(out, section{"definition", defined}, section{"inputs", inputs}, section{"facts", facts})
	return slices.DeleteFunc(out, func(s section) bool { return len(s.rows) == 0 })
}

func seconds(s float64) string {
	u := wording.UnitFor("s", false, s)
	return u.Alone(s)
}

// shareWords writes a share of which -1 is unknown.
func shareWords(x float64) string {
	if x < 0 {
		return "unknown"
	}
	return wording.PercentUnit.Alone(x)
}

// loadRows are what the load generator counted.
func loadRows(l *record.Load) [][]string {
	if l == nil {
		return nil
	}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	var rows [][]string
	if l.Driver != "" {
		rows = append(rows, []string{"put on by", l.Driver})
	}
	rows = append(rows, []string{"window", seconds(l.Window)}, []string{"connections", strconv.Itoa(l.Connections)})
	rows = append(rows, []string{"attempted", whole(l.Attempted)}, []string{"completed", whole(l.Completed)},
		[]string{"failed", whole(l.Failed)})
	for _, kind := range slices.Sorted(maps.Keys(l.Failures)) {
		if l.Failures[kind] > 0 {
			rows = append(rows, []string{"failed, " + kind, whole(l.Failures[kind])})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(l.Statuses)) {
		rows = append(rows, []string{"answers with status " + code, whole(l.Statuses[code])})
	}
	rows = append(rows, []string{"connections with a request under way", shareWords(l.InFlight)},
		[]string{"generator's busiest thread", shareWords(l.Busy)},
		[]string{"processor time of others", shareWords(l.ForeignCPU)})
	if h := l.Health; h != nil {
		still := "unknown"
		if h.Standstill >= 0 {
			still = seconds(h.Standstill)
		}
		rows = append(rows, []string{"longest generator stall", still}, []string{"generator waited for a core",
			shareWords(h.Waiting)})
	}
	if o := l.Open; o != nil {
		rows = append(rows, []string{"arrivals", o.Arrivals}, []string{"due", whole(o.Due)}, []string{"sent", whole(o.Sent)})
		if l.Tool == "" {
			rows = append(rows, []string{"blocked", whole(o.Blocked)})
		}
		if o.Rate > 0 {
			rows = append(rows, []string{"rate", wording.UnitFor("1/s", false, o.Rate).Exact(o.Rate)})
		}
	}
	return append(rows, []string{"completions by second", strings.Join(slice.Map(l.Completions, whole), " ")})
}

func machineRows(m *record.Machine) [][]string {
	if m == nil {
		return nil
	}
	swapped := "unknown"
	if m.SwappedIn >= 0 {
		swapped = wording.UnitFor("B", false, float64(m.SwappedIn)).Exact(float64(m.SwappedIn))
	}
	rows := [][]string{{"steal", shareWords(m.Steal)}, {"read from swap", swapped}}
	for _, service := range slices.Sorted(maps.Keys(m.Throttled)) {
		t := m.Throttled[service]
		rows = append(rows, []string{"throttled, " + service, fmt.Sprintf("%d of %s", t.Throttled,
			terminal.Count(int(t.Periods), "period"))})
	}
	for _, service := range slices.Sorted(maps.Keys(m.Threads)) {
		rows = append(rows, []string{"busiest thread, " + service, shareWords(m.Threads[service])})
	}
	if s := m.Sampling; s != nil {
		rows = append(rows, []string{"reading of usage", fmt.Sprintf("%s of a core, %s apart at most", shareWords(s.Cost),
			seconds(s.Gap))})
	}
	return rows
}

// beforeRows are what the machine was like before a repetition, and what was waited for.
func beforeRows(b *record.Before) [][]string {
	if b == nil {
		return nil
	}
	bytes := func(n int64) string {
		if n < 0 {
			return "unknown"
		}
		return wording.UnitFor("B", false, float64(n)).Exact(float64(n))
	}
	waited := "not at all"
	if len(b.For) > 0 {
		waited = seconds(b.Waited) + " for " + strings.Join(b.For, ", ")
	}
	if !b.Settled {
		waited += ", without success"
	}
	waiting := "unknown"
	if b.TimeWait >= 0 {
		waiting = strconv.FormatInt(b.TimeWait, 10)
	}
	return [][]string{{"waited", waited}, {"a timer late by", seconds(b.Jitter)}, {"equal computations differ by",
		shareWords(b.Spin)},
		{"CPUs wanted by others", shareWords(b.Foreign)}, {"steal", shareWords(b.Steal)},
		{"read from swap", bytes(b.SwappedIn)},
		{"connections in TIME_WAIT", waiting}, {"dirty pages", bytes(b.Dirty)}}
}

func histogramRows(list map[string]record.Histogram) [][]string {
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(list)) {
		h := list[name]
		if h.Count == 0 {
			continue
		}
		words := fmt.Sprintf("%d values, %s to %s, mean %s", h.Count, seconds(h.Min), seconds(h.Max),
			seconds(h.Sum/float64(h.Count)))
		if h.Overflow > 0 {
			words += fmt.Sprintf(", %d above its range", h.Overflow)
		}
		rows = append(rows, []string{name, words})
	}
	return rows
}

func printOneText(a *lab.Session, o *oneJSON) {
	fmt.Fprintln(a.Stdout, o.title())
	if o.Record.Failure != "" {
		fmt.Fprintf(a.Stdout, "  %s\n", o.Record.Failure)
	}
	for _, s := range o.sections() {
		fmt.Fprintf(a.Stdout, "\n%s\n", s.title)
		terminal.PrintColumns(a.Stdout, "  ", s.rows)
	}
	if o.Record.Log != "" {
		fmt.Fprintf(a.Stdout, "\nwhat was written\n%s\n", strings.TrimRight(o.Record.Log, "\n"))
	}
}
