package chart

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// loadGenerator is the name of the first hop, in resources as well.
const loadGenerator = "load generator"

// topology draws what a request passes in one cell: from the load generator to the services that it asks, and on to
// those that these depend on.
func (p *Panel) topology() Drawing {
	if len(p.Cells) != 1 {
		return Drawing{Missing: fmt.Sprintf("a topology figure shows one cell, not %d; pick one with where", len(p.Cells))}
	}
	cell := p.Cells[0]
	way := cellview.DefinitionOf(cell)
	if len(way.Services) == 0 {
		return Drawing{Missing: cmp.Or(cell.Trial.Unavailable, "the cell has no services for a request to pass")}
	}
	names, columns, arrows := hops(way)
	limit := cell.Validity().LimitedBy()
	limits, mark := limitedBy(limit.By)
	busiest := ""
	if limits == nil {
		busiest = fullest(limit, names)
	}
	f := figure.Topology{Arrows: arrows}
	p.data = &datafile.Table{Columns: []string{"hop", "cpu_share", "cores_busy", "limits", "state"}}
	for i, name := range names {
		h := hopAt(cell, limit, way, name)
		h.Column = columns[i]
		switch {
		case slices.Contains(limits, name):
			h.Hot, h.Mark = true, mark
		case name == busiest:
			h.Hot, h.Mark = true, "busiest"
		}
		h.Title = name + ": " + h.Label
		if !math.IsNaN(h.Share) {
			h.Title += " of " + cmp.Or(h.Note, "its CPU")
		}
		if h.Mark != "" {
			h.Title += "; " + h.Mark
		}
		p.described = append(p.described, h.Title)
		busy := cell.Metric("cpu." + name)
		p.data.Add([]any{name}, cellview.Bound(true, h.Share), cellview.Bound(busy.Missing == "", busy.Estimate.Centre),
			slices.Contains(limits, name), cellview.StateOf(cell))
		f.Hops = append(f.Hops, h)
	}
	p.say("Bar: share of the allowed CPU time, median over the measured windows. Arrow: direction of requests.")
	sub := "CPU share of each component, " + cell.Name(cellview.Naming(cell.Experiment.Cells, nil)...)
	switch {
	case len(cell.Records) == 0:
		sub += "; not measured yet"
	case limit.By != "":
		sub += "; limited by " + wording.Lower(limit.By)
	default:
		sub += "; " + wording.NothingFull
	}
	sub = cellview.WithState(sub, cell)
	if limit.By == "connections" {
		p.say("All connections were waiting for answers, and no processor was full: more of them would have had more " +
			"answers.")
	}
	_, found, _ := strings.Cut(sub, "; ")
	f.Head = p.head("The path of a request: "+found,
		"Components in the order that a request passes them: "+cellview.WithState(strings.Join(p.described, "; "), cell)+".")
	return Drawing{Figure: f, Sub: sub, Metrics: cellview.MetricsNamed("throughput")}
}

