package runner

import (
	"context"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// settle gives all machines of the experiment time to come to rest before a repetition, more if one of them disturbed
// the one before that, except in profile quick. The error is that of the context, or that another machine cannot be
// asked.
func (r *run) settle(ctx context.Context, rec *record.Record) (err error) {
	if r.Settler == nil {
		return nil
	}
	began := time.Now()
	rec.Before, err = r.layout().Settle(ctx, r.Settler, r.disturbed && r.plan.Profile != plan.Quick)
	rec.Parts["settle"] = time.Since(began).Seconds()
	return err
}

// save saves a record, with the lists among its facts put aside: each is kept once in a run. What is not saved, such as
// the repetition of a probe, must not pass for having kept one.
func (r *run) save(rec *record.Record) error {
	have, err := r.listsOf(rec)
	if err != nil {
		return err
	}
	rec.Condense(have)
	return r.store.Save(rec)
}

// readRecords reads what is saved.
func (r *run) readRecords() ([]*record.Record, error) {
	records, _, err := r.store.Read()
	return records, err
}

// listsOf are the digests of the lists that the records of a run have already, those of a run that goes on included.
func (r *run) listsOf(rec *record.Record) (map[string]bool, error) {
	key := rec.Run + " " + rec.Experiment
	if have, ok := r.lists[key]; ok {
		return have, nil
	}
	have := map[string]bool{}
	if r.work.run != "" {
		records, _, err := r.store.Read()
		if err != nil {
			return nil, err
		}
		for _, other := range records {
			if other.Run == rec.Run && other.Experiment == rec.Experiment {
				for digest := range other.Lists {
					have[digest] = true
				}
			}
		}
	}
	if r.lists == nil {
		r.lists = map[string]map[string]bool{}
	}
	r.lists[key] = have
	return have, nil
}
