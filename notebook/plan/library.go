package plan

import (
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Library is an article and the other articles of its project, whose experiments it may extend.
type Library struct {
	project  *article.Project
	doc      *article.Document
	articles map[string]*article.Document // by slug; nil for one that cannot be read
}

// NewLibrary is the library of an article.
func NewLibrary(project *article.Project, doc *article.Document) *Library {
	return &Library{project, doc, map[string]*article.Document{doc.Slug: doc}}
}

// Definition is a block with what it extends.
type Definition struct {
	Block *article.ExperimentBlock
	Node  *source.Node // the block, merged over what it extends
	Whole bool         // all that it extends was found

	front []*source.Node // defaults of front matters that hold below it, the article's own first
}

// maxExtends bounds how many definitions one experiment may build upon.
const maxExtends = 20

// Definition merges a block of the article with what it extends. A block whose extends is wrong extends nothing.
func (l *Library) Definition(block *article.ExperimentBlock, problems *source.Problems) *Definition {
	return l.follow(l.doc, block, nil, problems)
}

// follow is Definition for a block of any article; below are the blocks on the way to it.
func (l *Library) follow(doc *article.Document, block *article.ExperimentBlock, below []*article.ExperimentBlock,
	problems *source.Problems) *Definition {
	d := &Definition{Block: block, Node: block.Node}
	if doc.Front.Defaults.Node != nil {
		d.front = append(d.front, doc.Front.Defaults.Node)
	}
	extends := block.Node.Get("extends")
	if extends == nil || extends.Kind != source.Scalar {
		d.Whole = extends == nil || extends.Kind == source.Null
		return d
	}
	below = append(below, block)
	of, base := l.extended(doc, extends.Text, problems)
	switch {
	case base == nil:
		return d
	case slices.Contains(below, base):
		problems.Add("circle", extends.Text.Pos, "experiment %q extends itself, by way of %q", block.Name.Value,
			extends.Text.Value).Hint = "write out what they share in one of them"
		return d
	case len(below) > maxExtends:
		problems.Add("too-many", extends.Text.Pos, "more than %d experiments extend each other in a row", maxExtends).
			Hint = "extend the one that the others have in common"
		return d
	}
	lower := l.follow(of, base, below, problems)
	if of != doc {
		d.front = append(d.front, lower.front...)
	}
	d.Whole = lower.Whole
	d.Node = article.Extend(searchedAnew(lower.Node.Without("name", "extends"), block.Node), block.Node)
	return d
}

// searchedAnew removes "of" from the searches below a block that searches for these values itself.
func searchedAnew(lower, block *source.Node) *source.Node {
	tune := lower.Get("tune")
	for _, f := range block.Get("tune").All() {
		below := tune.Get(f.Key.Value)
		if below.Get("of") != nil && f.Value.Get("of") == nil && len(f.Value.Fields) > 0 {
			tune = With(tune, f.Key.Value, below.Without("of"))
		}
	}
	return With(lower, "tune", tune)
}

// ProfileNames returns the profiles that a definition says something about.
func (l *Library) ProfileNames(d *Definition) []string {
	profiles := decodeKey("profiles", article.Extend(l.defaults(d), d.Node)).Profiles
	return slice.Map(profiles, func(p article.Profile) string { return p.Name.Value })
}

// extended finds the block that extends names: NAME in the same article, or SLUG#NAME.
func (l *Library) extended(doc *article.Document, name source.Text, problems *source.Problems) (*article.Document,
	*article.ExperimentBlock) {
	of, experiment, where := doc, name, "this article"
	if slug, _, elsewhere := strings.Cut(name.Value, "#"); elsewhere {
		if of = l.article(slug); of == nil {
			slugs, _ := l.project.Slugs() // only for the suggestion
			problems.Add("unknown-article", name.At(0, len(slug)), "no article %q in this project", slug).
				Hint = source.Suggest(slug, slugs)
			return nil, nil
		}
		experiment, where = name.Part(len(slug)+1, len(name.Value)), "article "+slug
	}
	var known []string
	for _, b := range of.Experiments {
		if b.Name.Value == experiment.Value {
			return of, b
		}
		known = append(known, b.Name.Value)
	}
	if !of.MayBeUnread(experiment.Value, "experiment") {
		problems.Add("unknown-experiment", experiment.Pos, "no experiment %q in %s", experiment.Value, where).
			Hint = source.Suggest(experiment.Value, known)
	}
	return nil, nil
}

// article reads another article of the project, once; nil if it is missing. Its problems are reported when it is
// checked.
func (l *Library) article(slug string) *article.Document {
	if doc, ok := l.articles[slug]; ok {
		return doc
	}
	l.articles[slug] = nil
	if slugs, err := l.project.Slugs(); err == nil && slices.Contains(slugs, slug) {
		if doc, err := l.project.Article(slug); err == nil {
			l.articles[slug] = doc
		}
	}
	return l.articles[slug]
}

// Others names the other articles that were read.
func (l *Library) Others() (slugs []string) {
	for slug, doc := range l.articles {
		if doc != nil && doc != l.doc {
			slugs = append(slugs, slug)
		}
	}
	slices.Sort(slugs)
	return slugs
}

// Written is the article that contains a text; the library's own for text of other files.
func (l *Library) Written(t source.Text) *article.Document {
	for _, doc := range l.articles {
		if doc != nil && doc.Source == t.Pos.Source {
			return doc
		}
	}
	return l.doc
}
