package show

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// A Side is one of two sets of records.
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

// A finder looks for sides.
type finder struct {
	*lab.Session
	project *article.Project
	slugs   []string
	records []*record.Record // of the project
	git     error            // why git cannot look for revisions
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

// kindRevision is the kind of a side that is a git revision.
const kindRevision = "revision"

// find returns the side that a word names, of the kind before its colon or of any kind. A word that names several sides
// is an error.
func (f *finder) find(ctx context.Context, word string) (*Side, error) {
	var known []string
	measured := func(field func(*record.Record) string) func(context.Context, string) (*Side, error) {
		return func(_ context.Context, name string) (*Side, error) {
			known = append(known, values(f.records, field)...)
			side := f.side(slice.Filter(f.records, func(r *record.Record) bool { return field(r) == name }))
			if len(side.records) == 0 {
				return nil, nil
			}
			return side, nil
		}
	}
	kinds := []struct {
		name string
		find func(ctx context.Context, name string) (*Side, error)
	}{{"run", measured(lab.RecordRun)}, {"host", measured(lab.RecordHost)}, {"profile", measured(lab.RecordProfile)},
		{kindRevision, f.revision}, {"folder", f.folder}}
	name, what := word, "run, host, profile, revision or folder"
	for i, k := range kinds {
		if rest, ok := strings.CutPrefix(word, k.name+":"); ok {
			name, what, kinds = rest, k.name, kinds[i:i+1]
			break
		}
	}
	var found, empty []*Side
	for _, k := range kinds {
		side, err := k.find(ctx, name)
		if err != nil {
			return nil, err
		}
		if side == nil {
			continue
		}
		side.Kind, side.Name = k.name, name
		if len(side.records) == 0 {
			empty = append(empty, side)
		} else {
			found = append(found, side)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		kind := func(s *Side) string { return "a " + s.Kind }
		way := func(s *Side) string { return s.Kind + ":" + name }
		return nil, lab.UsageError(fmt.Errorf("%q is %s: write %s", word, strings.Join(slice.Map(found, kind), " and "),
			strings.Join(slice.Map(found, way), " or ")))
	case len(empty) > 0:
		return nil, lab.UsageError(fmt.Errorf("%s has no records of %s", empty[0], strings.Join(f.slugs, ", ")))
	}
	err := fmt.Errorf("no %s %q", what, name)
	if hint := source.Suggest(name, known); hint != "" {
		err = fmt.Errorf("%w: %s", err, hint)
	} else if f.git != nil {
		err = fmt.Errorf("%w: git failed: %w", err, f.git)
	}
	return nil, lab.UsageError(err)
}

// side returns a side with records, without those of other articles.
func (f *finder) side(records []*record.Record) *Side {
	s := &Side{records: map[string][]*record.Record{}}
	for _, r := range records {
		if slices.Contains(f.slugs, r.Article) {
			s.records[r.Article] = append(s.records[r.Article], r)
		}
	}
	return s
}

// folder finds a folder of records, or a project with records of its own.
func (f *finder) folder(_ context.Context, name string) (*Side, error) {
	info, err := os.Stat(f.Located(name))
	if name == "" || err != nil || !info.IsDir() {
		return nil, nil
	}
	name = f.Located(name)
	dirs := []string{name}
	if _, err := os.Stat(filepath.Join(name, article.ProjectFile)); err == nil {
		project, err := article.OpenProject(name)
		if err != nil {
			return nil, lab.Failure(err)
		}
		dirs = slice.Map(f.slugs, project.RecordsDir)
	}
	var all []*record.Record
	for _, d := range dirs {
		records, bad, err := f.ReadRecords(d)
		if err != nil {
			return nil, lab.Failure(err)
		}
		if len(records) > 0 { // otherwise it is a folder of something else
			f.WarnBad(bad)
		}
		all = append(all, records...)
	}
	return f.side(all), nil
}

// revision finds the records that are committed in a git revision. Nothing is checked out.
func (f *finder) revision(ctx context.Context, name string) (*Side, error) {
	repository := files.Git(ctx, f.project.Dir)
	commit, err := repository.Resolve(name)
	if err != nil {
		if !errors.Is(err, files.ErrNoRevision) {
			f.git = err // no repository, or no git
		}
		return nil, ctx.Err()
	}
	tree, err := repository.Tree(commit, slice.Map(f.slugs, func(slug string) string {
		return path.Join("experiments", slug, "records")
	})...)
	var all []*record.Record
	for _, file := range slices.Sorted(maps.Keys(tree)) {
		_, below, _ := strings.Cut(file, "/records/")
		if err != nil || !record.IsRun(below) {
			continue
		}
		data, readErr := repository.Output("", "cat-file", "blob", tree[file])
		if err = readErr; err != nil {
			break
		}
		var records []*record.Record
		var bad []record.Bad
		records, bad, err = record.ReadRun(below, bytes.NewReader(data))
		for i := range bad {
			bad[i].Path = name + ":" + file + strings.TrimPrefix(bad[i].Path, below)
		}
		f.WarnBad(bad)
		all = append(all, records...)
	}
	if err != nil {
		return nil, lab.Failure(fmt.Errorf("reading the records of revision %s: %w", name, err))
	}
	record.Expand(all)
	side := f.side(all)
	side.Commit = commit
	return side, nil
}

// A set is the records of one host and profile.
type set struct {
	host, profile, newest string // newest run
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

// alike picks the sets of two sides that are to be compared: of one host and profile if there are such, else of one
// host, else of one profile; among these of this host before others, full before quick before other profiles, and the
// newest.
func alike(a, b []*record.Record, thisHost string) (x, y *set) {
	order := func(p, q [2]*set) int {
		rank := func(p [2]*set) []int {
			return []int{lab.Boolean(p[0].host != p[1].host), lab.Boolean(p[0].profile != p[1].profile),
				lab.Boolean(p[1].host != thisHost), lab.Boolean(p[0].host != thisHost), dataset.ProfileOrder(p[1].profile),
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
