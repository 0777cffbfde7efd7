package render

import (
	"math"
	"reflect"

	"benchbook/render/figure"
)

// workshop is what the page of an article and those that belong to it are drawn with, one after another: what text measured, and the
// figures so far. The newest run mostly has the figures of the page itself, which then are not drawn again, or says all that it says.
type workshop struct {
	metrics  *figure.Metrics
	drawn    map[place]drawing // the last one at each place
	composer *composer         // that has composed the article itself; nil before
	composed composed          // what came of it
}

type place struct {
	id    string
	width figure.Width
}

// drawing is a figure with what came of it.
type drawing struct {
	figure   figure.Figure
	svg      []byte
	findings []figure.Finding
}

func (r *Renderer) newWorkshop() *workshop {
	return &workshop{metrics: r.measures.Get().(*figure.Metrics), drawn: map[place]drawing{}}
}

// closeWorkshop gives back what others can use. Nothing may be drawn with the workshop any more.
func (r *Renderer) closeWorkshop(w *workshop) { r.measures.Put(w.metrics) }

// draw draws a figure and looks at what came out, unless it is the one that was drawn at its place last. The result must not be changed.
func (w *workshop) draw(id string, f figure.Figure, width figure.Width) (drawing, error) {
	at := place{id, width}
	if last, ok := w.drawn[at]; ok && same(reflect.ValueOf(last.figure), reflect.ValueOf(f)) {
		return last, nil
	}
	svg, err := f.Draw(w.metrics, width)
	if err != nil {
		return drawing{}, err
	}
	d := drawing{f, svg, figure.Check(w.metrics, svg)}
	w.drawn[at] = d
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
