package show

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// The kinds of sides that records can be compared by, as they stand before a colon: run:20261120T094529Z-qsbq.
const (
	sideRun      = "run"
	sideHost     = "host"
	sideProfile  = "profile"
	sideRevision = "revision"
	sideFolder   = "folder"
)

// A recordFinder is where sides are looked for.
type recordFinder struct {
	app      *lab.Session
	project  *article.Project
	slugs    []string
	here     map[string][]*record.Record // the records of the project, by article
	gitError error                       // why git could not even look for a revision, if so
}

// newRecordFinder reads the records of some articles.
func newRecordFinder(a *lab.Session, project *article.Project, list []*lab.Article) (*recordFinder, error) {
	s := &recordFinder{app: a, project: project, here: map[string][]*record.Record{}}
	for _, c := range list {
		records, _, err := a.Records(project, c)
		if err != nil {
			return nil, err
		}
		s.slugs, s.here[c.Slug] = append(s.slugs, c.Slug), records
	}
	return s, nil
}

// A finder finds a side of one kind by its name; nil if there is nothing of the kind.
type finder struct {
	kind string
	find func(ctx context.Context, name string) (*Side, error)
}

// find gives the side that a word means: one of a run, a host, a profile, a git revision and a folder of records. A
// word that means several of them is an error that says how to tell which; so is one that means none.
func (s *recordFinder) find(ctx context.Context, word string) (*Side, error) {
	finders := []finder{
		{sideRun, s.selected(sideRun, func(name string) Selection { return Selection{Run: name} })},
		{sideHost, s.selected(sideHost, func(name string) Selection { return Selection{Host: name} })},
		{sideProfile, s.selected(sideProfile, func(name string) Selection { return Selection{Profile: name} })},
		{sideRevision, s.revision},
		{sideFolder, s.folder},
	}
	kind, name, explicit := strings.Cut(word, ":")
	if i := slices.IndexFunc(finders, func(f finder) bool { return f.kind == kind }); explicit && i >= 0 {
		return s.findKind(ctx, finders[i], name)
	}
	var all, with []*Side
	for _, f := range finders {
		found, err := f.find(ctx, word)
		if err != nil {
			return nil, err
		}
		if found != nil {
			if all = append(all, found); len(found.records) > 0 {
				with = append(with, found)
			}
		}
	}
	switch {
	case len(with) == 1:
		return with[0], nil
	case len(with) > 1:
		var kinds, ways []string
		for _, f := range with {
			kinds, ways = append(kinds, "a "+f.Kind), append(ways, f.Kind+":"+f.Name)
		}
		return nil, lab.UsageError(fmt.Errorf("%q is %s: write %s", word, strings.Join(kinds, " and "),
			strings.Join(ways, " or ")))
	case len(all) > 0:
		return nil, lab.UsageError(fmt.Errorf("%s has no records of %s", all[0], strings.Join(s.slugs, ", ")))
	}
	return nil, lab.UsageError(fmt.Errorf(
		"%q is not a run, host or profile with records, nor a git revision or a folder%s", word, s.suggest("", word)))
}

// findKind gives the side of a kind and name. It is an error if there is none, or none with records.
func (s *recordFinder) findKind(ctx context.Context, f finder, name string) (*Side, error) {
	found, err := f.find(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case found == nil && f.kind == sideRevision && s.gitError != nil:
		err = fmt.Errorf("no %s %q: git failed: %w", f.kind, name, s.gitError)
	case found == nil:
		err = fmt.Errorf("no %s %q%s", f.kind, name, s.suggest(f.kind, name))
	case len(found.records) == 0:
		err = fmt.Errorf("%s has no records of %s", found, strings.Join(s.slugs, ", "))
	default:
		return found, nil
	}
	return nil, lab.UsageError(err)
}

// selected finds the records of the project that are selected by a word: of a run all that was measured in one go with
// it.
func (s *recordFinder) selected(kind string, by func(name string) Selection) func(context.Context, string) (*Side,
	error) {
	return func(_ context.Context, name string) (*Side, error) {
		found, wanted := &Side{Kind: kind, Name: name, records: map[string][]*record.Record{}}, by(name)
		for slug, records := range s.here {
			for _, r := range records {
				if wanted.wants(r) {
					found.records[slug] = append(found.records[slug], r)
				}
			}
		}
		if name == "" || len(found.records) == 0 {
			return nil, nil
		}
		return found, nil
	}
}

