package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/yuin/goldmark/ast"
	"gopkg.in/yaml.v3"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/source"
)

// compiled compiles all schemas with a third-party validator.
func compiled(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	out := map[string]*jsonschema.Schema{}
	for name := range Kinds() {
		data := must.Get(json.Marshal(Of(name)))
		parsed := must.Get(jsonschema.UnmarshalJSON(bytes.NewReader(data)))
		c := jsonschema.NewCompiler()
		must.Do(c.AddResource("urn:benchbook:schema:"+name, parsed))
		out[name] = must.Get(c.Compile("urn:benchbook:schema:" + name))
	}
	return out
}

// fromYAML reads YAML as editors do: by the core schema, which has no dates.
func fromYAML(t *testing.T, text []byte) any {
	t.Helper()
	v := any(map[string]any{})
	must.Do(yaml.Unmarshal(text, &v))
	return withoutDates(v)
}

func withoutDates(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.DateOnly)
	case []any:
		for i := range v {
			v[i] = withoutDates(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withoutDates(v[key])
		}
	case map[any]any: // it has keys that are numbers
		out := map[string]any{}
		for key := range v {
			out[fmt.Sprint(key)] = withoutDates(v[key])
		}
		return out
	}
	return v
}

var frontMatter = regexp.MustCompile(`(?s)\A---\n(.*?)\n---\n`)

// The articles of this repository, and one with all kinds of blocks, fit the schemas.
func TestArticlesFitTheirSchemas(t *testing.T) {
	slowtest.Skip(t)
	schemas := compiled(t)
	seen := map[string]int{}
	validate := func(name, where string, text []byte) {
		seen[name]++
		if err := schemas[name].Validate(fromYAML(t, text)); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
	root := filepath.Join("..", "..")
	validate("project", "benchbook.yaml", must.Get(os.ReadFile(filepath.Join(root, article.ProjectFile))))
	files := append(must.Get(filepath.Glob(filepath.Join(root, "experiments", "*", article.FileName))),
		must.Get(filepath.Glob(filepath.Join(root, "notebook", "*", "testdata", "good", "*.md")))...)
	for _, file := range append(files, filepath.Join(root, "render", "testdata", "everything.md")) {
		data := must.Get(os.ReadFile(file))
		doc := article.Parse(filepath.Dir(file), source.New(file, data))
		if !doc.Problems.Empty() {
			continue
		}
		if m := frontMatter.FindSubmatch(data); m != nil {
			validate("front-matter", file, m[1])
		}
		must.Do(ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if b, ok := n.(*article.Block); ok && entering && schemas[b.Is] != nil {
				validate(b.Is, file, b.Listing.Data)
			}
			return ast.WalkContinue, nil
		}))
	}
	validate("policy", "a policy", []byte("allow: [builds, {targets: [example.org]}]\n"))
	for name := range schemas {
		if seen[name] == 0 && name != "record" {
			t.Errorf("nothing was validated against the schema of %s", name)
		}
	}
}

// All committed records fit the schema.
func TestRecordsFitTheirSchema(t *testing.T) {
	slowtest.SkipSequential(t)
	schemas := compiled(t)
	lines := recordtest.Lines(t, filepath.Join("..", "..", "experiments"))
	for _, l := range lines {
		v := must.Get(jsonschema.UnmarshalJSON(bytes.NewReader(l.Text)))
		gone := v.(map[string]any) // records of older versions have fields that nothing reads any more
		delete(gone, "seal")
		if machine, ok := gone["machine"].(map[string]any); ok {
			delete(machine, "ports")
		}
		if before, ok := gone["before"].(map[string]any); ok {
			for _, field := range []string{"for", "spin", "steal", "swapped_in", "time_wait", "dirty"} {
				delete(before, field)
			}
		}
		if err := schemas["record"].Validate(v); err != nil {
			t.Errorf("%s:%d: %v", l.File, l.Number, err)
		}
	}
	assert.Equal(t, len(lines) >= 1000, true, "there are enough records, %d", len(lines))
}

func TestSchemasRefuse(t *testing.T) {
	schemas := compiled(t)
	for _, tt := range []struct{ name, schema, text string }{
		{"an unknown key", "experiment", "conections: 5"},
		{"an unknown key of a load", "experiment", "load: {target: http://a/, conections: 5}"},
		{"an unknown key in a profile", "experiment", "profiles: {quick: {repetition: 3}}"},
		{"a time without a unit", "experiment", "load: {duration: 10}"},
		{"a word for a number", "experiment", "repetitions: many"},
		{"a word for services", "experiment", "services: server"},
		{"an axis without values", "experiment", "matrix: {server: []}"},
		{"a claim without shape", "claim", "- name: {a: b}"},
		{"an unknown key in a list of claims", "claim", "- {name: a, expects: b}"},
		{"an unknown key of a figure", "figure", "titel: x"},
		{"an unknown key of the project", "project", "titel: x"},
		{"a default that is none", "project", "defaults: {load: {conections: 5}}"},
		{"a default for a name", "project", "defaults: {name: x}"},
		{"a profile that changes what is extended", "experiment", "profiles: {quick: {extends: x}}"},
		{"a rate without a unit", "experiment", "load: {rate: 500}"},
		{"a word for a weight", "experiment", "load: {target: [{url: http://s/, weight: many}]}"},
		{"words for no tool", "experiment", "load: {args: {bb: [-r]}}"},
		{"a list to calibrate", "experiment", "calibrate: [a]"},
	} {
		err := schemas[tt.schema].Validate(fromYAML(t, []byte(tt.text)))
		assert.Equal(t, err != nil, true, "%s: %s is refused", tt.name, tt.text)
	}
}