// fullest is the hop of which the most was used; empty if nothing was sampled.
func fullest(limit validity.Limit, names []string) string {
	for _, r := range limit.Resources { // the fullest comes first
		if name, ok := hopOf(r.Name); ok && slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// hopAt is a hop on the way with what it used.
func hopAt(cell *dataset.Cell, limit validity.Limit, way cellview.Definition, name string) figure.Hop {
	h := figure.Hop{Name: name, Share: math.NaN(), Label: "not sampled"}
	if len(cell.Records) == 0 {
		h.Label = wording.NotMeasured
	}
	for _, r := range limit.Resources {
		if hop, ok := hopOf(r.Name); ok && hop == name {
			h.Share = r.Share
			h.Label = number.Percent.Alone(r.Share)
		}
	}
	busy := cell.Metric("cpu." + name)
	switch {
	case name == loadGenerator:
		h.Note = "its busiest thread"
	case busy.Missing == "" && h.Share > 0:
		h.Note = coresWords(busy.Estimate.Centre / h.Share)
	case busy.Missing == "":
		h.Label = number.Plain.Number(busy.Estimate.Centre, 2) + " cores"
	}
	if rtt := linkOf(way, name); rtt > 0 {
		h.Note = strings.TrimPrefix(h.Note+", behind a link of "+inMilliseconds(rtt), ", ")
	}
	return h
}

// hops are the load generator and the services in the order of a request, each with its place on the way, and who asks
// whom. Services that nothing on the way depends on stand beside the first of them, without an arrow.
func hops(w cellview.Definition) (names []string, columns []int, arrows []figure.Arrow) {
	index := map[string]int{}
	if w.Load != nil {
		names = append(names, loadGenerator)
	}
	for _, s := range w.Services {
		index[s.Name] = len(names)
		names = append(names, s.Name)
	}
	add := func(from int, to string) {
		if k, ok := index[to]; ok && !slices.Contains(arrows, figure.Arrow{From: from, To: k}) {
			arrows = append(arrows, figure.Arrow{From: from, To: k})
		}
	}
	for _, target := range targetsOf(w) {
		add(0, target)
	}
	for _, s := range w.Services {
		for _, on := range s.DependsOn {
			add(index[s.Name], on)
		}
	}
	columns = make([]int, len(names))
	for i := range columns {
		columns[i] = min(1, len(names)-len(w.Services))
	}
	if w.Load != nil {
		columns[0] = 0
	}
	// As many rounds as there are hops move the last of the longest way to its place; plans have no circles.
	for range names {
		for _, a := range arrows {
			columns[a.To] = max(columns[a.To], columns[a.From]+1)
		}
	}
	return inOrder(names, columns, arrows)
}

// inOrder sorts hops by their places on the way.
func inOrder(names []string, columns []int, arrows []figure.Arrow) ([]string, []int, []figure.Arrow) {
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(columns[a], columns[b]) })
	sortedNames, sortedColumns := make([]string, len(names)), make([]int, len(names))
	for to, from := range order {
		sortedNames[to], sortedColumns[to] = names[from], columns[from]
	}
	for i, a := range arrows {
		arrows[i] = figure.Arrow{From: slices.Index(order, a.From), To: slices.Index(order, a.To)}
	}
	return sortedNames, sortedColumns, arrows
}

// targetsOf are the services that the load asks.
func targetsOf(w cellview.Definition) []string {
	if w.Load == nil {
		return nil
	}
	addresses := w.Load.URLs()
	var out []string
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil && u.Hostname() != "" {
			out = append(out, u.Hostname())
		}
	}
	return out
}

// linkOf is the round trip time of the relay before a service; 0 for none.
func linkOf(w cellview.Definition, name string) time.Duration {
	for _, s := range w.Services {
		if s.Name == name && s.Link != nil {
			return s.Link.RTT
		}
	}
	return 0
}

// hopOf is the hop that a resource belongs to.
func hopOf(resource string) (string, bool) {
	if resource == loadGenerator {
		return resource, true
	}
	name, ok := strings.CutPrefix(resource, "CPU of ")
	return name, ok && !strings.HasSuffix(name, " together")
}

// limitedBy are the hops that a resource which was used up belongs to, and what is to be said at each of them.
func limitedBy(resource string) (names []string, mark string) {
	if name, ok := hopOf(resource); ok {
		return []string{name}, "limited by this"
	}
	if name, ok := strings.CutPrefix(resource, "busiest thread of "); ok {
		return []string{name}, "limited by its busiest thread"
	}
	shared, isCPU := strings.CutPrefix(resource, "CPU of ")
	if shared, together := strings.CutSuffix(shared, " together"); isCPU && together {
		return strings.Split(shared, " and "), "limited by these together"
	}
	return nil, ""
}

// coresWords says how many cores there are, as computed from a share of them.
func coresWords(cores float64) string {
	if whole := math.Round(cores); math.Abs(cores-whole) < .05 && whole >= 1 {
		return number.Count(int(whole), "core")
	}
	return number.Plain.Number(cores, 1) + " cores"
}

func inMilliseconds(d time.Duration) string {
	ms := number.Unit{Symbol: "ms", Scale: 1e-3}
	return ms.Exact(d.Seconds())
}
