package plan

import (
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/compose"
	"benchbook/notebook/source"
)

// composed are Compose files with the folder that their paths are counted from.
type composed struct {
	*compose.Project
	folder *folder
}

// composedFrom returns the Compose files that hold a text; nil if none do.
func (p *planner) composedFrom(t source.Text) *composed {
	found, _ := slice.Find(p.composed, func(c *composed) bool { return c.Holds(t) })
	return found
}

// compose lays the services of an experiment over the services of its Compose files. It is false if these cannot be used.
//
// Source: docs/compose.md.
func (e *outline) compose(merged *source.Node) (*source.Node, bool) {
	named := merged.Get("compose")
	if named == nil {
		return merged, true
	}
	list := named
	if named.Kind == source.Map {
		list = named.Under("files")
	}
	if list == nil {
		e.problems.Add("missing-key", named.Text.Pos, "compose has no files").
			Hint = "write files: with the path of a Compose file"
	}
	names, root := texts(list), e.repository
	if len(names) == 0 {
		return merged, false
	}
	read := compose.Read(names, compose.Options{Dir: e.doc.Dir, Root: root, Services: merged.Get("services"),
		Environment: article.Texts(texts(named.Under("environment"))), Private: e.private}, e.problems)
	if read == nil {
		return merged, false
	}
	var listings []*article.Listing
	for _, name := range sortedKeys(read.Contents) {
		listings = append(listings, &article.Listing{Path: name, Data: read.Contents[name], Pos: named.Text.Pos})
	}
	for _, name := range read.Files {
		e.reads[name] = true
	}
	for _, name := range read.EnvFiles {
		e.reads[name], e.envFiles[name] = true, true
	}
	e.composed = append(e.composed, &composed{read, newRepository(root, listings, e.doc, e.seenFiles)})
	e.Notes = read.Notes
	if read.Secrets != nil {
		merged = with(merged, "secrets", article.Merge(read.Secrets, merged.Get("secrets")))
	}
	return with(merged, "services", read.Services), true
}
