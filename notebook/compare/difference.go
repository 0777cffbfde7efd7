package compare

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// A Detail is one value that differs between two records of a cell.
type Detail struct {
	Name string `json:"name"` // "load.connections", "server: /srv/server.py", "packages.server: python3"
	A    string `json:"a"`    // empty if missing
	B    string `json:"b"`
}

func (p Detail) String() string {
	return fmt.Sprintf("%s: %s → %s", p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"))
}

// A Difference is a possible cause of changes, and the cells that have it. It may have several parts: a new image
// differs in its digest and its packages.
type Difference struct {
	Subject  string   `json:"subject"` // "image of server", "kernel", or the name of the only part
	Kind     string   `json:"kind"`    // InputDifference or FactDifference
	Parts    []Detail `json:"parts"`
	Cells    []string `json:"cells"` // names of cells
	All      bool     `json:"all_cells"`
	OneSided bool     `json:"one_sided"` // recorded on one side only, so not counted as a cause
}

// Kinds of Difference: in the article's inputs, or in facts found during the measurement.
const (
	InputDifference = "input"
	FactDifference  = "fact"
)

// String returns the difference in one line.
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

// subjects maps facts that tend to differ together to a common subject. * means the name of a service.
var subjects = map[string]string{
	"image.*": "image of *", "base.*": "image of *", "packages.*": "image of *", "pip.*": "image of *",
	"program.*":   "program of *",
	"host.kernel": "kernel", "engine.kernel": "kernel",
	"host.cores": "cores", "engine.cpus": "cores",
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

// incidental lists facts that are not compared: they differ between runs, commits or boots, or concern one repetition.
var incidental = []string{"shared.start", "shared.setup", "clock.ahead", "engine.memory",
	record.FactRevision, record.FactClaims, record.FactLeftOut, "usage.behind", record.FactOthers}

// withoutNode returns the FACT of hosts.NODE.FACT, which is about a node of a cluster, and other facts unchanged.
func withoutNode(fact string) string {
	if rest, ok := strings.CutPrefix(fact, "hosts."); ok {
		_, fact, _ = strings.Cut(rest, ".")
	}
	return fact
}

// differencesOf compares the repetitions of a cell on both sides.
func differencesOf(a, b []*record.Record) []Difference {
	out := slice.Map(inputDifferences(a[0], b[0]), func(p Detail) Difference {
		return Difference{Subject: p.Name, Kind: InputDifference, Parts: []Detail{p}}
	})
	for _, p := range differing(factsOf(a), factsOf(b)) {
		isOneSided := p.A == "" || p.B == ""
		parts := []Detail{{p.Name, summaryOf(p.A), summaryOf(p.B)}}
		if record.IsList(p.Name) && !isOneSided {
			parts = slice.Map(differing(versions(p.A), versions(p.B)), func(of Detail) Detail {
				return Detail{p.Name + ": " + of.Name, of.A, of.B}
			})
		}
		if len(parts) == 0 {
			continue
		}
		subject := subjectOf(p.Name)
		i := slices.IndexFunc(out, func(o Difference) bool { return o.Kind == FactDifference && o.Subject == subject })
		if i < 0 {
			i = len(out)
			out = append(out, Difference{Subject: subject, Kind: FactDifference, OneSided: true})
		}
		out[i].Parts, out[i].OneSided = append(out[i].Parts, parts...), out[i].OneSided && isOneSided
	}
	return out
}

// differing returns the values that differ between two maps, by name.
func differing(a, b map[string]string) (out []Detail) {
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if a[name] != b[name] {
			out = append(out, Detail{name, a[name], b[name]})
		}
	}
	return out
}

// inputDifferences compares the inputs of two records' keys, value by value and file by file.
func inputDifferences(a, b *record.Record) []Detail {
	if a.Key == b.Key {
		return nil
	}
	digests := func(r *record.Record) map[string]string {
		out := map[string]string{}
		for _, in := range r.Inputs {
			if in.Name != "definition" {
				out[in.Name] = in.Digest
			}
		}
		return out
	}
	out := slice.Map(spec.Edits(b.Definition, a.Definition), func(e spec.Edit) Detail {
		return Detail{e.Path, e.Then, e.Now}
	})
	for _, p := range differing(digests(a), digests(b)) {
		out = append(out, Detail{p.Name, short(p.A), short(p.B)})
	}
	if len(out) == 0 {
		return []Detail{{"a value that is not recorded", short(a.Key), short(b.Key)}}
	}
	return out
}

// factsOf returns the facts of repetitions. If repetitions differ in a fact, it lists all values.
func factsOf(records []*record.Record) map[string]string {
	seen := map[string][]string{}
	for _, r := range records {
		for name, value := range r.Facts {
			if !slices.Contains(incidental, withoutNode(name)) {
				seen[name] = slice.Add(seen[name], value)
			}
		}
	}
	out := map[string]string{}
	for name, values := range seen {
		out[name] = strings.Join(values, ", ")
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

var digest = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// summaryOf writes a fact on one line: the number of lines of a list, or the text with shortened digests.
func summaryOf(fact string) string {
	if n := strings.Count(strings.TrimSpace(fact), "\n"); n > 0 {
		return phrase.Count(n+1, "line")
	}
	return digest.ReplaceAllStringFunc(fact, short)
}

func short(digest string) string { return digest[:min(12, len(digest))] }

// Differences lists the differences between the sides, each once with its cells: inputs before facts, and one-sided
// ones last of each. It skips cells that have the same repetitions on both sides, or no repetitions on one.
func Differences(changes []*Change) []Difference {
	var out []Difference
	seen := map[*dataset.Cell]bool{}
	for _, c := range changes {
		if seen[c.A] || c.Unchanged || len(c.A.Records) == 0 || len(c.B.Records) == 0 {
			continue
		}
		seen[c.A] = true
		for _, d := range differencesOf(c.A.Records, c.B.Records) {
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
	return out
}

// Explain says what could have caused the changes: the subjects that differ in every changed cell.
func Explain(changes []*Change, all []Difference) string {
	unchanged := len(changes) > 0
	var changed []string // cells with a shown change
	for _, c := range changes {
		unchanged = unchanged && c.Unchanged
		if c.Verdict != stats.NotComparable && c.Verdict != stats.NotShown {
			changed = slice.Add(changed, c.CellName())
		}
	}
	causes := slice.Filter(all, func(d Difference) bool { return !d.OneSided })
	cells := map[string][]string{} // by subject, which may have several differences
	for _, d := range causes {
		cells[d.Subject] = append(cells[d.Subject], d.Cells...)
	}
	common := slice.Filter(slices.Sorted(maps.Keys(cells)), func(subject string) bool {
		isElsewhere := func(cell string) bool { return !slices.Contains(cells[subject], cell) }
		return !slices.ContainsFunc(changed, isElsewhere)
	})
	differences := phrase.Count(len(cells), "difference")
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
