package chart

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// svg is a small drawing of fixed size in the making. Like figures it carries classes only.
type svg struct{ strings.Builder }

func newDrawing(width, height int) *svg {
	s := &svg{}
	// Readers of the screen have the words next to it, which say the same.
	fmt.Fprintf(s, `<svg viewBox="0 0 %d %d" aria-hidden="true">`, width, height)
	return s
}

func (s *svg) path(class, format string, coordinates ...float64) {
	args := make([]any, len(coordinates))
	for i, v := range coordinates {
		args[i] = decimal(v)
	}
	s.WriteString(`<path d="` + fmt.Sprintf(format, args...) + `" class="` + class + `"/>`)
}

func (s *svg) dot(class string, x, y, r float64) {
	s.WriteString(`<circle cx="` + decimal(x) + `" cy="` + decimal(y) + `" r="` + decimal(r) + `" class="` + class + `"/>`)
}

func (s *svg) box(class string, x0, x1, y, height float64) {
	s.WriteString(`<rect x="` + decimal(x0) + `" y="` + decimal(y) + `" width="` + decimal(max(0, x1-x0)) + `" height="` +
		decimal(height) + `" class="` + class + `"/>`)
}

func (s *svg) text(class string, x, y float64, words string) {
	s.WriteString(`<text x="` + decimal(x) + `" y="` + decimal(y) + `" class="` + class + `">` +
		template.HTMLEscapeString(words) + `</text>`)
}

func (s *svg) done() template.HTML {
	s.WriteString("</svg>")
	return template.HTML(s.String())
}

func decimal(v float64) string {
	text := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0")
}

// Effect shows a ratio with its interval around "no difference", on a logarithmic scale, and as a band where the claim
// has it. An end that is unbounded reaches the edge.
func Effect(ratio float64, interval *stats.Interval, region stats.Region, verdict stats.Verdict) template.HTML {
	if !(ratio > 0) || math.IsInf(ratio, 0) {
		return ""
	}
	lo, hi := ratio, ratio
	if interval != nil {
		if interval.Lo > 0 {
			lo = interval.Lo
		}
		if !math.IsInf(interval.Hi, 0) {
			hi = max(hi, interval.Hi)
		}
	}
	isClaimed := region != (stats.Region{})
	if isClaimed {
		if region.Lo > 0 {
			lo, hi = min(lo, region.Lo), max(hi, region.Lo)
		}
		if !math.IsInf(region.Hi, 0) && region.Hi > 0 {
			lo, hi = min(lo, region.Hi), max(hi, region.Hi)
		}
	}
	tick := effectTick(max(hi, 1/lo))
	span := math.Log(max(hi, 1/lo, tick.ratio)) * 1.08
	const left, right, line, foot, width = 8, 208, 13, 32, 216
	at := func(v float64) float64 {
		share := (math.Log(v) + span) / (2 * span)
		return left + min(1, max(0, share))*(right-left)
	}
	class := cmp.Or(map[stats.Verdict]string{stats.Supported: "f3 s3", stats.Stronger: "f3 s3", stats.Contradicted: "f4 s4"}[verdict], "f0 s0")
	s := newDrawing(width, 36)
	if isClaimed {
		s.box("track", at(max(region.Lo, math.SmallestNonzeroFloat64)), at(min(region.Hi, math.MaxFloat64)), 3, 20)
	}
	s.path("grid", "M8 13h200M%s 10v6M%s 10v6", at(1/tick.ratio), at(tick.ratio))
	s.text("small dim", 0, foot, tick.less) // from the edges, so that long ones are not cut
	s.text("end small dim", width, foot, tick.more)
	s.path("axis", "M%s 7v12", at(1))
	s.text("mid small dim", at(1), foot, "equal")
	if interval != nil && interval.Lo <= interval.Hi {
		s.box("ibox "+class, at(max(interval.Lo, math.SmallestNonzeroFloat64)), at(min(interval.Hi, math.MaxFloat64)), 8.5, 9)
	}
	s.dot(strings.Fields(class)[0]+" pt", at(ratio), line, 3.2)
	return s.done()
}

type effectTicks struct {
	ratio      float64
	less, more string
}

// effectTick chooses the ticks left and right of "no difference" for effects that reach as far as most: both near the
// edge, where their labels have room.
func effectTick(most float64) effectTicks {
	for _, percent := range []float64{5, 10, 20, 50} {
		if r := 1 + percent/100; most <= r {
			return effectTicks{r, wording.PercentUnit.Signed(1/r-1, 0), wording.PercentUnit.Signed(r-1, 0)}
		}
	}
	for r := 2.0; ; r *= 2 {
		if most <= r || math.IsInf(r, 0) {
			return effectTicks{r, "1/" + wording.Plain.Number(r, 0) + "×", wording.Times.Quantity(r, 0)}
		}
	}
}
