package plan

import (
	"maps"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/compose"

	"benchbook/notebook/source"
)

// composed are Compose files with the folder that their paths are counted from.
type composed struct {
	*compose.Project
	folder *Folder
}

// composedFrom returns the Compose files that hold a text; nil if none do.
func (p *planner) composedFrom(t source.Text) *composed {
	for _, c := range p.composed {
		if c.Holds(t) {
			return c
		}
	}
	return nil
}

// compose lays the services of an experiment over the services of its Compose files. It is false if these cannot be used.
//
// Source: docs/compose.md.
func (p *planner) compose(e *outline, merged *source.Node) (*source.Node, bool) {
	named := merged.Get("compose")
	if named == nil {
		return merged, true
	}
	names := texts(named)
	if named.Kind == source.Map {
		names = texts(named.Under("files"))
	}
	if named.Kind == source.Map && named.Get("files") == nil {
		p.problems.Add("missing-key", named.Text.Pos, "compose has no files").Hint = "write files: with the path of a Compose " +
			"file"
	}
	if len(names) == 0 {
		return merged, false
	}
	services := merged.Get("services")
	root := p.project.Repository()
	read := compose.Read(names, compose.Options{Dir: p.doc.Dir, Root: root, Services: services,
		Environment: article.Texts(texts(named.Under("environment"))), Private: p.private}, p.problems)
	if read == nil {
		return merged, false
	}
	var listings []*article.Listing
	for _, name := range slices.Sorted(maps.Keys(read.Contents)) {
		listings = append(listings, &article.Listing{Path: name, Data: read.Contents[name], Pos: named.Text.Pos})
	}
	folder := newRepository(root, listings, p.doc, p.seenFiles)
	for _, name := range read.Files {
		p.reads[name] = true
	}
	for _, name := range read.EnvFiles {
		p.reads[name], p.envFiles[name] = true, true
	}
	p.composed = append(p.composed, &composed{read, folder})
	if read.Secrets != nil {
		secrets := read.Secrets
		if own := merged.Get("secrets"); own != nil {
			secrets = article.Merge(secrets, own)
		}
		merged = set(merged, source.Text{Value: "secrets", Pos: named.Text.Pos}, secrets)
	}
	e.Notes = read.Notes
	return set(merged, source.Text{Value: "services", Pos: named.Text.Pos}, read.Services), true
}

func set(n *source.Node, key source.Text, value *source.Node) *source.Node {
	if n.Get(key.Value) != nil {
		return With(n, key.Value, value)
	}
	out := *n
	out.Fields = append(slices.Clone(n.Fields), source.Field{Key: key, Value: value})
	return &out
}
