package docs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/markdown"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/render"
	"benchbook/render/rendertest"
	"benchbook/site/theme"
)

// The gallery has every kind of figure, each with a block of an article and the picture that this block makes.
func TestGallery(t *testing.T) {
	slowtest.Skip(t)
	shown := map[string]bool{}
	drawn := map[string]map[string][]byte{} // by article, then by label
	page := markdown.Read("gallery.md")
	for _, f := range page.Fences {
		found := func(pattern, text string) string {
			m := regexp.MustCompile(pattern).FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("gallery.md: under %q nothing is like %s", f.Heading, pattern)
			}
			return m[1]
		}
		kind, label := found(`(?m)^kind: (\S+)$`, f.Body), found(`(?m)^label: (\S+)$`, f.Body)
		picture := found(`!\[[^\]]+\]\((gallery/[a-z]+\.svg)\)`, page.Sections[f.Heading])
		slug := found(`\]\(\.\./experiments/([a-z0-9-]+)/article\.md\)`, page.Sections[f.Heading])
		shown[kind] = true
		text := must.Get(os.ReadFile(filepath.Join(root, "experiments", slug, article.FileName)))
		if !bytes.Contains(text, []byte("```yaml figure\n"+f.Body+"```\n")) {
			t.Errorf("the article %s has no figure with the block of %s", slug, kind)
		}
		if drawn[slug] == nil {
			drawn[slug] = drawings(t, slug)
		}
		got := drawn[slug][label]
		if *update {
			must.Do(os.WriteFile(picture, got, 0o644))
		}
		if want, err := os.ReadFile(picture); err != nil || len(got) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s draws (%v): go test ./docs -run TestGallery -update, and look at it", picture, slug, err)
		}
	}
	compare(t, "kind of figure", firstColumn(markdown.Read("figures.md").Sections["Kinds of figures"]), shown)
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
