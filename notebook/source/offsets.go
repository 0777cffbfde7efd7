package source

import "sort"

// offsets tells where in a source the pieces of a scalar's value stand, whatever quotes, escapes and folded lines lie
// between them.
type offsets struct {
	value string
	runs  []Run // by At; together they hold all of value
}

// A Run is a piece of a value with its place: byte for byte where both are equally long, else one that cannot be
// divided, such as an escape or a folded line break.
type Run struct {
	At, Length   int // in the value
	Start, Width int // in the source
}

// NewText makes a text whose pieces stand where runs say. They are in the order of the value and hold all of it; none
// means that only the place of the whole is known.
func NewText(value string, at Pos, runs []Run) Text {
	t := Text{Value: value, Pos: at}
	if len(runs) > 0 {
		t.offsets = &offsets{value, runs}
	}
	return t
}

// of gives the run that holds a byte of the value.
func (o *offsets) of(at int) Run {
	i := sort.Search(len(o.runs), func(i int) bool { return o.runs[i].At > at })
	return o.runs[max(i-1, 0)]
}

// start is where a byte of the value begins; one beyond its end is where the last one ends.
func (o *offsets) start(at int) int {
	switch r := o.of(at); {
	case at >= r.At+r.Length:
		return r.Start + r.Width
	case r.Width == r.Length:
		return r.Start + at - r.At
	default:
		return r.Start
	}
}

// end is where the byte before at ends.
func (o *offsets) end(at int) int {
	r := o.of(max(at-1, 0))
	if r.Width == r.Length {
		return r.Start + at - r.At
	}
	return r.Start + r.Width
}
