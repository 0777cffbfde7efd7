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
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Detail is one value that differs between two records of a cell.
type Detail struct {
	Name string `json:"name"` // "load.connections", "server: /srv/server.py", "packages.server: python3"
	A    string `json:"a"`    // empty if it is missing
	B    string `json:"b"`
}

func (p Detail) String() string {
	return fmt.Sprintf("%s: %s → %s", p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"))
}

// A Difference is a subject that differs between A and B, alike in some cells. Its parts are one possible cause of a
// change: a new image has a new digest and new packages.
type Difference struct {
	Subject  string   `json:"subject"` // "image of server", "kernel", or the name of the only part
	Kind     string   `json:"kind"`    // InputDifference or FactDifference
	Parts    []Detail `json:"parts"`
	Cells    []string `json:"cells"` // names of cells
	All      bool     `json:"all_cells"`
	OneSided bool     `json:"one_sided"` // recorded on one side only, so no possible cause
}

// The kinds of Difference: asked for by the article, or found out during the measurement.
const (
	InputDifference = "input"
	FactDifference  = "fact"
)

// String says what differs in one line.
func (d *Difference) String() string {
	first := d.Parts[0].String()
	switch {
	case len(d.Parts) == 1 && d.Parts[0].Name == d.Subject:
		return first
	case len(d.Parts) == 1:
		return fmt.Sprintf("%s (%s)", d.Subject, first)
	}
	return fmt.Sprintf("%s (%s, and %d more)", d.Subject, first, len(d.Parts)-1)
}

// subjects of facts that differ together. * is the name of a service.
var subjects = map[string]string{
	"image.*": "image of *", "base.*": "image of *", "packages.*": "image of *", "pip.*": "image of *",
	"program.*":   "program of *",
	"host.kernel": "kernel", "engine.kernel": "kernel",
	"host.cores": "cores", "engine.cpus": "cores",
	"host.memory": "memory of the host", "engine.memory": "memory of the host",
	"host.architecture": "architecture", "engine.architecture": "architecture",
	"generator.semantics": "load generator", "generator.binary": "load generator",
}

func subjectOf(fact string) string {
	family, service, _ := strings.Cut(fact, ".")
	if s, ok := subjects[family+".*"]; ok {
		return strings.ReplaceAll(s, "*", service)
	}
	return cmp.Or(subjects[fact], fact)
}

// incidental facts differ in every run or commit, or are about single repetitions.
var incidental = []string{record.FactStart, "shared.start", "shared.setup", "clock.ahead", record.FactRevision,
	record.FactLeftOut, "usage.behind", record.FactOthers}

// machineOf splits a fact into the node of a cluster that it is about, empty for this machine, and its name there.
func machineOf(fact string) (node, name string) {
	if rest, ok := strings.CutPrefix(fact, "hosts."); ok {
		node, fact, _ = strings.Cut(rest, ".")
	}
	return node, fact
}

// differencesOf lists what differs between two records of a cell and their repetitions.
func differencesOf(a, b []*record.Record) ([]Difference, error) {
	inputs, err := inputDifferences(a[0], b[0])
	return append(inputs, factDifferences(a, b)...), err
}

// inputDifferences compares what entered the keys of two records, value by value and file by file.
func inputDifferences(a, b *record.Record) ([]Difference, error) {
	if a.Key == b.Key {
		return nil, nil
	}
	var out []Difference
	add := func(name, a, b string) {
		out = append(out, Difference{Subject: name, Kind: InputDifference, Parts: []Detail{{name, a, b}}})
	}
	edits, err := record.DefinitionEdits(b.Definition, a.Definition)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		add(e.Path, e.Then, e.Now)
	}
	before, after := digestsOf(a), digestsOf(b)
	for _, name := range keysOf(before, after) {
		if before[name] != after[name] {
			add(name, short(before[name]), short(after[name]))
		}
	}
	if len(out) == 0 {
		add("a value that is not recorded", short(a.Key), short(b.Key))
	}
	return out, nil
}

func digestsOf(r *record.Record) map[string]string {
	out := map[string]string{}
	for _, in := range r.Inputs {
		if in.Name != "definition" {
			out[in.Name] = in.Digest
		}
	}
	return out
}

func keysOf(a, b map[string]string) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// factDifferences compares the facts of all repetitions, lists such as packages line by line.
func factDifferences(a, b []*record.Record) []Difference {
	x, y := factsOf(a), factsOf(b)
	var out []Difference
	for _, name := range keysOf(x, y) {
		if sameFact(name, x[name], y[name]) {
			continue
		}
		d := Difference{Subject: subjectOf(name), Kind: FactDifference, Parts: factParts(name, x[name], y[name]),
			OneSided: x[name] == "" || y[name] == ""}
		i := slices.IndexFunc(out, func(o Difference) bool { return o.Subject == d.Subject })
		if i < 0 {
			out = append(out, d)
			continue
		}
		out[i].Parts = append(out[i].Parts, d.Parts...)
		out[i].OneSided = out[i].OneSided && d.OneSided
	}
	return out
}

