package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// ErrNoHost is wrapped by the error of New if there are no records of the host that Options ask for.
var ErrNoHost = errors.New("no records of host")

// Options choose the set to show.
type Options struct {
	ThisHost string // id of this machine, "" if unknown: its own results come first
	Host     string // show only this host's results; "" for the rule of New
	Profile  string // show only this profile's results; "" for the rule of New

	// Bad are the unreadable files among the records. The cells that they belong to say so.
	Bad []record.Bad

	// Answers reports whether a set that is not complete decides a headline claim: then it is shown if it is this host's.
	// Nil: none does.
	Answers func(*Dataset) bool

	// Plan returns the plan of a profile as the article is now. It is called once for each profile that has records. Sets
	// of profiles for which it returns plan.ErrNoProfile are not shown.
	Plan func(profile string) (*plan.Plan, error)
}

// SetName names the records of one host and profile.
type SetName struct {
	Host, Profile string
	Newest        time.Time // start of the newest repetition
}

// compare orders sets, the newest first.
func (s SetName) compare(o SetName) int {
	return cmp.Or(o.Newest.Compare(s.Newest), cmp.Compare(s.Host, o.Host), cmp.Compare(s.Profile, o.Profile))
}

// set is the records of one host and profile, and the plan of the profile.
type set struct {
	SetName
	plan    *plan.Plan // nil if the article no longer has the profile
	records []*record.Record

	trials, fresh, measured int // trials without A/A copies
}

// New chooses one set of an article's records and lays it over the plan: the complete set of this host, full before
// other profiles; otherwise a set of this host that answers something; otherwise the newest complete set;
// otherwise the set with the most fresh cells. Without records it is the empty set of this host in full. A set is complete
// if every cell is Fresh.
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
	shown, err := chooseSet(doc, sets, o)
	if err != nil {
		return nil, err
	}
	if shown == nil {
		shown = &set{SetName: SetName{Host: o.ThisHost, Profile: plan.Full}}
		if shown.plan, err = o.Plan(plan.Full); err != nil {
			return nil, fmt.Errorf("planning article %s: %w", doc.Slug, err)
		}
	}
	d := shown.dataset(doc)
	d.Own = shown.Host == o.ThisHost
	for _, s := range sets {
		if s != shown {
			d.Others = append(d.Others, s.SetName)
		}
		if s != shown && s.plan != nil {
			d.siblings = append(d.siblings, s)
		}
	}
	d.addClass(sets)
	d.leaveOut(o.Bad)
	return d, nil
}

// OfPlan returns the set of a host under a plan, including the experiments that the plan leaves out. The host may be
// empty where there are no records.
func OfPlan(doc *article.Document, p *plan.Plan, records []*record.Record, host string) (*Dataset, error) {
	whole := *p
	whole.Experiments = p.All
	return New(doc, records, Options{ThisHost: host, Plan: func(string) (*plan.Plan, error) { return &whole, nil }})
}

// chooseSet returns the set to show; nil without records.
func chooseSet(doc *article.Document, sets []*set, o Options) (*set, error) {
	wanted := slice.Filter(sets, func(s *set) bool {
		return s.plan != nil && (o.Profile == "" || s.Profile == o.Profile)
	})
	if o.Host != "" {
		hosts := slice.Map(wanted, func(s *set) string { return s.Host })
		wanted = slice.Filter(wanted, func(s *set) bool { return s.Host == o.Host })
		if len(wanted) == 0 {
			slices.Sort(hosts)
			return nil, fmt.Errorf("%w %q: records are there of %s", ErrNoHost, o.Host,
				cmp.Or(strings.Join(slices.Compact(hosts), ", "), "no host"))
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	best := slices.MinFunc(wanted, func(a, b *set) int { return a.comparePreference(b, o.ThisHost) })
	if o.Answers == nil || best.Host == o.ThisHost && best.isComplete() {
		return best, nil
	}
	slices.SortStableFunc(wanted, func(a, b *set) int { return cmp.Compare(ProfileOrder(a.Profile), ProfileOrder(b.Profile)) })
	for _, s := range wanted {
		if s.Host == o.ThisHost && s.fresh > 0 && o.Answers(s.dataset(doc)) {
			return s, nil
		}
	}
	return best, nil
}

func (s *set) isComplete() bool { return s.fresh > 0 && s.fresh == s.trials }

// comparePreference orders sets by the rule of New, the one to show first.
func (s *set) comparePreference(o *set, thisHost string) int {
	first := func(a, b bool) int { return boolean(b) - boolean(a) }
	own := s.Host == thisHost
	byHost := first(own, o.Host == thisHost)
	byProfile := cmp.Or(cmp.Compare(ProfileOrder(s.Profile), ProfileOrder(o.Profile)), cmp.Compare(s.Profile, o.Profile))
	byNewest, byName := o.Newest.Compare(s.Newest), cmp.Compare(s.Host, o.Host)
	switch complete, other := s.isComplete(), o.isComplete(); {
	case complete != other:
		return first(complete, other)
	case complete:
		return cmp.Or(byHost, boolean(own)*byProfile, byNewest, byProfile, byName)
	}
	return cmp.Or(cmp.Compare(o.fresh, s.fresh), cmp.Compare(o.measured, s.measured), byHost, byProfile, byNewest, byName)
}

// ProfileOrder is the order in which profiles are preferred: full, and then all others alike.
func ProfileOrder(profile string) int {
	if profile == plan.Full {
		return 0
	}
	return 1
}

// setsOf divides the records of an article by host and profile, the newest set first.
func setsOf(doc *article.Document, records []*record.Record, o Options) ([]*set, error) {
	type name struct{ host, profile string }
	byName := map[name]*set{}
	for _, r := range records {
		isKnown := func(e *article.ExperimentBlock) bool { return e.Name.Value == r.Experiment }
		if r.Article != doc.Slug || !slices.ContainsFunc(doc.Experiments, isKnown) {
			continue
		}
		s := byName[name{r.Host, r.Profile}]
		if s == nil {
			s = &set{SetName: SetName{Host: r.Host, Profile: r.Profile, Newest: r.Started}}
			byName[name{r.Host, r.Profile}] = s
		}
		s.records = append(s.records, r)
		if r.Started.After(s.Newest) {
			s.Newest = r.Started
		}
	}
	plans := map[string]*plan.Plan{}
	for s := range maps.Values(byName) {
		p, asked := plans[s.Profile]
		if !asked {
			var err error
			if p, err = o.Plan(s.Profile); err != nil && !errors.Is(err, plan.ErrNoProfile) {
				return nil, fmt.Errorf("planning article %s in profile %s: %w", doc.Slug, s.Profile, err)
			}
			plans[s.Profile] = p
		}
		s.plan = p
		s.count()
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b *set) int { return a.SetName.compare(b.SetName) }), nil
}

func (s *set) count() {
	if s.plan == nil {
		return
	}
	byTrial := s.byTrial()
	for _, e := range s.plan.Experiments {
		for _, t := range e.Trials {
			if t.Calibration {
				continue
			}
			state := choose(e, t, byTrial[trialID{e.Name, t.Name, false}], "").state
			s.trials++
			s.fresh += boolean(state == Fresh)
			s.measured += boolean(state != Missing)
		}
	}
}

// trialID names a trial in records.
type trialID struct {
	experiment, trial string
	isCopy            bool
}

func (s *set) byTrial() map[trialID][]*record.Record {
	out := map[trialID][]*record.Record{}
	for _, r := range s.records {
		id := trialID{r.Experiment, r.Trial, r.Calibration}
		out[id] = append(out[id], r)
	}
	return out
}

// boolean is 1 for true.
func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
