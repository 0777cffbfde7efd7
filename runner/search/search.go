// Package search finds the values that a plan leaves to measurements: tuned values, capacities, and rates that are
// shares of another experiment's throughput.
package search

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
)

// A Bench measures what a search asks for.
type Bench interface {
	// PrepareTrial makes available what a trial needs.
	PrepareTrial(ctx context.Context, t *plan.Trial) error
	// Share sees to it that the services run which all trials share.
	Share(ctx context.Context, t *plan.Trial) error
	// Measure measures a trial once.
	Measure(ctx context.Context, step plan.Step) (*record.Record, error)
	// NewRecord is the record of a step before it begins.
	NewRecord(step plan.Step) *record.Record
	// Redact takes out of a record what must not be kept.
	Redact(rec *record.Record)
}

// A Store keeps searches that are under way.
type Store interface {
	// Keep keeps a search as far as it is, in the place of what was kept of it before, until it is told to Drop it.
	Keep(*record.Record) error
	Drop(*record.Record) error
	// Unfinished gives what is kept.
	Unfinished() ([]*record.Record, error)
}

// Progress is told of searches.
type Progress interface {
	// Search is called after each probe, and once more when the search has ended: then it says why, in Stop.
	Search(t *plan.Trial, s *record.Search)
	Note(text string)
}

// A Searcher makes the searches of one experiment.
type Searcher struct {
	Bench    Bench
	Store    Store
	Progress Progress

	Plan       *plan.Plan
	Experiment *plan.Experiment
	Host       string           // its ID
	Records    []*record.Record // that were there when the experiment began
	Choices    *Choices
	Cores      func(*plan.Trial) int          // that the services of a trial have
	Usable     func(kept *record.Record) bool // says whether probes of an earlier run may be taken over
}

func (s *Searcher) newRecord(t *plan.Trial, search *record.Search) *record.Record {
	rec := s.Bench.NewRecord(plan.Step{Trial: t})
	rec.Planned, rec.Looks, rec.Order, rec.Search = 0, nil, record.Order{Seed: s.Experiment.Seed}, search
	before := 0
	for _, o := range s.Plan.RecordsOf(s.Experiment, s.Records, s.Host) {
		if o.Run == rec.Run && o.Trial == rec.Trial && o.Key == rec.Key && o.Search != nil &&
			o.Search.Kind == search.Kind && o.Search.Name == search.Name {
			before++
		}
	}
	if before > 0 {
		search.Attempt = before + 1
	}
	return rec
}

// end completes the record of a search.
func (s *Searcher) end(rec *record.Record) *record.Record {
	rec.End(time.Now(), time.Since(rec.Started))
	s.Bench.Redact(rec)
	return rec
}

// metric says what the name of a metric means in the experiment.
func (s *Searcher) metric(name string) record.Metric {
	for _, m := range s.Experiment.Metrics {
		if m.Name == name {
			return m.Metric
		}
	}
	m, _ := record.LookupMetric(name)
	return m
}

// A prober makes the probes of one search, or takes over those that an earlier run made before it was stopped.
type prober struct {
	*Searcher
	trial  *plan.Trial
	rec    *record.Record // of the search
	out    *record.Search
	wanted []string       // metrics that probes keep, beside those that are drawn
	with   map[string]int // values that were chosen before, which all probes are made with
	judge  func(measured *record.Record, p *record.Probe)

	retries int            // that are left: probes that the machine disturbs are made again
	earlier []record.Probe // of an earlier run, in their order; those that were taken over are in out
	begun   time.Time      // when the search was, in this run
	before  time.Duration  // that those took which were taken over
	lost    time.Duration  // that probes took which were made again
	givenUp bool           // a probe was disturbed that was not made again
}

// spent is how long the search has taken, without what was lost.
func (p *prober) spent() time.Duration { return time.Since(p.begun) + p.before - p.lost }

