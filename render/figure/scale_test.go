package figure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestNewAxis(t *testing.T) {
	tests := []struct {
		name    string
		lo, hi  float64
		room    float64
		labels  []string
		caption string
	}{
		{"steps that are round", 2678, 5780, 500, []string{"2,500", "3,000", "3,500", "4,000", "4,500", "5,000",
			"5,500", "6,000"}, "rate; the axis starts at 2,500"},
		{"fewer where there is less room", 2678, 5780, 150, []string{"2,000", "4,000", "6,000"},
			"rate; the axis starts at 2,000"},
		{"two at the least", 2678, 5780, 10, []string{"0", "10,000"}, "rate"},
		{"the digits of the step", .1, .3, 300, []string{"0.10", "0.15", "0.20", "0.25", "0.30"},
			"rate; the axis starts at 0.10"},
		{"both signs", -31, 17, 400, []string{"−40", "−30", "−20", "−10", "0", "10", "20"}, "rate"},
		{"below zero", -9, -3, 200, []string{"−9", "−8", "−7", "−6", "−5", "−4", "−3"}, "rate; the axis ends at −3"},
		{"too large to write out", 0, 3e20, 300, []string{"0", "1e+20", "2e+20", "3e+20"}, "rate"},
		{"too small to write out", 0, 3e-20, 300, []string{"0", "1e−20", "2e−20", "3e−20"}, "rate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSheet(fonts(t).Metrics(), Full)
			a := newAxis(s, Linear, test.lo, test.hi, 80, 80+test.room)
			if !slices.Equal(a.labels, test.labels) {
				t.Errorf("ticks %q, want %q", a.labels, test.labels)
			}
			if got := a.caption("rate"); got != test.caption {
				t.Errorf("caption %q, want %q", got, test.caption)
			}
		})
	}
}

// Whatever the range, ticks ascend, enclose it, and are two to nine; their labels differ.
func TestLinearTicks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		span := math.Pow(10, 40*r.Float64()-20)
		lo := span * r.NormFloat64() * math.Pow(10, 5*r.Float64())
		hi := lo + span
		sets := 0
		for set := range linearTicks(lo, hi) {
			if sets++; sets > 6 {
				break
			}
			ticks := set.ticks
			slack := (ticks[1] - ticks[0]) * 1e-8
			if ticks[0] > lo+slack || ticks[len(ticks)-1] < hi-slack || len(ticks) < 2 || len(ticks) > maxSteps+1 ||
				set.lo != ticks[0] || set.hi != ticks[len(ticks)-1] || len(set.labels) != len(ticks) {
				t.Fatalf("%v to %v: ticks %v", lo, hi, ticks)
			}
			for i := range ticks[1:] {
				if ticks[i] >= ticks[i+1] || set.labels[i] == set.labels[i+1] {
					t.Fatalf("%v to %v: ticks %v and %v are both %q", lo, hi, ticks[i], ticks[i+1], set.labels[i])
				}
			}
		}
	}
}

// Labels of times have room, also where a day and a few hours leave two round times in the middle of a narrow figure.
func TestTimesHaveRoom(t *testing.T) {
	for hours := 0.2; hours < 24*365*30; hours *= 1.07 {
		from := time.Date(2026, 11, 24, 2, 5, 0, 0, time.UTC)
		lo, hi := timeEnds(float64(from.Unix()), float64(from.Unix())+3600*hours)
		s := newSheet(fonts(t).Metrics(), Narrow)
		a := newAxis(s, Time, lo, hi, 60, s.width)
		if _, hasRoom := layAxis(s, Time, a.tickSet, 60, s.width); !hasRoom {
			t.Errorf("over %.1f hours labels lie on each other: %q", hours, a.labels)
		}
	}
}
