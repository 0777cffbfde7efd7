package typeface

import (
	"bytes"
	"math"
	"os"
	"testing"

	"github.com/go-text/typesetting/font"
)

func TestMetricsWidth(t *testing.T) {
	m := metrics(t)
	tests := []struct {
		name, s string
		strong  bool
		want    float64 // as Chromium sets it at 12.5 units with the page's style sheet
	}{
		{"nothing", "", false, 0},
		{"words", "gunicorn+meinheld Bottle", false, 152.20},
		{"digits at weight 600", "≥ 8,140", true, 48.66},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := m.Width(test.s, size, test.strong); math.Abs(got-test.want) > .1 {
				t.Errorf("Width(%q) = %.2f, want %.2f", test.s, got, test.want)
			}
		})
	}
	for _, digit := range []string{"0", "1", "4", "8"} {
		if got, want := m.Width(digit, 10, true), m.Width("7", 10, true); math.Abs(got-want) > .02 {
			t.Errorf("digit %s is %v wide and 7 is %v: digits are not tabular", digit, got, want)
		}
	}
}

// A font that we do not know must have more room than it takes. Chromium set the Cyrillic words in DejaVu Sans, which
// is wider than most, as wide as this; an ideograph takes one em.
func TestMetricsFallback(t *testing.T) {
	m := metrics(t)
	for s, ems := range map[string]float64{"сервер": 3.64, "асинхронный сервер": 10.98, "ЩЖ": 2.18, "日本語": 3} {
		if got := m.Width(s, 1, false); got < ems {
			t.Errorf("Width(%q) = %.2f em, want %.2f or more", s, got, ems)
		}
	}
	if got, want := m.Width("a日b", 1, false), m.Width("a", 1, false)+m.Width("日", 1, false)+m.Width("b", 1,
		false); math.Abs(got-want) > 1e-9 {
		t.Errorf("a missing letter between others makes %.3f, want %.3f", got, want)
	}
}

func TestMetricsMissing(t *testing.T) {
	m := metrics(t)
	for s, want := range map[string]string{"Grüße – 95 % ≥ −1": "", "日a本日": "日本"} {
		for _, strong := range []bool{false, true} {
			if got := string(m.Missing(s, strong)); got != want {
				t.Errorf("Missing(%q, %v) = %q, want %q", s, strong, got, want)
			}
		}
	}
}

// The heights that text is kept apart by are those of the fonts.
func TestMetricsHeights(t *testing.T) {
	m := metrics(t)
	for name, face := range map[string]*font.Face{"regular": m.regular, "strong": m.strong} {
		em := float64(face.Upem())
		for r := 'A'; r <= 'z'; r++ {
			gid, ok := face.NominalGlyph(r)
			if !ok || r > 'Z' && r < 'a' {
				continue
			}
			e, _ := face.GlyphExtents(gid)
			top, foot := float64(e.YBearing)/em, -float64(e.YBearing+e.Height)/em
			if top > Ascent+.01 || foot > Descent+.01 {
				t.Errorf("%s %c reaches from %.3f below the baseline to %.3f em above, want at most %.3f and %.3f",
					name, r, foot, top, Descent, Ascent)
			}
			if r == 'H' && math.Abs(top-Capital) > .01 {
				t.Errorf("%s capitals are %.3f em high, want %.3f", name, top, Capital)
			}
		}
	}
}

// A font that is damaged is an error and not a panic.
func TestLoadFontsRefuses(t *testing.T) {
	good, err := os.ReadFile("../../site/theme/fonts/inter-400.woff2")
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	tests := map[string][]byte{
		"nothing":                    nil,
		"no WOFF2":                   []byte("OTTO and then much more of what is not a web font"),
		"a header alone":             good[:woffHeader],
		"a directory cut short":      good[:woffHeader+3],
		"tables cut short":           good[:len(good)-100],
		"a table that is rearranged": changed(woffHeader, 10),
		"more tables than there are": changed(12, 0xff),
		"a stream that is no brotli": append(bytes.Clone(good[:200]), make([]byte, len(good)-200)...),
		"a length that does not end": bytes.Replace(good, good[woffHeader+1:woffHeader+6], []byte("\xff\xff\xff\xff\xff"),
			1),
		"a stream said to be shorter": changed(22, good[22]/2),
	}
	for name, file := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := LoadFonts(file, good); err == nil {
				t.Error("read it as the regular font")
			}
			if _, err := LoadFonts(good, file); err == nil {
				t.Error("read it as the strong font")
			}
		})
	}
}

// size is that of the text of figures.
const size = 12.5

func metrics(t *testing.T) *Metrics {
	t.Helper()
	var files [2][]byte
	for i, name := range []string{"inter-400.woff2", "inter-600.woff2"} {
		data, err := os.ReadFile("../../site/theme/fonts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = data
	}
	fonts, err := LoadFonts(files[0], files[1])
	if err != nil {
		t.Fatal(err)
	}
	return fonts.Metrics()
}
