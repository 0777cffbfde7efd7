package theme_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"benchbook/notebook/source"
	"benchbook/render"

	"benchbook/site"
	"benchbook/site/theme"
)

var at = source.Pos{Source: source.New("benchbook.yaml", []byte("theme: look\n")), Start: 7, End: 11}

func TestOpen(t *testing.T) {
	tests := []struct {
		name string
		own  fstest.MapFS
		want []string // in the problems
	}{
		{"nothing", nil, nil},
		{"files that there are", fstest.MapFS{"style.css": {Data: []byte("body{}")},
			"fonts/inter-400.woff2": {Data: []byte("x")}, ".git/config": {}, ".DS_Store": {}}, nil},
		{"a misspelt file", fstest.MapFS{"stlye.css": {}}, []string{"benchbook.yaml:1:8", `no file "stlye.css"`,
			`did you mean "style.css"?`, "[unknown-theme-file]"}},
		{"a file in the wrong place", fstest.MapFS{"inter-400.woff2": {}}, []string{`no file "inter-400.woff2"`}},
		{"a template that ends too early", fstest.MapFS{"index.html": {Data: []byte("<p>\n{{define \"index\"}}\n  {{if " +
			".Title}}\n")}},
			[]string{"look/index.html:", "unexpected EOF", "[broken-template]"}},
		{"a function that there is not", fstest.MapFS{"tag.html": {Data: []byte("{{define \"tag\"}}\n\n  <h1>{{shout " +
			".Name}}</h1>\n{{end}}")}},
			[]string{"look/tag.html:3:3", `function "shout" not defined`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var problems source.Problems
			theme.Open(test.own, "look", at, &problems)
			said := ""
			for _, p := range problems.Sorted() {
				said += p.String()
			}
			if (said == "") != (test.want == nil) {
				t.Fatalf("problems are %q", said)
			}
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("there is no %q in %q", want, said)
				}
			}
		})
	}
}

// What the project has stands in the place of ours, file by file; all else is ours.
func TestFilesOfTheProject(t *testing.T) {
	var problems source.Problems
	look := theme.Open(fstest.MapFS{"style.css": {Data: []byte("body { color: teal }")},
		"tag.html": {Data: []byte(`{{define "tag"}}<main id="main">just {{.Name}}</main>{{end}}`)}},
		"look", at, &problems)
	if !problems.Empty() {
		t.Fatal(problems.Sorted()[0])
	}
	files, err := site.Files([]*render.Page{{Slug: "a", Title: "A", Tags: []string{"x"}, Standing: render.StandingBadges()[0]}},
		look, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(files["tags/x/index.html"]); !strings.Contains(got, "just x") {
		t.Errorf("the tag's page is %s", got)
	}
	found := false
	for name, data := range files {
		found = found || strings.HasPrefix(name, "style.") && string(data) == "body { color: teal }"
	}
	if !found || !strings.Contains(string(files["index.html"]), "What the marks mean") {
		t.Error("the style is not the project's, or the index not ours")
	}
}

// A template that asks for what there is not is a problem at its line.
func TestExplain(t *testing.T) {
	var problems source.Problems
	look := theme.Open(fstest.MapFS{"tag.html": {Data: []byte("{{define \"tag\"}}\n<h1>\n{{.Nmae}}</h1>{{end}}")}}, "look",
		at, &problems)
	_, err := site.Files([]*render.Page{{Slug: "a", Title: "A", Tags: []string{"x"}, Standing: render.StandingBadges()[0]}},
		look, site.Options{})
	if err == nil || !look.Explain(err, &problems) {
		t.Fatalf("the error %v is not explained", err)
	}
	if said := problems.Sorted()[0].String(); !strings.Contains(said, "look/tag.html:3:1") ||
		!strings.Contains(said, "Nmae") {
		t.Errorf("it says %s", said)
	}
	if look.Explain(errors.New(`template: index.html:3:5: executing "index"`), &problems) ||
		look.Explain(fs.ErrNotExist, &problems) {
		t.Error("what is not of the project is explained")
	}
}
