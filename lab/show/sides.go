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

// fields are the kinds of sides that records themselves name.
var fields = map[string]func(*record.Record) string{"run": lab.RecordRun, "host": lab.RecordHost,
	"profile": lab.RecordProfile}

// find returns the first kind of side that a word names, or the kind before its colon.
func (f *finder) find(ctx context.Context, word string) (*Side, error) {
	kinds, name := []string{"run", "host", "profile", kindRevision, "folder"}, word
	if kind, rest, ok := strings.Cut(word, ":"); ok && slices.Contains(kinds, kind) {
		kinds, name = []string{kind}, rest
	}
	var known []string
	var empty *Side
	for _, kind := range kinds {
		var side *Side
		var err error
		switch kind {
		case kindRevision:
			side, err = f.revision(ctx, name)
		case "folder":
			side, err = f.folder(name)
		default:
			known = append(known, values(f.records, fields[kind])...)
			if slices.Contains(known, name) {
				side = f.side(slice.Filter(f.records, func(r *record.Record) bool { return fields[kind](r) == name }))
			}
		}
		if err != nil {
			return nil, err
		}
		if side == nil {
			continue
		}
		if side.Kind, side.Name = kind, name; len(side.records) > 0 {
			return side, nil
		}
		empty = side
	}
	if empty != nil {
		return nil, lab.UsageError(fmt.Errorf("%s has no records of %s", empty, strings.Join(f.slugs, ", ")))
	}
	err := fmt.Errorf("no %s %q", strings.Join(kinds, ", "), name)
	if hint := source.Suggest(name, known); hint != "" {
		err = fmt.Errorf("%w: %s", err, hint)
	} else if f.git != nil {
		err = fmt.Errorf("%w: git failed: %w", err, f.git)
	}
	return nil, lab.UsageError(err)
}

// side returns a side with its records, without records of other articles.
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
func (f *finder) folder(name string) (*Side, error) {
	name = f.Located(name)
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return nil, nil
	}
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
// host, else of one profile; among these of this host before others, full before other profiles, and the
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
