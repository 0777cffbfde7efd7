package loadgen

import (
	"math"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Values above the highest are only counted and summed; the library would take some of them.
func TestHistogramOverflow(t *testing.T) {
	h, other := newHistogram(time.Second), newHistogram(time.Second)
	for _, v := range []int64{0, 1500, 60e9, 60e9 + 1} {
		h.add(v)
	}
	other.add(68e9)
	h.merge(other)
	d := *h.distribution()
	want := Distribution{
		Encoded: d.Encoded, Highest: 60e9,
		Count: 5, Max: 68e9, Sum: 1500 + 60e9 + 60e9 + 1 + 68e9, Overflow: 2,
	}
	assert.Equal(t, d, want)
	decoded := must.Get(d.Histogram())
	assert.Equal(t, decoded.TotalCount(), 3, "the histogram holds values")
	assert.Equal(t, newHistogram(40*time.Second).Highest, 80e9, "highest for a timeout of 40 s")
}

func TestHistogramErrors(t *testing.T) {
	d := newHistogram(time.Second).distribution()
	if d.Min != 0 || d.Max != 0 {
		t.Errorf("without values min is %d and max %d, want 0", d.Min, d.Max)
	}
	d.Count = 1
	_, err := d.Histogram()
	assert.Error(t, err, "") // the value that was counted is not in it
	_, err = (Distribution{Encoded: "!"}).Histogram()
	assert.Error(t, err, "")
}

func TestSharesOf(t *testing.T) {
	of := func(list ...float64) *histogram { // ms
		h := newHistogram(time.Second)
		for _, v := range list {
			h.add(int64(v * 1e6))
		}
		return h
	}
	for _, tt := range []struct {
		name        string
		times, ages *histogram
		want        float64
	}{
		{"nothing was cut", of(1, 2), of(), 0},
		{"half way, always", of(4, 4, 4), of(2, 2), 1},
		{"only what takes longer tells", of(1, 1, 4, 8), of(2), 2.0/4/2 + 2.0/8/2},
		{"each by its own age", of(4, 8), of(2, 6), (2.0/4+2.0/8)/2 + 6.0/8},
		{"longer than all", of(1, 2), of(900), 0},
		{"no answers", of(), of(1), 0},
	} {
		if got := tt.times.sharesOf(tt.ages); math.Abs(got-tt.want) > 0.002*tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