// names lists the values of a field in the records of the project, the last first.
func (s *recordFinder) names(field func(*record.Record) string) []string {
	var out []string
	for _, records := range s.here {
		for _, r := range records {
			out = append(out, field(r))
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	slices.Reverse(out)
	return out
}

// suggest is the end of an error about a word that means nothing.
func (s *recordFinder) suggest(kind, name string) string {
	var known []string
	for _, k := range []struct {
		kind  string
		field func(*record.Record) string
	}{{sideRun, lab.RecordRun}, {sideHost, lab.RecordHost}, {sideProfile, lab.RecordProfile}} {
		if kind == "" || kind == k.kind {
			known = append(known, s.names(k.field)...)
		}
	}
	if hint := source.Suggest(name, known); hint != "" {
		return ": " + hint
	}
	return ""
}

// folder finds a folder of records, or a project with records of its own.
func (s *recordFinder) folder(_ context.Context, name string) (*Side, error) {
	if name == "" {
		return nil, nil
	}
	dir := name
	if !isFolder(dir) && !filepath.IsAbs(dir) {
		dir = filepath.Join(s.app.Dir, name) // as in the folder that -C names
	}
	if !isFolder(dir) {
		return nil, nil
	}
	dirs := []string{dir}
	if _, err := os.Stat(filepath.Join(dir, article.ProjectFile)); err == nil {
		project, err := article.OpenProject(dir)
		if err != nil {
			return nil, lab.Failure(err)
		}
		dirs = slice.Map(s.slugs, project.RecordsDir)
	}
	found := &Side{Kind: sideFolder, Name: name, records: map[string][]*record.Record{}}
	for _, d := range dirs {
		records, bad, err := s.app.ReadRecords(d)
		if err != nil {
			return nil, lab.Failure(err)
		}
		s.sort(found, records)
		if len(records) > 0 {
			s.app.WarnBad(bad) // else it is a folder of something else
		}
	}
	return found, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// sort keeps the records of the articles that are looked at.
func (s *recordFinder) sort(found *Side, records []*record.Record) {
	for _, r := range records {
		if slices.Contains(s.slugs, r.Article) {
			found.records[r.Article] = append(found.records[r.Article], r)
		}
	}
}

// revision finds the records that are committed in a git revision. Nothing is checked out.
func (s *recordFinder) revision(ctx context.Context, name string) (*Side, error) {
	if strings.TrimSpace(name) == "" {
		return nil, nil
	}
	repository := files.Git(ctx, s.project.Dir)
	commit, err := repository.Resolve(name)
	switch {
	case errors.Is(err, files.ErrNoRevision):
		return nil, ctx.Err()
	case err != nil: // no repository, or no git: it is no revision
		s.gitError = err
		return nil, ctx.Err()
	}
	found := &Side{Kind: sideRevision, Name: name, Commit: commit,
		records: map[string][]*record.Record{}}
	paths := slice.Map(s.slugs, func(slug string) string { return path.Join("experiments", slug, "records") })
	tree, err := repository.Run("", append([]string{"ls-tree", "-r", "-z", found.Commit, "--"}, paths...)...)
	if err != nil {
		return nil, lab.Failure(fmt.Errorf("listing the records of revision %s: %w", name, err))
	}
	var objects, names []string
	for entry := range strings.SplitSeq(tree, "\x00") {
		about, file, _ := strings.Cut(entry, "\t")
		fields := strings.Fields(about) // mode, type, object
		if len(fields) == 3 && strings.HasPrefix(fields[0], "100") && record.IsRun(file) {
			objects, names = append(objects, fields[2]), append(names, file)
		}
	}
	if len(objects) == 0 {
		return found, nil
	}
	out, err := repository.Output(strings.Join(objects, "\n")+"\n", "cat-file", "--batch")
	if err == nil {
		err = s.readBatch(found, bytes.NewReader(out), names)
	}
	if err != nil {
		return nil, lab.Failure(fmt.Errorf("reading the records of revision %s: %w", name, err))
	}
	for _, records := range found.records {
		record.Expand(records)
	}
	return found, nil
}

// readBatch reads what git cat-file --batch writes: for each object a line with its size, its bytes, and the end of a
// line.
func (s *recordFinder) readBatch(found *Side, out io.Reader, names []string) error {
	in := bufio.NewReader(out)
	for _, name := range names {
		head, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		var object, kind string
		var size int
		if _, err := fmt.Sscanf(head, "%s %s %d", &object, &kind, &size); err != nil {
			return fmt.Errorf("%s: git says %q", name, strings.TrimSpace(head))
		}
		data := make([]byte, size+1)
		if _, err := io.ReadFull(in, data); err != nil {
			return err
		}
		if err := s.readFile(found, name, data[:size]); err != nil {
			return err
		}
	}
	return nil
}

// readFile reads a run.
func (s *recordFinder) readFile(found *Side, name string, data []byte) error {
	_, below, ok := strings.Cut(name, "/records/")
	if !ok {
		return fmt.Errorf("%s: not below a folder of records", name)
	}
	records, bad, err := record.ReadRun(below, bytes.NewReader(data))
	for i := range bad {
		bad[i].Path = found.Name + ":" + name + strings.TrimPrefix(bad[i].Path, below)
	}
	s.app.WarnBad(bad)
	s.sort(found, records)
	return err
}

// A set is the records of one host and profile.
type set struct {
	host, profile, newest string
	records               []*record.Record
}

func setsOf(records []*record.Record) []*set {
	var out []*set
	for _, r := range records {
		i := slices.IndexFunc(out, func(s *set) bool { return s.host == r.Host && s.profile == r.Profile })
		if i < 0 {
			i = len(out)
			out = append(out, &set{host: r.Host, profile: r.Profile})
		}
		out[i].records, out[i].newest = append(out[i].records, r), max(out[i].newest, r.Run)
	}
	return out
}

// alike picks the sets of two sides that are to be compared: of one host and profile if there are such, else of one
// host, else of one profile; among these of this host before others, full before quick before other profiles, and the
// newest.
func alike(a, b []*record.Record, thisHost string) (x, y *set) {
	var best [2]*set
	order := func(p, q [2]*set) int {
		rank := func(p [2]*set) []int {
			return []int{lab.Boolean(p[0].host != p[1].host), lab.Boolean(p[0].profile != p[1].profile),
				lab.Boolean(p[1].host != thisHost),
				lab.Boolean(p[0].host != thisHost), dataset.ProfileOrder(p[1].profile), dataset.ProfileOrder(p[0].profile)}
		}
		return cmp.Or(slices.Compare(rank(p), rank(q)), cmp.Compare(q[1].newest, p[1].newest),
			cmp.Compare(q[0].newest, p[0].newest), cmp.Compare(p[1].host, q[1].host), cmp.Compare(p[1].profile, q[1].profile))
	}
	for _, s := range setsOf(a) {
		for _, t := range setsOf(b) {
			if pair := [2]*set{s, t}; best[0] == nil || order(pair, best) < 0 {
				best = pair
			}
		}
	}
	return best[0], best[1]
}
