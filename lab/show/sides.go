package show

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// A Side is one of the two sets of records that are compared.
type Side struct {
	Kind   string     `json:"kind"` // run, host, profile, revision or folder
	Name   string     `json:"name"` // as given, without the kind
	Commit string     `json:"commit,omitempty"`
	Sets   []Compared `json:"sets"` // one for each article

	records map[string][]*record.Record // by article
}

func (s *Side) String() string {
	if s.Commit != "" {
		return fmt.Sprintf("%s %s (%.10s)", s.Kind, s.Name, s.Commit)
	}
	return s.Kind + " " + s.Name
}

// lines returns what the side is, and where and when its records were measured.
func (s *Side) lines(name string) []string {
	out := []string{name + " is " + s.String()}
	for _, set := range s.Sets {
		out = append(out, name+", "+set.String())
	}
	return out
}

type finder struct {
	*lab.Session
	project *article.Project
	slugs   []string
	records []*record.Record // of the project
	git     error            // why git cannot resolve revisions
}

func newFinder(a *lab.Session, project *article.Project, list []*lab.Article) (*finder, error) {
	f := &finder{Session: a, project: project, slugs: lab.SlugsOf(list)}
	for _, c := range list {
		records, _, err := a.Records(project, c)
		if err != nil {
			return nil, err
		}
		f.records = append(f.records, records...)
	}
	return f, nil
}

// kindRevision is the Kind of a Side that is a git revision.
const kindRevision = "revision"

// find fills side with the records that word names. It tries the kinds in order, unless word has the prefix KIND:.
func (f *finder) find(ctx context.Context, word string, side *Side) error {
	kinds, name := []string{"run", "host", "profile", kindRevision, "folder"}, word
	if kind, rest, ok := strings.Cut(word, ":"); ok && slices.Contains(kinds, kind) {
		kinds, name = []string{kind}, rest
	}
	var known []string
	for _, kind := range kinds {
		var records []*record.Record
		var commit string
		var err error
		isThere := false
		switch kind {
		case kindRevision:
			records, commit, err = f.revision(ctx, name)
			isThere = commit != ""
		case "folder":
			records, isThere, err = f.folder(name)
		default:
			var names []string
			records, names = named(f.records, kind, name)
			known, isThere = append(known, names...), len(records) > 0
		}
		if err != nil {
			return err
		}
		if !isThere {
			continue
		}
		*side = Side{Kind: kind, Name: name, Commit: commit, records: map[string][]*record.Record{}}
		for _, r := range records {
			if slices.Contains(f.slugs, r.Article) {
				side.records[r.Article] = append(side.records[r.Article], r)
			}
		}
		if len(side.records) > 0 {
			return nil
		}
	}
	if side.Kind != "" {
		return lab.UsageError(fmt.Errorf("%s has no records of %s", side, strings.Join(f.slugs, ", ")))
	}
	err := fmt.Errorf("no %s %q", strings.Join(kinds, ", "), name)
	if hint := source.Suggest(name, known); hint != "" {
		err = fmt.Errorf("%w: %s", err, hint)
	} else if f.git != nil {
		err = fmt.Errorf("%w: git failed: %w", err, f.git)
	}
	return lab.UsageError(err)
}

// folder reads the records of a folder, which may be a project or a folder of records.
func (f *finder) folder(name string) (all []*record.Record, isThere bool, err error) {
	name = f.Located(name)
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return nil, false, nil
	}
	dirs := []string{name}
	if _, err := os.Stat(filepath.Join(name, article.ProjectFile)); err == nil {
		project, err := article.OpenProject(name)
		if err != nil {
			return nil, true, lab.Failure(err)
		}
		dirs = slice.Map(f.slugs, project.RecordsDir)
	}
	for _, d := range dirs {
		records, bad, err := f.ReadRecords(d)
		if err != nil {
			return nil, true, lab.Failure(err)
		}
		if len(records) > 0 { // else it is not a folder of records
			f.WarnBad(bad)
		}
		all = append(all, records...)
	}
	return all, true, nil
}

// revision reads the records committed in a git revision, without a checkout. If the revision is unknown, commit is
// empty.
func (f *finder) revision(ctx context.Context, name string) (all []*record.Record, commit string, err error) {
	repository := files.Git(ctx, f.project.Dir)
	if commit, err = repository.Resolve(name); err != nil {
		if !errors.Is(err, files.ErrNoRevision) {
			f.git = err // no repository, or no git
		}
		return nil, "", ctx.Err()
	}
	folders := slice.Map(f.slugs, func(slug string) string {
		below, _ := files.Below(f.project.Dir, f.project.RecordsDir(slug))
		return filepath.ToSlash(below)
	})
	tree, err := repository.Tree(commit, folders...)
	for _, file := range slices.Sorted(maps.Keys(tree)) {
		folder, _ := slice.Find(folders, func(folder string) bool { return strings.HasPrefix(file, folder+"/") })
		run := strings.TrimPrefix(file, folder+"/")
		if err != nil || !record.IsRun(run) {
			continue
		}
		data, readErr := repository.Output("", "cat-file", "blob", tree[file])
		if err = readErr; err != nil {
			break
		}
		var records []*record.Record
		var bad []record.Bad
		records, bad, err = record.ReadRun(name+":"+folder, run, bytes.NewReader(data))
		f.WarnBad(bad)
		all = append(all, records...)
	}
	if err != nil {
		return nil, commit, lab.Failure(fmt.Errorf("reading the records of revision %s: %w", name, err))
	}
	record.Expand(all)
	return all, commit, nil
}

// A set holds the records of one host and profile.
type set struct {
	host, profile, newest string // newest is a run
	records               []*record.Record
}

