package runner

import (
	"slices"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/images"
)

// Outdated says for which experiments of a plan a run measures trials again since images, programs or CPUs are others now: "EXPERIMENT: REASON".
func Outdated(p *plan.Plan, records []*record.Record, host string, o Options) []string {
	var out []string
	o, current := o.current(p, records)
	for _, e := range p.Experiments {
		own := p.RecordsOf(e, current, host)
		pending := o.todo(e, own)
		for _, r := range p.RecordsOf(e, records, host) {
			isPending := func(t *plan.Trial) bool { return t.Name == r.Trial && t.Key == r.Key }
			isNewer := func(o *record.Record) bool { return o.Trial == r.Trial && o.Key == r.Key }
			if !slices.ContainsFunc(pending.pending(e), isPending) || slices.ContainsFunc(own, isNewer) {
				continue
			}
			changes := o.Present.Changes(r)
			if moved := p.PlacedOtherwise(r); moved != "" {
				changes = append(changes, moved)
			}
			for _, change := range changes {
				if words := e.Name + ": " + change; !slices.Contains(out, words) {
					out = append(out, words)
				}
			}
		}
	}
	return out
}

// A currentStore is a store without what is not current of a plan.
type currentStore struct {
	RecordStore
	present *images.Present
	plan    *plan.Plan
}

func (s currentStore) Read() ([]*record.Record, []record.Bad, error) {
	records, bad, err := s.RecordStore.Read()
	records, _ = s.present.Current(s.plan, records)
	return records, bad, err
}
