package stats

import (
	"errors"
	"fmt"
	"math"
)

// PublishedRow is a published number and the cell that measures the same quantity.
type PublishedRow struct {
	Name      string
	Published float64 // above zero, in the unit of the cell
	Cell      Cell    // without values if not measured
}

// Agreement compares measured with published values of one metric of a published block.
type Agreement struct {
	Rows     []AgreementRow // in the order given
	Measured int            // measured rows; the fields below are about these
	Near     int            // rows whose relative size is within DefaultNear of the published one
	Factor   float64        // the common factor: the median ratio; 0 if no row was measured

	// Pairs of rows with published numbers that differ by at least the smallest effect: measured in the same order, in
	// the other order, or undecided.
	Agreeing, Disagreeing, Undecided int
}

// AgreementRow is one row of an Agreement. The fields below Measured are zero if it was not.
type AgreementRow struct {
	Name      string
	Published float64 // in the unit of the metric
	Measured  bool    // the cell has a centre above zero
	Centre    float64 // of the cell, as printed
	Ratio     float64 // measured over published
	Relative  float64 // Ratio over the common factor
	Near      bool    // Relative is within DefaultNear of 1
	Open      bool    // more repetitions could decide one of its pairs
}

// Pairs returns the number of pairs with different published numbers.
func (a Agreement) Pairs() int { return a.Agreeing + a.Disagreeing + a.Undecided }

// Agree compares published numbers with measured ones: their sizes up to a common factor, and the order of every pair
// of rows whose published numbers differ by at least delta, the smallest effect. A pair is judged like a claim of that
// order, at alpha and with the noise floor f.
//
// The error is for a published value that is not a finite number above zero, or ErrNotFinite, ErrNegative,
// ErrResolution or ErrAlpha.
//
// Source: docs/method.md#published-against-measured.
func Agree(rows []PublishedRow, alpha, delta, f float64) (Agreement, error) {
	if err := checkAlpha(alpha); err != nil {
		return Agreement{}, err
	}
	a := Agreement{Rows: make([]AgreementRow, len(rows))}
	var measured []int // indices into rows
	for i, row := range rows {
		if !(row.Published > 0) || math.IsInf(row.Published, 1) {
			return Agreement{}, fmt.Errorf("row %q: published value %v is not a finite number above zero: "+
				"correct or remove the row", row.Name, row.Published)
		}
		if err := row.Cell.check(); err != nil {
			return Agreement{}, fmt.Errorf("row %q: %w", row.Name, err)
		}
		a.Rows[i] = AgreementRow{Name: row.Name, Published: row.Published}
		if centre := row.Cell.centre(); centre > 0 {
			a.Rows[i].Measured, a.Rows[i].Centre, a.Rows[i].Ratio = true, centre, centre/row.Published
			measured = append(measured, i)
		}
	}
	a.Measured = len(measured)
	if a.Measured == 0 {
		return a, nil
	}
	a.compareSizes(measured)
	for k, i := range measured {
		for _, j := range measured[:k] {
			if a.comparePair(rows[i], rows[j], alpha, delta, f) {
				a.Rows[i].Open, a.Rows[j].Open = true, true
			}
		}
	}
	return a, nil
}

// compareSizes sets the common factor, and marks the rows near it.
func (a *Agreement) compareSizes(measured []int) {
	logs := make([]float64, len(measured))
	for k, i := range measured {
		logs[k] = math.Log(a.Rows[i].Ratio)
	}
	common := Median(logs)
	a.Factor = math.Exp(common)
	for k, i := range measured {
		row := &a.Rows[i]
		row.Relative = math.Exp(logs[k] - common)
		row.Near = math.Abs(logs[k]-common) <= math.Log1p(DefaultNear)
		if row.Near {
			a.Near++
		}
	}
}

// comparePair judges the claim that of two measured rows the one with the larger published number is larger. It reports
// whether more repetitions could decide it.
func (a *Agreement) comparePair(x, y PublishedRow, alpha, delta, f float64) (open bool) {
	if x.Published < y.Published {
		x, y = y, x
	}
	if x.Published/y.Published < 1+delta {
		return false
	}
	// Without a ratio the interval is [0, ∞], which decides nothing.
	c, err := Ratio(x.Cell, y.Cell, alpha)
	switch Judge(c.Widen(f, alpha), Greater(delta)) {
	case Supported:
		a.Agreeing++
	case Contradicted:
		a.Disagreeing++
	default:
		a.Undecided++
		return !errors.Is(err, ErrNotPositive)
	}
	return false
}
