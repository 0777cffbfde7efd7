package article

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"benchbook/internal/files"
	"benchbook/notebook/source"
)

// checker looks for what is wrong between the parts of a document.
type checker struct {
	*Document
	experiments []string // their names
}

// check looks at what the parts of an article say of each other, as far as no plan is needed: names that are there
// twice or missing, references to nothing. What needs cells and metrics is checked by package dataset.
func (doc *checker) check() {
	doc.checkFront()
	names := map[string]source.Text{}
	for _, e := range doc.Experiments {
		if doc.named(e.Name, e.Pos, "experiment", names, e.tried) {
			doc.experiments = append(doc.experiments, e.Name.Value)
		}
		contradictions(e.Node, &doc.Problems)
	}
	claims, labels := doc.checkClaims(), map[string]source.Text{}
	for _, t := range doc.Tables {
		doc.label(t.Label, t.Pos, "tbl-", labels, t.Tried)
		doc.refer(t.Experiment, t.Pos, "table")
		doc.claimName(t.Claim, claims)
		doc.sentenceOf(claims, t.Title, t.Caption)
		if len(t.Columns) == 0 && !t.Tried.Has("columns") {
			doc.Problems.Add("missing-key", t.Pos, "the table has no columns").
				Hint = "add columns: with a list of metrics, such as [throughput, latency.p99]"
		}
	}
	for _, f := range doc.Figures {
		doc.label(f.Label, f.Pos, "fig-", labels, f.Tried)
		doc.refer(f.Experiment, f.Pos, "figure")
		doc.claimName(f.Claim, claims)
		doc.sentenceOf(claims, f.Title, f.Caption)
		doc.checkFigure(f)
	}
	doc.checkParts(claims)
	doc.checkPublished()
	for _, l := range doc.ClaimLinks {
		doc.claimName(l.Name, claims)
	}
	for _, r := range doc.References {
		if _, ok := labels[r.Label.Value]; !ok && !doc.mayStand("table", r.Label.Value) && !doc.mayStand("figure", r.Label.Value) {
			hint := cmp.Or(source.Suggest(r.Label.Value, slices.Sorted(maps.Keys(labels))), "give a table or figure this label")
			doc.Problems.Add("unknown-label", r.Label.Pos, "no table or figure %q in this article", r.Label.Value).Hint = hint
		}
	}
	for _, l := range doc.Listings {
		doc.checkListing(l)
	}
}

func (doc *checker) checkFront() {
	if date := doc.Front.Date; !date.IsZero() {
		if _, err := time.Parse(time.DateOnly, date.Value); err != nil {
			doc.Problems.Add("wrong-value", date.Pos, "invalid date %q", date.Value).
				Hint = "write year-month-day, such as 2026-11-20"
		}
	}
}

// refer checks the name of the experiment that something is about.
func (doc *checker) refer(t source.Text, at source.Pos, what string) {
	switch {
	case t.Value == "" && doc.Unread("experiment") || t.Value != "" && doc.mayStand("experiment", t.Value):
	case t.Value != "" && !slices.Contains(doc.experiments, t.Value):
		doc.Problems.Add("unknown-experiment", t.Pos, "no experiment %q in this article", t.Value).
			Hint = source.Suggest(t.Value, doc.experiments)
	case t.Value == "" && len(doc.Experiments) > 1:
		doc.Problems.Add("which-experiment", at, "this %s does not say which experiment it is about", what).
			Hint = "add experiment: with one of " + strings.Join(doc.experiments, ", ")
	case t.Value == "" && len(doc.Experiments) == 0:
		doc.Problems.Add("which-experiment", at, "this %s is about an experiment, and the article has none", what).
			Hint = "add a yaml experiment block"
	}
}

func (doc *checker) checkPublished() {
	published := map[string]source.Text{}
	for _, b := range doc.Published {
		doc.refer(b.Experiment, b.Pos, "block of published numbers")
		if b.Name.Value != "" {
			doc.named(b.Name, b.Pos, "published block", published, b.Tried)
		}
		if b.Source.Value == "" && !b.Tried.Has("source") {
			doc.Problems.Add("missing-key", b.Pos, "published numbers must name their source").
				Hint = "add source: with the title of the publication"
		}
	}
}

