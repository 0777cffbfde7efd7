package docs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
)

const galleryPage = "gallery.md"

var (
	pictureOf = regexp.MustCompile(`!\[[^\]]+\]\((gallery/[a-z]+\.svg)\)`)
	articleOf = regexp.MustCompile(`\]\(\.\./experiments/([a-z0-9-]+)/article\.md\)`)
	keyOf     = func(key string) *regexp.Regexp { return regexp.MustCompile(`(?m)^` + key + `: (\S+)$`) }
)

// A piece of the gallery is one kind of figure: the block as it stands in an article, and what benchbook draws of the
// records that are committed with it.
type piece struct {
	kind, slug, block, label, picture string
}

// galleryPieces are those of the page, one below each heading of the second level.
func galleryPieces(t *testing.T) []piece {
	t.Helper()
	p := readPage(t, galleryPage)
	var pieces []piece
	for _, f := range p.fences {
		section := p.sections[f.heading]
		picture, from := pictureOf.FindStringSubmatch(section), articleOf.FindStringSubmatch(section)
		kind, label := keyOf("kind").FindStringSubmatch(f.body), keyOf("label").FindStringSubmatch(f.body)
		if picture == nil || from == nil || kind == nil || label == nil {
			t.Fatalf("%s: under %q there has to be a figure's block, its picture, and a link to its article", p.name, f.heading)
		}
		pieces = append(pieces, piece{kind[1], from[1], f.body, label[1], picture[1]})
	}
	return pieces
}

// The gallery has every kind of figure, each with a block of an article and the picture that this block makes.
func TestGallery(t *testing.T) {
	slowtest.Skip(t)
	shown := map[string]bool{}
	drawn := map[string]map[string][]byte{} // by article, then by label
	for _, g := range galleryPieces(t) {
		shown[g.kind] = true
		text := must.Get(os.ReadFile(filepath.Join(root, "experiments", g.slug, article.FileName)))
		if !bytes.Contains(text, []byte("```yaml figure\n"+g.block+"```\n")) {
			t.Errorf("the article %s has no figure with the block of %s", g.slug, g.kind)
		}
		if drawn[g.slug] == nil {
			drawn[g.slug] = drawings(t, g.slug)
		}
		got := drawn[g.slug][g.label]
		if *update {
			must.Do(os.WriteFile(g.picture, got, 0o644))
		}
		if want, err := os.ReadFile(g.picture); err != nil || len(got) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s draws (%v): go test ./docs -run TestGallery -update, and look at it",
				g.picture, g.slug, err)
		}
	}
	kinds := firstColumn(readPage(t, "figures.md").sections["Kinds of figures"])
	compare(t, "kind of figure", kinds, shown)
}

// drawings are the figures of an article, of its committed records of the full profile.
func drawings(t *testing.T, slug string) map[string][]byte {
	t.Helper()
	renderer := must.Get(render.New(theme.Files))
	page := must.Get(renderer.Page(rendertest.Committed(t, root, slug), render.Options{}))
	figures := map[string][]byte{}
	for _, f := range page.Files {
		if label, ok := strings.CutSuffix(filepath.Base(f.Path), ".svg"); ok {
			figures[label] = f.Data
		}
	}
	return figures
}
