package article

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// longestFinding is the limit of a finding, in characters.
const longestFinding = 140

// notShown matches what a page does not show of a finding as written: link addresses, and code of values.
var notShown = regexp.MustCompile("\\]\\([^)]*\\)|`[^`]*`")

// check reports what can be checked between the parts of an article without a plan, such as duplicate names and unknown
// references. Package check does so for cells and metrics.
func (doc *Document) check() {
	p := &doc.Problems
	if date := doc.Front.Date; !date.IsZero() {
		if _, err := time.Parse(time.DateOnly, date.Value); err != nil {
			p.Add("wrong-value", date.Pos, "invalid date %q", date.Value).Hint = "write year-month-day, such as 2026-11-20"
		}
	}
	if n := utf8.RuneCountInString(notShown.ReplaceAllString(doc.Front.Finding.Value, "")); n > longestFinding {
		p.Add("too-large", doc.Front.Finding.Pos, "the finding has %d characters", n).
			Hint = fmt.Sprintf("say in %d at most what a list of articles should show", longestFinding)
	}
	experiments, claims := map[string]source.Text{}, map[string]source.Text{}
	labels, published := map[string]source.Text{}, map[string]source.Text{}
	for _, e := range doc.Experiments {
		doc.checkName(e.Name, "experiment", experiments)
		contradictions(e.Node, p)
	}
	for _, c := range doc.Claims {
		doc.checkName(c.Name, "claim", claims)
	}
	for _, t := range doc.Tables {
		doc.checkLabel(t.Label, "tbl-", labels)
		doc.checkSubject(t.Experiment, t.Pos, "table", experiments)
		doc.checkSentences(claims, t.Title, t.Caption)
	}
	for _, f := range doc.Figures {
		doc.checkLabel(f.Label, "fig-", labels)
		doc.checkSubject(f.Experiment, f.Pos, "figure", experiments)
		doc.checkSentences(claims, f.Title, f.Caption)
		f.check(p)
	}
	doc.checkParts(claims)
	doc.checkAnswer()
	for _, b := range doc.Published {
		doc.checkSubject(b.Experiment, b.Pos, "block of published numbers", experiments)
		doc.checkName(b.Name, "published block", published)
	}
	for _, l := range doc.ClaimLinks {
		doc.checkClaimName(l.Name, claims)
	}
	for _, r := range doc.References {
		if _, ok := labels[r.Label.Value]; !ok && !doc.MayBeUnread(r.Label.Value, "table", "figure") {
			p.Add("unknown-label", r.Label.Pos, "no table or figure %q in this article", r.Label.Value).Hint =
				suggestFrom(labels, r.Label, "give a table or figure this label")
		}
	}
	for _, l := range doc.Listings {
		doc.checkListing(l)
	}
}

// suggestFrom returns a hint with the names that are most like word; otherwise, if there are no names.
func suggestFrom(names map[string]source.Text, word source.Text, otherwise string) string {
	return cmp.Or(source.Suggest(word.Value, slices.Sorted(maps.Keys(names))), otherwise)
}

// checkName checks a name, which must be unique among those seen.
func (doc *Document) checkName(t source.Text, kind string, seen map[string]source.Text) {
	switch before, twice := seen[t.Value]; {
	case t.Value == "":
	case !files.IsWord(t.Value):
		AddBadName(&doc.Problems, t, kind)
	case twice:
		line, _ := doc.Source.Position(before.Pos.Start)
		doc.Problems.Add("duplicate-name", t.Pos, "there is %s %q in line %d already", withArticle(kind), t.Value, line).
			Hint = "give one of them another name"
	default:
		seen[t.Value] = t
	}
}