// checkListing reports a file in the place of a listing or of a folder above it.
func (doc *checker) checkListing(l *Listing) {
	for above := path.Dir(l.Path); above != "."; above = path.Dir(above) {
		info, err := os.Lstat(filepath.Join(doc.Dir, filepath.FromSlash(above)))
		listed := slices.ContainsFunc(doc.Listings, func(o *Listing) bool { return o.Path == above })
		if listed || err == nil && !info.IsDir() {
			doc.Problems.Add("file-exists", l.Pos, "%q is a file, so nothing can be below it", above).Hint = "rename one of them"
		}
	}
	if _, err := os.Lstat(filepath.Join(doc.Dir, filepath.FromSlash(l.Path))); err == nil {
		doc.Problems.Add("file-exists", l.Pos, "the folder of the article already has a file %q", l.Path).
			Hint = "remove that file, or give the listing another name"
	}
}

// named checks a name that has to be there and be the only one of its kind.
func (doc *checker) named(t source.Text, at source.Pos, what string, seen map[string]source.Text,
	tried source.Tried) bool {
	switch before, twice := seen[t.Value]; {
	case t.Value == "" && tried.Has("name"):
		return false
	case t.Value == "":
		doc.Problems.Add("missing-key", at, "the %s has no name", what).Hint = "add name: with a word of your choice"
		return false
	case !IsName(t.Value):
		AddBadName(&doc.Problems, t, what)
		return false
	case twice:
		line, _ := doc.Source.Position(before.Pos.Start)
		doc.Problems.Add("duplicate-name", t.Pos, "there is %s %q in line %d already", article(what), t.Value, line).
			Hint = "give one of them another name"
		return false
	}
	seen[t.Value] = t
	return true
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// sentenceOf checks the claims whose sentences titles and captions are.
func (doc *checker) sentenceOf(claims map[string]source.Text, lines ...source.Text) {
	for _, t := range lines {
		if name, ok := SentenceOf(t.Value); ok {
			doc.claimName(t.Part(len(t.Value)-len(name), len(t.Value)), claims)
		}
	}
}

func (doc *checker) checkClaims() map[string]source.Text {
	claims := map[string]source.Text{}
	for _, c := range doc.Claims {
		doc.named(c.Name, c.Pos, "claim", claims, c.Tried)
		if c.Expect.Text.IsZero() && !c.Tried.Has("expect") {
			doc.Problems.Add("missing-key", c.Pos, "the claim has no test").Hint = "add expect: with a comparison, such as a > b"
		}
		if c.SmallestEffect.Set() && (c.SmallestEffect.V <= 0 || c.SmallestEffect.V >= 10) {
			doc.Problems.Add("wrong-value", c.SmallestEffect.Text.Pos,
				"smallest_effect must be more than 0 and less than 1000 %%").Hint = "write a percentage, such as 5%"
		}
	}
	return claims
}

func (doc *checker) claimName(t source.Text, claims map[string]source.Text) {
	if t.Value == "" || doc.mayStand("claim", t.Value) {
		return
	}
	if _, ok := claims[t.Value]; !ok {
		hint := cmp.Or(source.Suggest(t.Value, slices.Sorted(maps.Keys(claims))), "add a yaml claim block with this name")
		doc.Problems.Add("unknown-claim", t.Pos, "no claim %q in this article", t.Value).Hint = hint
	}
}

func (doc *checker) label(t source.Text, at source.Pos, prefix string, seen map[string]source.Text,
	tried source.Tried) {
	before, twice := seen[t.Value]
	switch {
	case t.Value == "" && tried.Has("label"):
		return
	case t.Value == "":
		doc.Problems.Add("missing-key", at, "no label").Hint = "add label: " + prefix + "… so that the text can refer to it"
		return
	case !isLabel(t.Value, prefix):
		p := doc.Problems.Add("bad-label", t.Pos, "invalid label %q", t.Value)
		if p.Hint = "begin it with " + prefix + " and go on with letters, digits, - and _"; len(t.Value) >= files.MaxName {
			p.Hint = fmt.Sprintf("choose one of less than %d bytes", files.MaxName)
		}
	case twice:
		line, _ := doc.Source.Position(before.Pos.Start)
		doc.Problems.Add("duplicate-label", t.Pos, "the label %q stands in line %d already", t.Value,
			line).Hint = "choose another"
	}
	seen[t.Value] = t
}

func (doc *checker) checkFigure(f *Figure) {
	of, ok := FigureKindOf(f.Kind.Value, f.X.Value, Texts(f.Y))
	switch {
	case f.Kind.Value == "" && f.Tried.Has("kind"):
		return
	case f.Kind.Value == "":
		doc.Problems.Add("missing-key", f.Pos, "the figure has no kind").Hint = "add kind: with one of " +
			strings.Join(FigureKindNames(nil), ", ")
		return
	case !ok:
		doc.Problems.Add("unknown-kind", f.Kind.Pos, "unknown figure kind %q",
			f.Kind.Value).Hint = source.Suggest(f.Kind.Value, FigureKindNames(nil))
		return
	}
	has := map[string]bool{"x": f.X.Value != "", "y": len(f.Y) > 0, "claim": f.Claim.Value != ""}
	for _, key := range of.Needs {
		if !has[key] && !f.Tried.Has(key) {
			doc.Problems.Add("missing-key", f.Pos, "a figure of kind %s needs %s", f.Kind.Value,
				strings.Join(of.Needs, " and ")).Hint = of.Hint
			return
		}
	}
	// What would do nothing is refused, as what is not known: its author means something by it.
	unused := func(key, written string, at source.Pos) {
		others := FigureKindNames(func(k *FigureKind) bool { return k.Has(key) })
		doc.Problems.Add("unused-key", at, "%s has no effect in a figure of kind %s", written, f.Kind.Value).Hint =
			"remove it, or choose a kind that has it: " + strings.Join(others, ", ")
	}
	for key, at := range f.Keys {
		if key != "log" && !f.Tried.Has(key) && !of.Has(key) {
			unused(key, key, at)
		}
	}
	for _, log := range f.Log {
		if key := "log." + string(log.V); log.V != "" && !of.Has(key) {
			unused(key, "log: "+string(log.V), log.Text.Pos)
		}
	}
}

// contradictions reports keys of one block or profile that cannot both be meant. Where they come from different layers,
// the one that docs/load.md prefers wins, and nothing is reported: a block may override what it inherits.
func contradictions(n *source.Node, problems *source.Problems) {
	both := func(in, a *source.Node, key, what, hint string) {
		if b := in.Get(key); a != nil && a.Kind != source.Null && b != nil && b.Kind != source.Null {
			problems.Add("contradiction", in.Place(key), "%s", what).Hint = hint
		}
	}
	load, capacity := n.Get("load"), n.Get("capacity")
	for _, c := range []struct{ a, b, what, hint string }{
		{"rate", "requests", "a load with a rate lasts for a time, not for a number of requests",
			"write duration instead of requests"},
		{"rate", "think", "a load with a rate does not wait for answers, so think has no effect", "remove think, or rate"},
		{"rate", "start", "requests of a load with a rate leave on schedule, whatever clients do", "remove start, or rate"},
		{"driver", "tool", "a load is put on by a tool or by a driver, not by both", "keep one of them"},
		{"driver", "args", "a driver has no args", "write them behind its command"},
		{"driver", "script", "a script is for a tool, and a driver puts the load on", "write the script into its configs"},
		{"driver", "start", "a driver starts its clients itself", "remove start"},
	} {
		both(load, load.Get(c.a), c.b, c.what, c.hint)
	}
	for _, key := range []string{"rate", "requests"} {
		both(load, capacity, key, "capacity looks for the rate itself, so the load has no "+key, "remove "+key)
	}
	for _, f := range n.Get("tune").All() {
		for _, key := range []string{"from", "to", "maximize", "budget"} {
			both(f.Value, f.Value.Get("of"), key, "a value chosen by another experiment is not searched for",
				"remove "+key+", or of")
		}
	}
	for _, f := range n.Get("profiles").All() {
		contradictions(f.Value, problems)
	}
}
