package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
)

// NoTuneError is an experiment that takes over a value which the other experiment has not chosen.
type NoTuneError struct {
	Experiment *plan.Experiment
	Reason     string
}

func (e *NoTuneError) Error() string {
	return fmt.Sprintf("experiment %q has no value of what it tunes: %s", e.Experiment.Name, e.Reason)
}

// tuneFact is the fact of a repetition that says which value a search has found for it, and the metric of that name.
func tuneFact(name string) string { return "tune." + name }

// A choice is the values that searches found for a trial, by name, or why there is none.
type choice struct {
	values map[string]int
	reason string // nothing was found for a value; empty if all are there
	busy   bool   // since the machine was busy with something else
}

// tunesOf names the experiments that this one takes values over from.
func tunesOf(e *plan.Experiment) []string {
	var names []string
	for _, t := range e.Trials {
		for _, s := range t.Tune {
			if s.Of != "" && !slices.Contains(names, s.Of) {
				names = append(names, s.Of)
			}
		}
	}
	return names
}

// pending are the trials of which something is left to do, those of the A/A pair once: it shares what is found.
func (l *todoList) pending(e *plan.Experiment) []*plan.Trial {
	var out []*plan.Trial
	add := func(t *plan.Trial) {
		if t = original(e, t); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, t := range l.searches {
		add(t)
	}
	for _, s := range l.steps {
		add(s.Trial)
	}
	slices.SortStableFunc(out, func(a, b *plan.Trial) int {
		return cmp.Compare(slices.Index(e.Trials, a), slices.Index(e.Trials, b))
	})
	return out
}

// original is the first half of the A/A pair for its second half, and any other trial itself.
func original(e *plan.Experiment, t *plan.Trial) *plan.Trial {
	if !t.Calibration {
		return t
	}
	i := slices.IndexFunc(e.Trials, func(o *plan.Trial) bool {
		return !o.Calibration && o.Unavailable == "" && slices.Equal(o.Parameters, t.Parameters)
	})
	if i < 0 {
		return t
	}
	return e.Trials[i]
}

// known fills in the choices that need no search, of trials that have none yet: those that the run made before it was stopped, those that
// another experiment made, and those whose searches are recorded. A search is fresh as long as its trial is: it is not repeated because
// repetitions are.
//
// The error is a *NoTuneError.
func (r *run) known(records []*record.Record) error {
	if r.choices == nil {
		r.choices = map[*plan.Trial]*choice{}
	}
	for _, t := range r.todo.pending(r.experiment) {
		if r.choices[t] != nil {
			continue
		}
		c := &choice{values: map[string]int{}}
		r.choices[t] = c
		for _, s := range t.Tune {
			if value, ok := r.chosenSoFar(records, t, s.Name); ok {
				c.values[s.Name] = value
				continue
			}
			e, by, own, err := r.plan.TunedBy(r.experiment, t, s)
			if err != nil {
				return &NoTuneError{r.experiment, err.Error()}
			}
			rec := r.recordedTune(records, e, by, own.Name)
			switch {
			case rec != nil:
				c.values[s.Name] = rec.Search.Chosen
			case s.Of != "":
				return &NoTuneError{r.experiment, fmt.Sprintf("experiment %q has chosen no %s for %s", e.Name, s.Name, by.Name)}
			}
		}
	}
	return nil
}

// firstChoices fills in the first value that each search would try, to see whether services start with it.
func (r *run) firstChoices() error {
	r.choices = map[*plan.Trial]*choice{}
	for _, t := range r.todo.pending(r.experiment) {
		c := &choice{values: map[string]int{}}
		for _, s := range t.Tune {
			_, _, own, err := r.plan.TunedBy(r.experiment, t, s)
			if err != nil {
				return &NoTuneError{r.experiment, err.Error()}
			}
			c.values[s.Name] = own.First()
		}
		r.choices[t] = c
	}
	return nil
}

// chosenSoFar is the value that a run which goes on was measured with.
func (r *run) chosenSoFar(records []*record.Record, t *plan.Trial, name string) (int, bool) {
	for _, rec := range of(records, r.plan, r.experiment, r.Host.ID) {
		if r.todo.run == "" || rec.Run != r.todo.run || rec.Search != nil {
			continue
		}
		for _, o := range r.experiment.Trials {
			if o.Name == rec.Trial && o.Key == rec.Key && original(r.experiment, o) == t {
				if value, err := strconv.Atoi(rec.Facts[tuneFact(name)]); err == nil {
					return value, true
				}
			}
		}
	}
	return 0, false
}

// recordedTune is the newest search for a value of a trial that has chosen one under its present key, or under that which it has in
// full; nil if there is none. One in full goes before one that was cut short.
func (r *run) recordedTune(records []*record.Record, e *plan.Experiment, t *plan.Trial, name string) *record.Record {
	var found *record.Record
	for _, rec := range records {
		s := rec.Search
		if s == nil || s.Kind != record.SearchTune || s.Name != name || s.Chosen < 1 || rec.Article != r.plan.Article ||
			rec.Experiment != e.Name || rec.Host != r.Host.ID || rec.Trial != t.Name {
			continue
		}
		own := rec.Profile == r.plan.Profile && rec.Key == t.Key
		full := rec.Profile == plan.Full && rec.Key == t.FullKey
		if !own && !full {
			continue
		}
		better := found == nil
		if !better && (found.Profile == plan.Full) == (rec.Profile == plan.Full) {
			better = rec.Run > found.Run
		} else if !better {
			better = rec.Profile == plan.Full
		}
		if better {
			found = rec
		}
	}
	return found
}

// search makes the searches that have to come before the repetitions, and those that stand in their place. Each is saved when it
// has ended, and its probes until then; one that was stopped goes on.
func (r *run) search(ctx context.Context) error {
	for _, t := range r.todo.pending(r.experiment) {
		c := r.choices[t]
		for _, s := range t.Tune {
			if _, ok := c.values[s.Name]; ok {
				continue
			}
			if r.outOfTime(r.summary.search()) {
				return errOutOfTime
			}
			rec, err := r.searched(t, func() (*record.Record, error) { return r.tune(ctx, t, s, c.values) })
			if err != nil {
				return err
			}
			if rec.Search.Chosen == 0 {
				c.reason, c.busy = fmt.Sprintf("no value of tune.%s was chosen: %s", s.Name, rec.Search.Reason), rec.Search.Busy
				break
			}
			c.values[s.Name] = rec.Search.Chosen
		}
	}
	r.leaveOut()
	for _, t := range r.todo.searches {
		if r.outOfTime(r.summary.search()) {
			return errOutOfTime
		}
		if _, err := r.searched(t, func() (*record.Record, error) { return r.capacity(ctx, t) }); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leaveOut leaves the repetitions of trials to another run whose values were not found as the machine was busy: that is no result of
// theirs.
func (r *run) leaveOut() {
	before := len(r.todo.steps)
	r.todo.steps = slices.DeleteFunc(slices.Clone(r.todo.steps), func(s plan.Step) bool { return r.choiceOf(s.Trial).busy })
	r.summary.Unsearched += before - len(r.todo.steps)
}

// searched makes a search, and saves it.
func (r *run) searched(t *plan.Trial, search func() (*record.Record, error)) (*record.Record, error) {
	begin, spent := time.Now(), r.summary.Spent
	rec, err := search()
	r.summary.Spent.since(Searching, begin, spent)
	if err != nil {
		return nil, err
	}
	if err := r.save(rec); err != nil {
		return nil, err
	}
	if err := r.store.Drop(rec); err != nil {
		return nil, err
	}
	r.summary.Searches, r.summary.Probes = r.summary.Searches+1, 0
	for _, p := range rec.Search.Probes {
		if p.Disturbed != "" && !p.Started.Before(begin) { // others were made before this run
			r.summary.ProbesAgain++
		}
	}
	r.Progress.Search(t, rec.Search)
	return rec, nil
}

// searchRecord begins the record of a search.
func (r *run) searchRecord(t *plan.Trial, s *record.Search) *record.Record {
	rec := r.newRecord(plan.Step{Trial: t})
	rec.Planned, rec.Order, rec.Search = 0, record.Order{Seed: r.experiment.Seed}, s
	before := 0
	for _, o := range of(r.records, r.plan, r.experiment, r.Host.ID) {
		if o.Run == rec.Run && o.Trial == rec.Trial && o.Key == rec.Key && o.Search != nil && o.Search.Kind == s.Kind && o.Search.Name == s.Name {
			before++
		}
	}
	if before > 0 {
		s.Attempt = before + 1
	}
	return rec
}

// endSearch completes the record of a search.
func (r *run) endSearch(rec *record.Record) *record.Record {
	rec.Ended = time.Now().UTC()
	rec.Redact(r.Host.Mirrors...)
	return rec
}

// tune searches for a value of a trial, with the values that were chosen before it.
//
// Source: docs/method.md#tuned-values.
func (r *run) tune(ctx context.Context, t *plan.Trial, s spec.Search, before map[string]int) (*record.Record, error) {
	begin := time.Now()
	metric := r.metric(s.Maximize)
	out := &record.Search{Kind: record.SearchTune, Name: s.Name, Metric: s.Maximize, Unit: metric.Unit, Better: metric.Better, Effect: s.Effect}
	cores := r.layout().ServiceCores(t)
	rule := stats.Tuning{Candidates: s.Candidates(cores), Cores: cores, Effect: s.Effect, Patience: s.Patience}
	values := map[string]int{}
	for _, other := range t.Tune {
		values[other.Name] = other.First()
	}
	maps.Copy(values, before)
	first, err := t.Tuned(values)
	if err != nil {
		return nil, err
	}
	rec := r.searchRecord(first, out)
	if len(rule.Candidates) == 1 {
		only := rule.Candidates[0]
		out.Stop, out.Chosen, out.Lo, out.Hi = record.StopOnly, only, float64(only), float64(only)
		return r.endSearch(rec), nil
	}
	search := &searcher{run: r, trial: t, rec: rec, out: out, wanted: []string{s.Maximize}, with: before}
	if err := search.takeUp(); err != nil {
		return nil, err
	}
	judge := func(measured *record.Record, p *record.Probe) {
		if measured.Failure == "" {
			p.Value, p.Invalid = dataset.ProbeOfTune(measured, s.Maximize, r.experiment.Metrics)
		}
	}
	var medians []float64
	for {
		candidate := rule.Candidates[len(medians)]
		values[s.Name] = candidate
		tried, err := t.Tuned(values)
		if err != nil {
			return nil, err
		}
		if err := r.prepareTrial(ctx, tried); err != nil {
			return nil, err
		}
		var counts []float64
		again := s.Probes
		for range s.Probes {
			p, err := search.probe(ctx, tried.Short(), record.Probe{Candidate: float64(candidate), Phase: record.PhaseProbe}, &again, judge)
			if err != nil {
				return nil, err
			}
			counts = append(counts, stats.MoreIsBetter(p.Counts(), stats.Direction(metric.Better)))
		}
		medians = append(medians, stats.Median(counts))
		if why, stop := rule.Stop(medians); stop {
			out.Stop = string(why)
			if why == stats.StopLimit && len(rule.Candidates) == s.Points {
				out.Stop = record.StopPoints
			}
			break
		}
		spent := time.Since(begin) + search.before - search.lost
		next := spent / time.Duration(len(medians))
		if s.Budget > 0 && spent+next > s.Budget {
			out.Stop = record.StopBudget
			break
		}
	}
	switch choice, err := rule.Choose(medians); {
	case err != nil:
		out.Reason, out.Busy = "no probe counts: "+whyNot(out.Probes), search.given
	default:
		out.Chosen, out.Matters, out.Lo, out.Hi = choice.Chosen, choice.Matters, choice.Near.Lo, choice.Near.Hi
	}
	return r.endSearch(rec), nil
}

// whyNot says what kept probes from counting: what was said last.
func whyNot(probes []record.Probe) string {
	for _, p := range slices.Backward(probes) {
		if words := cmp.Or(p.Failure, p.Invalid); words != "" {
			return words
		}
	}
	return "their values are zero"
}

// metric says what the name of a metric means in the experiment.
func (r *run) metric(name string) record.Metric {
	for _, m := range r.experiment.Metrics {
		if m.Name == name {
			return m.Metric
		}
	}
	m, _ := record.LookupMetric(name)
	return m
}

// A searcher makes the probes of one search, or takes over those that an earlier run made before it was stopped.
type searcher struct {
	*run
	trial  *plan.Trial
	rec    *record.Record // of the search
	out    *record.Search
	wanted []string       // metrics that probes keep, beside those that are drawn
	with   map[string]int // values that were chosen before, which all probes are made with

	earlier []record.Probe // of an earlier run, in their order; those that were taken over are in out
	before  time.Duration  // that those took which were taken over
	lost    time.Duration  // that probes took which were made again
	given   bool           // up: a probe was disturbed that was not made again
}

// capacityAgain is how often one probe of a search for a capacity is made again, as the machine has disturbed it. A candidate of a
// tuned value has as many again as it has probes, as a trial has of repetitions.
const capacityAgain = 3

// takeUp finds the probes of the same search, with the same values chosen before it, that an earlier run made. With Options.Force, or if
// they were made with other values or images, they are of no use any more.
func (s *searcher) takeUp() error {
	kept, err := s.store.Unfinished()
	if err != nil {
		return err
	}
	var most *record.Record
	kept = slices.DeleteFunc(kept, func(o *record.Record) bool { return !record.SameSearch(o, s.rec) })
	for _, o := range kept {
		same := o.Facts[factComputed] == s.computed() && maps.Equal(tuneFactsOf(o.Facts), tuneFactsOf(s.facts())) && len(s.options.Present.Changes(o)) == 0
		if !s.options.Force && same && (most == nil || len(o.Search.Probes) > len(most.Search.Probes)) {
			most = o
		}
	}
	if most != nil {
		s.earlier, s.given = most.Search.Probes, most.Search.Busy
		if err := s.keep(); err != nil { // as one of this run, before it is removed as one of that
			return err
		}
		s.Progress.Note(fmt.Sprintf("the search of %s goes on, after %d of its probes that an earlier run has made", s.trial.Name, len(s.earlier)))
	}
	for _, o := range kept {
		if most == nil || o.Path() != s.rec.Path() {
			if err := s.store.Drop(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep keeps the probes that there are, for a run that goes on if this one is stopped. Busy says of them whether one was given up.
func (s *searcher) keep() error {
	begin, spent := time.Now(), s.summary.Spent
	defer func() { s.summary.Spent.since(Saving, begin, spent) }()
	kept, search := *s.rec, *s.out
	search.Probes, search.Busy = slices.Concat(s.out.Probes, s.earlier), s.given
	kept.Search, kept.Facts, kept.Ended = &search, s.facts(), time.Now().UTC()
	kept.Facts[factComputed] = s.computed()
	kept.Redact(s.Host.Mirrors...)
	if err := s.store.Keep(&kept); err != nil {
		return err
	}
	s.summary.Probes = len(search.Probes)
	return nil
}

// factComputed is the fact of a search that goes on by which metrics its probes were judged. Those that are computed from others are in no
// key, as records have what they are computed from; of a probe they stand as what they came to.
const factComputed = "search.metrics"

// computed tells apart how the metrics of the experiment are computed.
func (s *searcher) computed() string {
	sum := sha256.New()
	for _, m := range s.experiment.Metrics {
		fmt.Fprintf(sum, "%q %q %q\n", m.Name, m.Better, m.Value)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// facts are those of the search, with the values that it is made with.
func (s *searcher) facts() map[string]string {
	facts := maps.Clone(s.rec.Facts)
	for name, value := range s.with {
		facts[tuneFact(name)] = strconv.Itoa(value)
	}
	return facts
}

// tuneFactsOf are the values among facts that searches chose.
func tuneFactsOf(facts map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range facts {
		if strings.HasPrefix(name, tuneFact("")) {
			out[name] = value
		}
	}
	return out
}

// probe measures a trial once for a search, on services of its own: as often as again allows, until the machine leaves it alone. What
// it disturbed is kept, counts for nothing, whatever it came to, and is taken off again. Wanted says what is tried, and why, and judge
// what a probe came to. What an earlier run made of it is taken over.
//
// Source: docs/validity.md#disturbed-repetitions.
func (s *searcher) probe(ctx context.Context, t *plan.Trial, wanted record.Probe, again *int, judge func(*record.Record, *record.Probe)) (record.Probe, error) {
	for {
		p, ok := s.earlierOf(wanted)
		if !ok {
			measured, made, err := s.probeOnce(ctx, t, wanted)
			if err != nil {
				return record.Probe{}, err
			}
			words, disturbed := dataset.Disturbed(measured)
			if p = made; disturbed && *again > 0 {
				p.Disturbed = words
				p.Value, _ = dataset.Value(measured, s.out.Metric, s.experiment.Metrics)
			} else {
				s.given = s.given || disturbed
				judge(measured, &p)
			}
			if err := s.made(p); err != nil {
				return record.Probe{}, err
			}
		}
		if p.Disturbed == "" {
			return p, nil
		}
		*again--
		s.lost += time.Duration(p.Seconds * float64(time.Second))
	}
}

// earlierOf takes over the next probe that an earlier run made. If it is of something else than is wanted now, as the machine has more
// CPUs for instance, it and those that follow are of no use.
func (s *searcher) earlierOf(wanted record.Probe) (record.Probe, bool) {
	if len(s.earlier) == 0 {
		return record.Probe{}, false
	}
	p := s.earlier[0]
	if p.Candidate != wanted.Candidate || p.Phase != wanted.Phase {
		s.earlier = nil
		s.given = s.given && len(s.out.Probes) > 0 // it may have been one of those that were taken over
		return record.Probe{}, false
	}
	s.earlier, s.out.Probes = s.earlier[1:], append(s.out.Probes, p)
	s.before += time.Duration(p.Seconds * float64(time.Second))
	return p, true
}

// probeOnce measures a trial once, whatever the machine does meanwhile.
func (s *searcher) probeOnce(ctx context.Context, t *plan.Trial, p record.Probe) (*record.Record, record.Probe, error) {
	if err := ctx.Err(); err != nil {
		return nil, p, err
	}
	if err := s.share(ctx, t); err != nil {
		return nil, p, err
	}
	begin := time.Now()
	rec, err := s.repetition(ctx, plan.Step{Trial: t, Round: len(s.out.Probes) + 1})
	if err != nil {
		return nil, p, err
	}
	p.Started, p.Seconds, p.Failure = begin.UTC(), time.Since(begin).Seconds(), rec.Failure
	p.Samples = s.samplesOf(rec, s.wanted...)
	return rec, p, nil
}

// made adds a probe, and keeps it before the next one begins.
func (s *searcher) made(p record.Probe) error {
	s.out.Probes = append(s.out.Probes, p)
	s.Progress.Search(s.trial, s.out)
	return s.keep()
}

// drawn are the metrics that every probe keeps, beside those that were sampled as such: curves are drawn of them.
var drawn = [...]string{"throughput", "failed", "latency.p50", "latency.p99"}

// samplesOf is what a probe keeps of what was measured.
func (r *run) samplesOf(rec *record.Record, wanted ...string) []record.Sample {
	if rec.Failure != "" {
		return nil
	}
	out := slices.Clone(rec.Samples)
	for _, name := range append(wanted, drawn[:]...) {
		if slices.ContainsFunc(out, func(s record.Sample) bool { return s.Metric == name }) {
			continue
		}
		if value, missing := dataset.Value(rec, name, r.experiment.Metrics); missing == "" {
			out = append(out, record.Sample{Metric: name, Value: value, Unit: cmp.Or(r.metric(name).Unit, "1")})
		}
	}
	return out
}

// capacity searches for the highest rate of a trial that meets its objective.
//
// Source: docs/method.md#capacities.
func (r *run) capacity(ctx context.Context, t *plan.Trial) (*record.Record, error) {
	objective, err := expr.Parse(t.Capacity.SLO)
	if err != nil {
		return nil, fmt.Errorf("trial %q: reading its objective: %w", t.Name, err) // which the plan has read
	}
	names := metricsIn(objective)
	metric := r.metric(names[0])
	out := &record.Search{Kind: record.SearchCapacity, Metric: names[0], Unit: metric.Unit, Better: metric.Better, Objective: t.Capacity.SLO}
	tuned, err := r.tuned(t)
	if err != nil {
		return nil, err
	}
	rec := r.searchRecord(tuned, out)
	r.tuneFacts(t, rec)
	if reason := r.choiceOf(t).reason; reason != "" {
		out.Stop, out.Reason = record.StopNone, reason
		return r.endSearch(rec), nil
	}
	if err := r.prepareTrial(ctx, tuned); err != nil {
		return nil, err
	}
	search := &searcher{run: r, trial: t, rec: rec, out: out, wanted: names}
	if err := search.takeUp(); err != nil {
		return nil, err
	}
	start := r.startRate(t)
	if len(search.earlier) > 0 {
		start = search.earlier[0].Candidate // whatever else was measured since
	}
	judge := func(measured *record.Record, p *record.Probe) {
		outcome, invalid := dataset.ProbeOfCapacity(measured, objective, r.lookup, r.experiment.Metrics)
		p.Value, _ = dataset.Value(measured, names[0], r.experiment.Metrics)
		p.Passed, p.Invalid = outcome == stats.ProbeMet, invalid
	}
	asked := percentilesIn(names)
	longest := t.Capacity.Probe.Seconds()
	rule := stats.NewCapacitySearch(stats.CapacityRule{From: stats.AdmissibleFloor(t.Capacity.From, longest, asked), To: t.Capacity.To,
		Start: start, Step: t.Capacity.Step, Repeats: t.Capacity.Repeats})
	again := capacityAgain
	for {
		rate, phase, ok := rule.Next()
		if !ok {
			break
		}
		window := stats.AdmissibleWindow(rate, t.Load.Duration.Seconds(), longest, asked)
		at := tuned.AtRate(rate, time.Duration(math.Ceil(window*1e3))*time.Millisecond)
		p, err := search.probe(ctx, at, record.Probe{Candidate: rate, Phase: string(phase)}, &again, judge)
		if err != nil {
			return nil, err
		}
		outcome := outcomeOf(p)
		rule.Tell(outcome)
		if outcome != stats.ProbeInvalid { // else the same rate is tried once more
			again = capacityAgain
		}
	}
	r.conclude(out, rule)
	out.Busy = out.Reason != "" && search.given
	return r.endSearch(rec), nil
}

// outcomeOf is what a probe of a search for a capacity came to.
func outcomeOf(p record.Probe) stats.Outcome {
	switch {
	case p.Invalid != "":
		return stats.ProbeInvalid
	case p.Passed:
		return stats.ProbeMet
	}
	return stats.ProbeFailed
}

// conclude notes what a search for a capacity has found. Where nothing passed and something could not be measured, the lowest
// rate has not failed: it was not tried.
func (r *run) conclude(out *record.Search, search *stats.CapacitySearch) {
	found, stop, known := search.Found()
	passed := slices.ContainsFunc(out.Probes, func(p record.Probe) bool { return p.Passed })
	broken := slices.ContainsFunc(out.Probes, func(p record.Probe) bool { return p.Failure != "" })
	out.Stop = record.StopNone
	switch {
	case !known:
		out.Reason = "a probe was not valid twice: " + whyNot(out.Probes)
	case !passed && broken:
		out.Reason = "no probe met the objective, and some could not be measured: " + whyNot(out.Probes)
	default:
		out.Stop, out.Lo = string(stop), found.Lo
		if !math.IsInf(found.Hi, 1) {
			out.Hi = found.Hi
		}
	}
}

// lookup says what the name of a metric means, as an objective asks for it.
func (r *run) lookup(name string) (record.Metric, bool) {
	m := r.metric(name)
	return m, m.Name != ""
}

// metricsIn names the metrics of an objective, in order. It has one at least.
func metricsIn(objective expr.Node) []string {
	var names []string
	for _, s := range expr.Selectors(objective) {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// percentilesIn are the percentiles among some metrics.
func percentilesIn(metrics []string) []stats.Percentile {
	var out []stats.Percentile
	for _, name := range metrics {
		if i := strings.LastIndex(name, ".p"); i >= 0 {
			if p, err := stats.ParsePercentile(name[i+2:]); err == nil {
				out = append(out, p)
			}
		}
	}
	return out
}

// startRate is half the throughput that the same services were measured to have in a closed loop, in requests per second; 0 if none
// is recorded with its present key.
//
// Source: docs/method.md#capacities.
func (r *run) startRate(t *plan.Trial) float64 {
	same := func(o *plan.Trial) bool {
		if o.Load == nil || o.Calibration || o.Load.Arrivals != "" || len(o.Load.Stages) > 0 || o.Load.Target != t.Load.Target {
			return false
		}
		own, err := json.Marshal(t.Services)
		other, errOther := json.Marshal(o.Services)
		return err == nil && errOther == nil && bytes.Equal(own, other) && slices.Equal(o.Parameters, t.Parameters)
	}
	for _, e := range r.plan.All {
		for _, o := range e.Trials {
			if e != r.experiment && same(o) {
				if throughput := r.throughput(r.records, e, o); throughput > 0 {
					return throughput / 2
				}
			}
		}
	}
	return 0
}

// choiceOf is what searches found for a trial; the A/A pair shares it.
func (r *run) choiceOf(t *plan.Trial) *choice {
	if c := r.choices[original(r.experiment, t)]; c != nil {
		return c
	}
	return &choice{}
}

// tuned is a trial with the values that were chosen for it.
func (r *run) tuned(t *plan.Trial) (*plan.Trial, error) {
	c := r.choiceOf(t)
	if c.reason != "" {
		return t, nil // it is not run
	}
	return t.Tuned(c.values)
}

// tuneFacts writes the values that were chosen for a trial into a record: as facts, and as metrics.
func (r *run) tuneFacts(t *plan.Trial, rec *record.Record) {
	values := r.choiceOf(t).values
	for _, name := range slices.Sorted(maps.Keys(values)) {
		rec.Facts[tuneFact(name)] = strconv.Itoa(values[name])
		rec.Samples = append(rec.Samples, record.Sample{Metric: tuneFact(name), Value: float64(values[name]), Unit: "1"})
	}
}
