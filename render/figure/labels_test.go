package figure

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"gonum.org/v1/plot/text"
)

func TestWrap(t *testing.T) {
	tests := []struct {
		name, s string
		room    float64
		want    []string
	}{
		{"a text with room", "uvicorn Starlette", 200, []string{"uvicorn Starlette"}},
		{"nothing", "", 0, []string{""}},
		{"at a space", "uvicorn Starlette", 80, []string{"uvicorn", "Starlette"}},
		{"behind a plus sign", "gunicorn+meinheld Flask", 105, []string{"gunicorn+", "meinheld Flask"}},
		{"behind a hyphen", "async-worker", 60, []string{"async-", "worker"}},
		{"behind punctuation in a word too wide", "a.b.UvicornWorker", 100, []string{"a.b.", "UvicornWorker"}},
		{"anywhere in a word without any", "Starlette", 40, []string{"Starlet", "te"}},
		{"between ideographs, as their script has it", "非同期サーバー", 40, []string{"非同", "期", "サー", "バー"}},
		{"not within a rate", "at least 3,000/s", 90, []string{"at least", "3,000/s"}},
		{"not within a character", "🇩🇪🇫🇷", 10, []string{"🇩🇪", "🇫🇷"}},
	}
	s := newSheet(fonts(t).Metrics(), Full)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := s.wrap(textStyle{}, test.s, test.room); !slices.Equal(got, test.want) {
				t.Errorf("wrap(%q, %v) = %q, want %q", test.s, test.room, got, test.want)
			}
		})
	}
}

// Whatever is wrapped, nothing of it is lost but spaces, and no line is wider than the room if a character fits.
func TestWrapKeepsEverything(t *testing.T) {
	s := newSheet(fonts(t).Metrics(), Full)
	holds := func(in string, width uint8) bool {
		in = oneLine(in)
		room := 20 + float64(width)
		lines := s.wrap(textStyle{}, in, room)
		for _, line := range lines {
			if s.wide(textStyle{}, line) > room && len(splitCharacters(line)) > 1 {
				return false
			}
		}
		without := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		return without(strings.Join(lines, "")) == without(in)
	}
	if err := quick.Check(holds, &quick.Config{MaxCount: 100}); err != nil {
		t.Error(err)
	}
}

func TestPlace(t *testing.T) {
	area := rect{0, 0, 200, 100}
	tests := []struct {
		name         string
		texts, marks []rect
		spots        []spot
		want         int // which spot is taken, -1: none
	}{
		{"the first spot", nil, nil, []spot{{50, 50, text.XLeft}, {50, 80, text.XLeft}}, 0},
		{"not on a text", []rect{{60, 40, 70, 60}}, nil, []spot{{50, 50, text.XLeft}, {50, 80, text.XLeft}}, 1},
		{"not close behind a text", []rect{{40, 40, 47, 60}}, nil, []spot{{50, 50, text.XLeft}, {50, 80, text.XLeft}},
			1},
		{"not on a mark", nil, []rect{{60, 40, 70, 60}}, []spot{{50, 50, text.XLeft}, {50, 80, text.XLeft}}, 1},
		{"not outside", nil, nil, []spot{{190, 50, text.XLeft}, {5, 50, text.XRight}, {50, 98, text.XLeft}, {190, 50,
			text.XRight}}, 3},
		{"nowhere", []rect{area}, nil, []spot{{50, 50, text.XLeft}}, -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSheet(fonts(t).Metrics(), Full)
			s.texts, s.marks = test.texts, test.marks
			placed := s.place(textStyle{}, "label", area, test.spots)
			if placed != (test.want >= 0) {
				t.Fatalf("placed is %v, want spot %d", placed, test.want)
			}
			if !placed {
				return
			}
			box := s.texts[len(s.texts)-1]
			at := test.spots[test.want]
			x := box.x0
			if at.align == text.XRight {
				x = box.x1
			}
			if x != at.x || box.y0 >= at.y || box.y1 <= at.y {
				t.Errorf("stands at %+v, want spot %+v", box, at)
			}
		})
	}
}

// A line stays away from texts, and is not drawn in the crumbs between them.
func TestRule(t *testing.T) {
	tests := []struct {
		name  string
		texts []rect
		want  string
	}{
		{"free", nil, "M10 0V100"},
		{"beside a text", []rect{{20, 40, 60, 50}}, "M10 0V100"},
		{"through a text", []rect{{5, 40, 60, 50}}, "M10 0V38M10 52V100"},
		{"through two that are close, in any order", []rect{{5, 54, 60, 64}, {5, 40, 60, 50}}, "M10 0V38M10 66V100"},
		{"a text at its top", []rect{{5, 3, 60, 13}}, "M10 15V100"},
		{"a text at its foot", []rect{{5, 90, 60, 99}}, "M10 0V88"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSheet(fonts(t).Metrics(), Full)
			s.texts = test.texts
			s.rule("grid", 10, 0, 100)
			if got, want := string(s.canvas.body), `<path d="`+test.want+`" class="grid" fill="none" stroke="gray"/>`+
				"\n"; got != want {
				t.Errorf("drew %s, want %s", got, want)
			}
		})
	}
}
