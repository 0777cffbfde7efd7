package show

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// An article that changed names what changed.
func TestChanges(t *testing.T) {
	const text = `---
title: A pair
---

§§§python file=server.py
print("one")
§§§

§§§dockerfile file=Dockerfile
FROM debian:bookworm-slim
§§§

§§§yaml experiment
name: pair
services:
  server:
    build: .
    configs: [{source: server.py, target: /srv/server.py}]
    expose: ["8080"]
load: {target: "http://server:8080/", connections: 5, duration: 1s}
calibrate: false
§§§
`
	trial := func(text string) *plan.Trial {
		t.Helper()
		doc := article.Parse(t.TempDir(), source.New("article.md", []byte(strings.ReplaceAll(text, "§§§", "```"))))
		p := must.Get(plan.New(&article.Project{}, doc, plan.Options{}, &doc.Problems))
		assert.None(t, doc.Problems.Sorted())
		return p.Experiments[0].Trials[0]
	}
	before := trial(text)
	recorded := &record.Record{Key: before.Key, Inputs: before.Inputs, Definition: before.Definition}
	for _, tt := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"a number", "connections: 5", "connections: 6", "load.connections: 6, was 5"},
		{"a file", `print("one")`, `print("two")`, "server: /srv/server.py changed"},
		{"the image", "FROM debian:bookworm-slim", "FROM debian:bookworm", "server: Dockerfile changed"},
		{"a file under another name", "target: /srv/server.py", "target: /srv/main.py",
			"server: /srv/main.py is new; server: /srv/server.py was removed"},
	} {
		got := strings.Join(changes(trial(strings.ReplaceAll(text, tt.old, tt.new)), recorded), "; ")
		assert.Equal(t, got, tt.want, "%s", tt.name)
	}
}