func setsOf(records []*record.Record) []*set {
	var out []*set
	for _, r := range records {
		s, ok := slice.Find(out, func(s *set) bool { return s.host == r.Host && s.profile == r.Profile })
		if !ok {
			s = &set{host: r.Host, profile: r.Profile}
			out = append(out, s)
		}
		s.records, s.newest = append(s.records, r), max(s.newest, r.Run)
	}
	return out
}

// alike picks the set of each side to compare. It prefers sets of the same host and profile, then of the same host,
// then of the same profile; among these it prefers this host, then the profile full, then the newest run.
func alike(a, b []*record.Record, thisHost string) (x, y *set) {
	order := func(p, q [2]*set) int {
		rank := func(p [2]*set) []int {
			return []int{lab.BoolToInt(p[0].host != p[1].host), lab.BoolToInt(p[0].profile != p[1].profile),
				lab.BoolToInt(p[1].host != thisHost), lab.BoolToInt(p[0].host != thisHost), dataset.ProfileOrder(p[1].profile),
				dataset.ProfileOrder(p[0].profile)}
		}
		return cmp.Or(slices.Compare(rank(p), rank(q)), cmp.Compare(q[1].newest, p[1].newest),
			cmp.Compare(q[0].newest, p[0].newest), cmp.Compare(p[1].host, q[1].host), cmp.Compare(p[1].profile, q[1].profile))
	}
	var pairs [][2]*set
	for _, s := range setsOf(a) {
		for _, t := range setsOf(b) {
			pairs = append(pairs, [2]*set{s, t})
		}
	}
	best := slices.MinFunc(pairs, order)
	return best[0], best[1]
}

// Revisions are two revisions of a project that are measured in one run.
type Revisions struct {
	Project     *article.Project
	Articles    []*lab.Article
	Profile     string
	Repetitions string // as in articles; if empty, each article decides
	A, B        plan.Revision
	compare.ChangeOptions

	// SameBuilds lists experiments, as SLUG#NAME, whose builds are the same in both revisions.
	SameBuilds map[string]bool
}

// sides returns both revisions of an article as sides of one dataset.
func (r *Revisions) sides(l *lab.Article, p *plan.Plan, records []*record.Record, host string) (compare.Sides, error) {
	d, err := dataset.New(l.Doc, records, dataset.Options{ThisHost: host, Plan: func(string) (*plan.Plan, error) {
		return p, nil
	}})
	return compare.Sides{A: d, B: d, Experiments: l.Experiments, From: r.A.Name, To: r.B.Name}, err
}

// Open returns a function for runner.Options.Open that finds the trials whose change is undecided.
func (r *Revisions) Open(l *lab.Article, p *plan.Plan, host string) func([]*record.Record) map[string][]string {
	return func(records []*record.Record) map[string][]string {
		s, err := r.sides(l, p, records, host)
		if err != nil { // cannot happen with a plan and a host
			return nil
		}
		return compare.Open(s, r.ChangeOptions)
	}
}

// plan plans an article, without the experiments that are the same in both revisions.
func (r *Revisions) plan(l *lab.Article) (*plan.Plan, error) {
	var problems source.Problems
	p, err := plan.New(r.Project, l.Doc, plan.Options{Profile: r.Profile, Repetitions: r.Repetitions,
		Revisions: []plan.Revision{r.A, r.B}}, &problems)
	if err != nil {
		return nil, lab.Failure(err)
	}
	l.KeepExperiments(p)
	p.Experiments = slices.DeleteFunc(p.Experiments, func(e *plan.Experiment) bool {
		return e.Skipped != "" || r.SameBuilds[l.Slug+"#"+e.Name]
	})
	return p, nil
}

// Same reports whether everything that is measured is the same in both revisions.
func (r *Revisions) Same() (bool, error) {
	for _, l := range r.Articles {
		if p, err := r.plan(l); err != nil || len(p.Experiments) > 0 {
			return false, err
		}
	}
	return true, nil
}

// Comparison returns a comparison of the revisions without cells.
func (r *Revisions) Comparison() *Comparison {
	return &Comparison{A: Side{Kind: kindRevision, Name: r.A.Name, Commit: r.A.Commit},
		B: Side{Kind: kindRevision, Name: r.B.Name, Commit: r.B.Commit}, Changes: []Change{},
		Differences: []compare.Difference{}, LeftOut: []string{}}
}

// Compare compares the revisions by their records. The comparison is nil if no cell differs.
func (r *Revisions) Compare(a *lab.Session) (*Comparison, error) {
	c := r.Comparison()
	var sides []compare.Sides
	measured := 0
	for _, l := range r.Articles {
		p, err := r.plan(l)
		if err != nil {
			return nil, err
		}
		if len(p.Experiments) == 0 {
			continue
		}
		host, err := a.HostOf(r.Project, l)
		if err != nil {
			return nil, lab.Failure(err)
		}
		records, _, err := a.Records(r.Project, l)
		if err != nil {
			return nil, lab.Failure(err)
		}
		records = p.RecordsOf(nil, records, host.ID)
		measured += len(records)
		s, err := r.sides(l, p, records, host.ID)
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", l.Slug, err))
		}
		sides = append(sides, s)
		set := newCompared(l.Slug, s.A)
		c.A.Sets, c.B.Sets = append(c.A.Sets, set), append(c.B.Sets, set)
	}
	switch {
	case len(sides) == 0:
		return nil, nil
	case measured == 0:
		return nil, lab.Failure(errors.New("nothing was measured"))
	}
	return c, c.compare(sides, r.ChangeOptions)
}
