package stats

import (
	"math"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// example is the block of docs/method.md#published-against-measured.
func example() []PublishedRow {
	return []PublishedRow{
		{"a", 400, values(82, 80, 81)},
		{"b", 300, values(60, 61, 62)},
		{"c", 200, values(41, 40, 42)},
		{"d", 100, values(15, 15.2, 14.9)},
	}
}

func TestAgreeExample(t *testing.T) {
	a := must.Get(Agree(example(), 0.05, 0.05, 0))
	wantNumber(t, "common factor", a.Factor, "0.202906")
	wantNumber(t, "ratio of a", a.Rows[0].Ratio, "0.2025")
	wantNumber(t, "relative size of d", a.Rows[3].Relative, "0.740473")
	assert.Equal(t, [2]int{a.Near, a.Measured}, [2]int{3, 4}, "rows near, and measured")
	assert.Equal(t, a.Rows[3].Near, false, "d is near")
	assert.Equal(t, [3]int{a.Agreeing, a.Disagreeing, a.Undecided}, [3]int{6, 0, 0}, "pairs")
}

// A share is compared by its printed value, which is pooled over repetitions.
func TestAgreeComparesWhatIsPrinted(t *testing.T) {
	pooled := values(0.001, 0.002, 0.12)
	pooled.Centre = 0.041
	a := must.Get(Agree([]PublishedRow{{"a", 0.065, pooled}, {"b", 0.022, values(0.003, 0.003, 0.003)}}, 0.05, 0.05, 0))
	if row := a.Rows[0]; row.Centre != 0.041 || row.Ratio != 0.041/0.065 || a.Rows[1].Centre != 0.003 {
		t.Errorf("%+v", a.Rows)
	}
}

// A pair is open while more repetitions could decide it. They cannot if a value is zero.
func TestAgreeLeavesOpen(t *testing.T) {
	for _, tt := range []struct {
		name string
		a    Cell
		want bool
	}{
		{"noise", values(60, 80, 100), true},
		{"one repetition", values(80), true},
		{"a zero", values(0, 80, 81), false},
		{"decided", values(200, 201, 202), false},
	} {
		a := must.Get(Agree([]PublishedRow{{"a", 400, tt.a}, {"b", 300, values(70, 80, 90)}}, 0.05, 0.05, 0))
		assert.Equal(t, [2]bool{a.Rows[0].Open, a.Rows[1].Open}, [2]bool{tt.want, tt.want}, "%s: open", tt.name)
	}
}

func TestAgree(t *testing.T) {
	for _, tt := range []struct {
		name                           string
		rows                           []PublishedRow
		measured, agree, disagree, und int
	}{
		{"the published order", example(), 4, 6, 0, 0},
		{"two rows changed places", []PublishedRow{{"a", 400, values(60, 61, 62)}, {"b", 300, values(82, 80, 81)},
			{"c", 200, values(41, 40, 42)}}, 3, 2, 1, 0},
		{"noise", []PublishedRow{{"a", 400, values(60, 80, 100)}, {"b", 300, values(50, 80, 110)}}, 2, 0, 0, 1},
		{"two repetitions", []PublishedRow{{"a", 400, values(80, 81)}, {"b", 300, values(50, 51)}}, 2, 0, 0, 1},
		{"a zero below a positive centre", []PublishedRow{{"a", 400, values(0, 80, 81)}, {"b", 300, values(50, 51, 52)}},
			2, 0, 0, 1},
		{"published values nearly equal", []PublishedRow{{"a", 104, values(80, 81, 82)}, {"b", 100, values(50, 51, 52)}},
			2, 0, 0, 0},
		{"published values at the smallest effect", []PublishedRow{{"a", 105, values(80, 81, 82)},
			{"b", 100, values(50, 51, 52)}}, 2, 1, 0, 0},
		{"a row not measured and one at zero", append(example(), PublishedRow{"e", 50, Cell{}},
			PublishedRow{"f", 25, values(0, 0, 0)}), 4, 6, 0, 0},
		{"nothing measured", []PublishedRow{{"a", 400, Cell{}}}, 0, 0, 0, 0},
	} {
		a := must.Get(Agree(tt.rows, 0.05, 0.05, 0))
		assert.Equal(t, [4]int{a.Measured, a.Agreeing, a.Disagreeing, a.Undecided},
			[4]int{tt.measured, tt.agree, tt.disagree, tt.und}, "%s: measured, and pairs", tt.name)
	}
}

// Near means up to 1.25 times as much as published, or as many times less.
func TestAgreeNear(t *testing.T) {
	var rows []PublishedRow
	sizes := []float64{1, 1.249, 1.251, 1 / 1.249, 1 / 1.251}
	for _, size := range sizes {
		rows = append(rows, PublishedRow{"row", 10, values(20*size, 20*size, 20*size)})
	}
	a := must.Get(Agree(rows, 0.05, 0.05, 0))
	for i, want := range []bool{true, true, false, true, false} {
		if got := a.Rows[i]; got.Near != want || !closeTo(got.Relative, sizes[i]) {
			t.Errorf("relative size %v: near is %v, want %v of %v", got.Relative, got.Near, want, sizes[i])
		}
	}
	if a.Near != 3 || !closeTo(a.Factor, 2) {
		t.Errorf("%d rows near the factor %v, want 3 near 2", a.Near, a.Factor)
	}
}

func TestAgreeRefused(t *testing.T) {
	for _, tt := range []struct {
		name      string
		published float64
		want      string
	}{
		{"published zero", 0, `row "a": published value 0`},
		{"published less than zero", -3, `row "a": published value -3`},
		{"published not a number", math.NaN(), `row "a": published value NaN`},
		{"published infinite", math.Inf(1), `row "a": published value +Inf`},
	} {
		_, err := Agree([]PublishedRow{{"a", tt.published, values(1, 2, 3)}}, 0.05, 0.05, 0)
		assert.Error(t, err, tt.want)
	}
}
