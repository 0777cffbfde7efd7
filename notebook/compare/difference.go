package compare

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/dataset"

	"benchbook/internal/slice"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// A Detail is one thing that differs between two records of a cell.
type Detail struct {
	Name string `json:"name"` // "load.connections", "server: /srv/server.py", "packages.server: python3"
	A    string `json:"a"`    // empty if it is not there, or not recorded
	B    string `json:"b"`
}

// A Difference is what differs between A and B about one subject, in some cells alike. Parts of one subject are one
// candidate for the cause of a shift: a new image has a new digest and new packages.
type Difference struct {
	Subject string   `json:"subject"` // "image of server", "kernel", or the name of the only part
	Kind    string   `json:"kind"`    // input: it was asked for; fact: it was found out when it was measured
	Parts   []Detail `json:"parts"`
	Cells   []string `json:"cells"` // names of those in which it differs
	All     bool     `json:"all_cells"`
	// Follows is the subject of which it is a consequence; then it is no candidate.
	Follows string `json:"follows,omitempty"`
	// OneSided says that only one side tells of it, as where it was measured with another version: then it is no
	// candidate either.
	OneSided bool `json:"one_sided"`
}

// The kinds of Difference.
const (
	InputDifference = "input"
	FactDifference  = "fact"
)

// candidate reports whether a difference could have caused a shift.
func (d *Difference) candidate() bool { return d.Follows == "" && !d.OneSided }

// rank orders differences: inputs before facts, and candidates first.
func (d *Difference) rank() (rank int) {
	if d.Kind == FactDifference {
		rank += 2
	}
	if !d.candidate() {
		rank++
	}
	return rank
}

// String says what differs in one line.
func (d *Difference) String() string {
	first := d.Parts[0].String()
	switch {
	case len(d.Parts) == 1 && d.Parts[0].Name == d.Subject:
		return first
	case len(d.Parts) == 1:
		return fmt.Sprintf("%s (%s)", d.Subject, first)
	}
	for _, p := range d.Parts { // versions say more than digests
		if record.IsList(p.Name) {
			first = p.String()
			break
		}
	}
	return fmt.Sprintf("%s (%s, and %d more)", d.Subject, first, len(d.Parts)-1)
}