// factsOf returns the facts of repetitions. Where these differ among themselves, it lists all values.
func factsOf(records []*record.Record) map[string]string {
	seen := map[string][]string{}
	for _, r := range records {
		for name, value := range r.Facts {
			_, plain := machineOf(name)
			isKnown := func(o string) bool { return sameFact(name, o, value) }
			if !slices.Contains(incidental, plain) && !slices.ContainsFunc(seen[name], isKnown) {
				seen[name] = append(seen[name], value)
			}
		}
	}
	out := map[string]string{}
	for name, values := range seen {
		out[name] = strings.Join(values, ", ")
	}
	return out
}

// factParts splits a list that both sides have into the lines that differ, each a name and a version.
func factParts(name, a, b string) []Detail {
	var out []Detail
	if a != "" && b != "" && record.IsList(name) {
		x, y := versions(a), versions(b)
		for _, item := range keysOf(x, y) {
			if x[item] != y[item] {
				out = append(out, Detail{name + ": " + item, x[item], y[item]})
			}
		}
	}
	if len(out) == 0 {
		return []Detail{{name, summaryOf(a), summaryOf(b)}}
	}
	return out
}

func versions(list string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(list) {
		if name, version, _ := strings.Cut(strings.TrimSpace(line), " "); name != "" {
			out[name] = cmp.Or(version, "there")
		}
	}
	return out
}

// sameMemory is the share by which sizes of a machine's memory may differ: a kernel takes a little more or less of it
// at each start.
const sameMemory = 0.01

// sameFact reports whether two values of a fact mean the same. Sizes of memory, in bytes, may differ a little.
func sameFact(name, a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return strings.HasSuffix(name, "engine.memory") && errX == nil && errY == nil && math.Abs(x-y) <= sameMemory*max(x, y)
}

// summaryOf writes a fact in one line, with short digests and the length of a list.
func summaryOf(fact string) string {
	if n := strings.Count(strings.TrimSpace(fact), "\n"); n > 0 {
		return expr.Plural(n+1, "line")
	}
	words := strings.Fields(fact)
	for i, w := range words {
		if digest, ok := strings.CutPrefix(w, "sha256:"); ok {
			words[i] = "sha256:" + short(digest)
		} else if len(w) == 64 && strings.Trim(w, "0123456789abcdef") == "" {
			words[i] = short(w)
		}
	}
	return strings.Join(words, " ")
}

func short(digest string) string { return digest[:min(12, len(digest))] }

// Differences lists what differs in the cells of changes, each subject once with its cells: inputs before facts,
// possible causes first. Cells whose sides are the same repetitions, or that one side lacks, play no part.
func Differences(changes []Change) ([]Difference, error) {
	var out []Difference
	seen := map[*dataset.Cell]bool{}
	for i := range changes {
		c := &changes[i]
		if seen[c.A] || c.Unchanged || len(c.A.Records) == 0 || len(c.B.Records) == 0 {
			continue
		}
		seen[c.A] = true
		own, err := differencesOf(c.A.Records, c.B.Records)
		if err != nil {
			return nil, err
		}
		for _, d := range own {
			i := slices.IndexFunc(out, func(o Difference) bool {
				return o.Subject == d.Subject && o.Kind == d.Kind && slices.Equal(o.Parts, d.Parts)
			})
			if i < 0 {
				i = len(out)
				out = append(out, d)
			}
			out[i].Cells = append(out[i].Cells, c.CellName())
		}
	}
	for i := range out {
		out[i].All = len(out[i].Cells) == len(seen)
	}
	rank := func(d Difference) string { return fmt.Sprint(d.Kind == FactDifference, d.OneSided) }
	slices.SortStableFunc(out, func(a, b Difference) int { return cmp.Compare(rank(a), rank(b)) })
	return out, nil
}

// subjectsOf returns the cells of each subject, which may differ in several ways, and the subjects that differ in every
// changed cell.
func subjectsOf(causes []Difference, changed []string) (cells map[string][]string, common []string) {
	cells = map[string][]string{}
	for _, d := range causes {
		cells[d.Subject] = append(cells[d.Subject], d.Cells...)
	}
	for _, subject := range slices.Sorted(maps.Keys(cells)) {
		isElsewhere := func(cell string) bool { return !slices.Contains(cells[subject], cell) }
		if !slices.ContainsFunc(changed, isElsewhere) {
			common = append(common, subject)
		}
	}
	return cells, common
}

// Explain says what could have caused the changes: what differs in every cell that has one.
func Explain(changes []Change, all []Difference) string {
	var changed []string
	unchanged := len(changes) > 0
	for i := range changes {
		c := &changes[i]
		unchanged = unchanged && c.Unchanged
		if c.Verdict != stats.NotComparable && c.Verdict != stats.NotShown {
			changed = slice.Add(changed, c.CellName())
		}
	}
	causes := slice.Filter(all, func(d Difference) bool { return !d.OneSided })
	cells, common := subjectsOf(causes, changed)
	differences := expr.Plural(len(cells), "difference")
	switch {
	case unchanged:
		return "nothing: both sides are the same repetitions"
	case len(causes) == 0 && len(changed) == 0:
		return "no recorded difference"
	case len(causes) == 0:
		return "no recorded difference explains the change: it may come from something that is not recorded, such as " +
			"background load, or from chance"
	case len(causes) == 1 && len(common) == 1:
		return "the only difference is " + causes[0].String()
	case len(changed) == 0:
		return differences + ", but no cell changed"
	case len(common) == 0:
		return differences + ", none of them in every cell that changed"
	}
	return "in every cell that changed: " + strings.Join(common, ", ")
}
