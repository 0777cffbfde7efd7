package plan

import (
	"slices"

	"benchbook/notebook/record"
)

// RecordsOf picks the records of an experiment on one host, of all experiments for nil. Records of another article in the
// same folder, which was copied, are left out.
func (p *Plan) RecordsOf(e *Experiment, records []*record.Record, host string) []*record.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		return r.Article != p.Article || e != nil && r.Experiment != e.Name || r.Host != host || r.Profile != p.Profile
	})
}

// Original is the first half of the A/A pair for its second half, and any other trial itself.
func (e *Experiment) Original(t *Trial) *Trial {
	if !t.Calibration {
		return t
	}
	i := slices.IndexFunc(e.Trials, func(o *Trial) bool {
		return !o.Calibration && o.Unavailable == "" && slices.Equal(o.Parameters, t.Parameters)
	})
	if i < 0 {
		return t
	}
	return e.Trials[i]
}
