package article

import "slices"

// Sound gives the names of the experiments of which nothing that was found can change what their cells and metrics are.
// What rests on the others cannot be judged before they are mended: it would be wrong for no reason of its own.
func (doc *Document) Sound(found *Problems) []string {
	broken := map[string]bool{}
	all := doc.unread["experiment"]
	for _, p := range found.list {
		if p.Severity != SeverityError {
			continue
		}
		switch e := doc.experimentAt(p.Pos); {
		case e != nil:
			broken[e.Name.Value] = true
		case p.Pos.Source != doc.Source, doc.concernsAll(p):
			all = true
		}
	}
	if all {
		return nil
	}
	// One that extends a broken one is no better; as often as there can be steps from one to another.
	for range doc.Experiments {
		for _, e := range doc.Experiments {
			if base := e.Node.Get("extends"); base != nil && broken[base.Text.Value] {
				broken[e.Name.Value] = true
			}
		}
	}
	var sound []string
	for _, e := range doc.Experiments {
		if !broken[e.Name.Value] {
			sound = append(sound, e.Name.Value)
		}
	}
	return sound
}

// experimentAt is the experiment in whose block a place lies, or nil.
func (doc *Document) experimentAt(at Pos) *ExperimentBlock {
	i := slices.IndexFunc(doc.Experiments, func(e *ExperimentBlock) bool { return at.inside(e.extent) })
	if i < 0 {
		return nil
	}
	return doc.Experiments[i]
}

// concernsAll says that a problem outside of experiments may be about any of them: in what a listing is made of, or in
// front matter, whose defaults and values all others use.
func (doc *Document) concernsAll(p *Problem) bool {
	if p.Pos.inside(doc.front) {
		harmless := []string{"missing-key", "no-front-matter", "too-many", "unknown-label", "unknown-claim", "bad-name"}
		if doc.Front.Defaults.Node == nil {
			harmless = append(harmless, "wrong-value", "bad-expression")
		}
		return !slices.Contains(harmless, p.Rule)
	}
	return slices.ContainsFunc(doc.Listings, func(l *Listing) bool { return p.Pos.inside(l.extent) })
}

// Unread says that blocks of a kind, such as "published", could not all be read, so that what is missing may stand in one.
func (doc *Document) Unread(kind string) bool { return doc.unread[kind] }