// checkLabel checks the label of a table or figure: the prefix, then letters, digits, - and _.
func (doc *Document) checkLabel(t source.Text, prefix string, seen map[string]source.Text) {
	if t.Value == "" {
		return
	}
	rest, ok := strings.CutPrefix(t.Value, prefix)
	before, twice := seen[t.Value]
	switch {
	case !ok || rest == "" || len(t.Value) >= files.MaxName || !files.IsWord("x"+rest):
		doc.Problems.Add("bad-label", t.Pos, "invalid label %q", t.Value).Hint =
			"begin it with " + prefix + " and continue with letters, digits, - and _"
	case twice:
		line, _ := doc.Source.Position(before.Pos.Start)
		doc.Problems.Add("duplicate-label", t.Pos, "the label %q is in line %d already", t.Value, line).
			Hint = "choose another"
	}
	seen[t.Value] = t
}

func (doc *Document) checkSubject(t source.Text, at source.Pos, what string, experiments map[string]source.Text) {
	names := slices.Sorted(maps.Keys(experiments))
	_, known := experiments[t.Value]
	switch {
	case t.Value == "" && doc.Unread("experiment") || t.Value != "" && doc.MayBeUnread(t.Value, "experiment"):
	case t.Value != "" && !known:
		doc.Problems.Add("unknown-experiment", t.Pos, "no experiment %q in this article", t.Value).
			Hint = source.Suggest(t.Value, names)
	case t.Value == "" && len(doc.Experiments) > 1:
		doc.Problems.Add("which-experiment", at, "this %s does not say which experiment it is about", what).
			Hint = "add experiment: with one of " + strings.Join(names, ", ")
	case t.Value == "" && len(doc.Experiments) == 0:
		doc.Problems.Add("which-experiment", at, "this %s is about an experiment, and the article has none", what).
			Hint = "add a yaml experiment block"
	}
}

func (doc *Document) checkSentences(claims map[string]source.Text, lines ...source.Text) {
	for _, t := range lines {
		if name, ok := SentenceOf(t.Value); ok {
			doc.checkClaimName(t.Part(len(t.Value)-len(name), len(t.Value)), claims)
		}
	}
}

func (doc *Document) checkClaimName(t source.Text, claims map[string]source.Text) {
	if _, ok := claims[t.Value]; !ok && t.Value != "" && !doc.MayBeUnread(t.Value, "claim") {
		doc.Problems.Add("unknown-claim", t.Pos, "no claim %q in this article", t.Value).Hint =
			suggestFrom(claims, t, "add a yaml claim block with this name")
	}
}

// checkListing checks that no file is at the path of a listing, and no listing at a folder above it.
func (doc *Document) checkListing(l *Listing) {
	for above := path.Dir(l.Path); above != "."; above = path.Dir(above) {
		if slices.ContainsFunc(doc.Listings, func(o *Listing) bool { return o.Path == above }) {
			doc.Problems.Add("file-exists", l.Pos, "%q is a file, so nothing can be below it", above).Hint = "rename one of them"
		}
	}
	if _, err := os.Lstat(filepath.Join(doc.Dir, filepath.FromSlash(l.Path))); err == nil {
		doc.Problems.Add("file-exists", l.Pos, "the folder of the article already has a file %q", l.Path).
			Hint = "remove that file, or give the listing another name"
	}
}

// contradicting has pairs of keys that cannot be written together, with message and hint.
var contradicting = []struct{ a, b, message, hint string }{
	{"load.rate", "load.requests", "a load with a rate lasts for a time, not for a number of requests",
		"write duration instead of requests"},
	{"load.rate", "load.think", "a load with a rate does not wait for answers, so think has no effect",
		"remove think, or rate"},
	{"load.driver", "load.tool", "a load is put on by a tool or by a driver, not by both", "keep one of them"},
	{"load.driver", "load.args", "a driver has no args", "write them after its command"},
	{"load.driver", "load.script", "a script is for a tool, and a driver puts the load on",
		"write the script into its configs"},
	{"capacity", "load.rate", "capacity looks for the rate itself, so the load has no rate", "remove rate"},
	{"capacity", "load.requests", "capacity looks for the rate itself, so the load has no requests", "remove requests"},
}

