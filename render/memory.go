package render

import (
	"html/template"
	"sync"

	"benchbook/notebook/dataset"
)

// Memory keeps what was found out for a page, for the next time that it is made, as while its author writes. It changes nothing of a
// page, and holds no more than what the last two makings needed. The zero value is empty. Pages are made with it one after another.
type Memory struct {
	mu       sync.Mutex
	now, old recollection
}

type recollection struct {
	listings    map[code]template.HTML
	definitions map[*dataset.Cell]definition
}

// code is a listing as it was written.
type code struct{ language, text string }

// again begins another making.
func (m *Memory) again() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.old = m.now
	m.now = recollection{}
}

// highlighted is a listing with its marks, which are those that the renderer would find. An error is not kept.
func (m *Memory) highlighted(r *Renderer, language, text string) (template.HTML, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return recall(code{language, text}, &m.now.listings, m.old.listings, func() (template.HTML, error) { return r.highlight(language, text) })
}

// definition is what the records of a cell say was done.
func (m *Memory) definition(cell *dataset.Cell) definition {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, _ := recall(cell, &m.now.definitions, m.old.definitions, func() (definition, error) { return definitionOf(cell), nil })
	return d
}

// recall takes what is known, or finds it out.
func recall[K comparable, V any](key K, now *map[K]V, old map[K]V, find func() (V, error)) (V, error) {
	v, known := (*now)[key]
	if known {
		return v, nil
	}
	if v, known = old[key]; !known {
		var err error
		if v, err = find(); err != nil {
			return v, err
		}
	}
	if *now == nil {
		*now = map[K]V{}
	}
	(*now)[key] = v
	return v, nil
}
