// Package table lays out tables of results: estimates and intervals in one unit per column, a plot of the main column,
// published values next to measured ones, and notes on missing or doubtful values.
//
// A Table holds numbers and words; it knows nothing of records or articles. Layout turns it into text and geometry for
// a template to print. It shows every row, and every number with its interval or the reason why it has none.
package table

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"benchbook/render/wording"
)

type Table struct {
	ID      string   // unique in its page; prefix of the ids of notes
	Words   []string // heads of the columns of words; the first names the rows
	Metrics []Metric // the columns of numbers
	Main    int      // index into Metrics of the plotted column, or -1
	Rows    []Row
	Order   Order    // of the rows; zero leaves them as they are
	Series  []string // names of the rows' colours, "" for unused ones; empty if there is only one colour
}

// Metric is a column of numbers.
type Metric struct {
	Head      string        // such as "Throughput"
	Per       string        // before the unit, such as "requests" in "requests/s"; may be empty
	Base      string        // base unit of the numbers: "s", "1/s", "B", "B/s", "cores", "1"
	Share     bool          // numbers are shares of one, printed as percentages
	Better    string        // "higher", "lower" or ""
	Unit      *wording.Unit // nil chooses one by the numbers
	Digits    *int          // after the point; nil chooses them by the numbers
	Published bool          // add a column of published values to the right
}

type Order struct {
	Metric int // index into Table.Metrics plus one; best first, missing values last
	Word   int // index into Table.Words plus one, if Metric is 0; numbers by size
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
	wording.Figure // Lo and Hi are NaN without an interval, and infinite if unbounded
	// Few counts runs that are too few for an interval, such as "1 run". Lo and Hi of two runs are their values.
	Few       string
	AtLeast   bool    // a lower bound only
	Missing   string  // why there is no value; then only Published and Unsure are used
	Unsure    string  // an invalid value, shown with Missing; may be empty
	Published float64 // NaN for none
}

type Note struct {
	Kind    string // in two or three words; notes of one kind share a number
	Words   string // the details for this row, as a part of a sentence
	Metrics []int  // indices into Table.Metrics; empty for the whole row
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

// compare puts better values first and missing ones last. If Better is empty, larger values are first.
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

// compareWords puts numbers first, by size.
func compareWords(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Or(cmp.Compare(rank(errX != nil), rank(errY != nil)), cmp.Compare(a, b))
}

func (v Value) hasInterval() bool { return v.Missing == "" && !math.IsNaN(v.Lo) && !math.IsNaN(v.Hi) }
