package compare

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
)

func TestExplanations(t *testing.T) {
	a := record.Record{Key: "k", Definition: json.RawMessage(`{"load":{"connections":10}}`), Facts: map[string]string{
		"host.kernel": "6.1.0", "engine.kernel": "6.1.0", "image.server": "sha256:" + strings.Repeat("a", 64),
		"base.server": "debian", "engine.version": "29.0",
		"hosts.far.host.kernel": "6.1.0", "hosts.far.clock.ahead": "1ms", "engine.memory": "25276063744"},
		Inputs: []record.Input{{Name: "definition", Digest: "1"}, {Name: "semantics", Digest: "2"},
			{Name: "server: Dockerfile", Digest: "3"}}}
	fact := func(name, value string) func(*record.Record) { return func(r *record.Record) { r.Facts[name] = value } }
	image := fact("image.server", "sha256:"+strings.Repeat("b", 64))
	file := func(r *record.Record) {
		r.Key, r.Inputs = "l", slices.Clone(r.Inputs)
		r.Inputs[2].Digest = "4"
	}
	for _, tt := range []struct {
		name    string
		changes []func(*record.Record)
		want    string
	}{
		{"nothing", nil, "no recorded difference"},
		{"one fact", []func(*record.Record){fact("engine.version", "29.1")},
			"the only difference is engine.version: 29.0 → 29.1"},
		{"a kernel, found out twice", []func(*record.Record){fact("host.kernel", "6.2.0"), fact("engine.kernel", "6.2.0")},
			"the only difference is kernel (engine.kernel: 6.1.0 → 6.2.0, and 1 more)"},
		{"a kernel of another host", []func(*record.Record){fact("hosts.far.host.kernel", "6.2.0")},
			"the only difference is hosts.far.host.kernel: 6.1.0 → 6.2.0"},
		{"a clock of another host", []func(*record.Record){fact("hosts.far.clock.ahead", "2ms")},
			"no recorded difference"},
		{"memory after another boot", []func(*record.Record){fact("engine.memory", "25276514304")},
			"no recorded difference"},
		{"an image built anew", []func(*record.Record){image},
			"the only difference is image of server (image.server: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb)"},
		{"a file, and an image with another base", []func(*record.Record){file, image, fact("base.server", "debian:13")},
			"2 differences, but no cell changed"},
		{"a setting", []func(*record.Record){func(r *record.Record) {
			r.Key, r.Definition = "m",
				json.RawMessage(`{"load":{"connections":12}}`)
		}},
			"the only difference is load.connections: 10 → 12"},
		{"a secret", []func(*record.Record){func(r *record.Record) { r.Key = "n" }},
			"the only difference is a value that is not recorded: k → n"},
		{"a fact on one side only", []func(*record.Record){func(r *record.Record) { delete(r.Facts, "base.server") }},
			"no recorded difference"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := a
			b.Facts = maps.Clone(a.Facts)
			for _, change := range tt.changes {
				change(&b)
			}
			if got := Explain(nil, differencesOf([]*record.Record{&a}, []*record.Record{&b})); got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
}
