package render

import (
	"cmp"
	"math"
	"reflect"
	"sync"

	"benchbook/render/figure"
)

// workshop is what the page of an article and those that belong to it are drawn with, one after another. The newest run mostly has the
// figures of the page itself, which then are not drawn again, or says all that it says.
type workshop struct {
	full, narrow *bench
	composer     *composer // that has composed the article itself; nil before
	composed     composed  // what came of it
}

// bench is where figures of one width are drawn: what text measured, and the figures so far.
type bench struct {
	width   figure.Width
	metrics *figure.Metrics
	drawn   map[string]drawing // the last one of each ID
}

// drawing is a figure with what came of it.
type drawing struct {
	figure   figure.Figure
	svg      []byte
	findings []figure.Finding
}

func (r *Renderer) newWorkshop() *workshop {
	of := func(width figure.Width) *bench {
		return &bench{width, r.measures.Get().(*figure.Metrics), map[string]drawing{}}
	}
	return &workshop{full: of(figure.Full), narrow: of(figure.Narrow)}
}

// closeWorkshop gives back what others can use. Nothing may be drawn with the workshop any more.
func (r *Renderer) closeWorkshop(w *workshop) {
	r.measures.Put(w.full.metrics)
	r.measures.Put(w.narrow.metrics)
}

// draw draws a figure in both widths, at the same time: who writes an article waits for all of its figures. What comes of it must not be
// changed.
func (w *workshop) draw(id string, f figure.Figure) (full, narrow drawing, err error) {
	var inNarrow error
	var working sync.WaitGroup
	working.Go(func() { narrow, inNarrow = w.narrow.draw(id, f) })
	full, err = w.full.draw(id, f)
	working.Wait()
	return full, narrow, cmp.Or(err, inNarrow)
}

// draw draws a figure and looks at what came out, unless it is the one that was drawn by its ID last.
func (b *bench) draw(id string, f figure.Figure) (drawing, error) {
	if last, ok := b.drawn[id]; ok && same(reflect.ValueOf(last.figure), reflect.ValueOf(f)) {
		return last, nil
	}
	svg, err := f.Draw(b.metrics, b.width)
	if err != nil {
		return drawing{}, err
	}
	d := drawing{f, svg, figure.Check(b.metrics, svg)}
	b.drawn[id] = d
	return d, nil
}

// same tells whether two values are alike in every bit, behind pointers too: other than by reflect.DeepEqual, a number that is none is
// like itself, and zero is not like its negative, which is written in another way. What cannot be compared, such as a function, is like nothing.
func same(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Float64, reflect.Float32:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Bool:
		return a.Bool() == b.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return a.Int() == b.Int()
	case reflect.String:
		return a.String() == b.String()
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return false
}
