package figure

import (
	"fmt"
	"strings"
	"testing"
)

func TestCheckFinds(t *testing.T) {
	const (
		open  = `<svg class="full" viewBox="0 0 100 40" role="group" aria-labelledby="a" aria-describedby="b" xmlns="http://www.w3.org/2000/svg">`
		names = `<title id="a">t</title><desc id="b">d</desc>`
	)
	in := func(body string) string { return open + names + body + "</svg>" }
	tests := []struct {
		name, svg string
		kind      Kind // "" where nothing is to be found
		want      string
	}{
		{"nothing in a good drawing",
			in(`<g aria-hidden="true"><circle cx="50" cy="10" r="3" class="f1 pt"/></g><text x="10" y="20" class="halo f6">a</text>`), "", ""},
		{"nothing in text on a grid line", in(`<text x="10" y="20">word</text><path d="M15 0V40" class="grid"/>`), "",
			""},
		{"text on text", in(`<text x="10" y="20">first</text><text x="30" y="22">second</text>`), Collision,
			`"first" is on or too near to "second"`},
		{"text that touches text", in(`<text x="10" y="20">one</text><text x="36" y="20">two</text>`), Collision,
			"too near"},
		{"text beyond the right edge", in(`<text x="95" y="20">edge</text>`), Collision, "leaves"},
		{"text beyond the left edge", in(`<text x="20" y="20" class="end">left edge</text>`), Collision, "leaves"},
		{"text beyond the right edge from its middle", in(`<text x="90" y="20" class="mid">right edge</text>`),
			Collision, "leaves"},
		{"text below the lower edge", in(`<text x="10" y="39">g</text>`), Collision, "leaves"},
		{"text on a dot", in(`<text x="10" y="20">dot</text><circle cx="15" cy="17" r="3" class="f1 pt"/>`),
			Collision, "mark"},
		{"text on a box", in(`<text x="10" y="20">box</text><path d="M12 12H40V20H12Z" class="ibox f1 s1"/>`),
			Collision, "mark"},
		{"text on a published value", in(`<text x="10" y="20">tick</text><path d="M15 12V22" class="ghost"/>`),
			Collision, "mark"},
		{"text on a line that bends", in(`<text x="10" y="20">line</text><path d="M0 0L20 16L90 0" class="line thin s1"/>`),
			Collision, "mark"},
		{"nothing in text below a line that rises",
			in(`<text x="60" y="36">line</text><path d="M0 30L90 0" class="line thin s1"/>`), "", ""},
		{"nothing in text in the bend of a line",
			in(`<text x="40" y="36">line</text><path d="M0 39L50 5L90 39" class="line thin s1"/>`), "", ""},
		{"a colour", in(`<text x="10" y="20" fill="red">x</text>`), Foreign, `fill="red"`},
		{"a style", in(`<path d="M0 0H1" class="grid" style="stroke:red"/>`), Foreign, "style"},
		{"a style sheet", in(`<style>text{fill:red}</style>`), Foreign, "<style>"},
		{"a script", in(`<script>1</script>`), Foreign, "<script>"},
		{"a link to elsewhere", in(`<image href="x.png"/>`), Foreign, "<image>"},
		{"a handler of events", in(`<g onclick="1"></g>`), Foreign, "onclick"},
		{"an attribute of another name space", in(`<g xmlns:x="y" x:class="z"></g>`), Foreign, "class"},
		{"a shape's class that the style sheet lacks", in(`<path d="M0 0H1" class="pink"/>`), Foreign, `"pink"`},
		{"a text's class that is for lines", in(`<text x="9" y="20" class="s1">x</text>`), Foreign, `"s1"`},
		{"a path that is not ours", in(`<path d="M0 0C1 1 2 2 3 3" class="grid"/>`), Foreign, "path"},
		{"a path without its numbers", in(`<path d="M0" class="grid"/>`), Foreign, "path"},
		{"a coordinate that is not a number", in(`<text x="ten" y="20">x</text>`), Foreign, `"ten"`},
		{"a text in a text", in(`<text x="9" y="20"><text x="9" y="20">x</text></text>`), Foreign, "<text>"},
		{"a third id", in(`<title id="c">m</title>`), Foreign, "ids"},
		{"no names", open + "</svg>", Foreign, "ids"},
		{"a role that is not group", strings.Replace(in(""), `"group"`, `"none"`, 1), Foreign, "role"},
		{"a group of a class that is not ours", in(`<g class="layer"></g>`), Foreign, "layer"},
		{"something to point at that the keyboard does not reach", in(`<g class="hit" role="img" aria-label="x"></g>`),
			Foreign, "hit"},
		{"a mark beyond the edge", in(`<circle cx="99" cy="10" r="4" class="f1 pt"/>`), Collision, "a mark leaves"},
		{"nothing in what only the pointer meets beyond the edge",
			in(`<g class="hit" tabindex="0" role="img" aria-label="x"><path d="M95 5H110V20H95Z" class="area"/></g>`), "", ""},
		{"nothing in words that cover others when they are shown",
			in(`<text x="10" y="20">word</text><g class="tip" display="none"><text x="10" y="20">word</text></g>`), "", ""},
		{"a fill of its own", in(`<path d="M1 1H9V9Z" class="pt" fill="red"/>`), Foreign, "fill"},
		{"words that are shown without being pointed at", in(`<g class="tip"><text x="10" y="20">word</text></g>`), Foreign,
			"group"},
		{"words that are shown beyond the edge", in(`<g class="tip" display="none"><text x="90" y="20">far away</text></g>`),
			Collision, "leaves the drawing"},
		{"an axis with a single tick", in(`<g class="ticks"><text x="50" y="20">10</text></g>`), Collision, "needs two"},
		{"ticks of one label", in(`<g class="ticks"><text x="10" y="20">10</text><text x="60" y="20">10</text></g>`),
			Collision, "two ticks"},
		{"nothing in an axis with two", in(`<g class="ticks"><text x="10" y="20">1</text><text x="60" y="20">10</text></g>`),
			"", ""},
		{"a view box that is none", strings.Replace(in(""), "0 0 100 40", "100 40", 1), Foreign, "viewBox"},
		{"a class that the page does not switch", strings.Replace(in(""), "full", "wide", 1), Foreign, `"wide"`},
		{"a comment", in(`<!-- x -->`), Foreign, "Comment"},
		{"a prologue", `<?xml version="1.0"?>` + in(""), Foreign, "ProcInst"},
		{"words after the drawing", in("") + "x", Foreign, "outside"},
		{"broken XML", open + names, Foreign, "not XML"},
		{"a letter that the fonts lack", in(`<text x="10" y="20">日本</text>`), MissingGlyph, `"日本"`},
	}
	m := fonts(t).Metrics()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Check(m, []byte(test.svg))
			if test.kind == "" {
				if len(got) != 0 {
					t.Errorf("found %v, want nothing", got)
				}
				return
			}
			for _, f := range got {
				if f.Kind == test.kind && strings.Contains(f.Message, test.want) {
					return
				}
			}
			t.Errorf("found %v, want %s with %q", got, test.kind, test.want)
		})
	}
}

func ExampleFinding() {
	f := Finding{Collision, `"sync" lies on the mark at 12.0,8.5`}
	fmt.Printf("figure fig-throughput: %s: %s\n", f.Kind, f.Message)
	// Output: figure fig-throughput: collision: "sync" lies on the mark at 12.0,8.5
}
