package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/inputs"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// A definition is a block with what it extends.
type definition struct {
	block *article.ExperimentBlock
	node  *yamltext.Node   // the block, merged over what it extends
	front []*yamltext.Node // defaults of front matters that hold below it, the article's own first
	whole bool             // all that it extends was found
}

// maxExtends bounds how many definitions one experiment may build upon.
const maxExtends = 20

// definition follows extends, and gives the merged node with the front matters that hold below it; below are the blocks that
// are being followed. What is wrong is reported once, at the block that says it; that block then stands for itself.
func (p *planner) definition(doc *article.Document, block *article.ExperimentBlock, below []*article.ExperimentBlock) *definition {
	d := &definition{block: block, node: block.Node}
	if doc.Front.Defaults.Node != nil {
		d.front = append(d.front, doc.Front.Defaults.Node)
	}
	extends := block.Node.Get("extends")
	if extends == nil || extends.Kind != yamltext.Scalar {
		d.whole = extends == nil || extends.Kind == yamltext.Null
		return d
	}
	below = append(below, block)
	of, base := p.extended(doc, extends.Text)
	switch {
	case base == nil:
		return d
	case slices.Contains(below, base):
		p.problems.Add("circle", extends.Text.Pos, "experiment %q extends itself, by way of %q", block.Name.Value, extends.Text.Value).
			Hint = "write out what they share in one of them"
		return d
	case len(below) > maxExtends:
		p.problems.Add("too-many", extends.Text.Pos, "more than %d experiments extend each other in a row", maxExtends).
			Hint = "extend the one that the others have in common"
		return d
	}
	lower := p.definition(of, base, below)
	if of != doc {
		d.front = append(d.front, lower.front...)
	}
	d.whole = lower.whole
	d.node = article.Extend(searchedAnew(lower.node.Without("name", "extends"), block.Node), block.Node)
	return d
}

// searchedAnew is what an experiment extends without the experiments that values are taken over from, where the block says itself how
// they are searched for.
func searchedAnew(lower, block *yamltext.Node) *yamltext.Node {
	for _, f := range fieldsOf(block, "tune") {
		below := lower.Get("tune").Get(f.Key.Value)
		if below.Get("of") != nil && f.Value.Get("of") == nil && len(f.Value.Fields) > 0 {
			lower = with(lower, "tune", with(lower.Get("tune"), f.Key.Value, below.Without("of")))
		}
	}
	return lower
}

// extended finds the block that extends names: NAME in the same article, or SLUG#NAME.
func (p *planner) extended(doc *article.Document, name source.Text) (*article.Document, *article.ExperimentBlock) {
	slug, experiment, elsewhere := strings.Cut(name.Value, "#")
	of := doc
	at := name.Pos
	if elsewhere {
		of = p.article(slug)
		if of == nil {
			slugs, _ := p.project.Slugs() // without a list there is no suggestion
			p.problems.Add("unknown-article", name.At(0, len(slug)), "no article %q in this project", slug).
				Hint = source.Suggest(slug, slugs)
			return nil, nil
		}
		at = name.At(len(slug)+1, len(name.Value))
	} else {
		experiment = name.Value
	}
	var known []string
	for _, b := range of.Experiments {
		if b.Name.Value == experiment {
			return of, b
		}
		known = append(known, b.Name.Value)
	}
	where := "this article"
	if elsewhere {
		where = "article " + slug
	}
	p.problems.Add("unknown-experiment", at, "no experiment %q in %s", experiment, where).
		Hint = source.Suggest(experiment, known)
	return nil, nil
}

// article reads another article of the project, once; nil if there is none. Its own problems are reported where it is
// checked itself.
func (p *planner) article(slug string) *article.Document {
	if doc, ok := p.articles[slug]; ok {
		return doc
	}
	p.articles[slug] = nil
	if slugs, err := p.project.Slugs(); err == nil && slices.Contains(slugs, slug) {
		if doc, err := p.project.Article(slug); err == nil {
			p.articles[slug] = doc
		}
	}
	return p.articles[slug]
}

// folder is that of the article that a path was written in; of paths from elsewhere, this article's.
func (p *planner) folder(t source.Text) *inputs.Folder {
	doc := p.doc
	for _, d := range p.articles {
		if d != nil && d.Source == t.Pos.Source {
			doc = d
		}
	}
	if p.folders[doc] == nil {
		p.folders[doc] = inputs.NewFolder(doc)
	}
	return p.folders[doc]
}