// contradictions reports contradicting keys within a block or profile. Between layers they are allowed: the keys that
// docs/load.md prefers win, so that a block can override what it inherits.
func contradictions(n *source.Node, problems *source.Problems) {
	for _, c := range contradicting {
		a, b := strings.Split(c.a, "."), strings.Split(c.b, ".")
		if last := len(b) - 1; n.Under(a...) != nil && n.Under(b...) != nil {
			problems.Add("contradiction", n.Under(b[:last]...).Place(b[last]), "%s", c.message).Hint = c.hint
		}
	}
	for _, f := range n.Get("profiles").All() {
		contradictions(f.Value, problems)
	}
}

// Knowledge is how much of an experiment can be checked despite its problems.
type Knowledge int

// The degrees of knowledge.
const (
	KnowsNothing Knowledge = iota
	KnowsCells             // the cells
	KnowsNames             // and the metrics that the experiment adds
	KnowsAll               // and all other metrics
)

// KnownOf returns, by name, how much of each experiment is certain despite the problems found. Further mistakes in the
// rest may be consequences of them.
func (doc *Document) KnownOf(found *source.Problems) map[string]Knowledge {
	known := map[string]Knowledge{}
	for _, e := range doc.Experiments {
		known[e.Name.Value] = KnowsAll
	}
	for _, p := range found.All() {
		if p.Severity != source.SeverityError {
			continue
		}
		e, ok := slice.Find(doc.Experiments, func(e *ExperimentBlock) bool { return p.Pos.In(e.extent) })
		switch {
		case ok:
			known[e.Name.Value] = min(known[e.Name.Value], e.knownBesides(p))
		case p.Pos.Source != doc.Source, doc.concernsAll(p):
			return map[string]Knowledge{}
		}
	}
	for range doc.Experiments { // enough for the longest chain of extends
		for _, e := range doc.Experiments {
			if base := e.Node.Get("extends"); base != nil {
				of, own := known[base.Text.Value]
				if own || doc.MayBeUnread(base.Text.Value, "experiment") {
					known[e.Name.Value] = min(known[e.Name.Value], of)
				}
			}
		}
	}
	return known
}

// knownDespite is how much of an experiment is certain despite a mistake in a key. Mistakes in keys that are missing
// here may change the cells.
var knownDespite = map[string]Knowledge{
	"description": KnowsAll, "repetitions": KnowsAll, "timeout": KnowsAll, "calibrate": KnowsAll,
	"setup": KnowsAll, "prepare": KnowsAll, "shared": KnowsAll,
	"services": KnowsNames, "load": KnowsNames, "tune": KnowsNames, "capacity": KnowsNames, "command": KnowsCells,
	"metrics": KnowsCells,
}

// knownBesides returns how much of the experiment is certain despite a problem in its block.
func (e *ExperimentBlock) knownBesides(p *source.Problem) Knowledge {
	if p.Pos.In(e.Pos) && p.Rule == "load-or-command" {
		return KnowsCells
	}
	key := keyAt(e.Node, p.Pos)
	isMisspelt := len(expr.Near(key, []string{"matrix", "extends", "profiles", "name"})) > 0
	if known := source.KeysOf(reflect.TypeFor[Experiment]()); !slices.Contains(known, key) && !isMisspelt {
		return KnowsCells
	}
	return knownDespite[key]
}

// keyAt returns the key of a mapping that contains a place.
func keyAt(n *source.Node, at source.Pos) string {
	key := source.Text{}
	for _, f := range n.Fields {
		if f.Key.Pos.Source == at.Source && f.Key.Pos.Start <= at.Start && f.Key.Pos.Start >= key.Pos.Start {
			key = f.Key
		}
	}
	return key.Value
}

// concernsAll reports whether a problem outside of experiments may affect any of them: in listings, and in the defaults
// and values of the front matter.
func (doc *Document) concernsAll(p *source.Problem) bool {
	if p.Pos.In(doc.front) {
		used := []string{"defaults", "values"}
		if doc.Front.Node == nil {
			return true // the front matter could not be read
		}
		key := keyAt(doc.Front.Node, p.Pos)
		return slices.Contains(used, key) && p.Rule != "bad-name" || len(expr.Near(key, used)) > 0
	}
	return slices.ContainsFunc(doc.Listings, func(l *Listing) bool { return p.Pos.In(l.extent) })
}
