package plan

import (
	"maps"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/compose"
	"benchbook/notebook/inputs"
	"benchbook/notebook/layers"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// composed are Compose files with the folder that their paths are counted from.
type composed struct {
	*compose.Project
	folder *inputs.Folder
}

// composedFrom are the Compose files that hold a text; nil if it stands elsewhere.
func (p *planner) composedFrom(t source.Text) *composed {
	for _, c := range p.composed {
		if c.Holds(t) {
			return c
		}
	}
	return nil
}

// compose lays the services of an experiment over those of its Compose files. It is false if these cannot be used.
//
// Rules are those of docs/compose.md.
func (p *planner) compose(e *outline, merged *yamltext.Node) (*yamltext.Node, bool) {
	named := merged.Get("compose")
	if named == nil {
		return merged, true
	}
	var ignored source.Problems // they were reported when the block was read
	names := article.DecodeExperiment(merged, false, &ignored).Compose
	if len(names) == 0 {
		return merged, false
	}
	services := merged.Get("services")
	root := p.project.Repository()
	read := compose.Read(names, compose.Options{Dir: p.library.Written(names[0]).Dir, Root: root, Services: services},
		p.problems)
	if read == nil {
		return merged, false
	}
	var listings []*article.Listing
	for _, name := range slices.Sorted(maps.Keys(read.Contents)) {
		listings = append(listings, &article.Listing{Path: name, Data: read.Contents[name], Pos: named.Text.Pos})
	}
	folder := inputs.NewRepository(root, listings, p.doc)
	folder.Hidden = p.hidden
	p.composed = append(p.composed, &composed{read, folder})
	if read.Secrets != nil {
		merged = layers.With(merged, "secrets", article.Merge(read.Secrets, merged.Get("secrets")))
	}
	settled, without := read.Settle(compose.Merge(read.Services, services), p.problems)
	e.Notes = slices.Concat(read.Notes, without)
	if services == nil {
		with := *merged
		with.Fields = append(slices.Clone(merged.Fields), yamltext.Field{
			Key: source.Text{Value: "services", Pos: named.Text.Pos}, Value: settled})
		return &with, true
	}
	return layers.With(merged, "services", settled), true
}
