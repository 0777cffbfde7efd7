package stats

import (
	"errors"
	"math"
	"testing"
)

func TestRatioRepetitions(t *testing.T) {
	tests := []struct {
		name   string
		effect float64 // the present ratio
		region Region
		floor  float64
		want   int
	}{
		{"on the boundary", 1.05, Greater(0.05), 0, 0},
		{"nearer to the boundary than the noise floor", 1.07, Greater(0.05), 0.03, 0},
		{"just beyond the boundary", 1.055, Greater(0.05), 0, MaxRepetitions + 1},
		{"well beyond the boundary", 1.08, Greater(0.05), 0, 26},
		{"well beyond the boundary, with a noise floor", 1.08, Greater(0.05), 0.01, 60},
		{"likely to be contradicted", 1.02, Greater(0.05), 0, 25},
		{"inside a region with two ends", 1, Within(0.05), 0, 10},
		{"far beyond the boundary", 2, Greater(0.05), 0, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := func(n int) (Cell, Cell) { return spread(n, math.Log(tt.effect), 0.05), spread(n, 0, 0.05) }
			a, b := at(4)
			got, err := RatioRepetitions(a, b, tt.region, tt.floor, 0.05)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%d repetitions, want %d", got, tt.want)
			}
			// Cells that really have the expected values are decided from that number on, and not before.
			for n := 6; n <= MaxRepetitions; n += 2 {
				a, b := at(n)
				c, err := Ratio(a, b, 0.05)
				if err != nil {
					t.Fatal(err)
				}
				decided := Judge(c.Interval.Widen(tt.floor), tt.region) != Inconclusive
				if want := got > 0 && n >= got; decided != want {
					t.Fatalf("%d repetitions: decided is %v, want %v", n, decided, want)
				}
			}
		})
	}
}

func TestRatioRepetitionsOfUnequalCells(t *testing.T) {
	a, b := spread(4, math.Log(1.08), 0.05), spread(30, 0, 0.05)
	got, err := RatioRepetitions(a, b, Greater(0.05), 0, 0.05)
	if err != nil || got <= 4 || got > 30 {
		t.Errorf("%d repetitions, %v, want more than the 4 of one cell, but not than the 30 of the other", got, err)
	}
	if _, err := RatioRepetitions(values(1, 2), b, Greater(0.05), 0, 0.05); !errors.Is(err, ErrTooFew) {
		t.Errorf("error is %v, want %v", err, ErrTooFew)
	}
}

func TestCellRepetitions(t *testing.T) {
	tests := []struct {
		name   string
		cell   Cell
		region Region
		alpha  float64
		want   int
	}{
		{"on the limit", values(98, 102, 105), Below(102), 0.05, 0},
		{"just under the limit", values(98, 102, 105), Below(102.1), 0.05, MaxRepetitions + 1},
		{"one more is enough", values(98, 102, 105), Below(110), 0.05, 4},
		{"more than t on logs is good for", values(98, 102, 105), Below(104.86), 0.05, 12},
		{"beyond the limit", values(98, 102, 105), Below(95), 0.05, 4},
		{"no ends before seven repetitions", values(98, 99, 100, 101, 102), Below(105), 0.05 / 3, 7},
		{"zeros", values(0, 0, 3), Above(-2), 0.05, 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CellRepetitions(tt.cell, tt.region, tt.alpha)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%d repetitions, want %d", got, tt.want)
			}
		})
	}
	if _, err := CellRepetitions(values(1, 2), Below(5), 0.05); !errors.Is(err, ErrTooFew) {
		t.Errorf("two values: error is %v, want %v", err, ErrTooFew)
	}
}
