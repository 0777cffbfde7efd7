package plan

import (
	"slices"
	"testing"
)

// The order of an experiment is in no key of its trials, and blocks are another run than rounds.
func TestOrderOfBlocks(t *testing.T) {
	const experiment = "name: e\nservices: {server: {image: nginx, expose: [\"80\"]}}\nmatrix: {n: [1, 2, 3, 4, 5]}\n" +
		"load: {target: http://server/}\nprofiles: {quick: {repetitions: up to 5, load: {duration: 10s, warmup: 2s}}}\n" +
		"repetitions: up to 5\n"
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
