package figure

import (
	"regexp"
	"strings"
	"testing"
)

func TestStandaloneAddsStyleAndProvenance(t *testing.T) {
	svg, err := figures["two sockets with published values"].Draw(fonts(t).Metrics(), Full)
	if err != nil {
		t.Fatal(err)
	}
	before := string(svg)
	file := string(Standalone(svg, [][2]string{{"title", "A < B"}, {"run", "r1, r2"}, {"licence", ""},
		{"address", "https://a.example/x/#fig-y"}}))
	if string(svg) != before {
		t.Error("Standalone changed the drawing that it was given")
	}
	metadata := regexp.MustCompile(`(?s)<metadata>.*</metadata>\n`).FindString(file)
	want := "<metadata>\ntitle: A &lt; B\nrun: r1, r2\naddress: https://a.example/x/#fig-y\n</metadata>\n"
	if metadata != want {
		t.Errorf("the file says %q, want %q", metadata, want)
	}
	style := regexp.MustCompile(`(?s)<style>.*</style>\n`).FindString(file)
	if !strings.Contains(style, "@media (prefers-color-scheme:dark){svg{background:#14171a}") {
		t.Errorf("there is no style for dark surroundings: %s", style)
	}
	if strings.Replace(strings.Replace(file, style, "", 1), metadata, "", 1) != before {
		t.Errorf("more than a style and what is known was added: %s", file)
	}
	if !strings.HasPrefix(file, "<svg ") || !strings.Contains(file, ">\n<style>") {
		t.Errorf("the file begins with %.200s", file)
	}
}
