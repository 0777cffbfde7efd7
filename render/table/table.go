// Package table lays out tables of results: estimates with their intervals in one unit a column, a plot in the cells
// of the column that matters most, ranks, published values next to the measured ones, and a reason wherever a value
// is missing or not as it should be.
//
// A Table is plain numbers and finished words; it knows nothing of records or articles. Layout turns it into text
// and geometry that a template only has to print. Every row that is given is shown, and no number is shown without
// its interval or the word that says why it has none.
package table

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"benchbook/render/wording"
)

type Table struct {
	ID      string   // unique in its page; notes have ids below it
	Words   []string // heads of the columns of words; the first names the rows
	Metrics []Metric // the columns of numbers
	Main    int      // index into Metrics of the column that is plotted and ranked; -1 for none
	Rows    []Row
	Order   Order    // by which rows are sorted; zero leaves them as they are
	Series  []string // by colour, the names of those that rows have; empty if all have the same
}

// Metric is a column of numbers.
type Metric struct {
	Head      string        // such as "Throughput"
	Per       string        // before the unit, such as "requests" in "requests/s"; may be empty
	Base      string        // base unit of the numbers: "s", "1/s", "B", "B/s", "cores", "1"
	Share     bool          // parts of one, printed as percentages
	Better    string        // "higher", "lower" or ""
	Unit      *wording.Unit // nil to choose one by the numbers
	Digits    *int          // after the point; nil to choose them by the numbers
	Published bool          // a column of published values is to the right of this one
}

type Order struct {
	Metric int // index into Table.Metrics plus one; best first, missing values last
	Word   int // index into Table.Words plus one, where Metric is 0; numbers by size
}

// Row is one cell of an experiment.
type Row struct {
	Words  []string // as many as Table.Words
	Values []Value  // as many as Table.Metrics
	Notes  []Note
	Series int // index into Table.Series
}

// Value is one estimate, in the base unit of its column.
type Value struct {
	wording.Figure // Lo and Hi are NaN without an interval, and infinite where it has no end
	// Few says how many runs there were where they are too few for an interval, such as "1 run"; Lo and Hi of two
	// runs are the smaller and the larger.
	Few       string
	AtLeast   bool    // a lower bound only
	Missing   string  // why there is no value; then only Published and Unsure are looked at
	Unsure    string  // a value that is not valid, shown with Missing; may be empty
	Published float64 // NaN for none
}

type Note struct {
	Kind    string // what it is in two or three words; notes of one kind share a number
	Words   string // what it is in this row, as a part of a sentence
	Metrics []int  // the columns that it is about, indices into Table.Metrics; none for the whole row
}

func (t Table) sorted() []Row {
	rows := slices.Clone(t.Rows)
	switch {
	case t.Order.Metric > 0:
		m := t.Order.Metric - 1
		slices.SortStableFunc(rows, func(a, b Row) int { return t.Metrics[m].compare(a.Values[m], b.Values[m]) })
	case t.Order.Word > 0:
		w := t.Order.Word - 1
		slices.SortStableFunc(rows, func(a, b Row) int { return compareWords(a.Words[w], b.Words[w]) })
	}
	return rows
}

// compare puts better values first and missing ones last; without a better direction larger ones come first.
func (m Metric) compare(a, b Value) int {
	switch {
	case a.Missing != "" || b.Missing != "":
		return cmp.Compare(rank(a.Missing != ""), rank(b.Missing != ""))
	case m.Better == "lower":
		return cmp.Compare(a.Value, b.Value)
	}
	return cmp.Compare(b.Value, a.Value)
}

func rank(missing bool) int {
	if missing {
		return 1
	}
	return 0
}

// compareWords orders numbers by size, before other words.
func compareWords(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Or(cmp.Compare(rank(errX != nil), rank(errY != nil)), cmp.Compare(a, b))
}

func (v Value) hasInterval() bool { return v.Missing == "" && !math.IsNaN(v.Lo) && !math.IsNaN(v.Hi) }
