// Package typeface measures text in the fonts of a page, as browsers set it.
package figure

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/width"
)

// Heights of Inter above and below the baseline, in ems of 2816 font units.
const (
	Ascent  = 2128.0 / 2816 // of b, d and l, which rise highest
	Descent = 610.0 / 2816  // of g, which falls lowest
	Capital = 2048.0 / 2816
)

// Fonts are the faces in which a page sets the text of its figures. They do not change and may be shared.
type Fonts struct{ regular, strong *font.Font }

// LoadFonts reads the fonts of the style sheet: regular is Inter at weight 400, strong at 600, both as the WOFF2 files
// that the page links, so that text is measured in the very fonts it will be shown in.
//
// The error says which of the two could not be read: it is no WOFF2, is cut short, or has TrueType outlines.
func LoadFonts(regular, strong []byte) (*Fonts, error) {
	r, err := loadFont(regular)
	if err != nil {
		return nil, fmt.Errorf("reading the regular font: %w", err)
	}
	s, err := loadFont(strong)
	if err != nil {
		return nil, fmt.Errorf("reading the strong font: %w", err)
	}
	return &Fonts{regular: r, strong: s}, nil
}

func loadFont(woff2 []byte) (*font.Font, error) {
	b, err := unpackWOFF2(woff2)
	if err != nil {
		return nil, err
	}
	face, err := font.ParseTTF(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return face.Font, nil
}

// Metrics measures text as the browser sets it: kerned, with contextual forms and tabular digits. It remembers what it
// measured, so one Metrics should serve a whole page, and may serve many; it must not be used by two goroutines at a
// time.
type Metrics struct {
	regular, strong *font.Face
	shaper          shaping.HarfbuzzShaper
	known           map[measured]float64 // in ems
}

// maxKnown is how many texts a Metrics remembers, so that one that serves a thousand pages does not grow for ever.
const maxKnown = 10_000

type measured struct {
	text   string
	strong bool
}

// Metrics returns a new measure over the fonts.
func (f *Fonts) Metrics() *Metrics {
	return &Metrics{
		regular: font.NewFace(f.regular),
		strong:  font.NewFace(f.strong),
		known:   map[measured]float64{},
	}
}

// Width is how far s advances, in units, at a font size in units and at weight 600 if strong, else 400.
//
// Runes that the font lacks are set in a font we do not know; they count as wide as such fonts set them, rather too
// wide than too narrow.
func (m *Metrics) Width(s string, size float64, strong bool) float64 {
	key := measured{s, strong}
	em, ok := m.known[key]
	if !ok {
		if len(m.known) >= maxKnown {
			clear(m.known)
		}
		em = m.measure(s, m.face(strong))
		m.known[key] = em
	}
	return em * size
}

// Missing returns the runes of s that the font lacks, in order and each once.
func (m *Metrics) Missing(s string, strong bool) []rune {
	face := m.face(strong)
	var missing []rune
	for _, r := range s {
		if _, ok := face.NominalGlyph(r); !ok && !strings.ContainsRune(string(missing), r) {
			missing = append(missing, r)
		}
	}
	return missing
}

func (m *Metrics) face(strong bool) *font.Face {
	if strong {
		return m.strong
	}
	return m.regular
}

// measure adds up the stretches that face can set and the runes between them that it cannot.
func (m *Metrics) measure(s string, face *font.Face) (em float64) {
	var stretch []rune
	for _, r := range s {
		if _, ok := face.NominalGlyph(r); ok {
			stretch = append(stretch, r)
			continue
		}
		em += m.shape(stretch, face) + fallbackAdvance(r)
		stretch = stretch[:0]
	}
	return em + m.shape(stretch, face)
}

func (m *Metrics) shape(text []rune, face *font.Face) (em float64) {
	if len(text) == 0 {
		return 0
	}
	const perEm = 1000
	out := m.shaper.Shape(shaping.Input{
		Text: text, RunEnd: len(text), Face: face, Size: fixed.I(perEm), Script: language.Latin, Language: "en",
		FontFeatures: []shaping.FontFeature{{Tag: opentype.MustNewTag("tnum"), Value: 1}},
	})
	return float64(out.Advance) / float64(fixed.I(perEm))
}

// fallbackAdvance is how far a rune advances in an unknown font, in ems: emoji reach 1.3 and ideographs 1, capitals of
// Cyrillic and Greek 1.1, small letters 0.9 and much less on average; marks and joiners do not advance.
func fallbackAdvance(r rune) float64 {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 1.3
	}
	if unicode.IsUpper(r) {
		return 1.1
	}
	return .9
}