// resume finds the probes of the same search, with the same values chosen before it, that an earlier run made. If they
// were made with other values or images, or everything is to be measured again, they are of no use any more.
func (p *prober) resume() error {
	kept, err := p.Store.Unfinished()
	if err != nil {
		return err
	}
	var most *record.Record
	kept = slices.DeleteFunc(kept, func(o *record.Record) bool { return !record.SameSearch(o, p.rec) })
	for _, o := range kept {
		same := o.Facts[factComputed] == p.computed() && maps.Equal(tunedFacts(o.Facts), tunedFacts(p.facts())) && p.Usable(o)
		if same && (most == nil || len(o.Search.Probes) > len(most.Search.Probes)) {
			most = o
		}
	}
	if most != nil {
		p.earlier, p.givenUp = most.Search.Probes, most.Search.Busy
		if err := p.keep(); err != nil { // as one of this run, before it is removed as one of that
			return err
		}
		p.Progress.Note(fmt.Sprintf("the search of %s goes on, after %d of its probes that an earlier run has made",
			p.trial.Name, len(p.earlier)))
	}
	for _, o := range kept {
		if most == nil || o.Path() != p.rec.Path() {
			if err := p.Store.Drop(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep keeps the probes that there are, for a run that goes on if this one is stopped. Busy says of them whether one
// was given up.
func (p *prober) keep() error {
	kept, search := *p.rec, *p.out
	search.Probes, search.Busy = slices.Concat(p.out.Probes, p.earlier), p.givenUp
	kept.Search, kept.Facts = &search, p.facts()
	kept.End(time.Now(), time.Since(kept.Started))
	kept.Facts[factComputed] = p.computed()
	p.Bench.Redact(&kept)
	return p.Store.Keep(&kept)
}

// factComputed is the fact of a search that goes on by which metrics its probes were judged. Those that are computed
// from others are in no key, as records have what they are computed from; of a probe they stand as what they came to.
const factComputed = "search.metrics"

// computed tells apart how the metrics of the experiment are computed.
func (p *prober) computed() string {
	sum := sha256.New()
	for _, m := range p.Experiment.Metrics {
		fmt.Fprintf(sum, "%q %q %q\n", m.Name, m.Better, m.Value)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// facts are those of the search, with the values that it is made with.
func (p *prober) facts() map[string]string {
	facts := maps.Clone(p.rec.Facts)
	for name, value := range p.with {
		facts[tuneFact(name)] = strconv.Itoa(value)
	}
	return facts
}

// measure makes one probe, as often as retries allow, until the machine leaves it alone. What it disturbed is kept,
// counts for nothing, whatever it came to, and is taken off the retries. Wanted says what is tried, and why. What an
// earlier run made of it is taken over.
//
// Source: X, as for repetitions.
func (p *prober) measure(ctx context.Context, t *plan.Trial, wanted record.Probe) (record.Probe, error) {
	for {
		made, ok := p.takeEarlier(wanted)
		if !ok {
			var err error
			if made, err = p.measureOnce(ctx, t, wanted); err != nil {
				return record.Probe{}, err
			}
			p.out.Probes = append(p.out.Probes, made)
			p.Progress.Search(p.trial, p.out)
			if err := p.keep(); err != nil { // before the next one begins
				return record.Probe{}, err
			}
		}
		if made.Disturbed == "" {
			return made, nil
		}
		p.retries--
		p.lost += time.Duration(made.Seconds * float64(time.Second))
	}
}

// takeEarlier takes over the next probe that an earlier run made. If it is of something else than is wanted now, as the
// machine has more CPUs for instance, it and those that follow are of no use.
func (p *prober) takeEarlier(wanted record.Probe) (record.Probe, bool) {
	if len(p.earlier) == 0 {
		return record.Probe{}, false
	}
	next := p.earlier[0]
	if next.Candidate != wanted.Candidate || next.Phase != wanted.Phase {
		p.earlier = nil
		p.givenUp = p.givenUp && len(p.out.Probes) > 0 // it may have been one of those that were taken over
		return record.Probe{}, false
	}
	p.earlier, p.out.Probes = p.earlier[1:], append(p.out.Probes, next)
	p.before += time.Duration(next.Seconds * float64(time.Second))
	return next, true
}

// measureOnce measures a trial once, whatever the machine does meanwhile.
func (p *prober) measureOnce(ctx context.Context, t *plan.Trial, made record.Probe) (record.Probe, error) {
	if err := ctx.Err(); err != nil {
		return made, err
	}
	if err := p.Bench.Share(ctx, t); err != nil {
		return made, err
	}
	began := time.Now()
	rec, err := p.Bench.Measure(ctx, plan.Step{Trial: t, Round: len(p.out.Probes) + 1})
	if err != nil {
		return made, err
	}
	made.Started, made.Seconds, made.Failure = began.UTC(), time.Since(began).Seconds(), rec.Failure
	made.Samples = p.samplesOf(rec)
	if words, disturbed := validity.Disturbed(rec); disturbed && p.retries > 0 {
		made.Disturbed = words
		made.Value, _ = dataset.Value(rec, p.out.Metric, p.Experiment.Metrics)
	} else {
		p.givenUp = p.givenUp || disturbed
		p.judge(rec, &made)
	}
	return made, nil
}

// samplesOf is what a probe keeps of what was measured.
func (p *prober) samplesOf(rec *record.Record) []record.Sample {
	if rec.Failure != "" {
		return nil
	}
	out := slices.Clone(rec.Samples)
	for _, name := range slices.Concat(p.wanted, drawn[:]) {
		if slices.ContainsFunc(out, func(s record.Sample) bool { return s.Metric == name }) {
			continue
		}
		if value, missing := dataset.Value(rec, name, p.Experiment.Metrics); missing == "" {
			out = append(out, record.Sample{Metric: name, Value: value, Unit: cmp.Or(p.metric(name).Unit, "1")})
		}
	}
	return out
}

// drawn are the metrics that every probe keeps, beside those that were sampled as such: curves are drawn of them.
var drawn = [...]string{"throughput", "failed", "latency.p50", "latency.p99"}
