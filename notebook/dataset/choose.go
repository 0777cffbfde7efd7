package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// ErrNoHost is wrapped by New's error if Options.Host has no records.
var ErrNoHost = errors.New("no records of host")

// Options select the set that New shows.
type Options struct {
	ThisHost string // id of this machine, whose results come first; "" if unknown
	Host     string // show only this host's results; "" for the rule of New
	Profile  string // show only this profile's results; "" for the rule of New

	// Bad lists the unreadable record files. The cells that they belong to mention them.
	Bad []record.Bad

	// Answers reports whether an incomplete set decides a headline claim; such a set of this host is preferred. Nil
	// means that none does.
	Answers func(*Dataset) bool

	// Plan returns the present plan of a profile. It is called once for each profile that has records. If it returns
	// plan.ErrNoProfile, the profile's sets are not shown.
	Plan func(profile string) (*plan.Plan, error)
}

// New chooses one set of an article's records and lays it over the plan. It prefers, in this order: a complete set of
// this host, profile full first; a set of this host that Options.Answers accepts; the complete set with the most
// results, then the newest; the set with the most fresh cells. Without records it returns this host's empty set in
// profile full. A set is complete if every cell is Fresh, even if invalid repetitions leave results missing.
//
// Records of other articles, and of experiments that the article no longer has, are ignored. The error is from
// Options.Plan, or wraps ErrNoHost.
//
// Source: docs/records.md#freshness.
func New(doc *article.Document, records []*record.Record, o Options) (*Dataset, error) {
	sets, err := setsOf(doc, records, o)
	if err != nil {
		return nil, err
	}
	shown, err := chooseSet(sets, o)
	if err != nil {
		return nil, err
	}
	if shown == nil {
		p, err := o.Plan(plan.Full)
		if err != nil {
			return nil, fmt.Errorf("planning article %s: %w", doc.Slug, err)
		}
		shown = newDataset(doc, p, SetName{Host: o.ThisHost, Profile: plan.Full}, nil)
		shown.leaveOut(o.Bad)
	}
	shown.Own = shown.Host == o.ThisHost
	shown.Others = slice.Filter(sets, func(d *Dataset) bool { return d != shown })
	shown.addClass(sets)
	return shown, nil
}

// OfPlan returns the set of a host under a plan, including the experiments that the plan leaves out. Without records
// the host may be empty.
func OfPlan(doc *article.Document, p *plan.Plan, records []*record.Record, host string) (*Dataset, error) {
	whole := *p
	whole.Experiments = p.All
	return New(doc, records, Options{ThisHost: host, Plan: func(string) (*plan.Plan, error) { return &whole, nil }})
}

// chooseSet returns the set to show; nil if there is none.
func chooseSet(sets []*Dataset, o Options) (*Dataset, error) {
	wanted := slice.Filter(sets, func(d *Dataset) bool {
		return d.Plan != nil && (o.Profile == "" || d.Profile == o.Profile)
	})
	if o.Host != "" {
		hosts := slice.Map(wanted, func(d *Dataset) string { return d.Host })
		wanted = slice.Filter(wanted, func(d *Dataset) bool { return d.Host == o.Host })
		if len(wanted) == 0 {
			slices.Sort(hosts)
			return nil, fmt.Errorf("%w %q: records are there of %s", ErrNoHost, o.Host,
				cmp.Or(strings.Join(slices.Compact(hosts), ", "), "no host"))
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	best := slices.MinFunc(wanted, func(a, b *Dataset) int { return a.comparePreference(b, o.ThisHost) })
	if o.Answers == nil || best.Host == o.ThisHost && best.isComplete() {
		return best, nil
	}
	slices.SortStableFunc(wanted, func(a, b *Dataset) int { return cmp.Compare(ProfileOrder(a.Profile), ProfileOrder(b.Profile)) })
	answers, ok := slice.Find(wanted, func(d *Dataset) bool {
		return d.Host == o.ThisHost && d.count(Fresh) > 0 && o.Answers(d)
	})
	if ok {
		return answers, nil
	}
	return best, nil
}

// count returns how many cells have one of the states.
func (d *Dataset) count(states ...State) (n int) {
	for _, e := range d.Experiments {
		n += slice.Count(e.Cells, func(c *Cell) bool { return slices.Contains(states, c.State) })
	}
	return n
}

// results returns how many key metrics of cells have a result.
func (d *Dataset) results() (n int) {
	for _, e := range d.Experiments {
		for _, m := range e.KeyMetrics() {
			n += slice.Count(e.Cells, func(c *Cell) bool { return c.measure(m.Name).Missing == "" })
		}
	}
	return n
}

func (d *Dataset) isComplete() bool {
	return d.count(Fresh) > 0 && d.count(Stale, Partial, Missing) == 0
}

// comparePreference orders sets as New prefers them, the best first.
func (d *Dataset) comparePreference(o *Dataset, thisHost string) int {
	first := func(a, b bool) int { return boolean(b) - boolean(a) }
	own := d.Host == thisHost
	byHost := first(own, o.Host == thisHost)
	byProfile := cmp.Or(cmp.Compare(ProfileOrder(d.Profile), ProfileOrder(o.Profile)), cmp.Compare(d.Profile, o.Profile))
	byNewest, byName := o.Newest.Compare(d.Newest), cmp.Compare(d.Host, o.Host)
	switch complete, other := d.isComplete(), o.isComplete(); {
	case complete != other:
		return first(complete, other)
	case complete:
		if own || byHost != 0 {
			return cmp.Or(byHost, byProfile, byNewest, byName)
		}
		return cmp.Or(o.results()-d.results(), byNewest, byProfile, byName)
	}
	return cmp.Or(o.count(Fresh)-d.count(Fresh),
		o.count(Fresh, Stale, Partial)-d.count(Fresh, Stale, Partial), byHost, byProfile, byNewest, byName)
}

// ProfileOrder ranks profiles by preference: 0 for full, 1 for all others.
func ProfileOrder(profile string) int { return boolean(profile != plan.Full) }

// setsOf groups the records of an article by host and profile, the newest set first.
func setsOf(doc *article.Document, records []*record.Record, o Options) (sets []*Dataset, err error) {
	byName := map[SetName][]*record.Record{}
	for _, r := range records {
		isKnown := func(e *article.ExperimentBlock) bool { return e.Name.Value == r.Experiment }
		if name := (SetName{Host: r.Host, Profile: r.Profile}); r.Article == doc.Slug && slices.ContainsFunc(doc.Experiments, isKnown) {
			byName[name] = append(byName[name], r)
		}
	}
	plans := map[string]*plan.Plan{}
	for name, records := range byName {
		if _, asked := plans[name.Profile]; !asked {
			p, err := o.Plan(name.Profile)
			if err != nil && !errors.Is(err, plan.ErrNoProfile) {
				return nil, fmt.Errorf("planning article %s in profile %s: %w", doc.Slug, name.Profile, err)
			}
			plans[name.Profile] = p
		}
		name.Newest = slices.MaxFunc(records, func(a, b *record.Record) int { return a.Started.Compare(b.Started) }).Started
		d := newDataset(doc, plans[name.Profile], name, records)
		d.leaveOut(o.Bad)
		sets = append(sets, d)
	}
	slices.SortFunc(sets, func(a, b *Dataset) int {
		return cmp.Or(b.Newest.Compare(a.Newest), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Profile, b.Profile))
	})
	return sets, nil
}

// boolean returns 1 for true, 0 for false.
func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
