package figure

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"sync"
	"unicode"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/width"
)

// Capital is the height of the capitals of Inter, in ems.
const Capital = 2048.0 / 2816

// fontFiles are the fonts of the style sheet, Inter at weights 400 and 600, as OpenType: browsers load them as WOFF2.
//
//go:embed fonts
var fontFiles embed.FS

// typeface is a font to measure with, and its outlines to draw with.
type typeface struct {
	*font.Face
	outlines *sfnt.Font
}

// typefaces are the regular and the strong one.
var typefaces = sync.OnceValue(func() [2]typeface { return [2]typeface{loadFont("inter-400"), loadFont("inter-600")} })

// typefaceOf is the one of weight 600 if strong, else of 400.
func typefaceOf(strong bool) typeface {
	if strong {
		return typefaces()[1]
	}
	return typefaces()[0]
}

// loadFont reads a font of this package.
func loadFont(name string) typeface {
	must := func(err error) {
		if err != nil {
			panic(fmt.Sprintf("reading the font %s: %v", name, err))
		}
	}
	file, err := fontFiles.Open("fonts/" + name + ".otf.gz")
	must(err)
	unpacked, err := gzip.NewReader(file)
	must(err)
	data, err := io.ReadAll(unpacked)
	must(err)
	face, err := font.ParseTTF(bytes.NewReader(data))
	must(err)
	outlines, err := sfnt.Parse(data)
	must(err)
	return typeface{face, outlines}
}

// measures remembers how wide texts are, as most are in several drawings.
var measures = struct {
	sync.Mutex
	shaper shaping.HarfbuzzShaper
	known  map[measured]float64 // in ems
}{known: map[measured]float64{}}

// maxKnown is how many texts are remembered, so that a preview does not grow for ever.
const maxKnown = 10_000

type measured struct {
	text   string
	strong bool
}

// textWidth is how far s advances as a browser sets it: kerned, with contextual forms and tabular digits. It is in units, at
// a font size in units and at weight 600 if strong, else 400.
//
// Runes that the font lacks are set in a font we do not know; they count as wide as such fonts set them, rather too
// wide than too narrow.
func textWidth(s string, size float64, strong bool) float64 {
	measures.Lock()
	defer measures.Unlock()
	key := measured{s, strong}
	em, ok := measures.known[key]
	if !ok {
		if len(measures.known) >= maxKnown {
			clear(measures.known)
		}
		em = measure(s, typefaceOf(strong).Face)
		measures.known[key] = em
	}
	return em * size
}

// measure adds up the stretches that face can set and the runes between them that it cannot.
func measure(s string, face *font.Face) (em float64) {
	var stretch []rune
	for _, r := range s {
		if _, ok := face.NominalGlyph(r); ok {
			stretch = append(stretch, r)
			continue
		}
		em += shape(stretch, face) + fallbackAdvance(r)
		stretch = stretch[:0]
	}
	return em + shape(stretch, face)
}

func shape(text []rune, face *font.Face) (em float64) {
	if len(text) == 0 {
		return 0
	}
	const perEm = 1000
	out := measures.shaper.Shape(shaping.Input{
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
