package plan

import (
	"slices"
	"strings"
	"testing"
)

// Quick measures blocks where services can stay up; no other profile does.
func TestBlocks(t *testing.T) {
	const experiment = `name: e
services: {server: {image: nginx, expose: ["80"]}, db: {image: postgres}}
matrix: {n: [1, 2, 3]}
load: {target: http://server/}
`
	tests := []struct {
		name, yaml  string
		full, quick string
	}{
		{"a load that reads", experiment, "interleaved", "blocks"},
		{"a load that writes", experiment + "profiles: {quick: {load: {method: POST}}}", "interleaved", "interleaved"},
		{"one of several requests that writes", strings.Replace(experiment, "{target: http://server/}",
			"{target: [{url: http://server/}, {url: http://server/, method: PUT}]}", 1), "interleaved", "interleaved"},
		{"a hook before", experiment + "prepare: {service: server, run: sync}", "interleaved", "interleaved"},
		{"a hook after", experiment + "conclude: {service: server, run: sync}", "interleaved", "interleaved"},
		{"a metric of a start", experiment + "metrics: [{name: m, from: server log, regex: '(\\d+)'}]", "interleaved",
			"interleaved"},
		{"a metric of a shared log", experiment + "metrics: [{name: m, from: db log, regex: '(\\d+)'}]\nshared: [db]",
			"interleaved", "blocks"},
		{"shared services only", experiment + "shared: [server, db]", "interleaved", "interleaved"},
		{"a command", strings.Replace(experiment, "load: {target: http://server/}", "command: {image: nginx, run: ls}", 1),
			"interleaved", "interleaved"},
		{"a search for a capacity", strings.Replace(experiment, "{target: http://server/}",
			"{target: http://server/}\ncapacity: {slo: failed < 1%, from: 1/s, to: 9/s}", 1), "interleaved", "interleaved"},
		{"a load of a database", strings.Replace(experiment, "load: {target: http://server/}",
			"load: {target: 'postgres://server/db', tool: pgbench}", 1), "interleaved", "interleaved"},
	}
	for _, tt := range tests {
		for profile, want := range map[string]string{Full: tt.full, Quick: tt.quick} {
			t.Run(tt.name+", "+profile, func(t *testing.T) {
				e := mustPlan(t, text(block(tt.yaml+"\n")), Options{Profile: profile}, nil)
				got := "interleaved"
				if e.Blocks {
					got = "blocks"
				}
				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

// The order of an experiment is in no key of its trials, and blocks are another run than rounds.
func TestOrderOfBlocks(t *testing.T) {
	const experiment = "name: e\nservices: {server: {image: nginx, expose: [\"80\"]}}\nmatrix: {n: [1, 2, 3, 4, 5]}\n" +
		"load: {target: http://server/}\nprofiles: {quick: {repetitions: {looks: [3, 5]}, load: {duration: 10s, warmup: 2s}}}\n" +
		"repetitions: {looks: [3, 5]}\n"
	a := mustPlan(t, text(block(experiment)), Options{}, nil)
	b := mustPlan(t, text(block(experiment)), Options{Profile: Quick}, nil)
	if a.Trials[0].Key != b.Trials[0].Key || a.Digest == b.Digest || len(a.Steps) != len(b.Steps) {
		t.Errorf("keys %s and %s, digests %s and %s, %d and %d steps", a.Trials[0].Key, b.Trials[0].Key, a.Digest, b.Digest,
			len(a.Steps), len(b.Steps))
	}
	var order []string // of blocks
	for i, s := range b.Steps {
		if i == 0 || b.Steps[i-1].Trial != s.Trial || s.Round == a.Looks[0]+1 {
			order = append(order, s.Trial.Name)
		}
	}
	const trials = 6 // with the A/A pair
	if len(order) != 2*trials {
		t.Fatalf("%d blocks: %v", len(order), order)
	}
	first, second := order[:trials], order[trials:]
	if slices.Equal(first, second) || slices.IsSorted(first) {
		t.Errorf("blocks come as %v and %v", first, second)
	}
	slices.Sort(first)
	slices.Sort(second)
	if !slices.Equal(first, second) {
		t.Errorf("blocks are of %v and %v", first, second)
	}
}