func (p Detail) String() string {
	return fmt.Sprintf("%s: %s → %s", p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"))
}

// subjects of facts that are found out in more than one way. A * stands for the name of a service.
var subjects = map[string]string{
	"image.*": "image of *", "base.*": "image of *", "packages.*": "image of *", "pip.*": "image of *",
	"program.*":   "program of *",
	"host.kernel": "kernel", "engine.kernel": "kernel",
	"host.cores": "cores", "engine.cpus": "cores",
	"host.memory": "memory of the host", "engine.memory": "memory of the host",
	"host.architecture": "architecture", "engine.architecture": "architecture",
	"generator.semantics": "meaning of samples", "generator.binary": "load generator",
}

func subjectOf(fact string) string {
	if host, rest, ok := ofOtherHost(fact); ok {
		return subjectOf(rest) + " on host " + host
	}
	family, service, _ := strings.Cut(fact, ".")
	if s, ok := subjects[family+".*"]; ok {
		return strings.ReplaceAll(s, "*", service)
	}
	return cmp.Or(subjects[fact], fact)
}

// ofOtherHost takes a fact apart that is about another machine than the one that the run was started on.
func ofOtherHost(fact string) (host, rest string, ok bool) {
	rest, ok = strings.CutPrefix(fact, "hosts.")
	if !ok {
		return "", fact, false
	}
	return strings.Cut(rest, ".")
}

// ofRepetition are facts about single repetitions, which marks tell of.
var ofRepetition = map[string]bool{record.FactLeftOut: true, "usage.behind": true, record.FactOthers: true}

// differencesOf lists what differs between the two sides of one cell.
func differencesOf(a, b *dataset.Cell) ([]Difference, error) {
	if len(a.Records) == 0 || len(b.Records) == 0 {
		return nil, nil
	}
	out, err := inputDifferences(a.Records[0], b.Records[0])
	if err != nil {
		return nil, err
	}
	out = append(out, factDifferences(a.Records, b.Records)...)
	for i := range out {
		out[i].follow(out)
	}
	return out, nil
}

// inputDifferences compares what went into the keys of two records, path by path and file by file.
func inputDifferences(a, b *record.Record) ([]Difference, error) {
	if a.Key == b.Key {
		return nil, nil
	}
	var out []Difference
	add := func(subject, name, a, b string) {
		out = append(out, Difference{Subject: subject, Kind: InputDifference, Parts: []Detail{{name, a, b}}})
	}
	edits, err := record.DefinitionEdits(b.Definition, a.Definition)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		add(e.Path, e.Path, e.Then, e.Now)
	}
	digests := map[string]string{}
	for _, in := range a.Inputs {
		digests[in.Name] = in.Digest
	}
	for _, in := range b.Inputs {
		was, ok := digests[in.Name]
		delete(digests, in.Name)
		switch {
		case was == in.Digest || in.Name == "definition":
		case in.Name == "semantics":
			add("meaning of samples", in.Name, was, in.Digest)
		case !ok:
			add(in.Name, in.Name, "", short(in.Digest))
		default:
			add(in.Name, in.Name, short(was), short(in.Digest))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		add(name, name, short(digests[name]), "")
	}
	if len(out) == 0 {
		add("a value that is not recorded", "a value that is not recorded", short(a.Key), short(b.Key))
	}
	return out, nil
}

// factDifferences compares what was found out when two sides of a cell were measured; lists, as of packages, line by
// line.
func factDifferences(a, b []*record.Record) []Difference {
	x, y := factsOf(a), factsOf(b)
	var out []Difference
	for _, name := range slices.Sorted(maps.Keys(joined(x, y))) {
		if SameFact(name, x[name], y[name]) || ofRepetition[name] {
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

// incidental are facts that are others in every run, as they are times, or after every commit, whatever it changed:
// what of a revision matters is in definitions and files.
var incidental = []string{record.FactStart, "shared.start", "shared.setup", "clock.ahead", record.FactRevision}

// factsOf gathers the facts of all repetitions, but for those that are incidental. Where they differ among
// themselves, all are named.
func factsOf(records []*record.Record) map[string]string {
	seen := map[string][]string{}
	for _, r := range records {
		for name, value := range r.Facts {
			if _, of, _ := ofOtherHost(name); slices.Contains(incidental, of) {
				continue
			}
			if !slices.ContainsFunc(seen[name], func(o string) bool { return SameFact(name, o, value) }) {
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

func joined(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// factParts takes a fact apart that is a list with one name and version to a line.
func factParts(name, a, b string) []Detail {
	if a == "" || b == "" || !record.IsList(name) {
		return []Detail{{name, SummaryOf(a), SummaryOf(b)}}
	}
	x, y := versions(a), versions(b)
	var out []Detail
	for _, item := range slices.Sorted(maps.Keys(joined(x, y))) {
		if x[item] != y[item] {
			out = append(out, Detail{name + ": " + item, x[item], y[item]})
		}
	}
	if len(out) == 0 { // only their order
		return []Detail{{name, SummaryOf(a), SummaryOf(b)}}
	}
	return out
}

func versions(list string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(list) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" {
			out[name] = cmp.Or(version, "there")
		}
	}
	return out
}

// sameMemory is the share by which sizes of a machine's memory may differ: a kernel takes a little more or less of it
// at each start.
const sameMemory = 0.01

// SameFact reports whether two values of a fact tell the same. Sizes of memory do, in bytes, where they differ by
// less than the kernel that was started last.
func SameFact(name, a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return strings.HasSuffix(name, "engine.memory") && errX == nil && errY == nil && math.Abs(x-y) <= sameMemory*max(x, y)
}

// SummaryOf is a fact in one line: digests are shortened, and of lists only their length is said.
func SummaryOf(fact string) string {
	if n := strings.Count(strings.TrimSpace(fact), "\n"); n > 0 {
		return phrase.Plural(n+1, "line")
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

// follow notes of what d is a consequence: an image of which nothing but its id is known to differ is a new one
// because something that it is built from differs, and a new version of the load generator is another program.
func (d *Difference) follow(all []Difference) {
	service, isImage := strings.CutPrefix(d.Subject, "image of ")
	for _, o := range all {
		switch {
		case d.Subject == "load generator" && o.Subject == "meaning of samples":
			d.Follows = o.Subject
		case isImage && len(d.Parts) == 1 && d.Parts[0].Name == "image."+service && o.Kind == InputDifference &&
			(strings.HasPrefix(o.Subject, service+": ") || strings.HasPrefix(o.Subject, "services."+service+".build") ||
				strings.HasPrefix(o.Subject, "services."+service+".image")):
			d.Follows = o.Subject
		}
	}
}

// A cellPair is a cell on both sides, by the name that it has in the output.
type cellPair struct {
	name string
	a, b *dataset.Cell
}

// pairsOf lists the cells of changes, each once.
func pairsOf(changes []Change) []cellPair {
	var out []cellPair
	for i := range changes {
		c := &changes[i]
		if !slices.ContainsFunc(out, func(p cellPair) bool { return p.a == c.A }) {
			out = append(out, cellPair{c.CellName(), c.A, c.B})
		}
	}
	return out
}

// Differences lists what differs in the cells of changes, each thing once with the cells in which it does. Cells
// whose sides are the same repetitions, or that one side lacks, have no part in it.
func Differences(changes []Change) ([]Difference, error) {
	var out []Difference
	measured := 0
	for _, p := range pairsOf(changes) {
		if len(p.a.Records) == 0 || len(p.b.Records) == 0 {
			continue
		}
		if i := slices.IndexFunc(changes, func(c Change) bool { return c.A == p.a }); changes[i].Unchanged {
			continue
		}
		measured++
		own, err := differencesOf(p.a, p.b)
		if err != nil {
			return nil, err
		}
		for _, d := range own {
			i := slices.IndexFunc(out, func(o Difference) bool {
				return o.Subject == d.Subject && o.Kind == d.Kind && o.Follows == d.Follows && slices.Equal(o.Parts, d.Parts)
			})
			if i < 0 {
				i = len(out)
				out = append(out, d)
			}
			out[i].Cells = append(out[i].Cells, p.name)
		}
	}
	for i := range out {
		out[i].All = len(out[i].Cells) == measured
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return cmp.Compare(a.rank(), b.rank()) })
	return out, nil
}

// Explain says what could have caused the shifts: what differs in every cell that has one.
func Explain(changes []Change, all []Difference) string {
	var shifted []string
	compared, unchanged := false, len(changes) > 0
	for i := range changes {
		c := &changes[i]
		compared = compared || c.Verdict != stats.NotComparable
		unchanged = unchanged && c.Unchanged
		if c.Verdict != stats.NotComparable && c.Verdict != stats.NotShown {
			shifted = slice.Add(shifted, c.CellName())
		}
	}
	candidates := slice.Filter(all, func(d Difference) bool { return d.candidate() })
	switch {
	case unchanged:
		return "nothing: both sides are the same repetitions"
	case len(candidates) > 0:
		return explainBy(candidates, shifted)
	case !compared:
		return "nothing was compared, and no recorded difference was found"
	case len(shifted) == 0:
		return "no recorded difference"
	}
	return "no recorded difference explains the change: it may come from something that is not recorded, such as " +
		"background load, or from chance"
}

// explainBy names the subjects that differ in every shifted cell, maybe in different ways.
func explainBy(candidates []Difference, shifted []string) string {
	cells := map[string][]string{} // by subject
	for _, d := range candidates {
		cells[d.Subject] = append(cells[d.Subject], d.Cells...)
	}
	var common []string
	for _, d := range candidates {
		isElsewhere := func(cell string) bool { return !slices.Contains(cells[d.Subject], cell) }
		if !slices.ContainsFunc(shifted, isElsewhere) {
			common = slice.Add(common, d.Subject)
		}
	}
	switch {
	case len(candidates) == 1 && len(common) == 1:
		return "the only difference is " + candidates[0].String()
	case len(shifted) == 0:
		return phrase.Plural(len(cells), "difference") + ", but no cell changed"
	case len(common) == 0:
		return phrase.Plural(len(cells), "difference") + ", none of them in every cell that changed"
	}
	return "in every cell that changed: " + strings.Join(common, ", ")
}
