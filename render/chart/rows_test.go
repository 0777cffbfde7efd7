package chart

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// A value much smaller than the others keeps two digits.
func TestLabelOfASmallValue(t *testing.T) {
	r := &rows{metric: cellview.Quantity{Unit: wording.Column{Unit: wording.Unit{Symbol: "ms", Scale: 1e-3}}}}
	for _, tt := range []struct {
		reading wording.Figure
		want    string
	}{
		{wording.Figure{Value: 0.145, Lo: 0.14, Hi: 0.15}, "145"},
		{wording.Figure{Value: 0.0014, Lo: 0.0013, Hi: 0.0015}, "1.4"},
	} {
		assert.Equal(t, r.label(tt.reading), tt.want, "%v", tt.reading)
	}
}
