package figure

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules are the declarations of a style sheet by selector, the last of a property counting.
func rules(css string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, m := range regexp.MustCompile(`([^{};]+)\{([^{}]*)\}`).FindAllStringSubmatch(css, -1) {
		for _, selector := range strings.Split(m[1], ",") {
			selector = strings.TrimPrefix(strings.TrimSpace(selector), "svg ")
			if out[selector] == nil {
				out[selector] = map[string]string{}
			}
			for _, d := range strings.Split(m[2], ";") {
				if key, value, ok := strings.Cut(d, ":"); ok {
					out[selector][strings.TrimSpace(key)] = strings.TrimSpace(value)
				}
			}
		}
	}
	return out
}

// A file of its own looks as the page's style sheet has it, in light on white paper, and in the dark.
func TestStandaloneLooksLikeThePage(t *testing.T) {
	css, err := os.ReadFile("../../site/theme/style.css")
	if err != nil {
		t.Fatal(err)
	}
	inSVG := regexp.MustCompile(`(?m)^svg .*$`).FindAllString(string(css), -1)
	page := rules(strings.Join(inSVG, "\n"))
	colours := func(scheme string) map[string]string {
		block := regexp.MustCompile(`(?s)` + regexp.QuoteMeta(scheme) + ` \{.*?\n\}`).FindString(string(css))
		tokens := map[string]string{}
		for _, m := range regexp.MustCompile(`(--[a-z0-9-]+):\s*(#[0-9a-f]+)`).FindAllStringSubmatch(block, -1) {
			tokens[m[1]] = m[2]
		}
		return tokens
	}
	light := colours(":root")
	light["--paper"] = "#fff"
	looksLike(t, "light", page, light, lightStyle)
	looksLike(t, "dark", page, colours(`:root[data-theme="dark"]`), string(Dark([]byte(lightStyle))))
}

func looksLike(t *testing.T, scheme string, page map[string]map[string]string, tokens map[string]string, style string) {
	t.Helper()
	token := regexp.MustCompile(`var\((--[a-z0-9-]+)\)`)
	file := rules(strings.TrimSuffix(strings.TrimPrefix(style, "<style>"), "</style>\n"))

	used := []string{"text"}
	with := map[string]string{"thin": ".line", "hot": ".box", "faint": ".band"} // that have a look with another alone
	for _, class := range slices.Concat(fills, strokes) {
		used = append(used, with[class]+"."+class)
	}
	for _, class := range textClasses {
		used = append(used, "."+class)
	}
	for _, selector := range used {
		if len(page[selector]) == 0 {
			t.Errorf("the page's style sheet has no rule for %s", selector)
		}
		for property, value := range page[selector] {
			want := token.ReplaceAllStringFunc(value,
				func(v string) string { return tokens[token.FindStringSubmatch(v)[1]] })
			if got := file[selector][property]; property != "font-family" && got != want {
				t.Errorf("%s: %s has %s %q in a file and %q in the page", scheme, selector, property, got, want)
			}
		}
	}
	for selector := range file {
		if selector != "svg" && len(page[selector]) == 0 {
			t.Errorf("a file has a rule for %s and the page has none", selector)
		}
	}
}

func TestStandaloneAddsStyleAndProvenance(t *testing.T) {
	svg, err := figures(t)["one row"].Draw(fonts(t).Metrics(), Full)
	if err != nil {
		t.Fatal(err)
	}
	before := string(svg)
	file := string(Standalone(svg, [][2]string{{"title", "A < B"}, {"run", "r1, r2"}, {"licence", ""},
		{"address", "https://a.example/x/#fig-y"}}))
	if string(svg) != before {
		t.Error("Standalone changed the drawing that it was given")
	}
	metadata := regexp.MustCompile(`<metadata>.*</metadata>\n`).FindString(file)
	for _, want := range []string{"<dc:title>A &lt; B</dc:title>", "<dcterms:provenance>run r1, r2</dcterms:provenance>",
		"<dc:identifier>https://a.example/x/#fig-y</dc:identifier>"} {
		if !strings.Contains(metadata, want) {
			t.Errorf("%s is missing in %s", want, metadata)
		}
	}
	if strings.Contains(metadata, "dc:rights") {
		t.Errorf("there is no licence, and the file has one: %s", metadata)
	}
	if strings.Replace(strings.Replace(file, lightStyle, "", 1), metadata, "", 1) != before {
		t.Errorf("more than a style and what is known was added: %s", file)
	}
	if !strings.HasPrefix(file, "<svg ") || !strings.Contains(file, ">\n<style>") {
		t.Errorf("the file begins with %.200s", file)
	}
}
