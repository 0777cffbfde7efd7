package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"benchbook/files"
	"benchbook/git"
	"benchbook/lab/terminal"
	"benchbook/notebook/integrity"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/slice"
)

// An Exchange is what Sync did with the records of a project.
type Exchange struct {
	Fetched int      `json:"fetched"` // runs that came here, or became longer here
	Removed int      `json:"removed"` // runs that were removed here, as gc has removed them from the branch elsewhere
	Aside   []string `json:"aside"`   // files of lines that were put aside, as the branch has others in their place
	Sent    []string `json:"sent"`    // runs that the branch got, got more of, or lost to gc: ARTICLE/RUN
}

const (
	// exchangeAttempts is how often it begins anew after others have sent their records.
	exchangeAttempts = 10
	// exchangeTime is how long an exchange may take.
	exchangeTime = 2 * time.Minute
	// syncedFile holds, in the folder of the records, the commit of the branch that they were like when they were last
	// exchanged. It is empty if there was no branch.
	syncedFile = ".synced"
	// asideSuffix follows the name of a run in that of a file with what was put aside of it.
	asideSuffix = ".aside"
)

// Sync exchanges runs with the branch that the project keeps its records in: what is only there comes here, and with
// send what is only here goes there, in a commit for each run. A run that both have is joined, line by line; lines that
// have the place of others in the branch are put aside. Nothing is removed from the branch but what gone names, if it
// is there as it was when gone was made, by the objects that git has for it. What others have removed so is removed
// here, if it has not changed here since it came or went. Nobody's commits are overwritten: if others push meanwhile,
// it begins anew.
//
// It does nothing for a project without such a branch. The error says what to do about it.
func (a *Session) Sync(ctx context.Context, project *projects.Project, send bool, gone map[string]string) (Exchange,
	error) {
	done := Exchange{Sent: []string{}, Aside: []string{}}
	if !hasBranch(project) {
		return done, nil
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	x, err := newExchange(ctx, project)
	for range exchangeAttempts {
		if err != nil {
			break
		}
		done = Exchange{Sent: []string{}, Aside: done.Aside}
		if err = x.once(&done, send, gone); !errors.Is(err, errChanged) && !errors.Is(err, git.ErrMoved) {
			break
		}
		select { // so that those who came at the same time do not come back so
		case <-ctx.Done():
		case <-time.After(rand.N(500 * time.Millisecond)):
			err = cmp.Or(ctx.Err(), nil)
		}
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("the remote did not answer within %s", exchangeTime)
	case ctx.Err() != nil:
		return done, ctx.Err()
	}
	if said, ok := errors.AsType[*git.Error](err); ok {
		err = errors.New("git says: " + said.Reason())
	}
	if err != nil {
		err = fmt.Errorf("records are not exchanged with branch %s: %w", project.Records.Branch.Value, err)
	}
	return done, err
}

// hasBranch reports whether the records of a project are in a branch; not those of a comparison, which are nobody's
// results.
func hasBranch(p *projects.Project) bool { return p.Records != nil && p.RecordsIn == p.SharedRecords() }

// SyncOrWarn is Sync for a verb whose own work is done, also if it was interrupted: what cannot be sent now is sent by
// the next one.
func (a *Session) SyncOrWarn(ctx context.Context, project *projects.Project, gone map[string]string) {
	if !hasBranch(project) {
		return
	}
	done, err := a.Sync(context.WithoutCancel(ctx), project, true, gone)
	if err != nil {
		fmt.Fprintf(a.Stderr, "warning: %s; they are kept here: benchbook sync sends them\n",
			new(record.Redactor).Text(err.Error()))
	} else if len(done.Sent) > 0 {
		fmt.Fprintf(a.Stderr, "sent %s to branch %s\n", terminal.Count(len(done.Sent), "run"), project.Records.Branch.Value)
	}
	a.WarnAside(done)
}

// WarnAside names the files with what was put aside.
func (a *Session) WarnAside(done Exchange) {
	for _, file := range done.Aside {
		fmt.Fprintf(a.Stderr, "warning: the branch has other repetitions in the place of some of this machine's: those are "+
			"in %s\n", terminal.Relative(file))
	}
}

// FetchRecords fetches the records of a project that has them in a branch, if none have been fetched yet.
func (a *Session) FetchRecords(project *projects.Project) error {
	if !hasBranch(project) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(project.SharedRecords(), syncedFile)); err == nil {
		return nil
	}
	_, err := a.Sync(context.Background(), project, false, nil) // a terminal interrupts git as well
	return err
}

// ReadRecordsOf is ReadRecords of an article, whose records are fetched before if they are in a branch and none have
// been fetched yet.
func (a *Session) ReadRecordsOf(project *projects.Project, slug string) (record.Contents, []integrity.Chain, error) {
	if err := a.FetchRecords(project); err != nil {
		return record.Contents{}, nil, err
	}
	return a.ReadRecords(project.RecordsDir(slug))
}

// errChanged means that a run has been packed here meanwhile.
var errChanged = errors.New("runs are packed here again and again: try again")

type exchange struct {
	*git.Repository
	folder, remote, branch string
}

func newExchange(ctx context.Context, project *projects.Project) (*exchange, error) {
	variables := []string{"GIT_TERMINAL_PROMPT=0"}
	if os.Getenv("GIT_SSH_COMMAND") == "" && os.Getenv("GIT_SSH") == "" {
		variables = append(variables, "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=15")
	}
	x := &exchange{Repository: git.New(ctx, project.Dir, variables...), branch: project.Records.Branch.Value,
		remote: cmp.Or(project.Records.Remote.Value, "origin")}
	if _, err := StateFolder(project.Dir, ""); err != nil {
		return nil, err
	}
	err := os.MkdirAll(project.RecordsIn, 0o755)
	if err == nil {
		x.folder, err = filepath.EvalSymlinks(project.RecordsIn)
	}
	if err != nil {
		return nil, err
	}
	return x, x.check(project)
}

// check is an error unless there is such a remote, and the branch can be one for records alone.
func (x *exchange) check(project *projects.Project) error {
	if _, err := x.Run("", "rev-parse", "--git-dir"); err != nil {
		return err
	}
	if _, err := x.Run("", "check-ref-format", "refs/heads/"+x.branch); err != nil {
		return errors.New("that cannot be the name of a branch")
	}
	if head, err := x.Run("", "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil && head == x.branch {
		return errors.New("it is the branch that you work on: name one for records alone")
	}
	if p := project.Publish; p != nil && p.Branch.Value == x.branch || p == nil && x.branch == "gh-pages" {
		return errors.New("it is the branch of the site: name one for records alone")
	}
	// Only what the repository knows is asked: the article of a stranger must not choose where we go.
	if _, err := x.Run("", "remote", "get-url", "--", x.remote); err != nil {
		return fmt.Errorf("the repository has no remote %q: add it with git remote add %s ADDRESS", x.remote, x.remote)
	}
	return nil
}

// ref is where the repository keeps what the branch was when it was last fetched. It is no branch of the user's.
func (x *exchange) ref() string { return "refs/benchbook/" + x.branch }

// once exchanges records with the branch as it is now.
func (x *exchange) once(done *Exchange, send bool, gone map[string]string) error {
	tip, err := x.fetch()
	if err != nil {
		return err
	}
	there, err := x.tree(tip)
	if err != nil {
		return err
	}
	before, err := x.tree(x.synced(tip))
	if err != nil {
		return err
	}
	here, err := x.packs()
	if err != nil {
		return err
	}
	changes := map[string][]byte{} // of the branch, by path; nil for what it is to lose
	for name := range names(there, here) {
		if there[name] != "" && there[name] == gone[name] && here[name] != there[name] {
			if changes[name], err = x.read(name, here[name]); err != nil {
				return err
			}
		} else if err := x.join(name, here[name], there[name], before[name], changes, done); err != nil {
			return err
		}
	}
	if send && len(changes) > 0 {
		if tip, err = x.send(tip, changes, done); err != nil {
			return err
		}
	}
	return files.Write(filepath.Join(x.folder, syncedFile), []byte(tip+"\n"))
}

// fetch gives the commit of the branch; empty if the remote has none.
func (x *exchange) fetch() (string, error) {
	_, err := x.Run("", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--",
		x.remote, "+refs/heads/"+x.branch+":"+x.ref())
	switch {
	case err == nil:
		return x.Run("", "rev-parse", "--verify", x.ref())
	case strings.Contains(err.Error(), "couldn't find remote ref"):
		return "", nil
	}
	return "", err
}

// synced is the commit that the records were like last. It is empty if they are new here, or if the branch has been
// made anew since: then nothing counts as removed.
func (x *exchange) synced(tip string) string {
	data, _, err := files.Read(filepath.Join(x.folder, syncedFile), 100)
	commit := strings.TrimSpace(string(data))
	if err != nil || tip == "" || commit == "" || strings.HasPrefix(commit, "-") {
		return ""
	}
	if _, err := x.Run("", "merge-base", "--is-ancestor", commit, tip); err != nil {
		return ""
	}
	return commit
}

// isPack reports whether a file below the folder of records is a packed run, or its signature.
func isPack(name string) bool {
	return filepath.IsLocal(name) && strings.Count(name, "/") == 3 && !strings.ContainsAny(name, "\n\"\\") &&
		!strings.HasPrefix(name, ".") && !strings.Contains(name, "/.") &&
		record.IsPack(strings.TrimSuffix(name, record.SignatureSuffix))
}

// tree lists the packs of a commit, by path.
func (x *exchange) tree(commit string) (map[string]string, error) {
	if commit == "" {
		return nil, nil
	}
	files, err := x.Tree(commit, "100")
	maps.DeleteFunc(files, func(name, _ string) bool { return !isPack(name) })
	return files, err
}

// packs lists the packs that are here, by path, with the name that git has for their content.
func (x *exchange) packs() (map[string]string, error) {
	var list []string
	err := filepath.WalkDir(x.folder, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(x.folder, file)
		if name = filepath.ToSlash(name); err == nil && e.Type().IsRegular() && isPack(name) {
			list = append(list, name)
		}
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	paths := slice.Map(list, x.file)
	printed, err := x.Run(strings.Join(paths, "\n")+"\n", "hash-object", "--no-filters", "--stdin-paths")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i, object := range strings.Fields(printed) {
		out[list[i]] = object
	}
	return out, nil
}

// Packs lists the packs of a project whose records are in a branch, as gc finds them, for Sync to know which of them it
// changes.
func (a *Session) Packs(ctx context.Context, project *projects.Project) (map[string]string, error) {
	if !hasBranch(project) {
		return nil, nil
	}
	x, err := newExchange(ctx, project)
	if err != nil {
		return nil, err
	}
	return x.packs()
}

func names(lists ...map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, list := range lists {
		for name := range list {
			out[name] = true
		}
	}
	return out
}

func (x *exchange) file(name string) string { return filepath.Join(x.folder, filepath.FromSlash(name)) }

// read is the content of a file that is here, which has to be that of an object; nil without one.
func (x *exchange) read(name, object string) ([]byte, error) {
	if object == "" {
		return nil, nil
	}
	data, err := os.ReadFile(x.file(name))
	if err != nil {
		return nil, err
	}
	if is, err := x.Run(string(data), "hash-object", "--no-filters", "--stdin"); err != nil || is != object {
		return nil, cmp.Or(err, errChanged) // a run has been packed meanwhile
	}
	return append([]byte{}, data...), nil
}

// blob is the content of an object; nil without one.
func (x *exchange) blob(object string) ([]byte, error) {
	if object == "" {
		return nil, nil
	}
	out, err := x.Output("", "cat-file", "blob", object)
	return append([]byte{}, out...), err
}

// join makes a file alike on both sides, by its objects here and there and when both were alike: here at once, there
// by a change.
func (x *exchange) join(name, here, there, before string, changes map[string][]byte, done *Exchange) error {
	if here == there {
		return nil
	}
	mine, err := x.read(name, here)
	if err != nil {
		return err
	}
	isSignature, isNew := strings.HasSuffix(name, record.SignatureSuffix), here != "" && here != before
	if isNew && (there == "" || isSignature) {
		changes[name] = mine
		return nil
	}
	now, err := x.blob(there)
	if err != nil {
		return err
	}
	if here != "" && there != "" && !isSignature {
		if now, err = x.both(name, now, mine, changes, done); err != nil {
			return err
		}
	}
	if bytes.Equal(now, mine) && (now == nil) == (mine == nil) {
		return nil
	}
	if now == nil {
		done.Removed += Boolean(!isSignature)
	} else {
		done.Fetched += Boolean(!isSignature)
	}
	return x.write(name, mine, now)
}

// both gives a run of which there is one on both sides.
func (x *exchange) both(name string, theirs, mine []byte, changes map[string][]byte, done *Exchange) ([]byte, error) {
	now, aside := together(theirs, mine)
	if !bytes.Equal(now, theirs) {
		changes[name] = now
	}
	if len(aside) == 0 {
		return now, nil
	}
	return now, x.putAside(name, aside, done)
}

// together are the lines of both, each once, without those of mine that are no JSON, or were sealed with the number of
// another one of theirs: these are aside.
func together(theirs, mine []byte) (now, aside []byte) {
	known, numbers := map[string]bool{}, map[int]bool{}
	number := func(line []byte) int {
		var r struct{ Seal struct{ Number int } }
		_ = json.Unmarshal(line, &r) // else it has none
		return r.Seal.Number
	}
	if theirs = bytes.TrimSpace(theirs); len(theirs) > 0 {
		now = append(slices.Clone(theirs), '\n')
	}
	for line := range bytes.Lines(now) {
		known[string(bytes.TrimSpace(line))] = true
		numbers[number(line)] = true
	}
	for line := range bytes.Lines(mine) {
		line = bytes.TrimSpace(line)
		switch n := number(line); {
		case len(line) == 0 || known[string(line)]:
		case !json.Valid(line) || n > 0 && numbers[n]:
			aside = append(append(aside, line...), '\n')
		default:
			now = append(append(now, line...), '\n')
		}
	}
	return now, aside
}

// putAside keeps lines beside their run.
func (x *exchange) putAside(name string, lines []byte, done *Exchange) error {
	file := x.file(name) + asideSuffix
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !slices.Contains(done.Aside, file) {
		done.Aside = append(done.Aside, file)
	}
	if bytes.Contains(before, lines) {
		return nil
	}
	return files.Write(file, append(before, lines...))
}

// write writes a file here, or removes it, unless it is not as it was any more.
func (x *exchange) write(name string, was, data []byte) error {
	switch is, err := os.ReadFile(x.file(name)); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case !bytes.Equal(is, was): // a run has been packed meanwhile
		return errChanged
	}
	if data != nil {
		return files.Write(x.file(name), data)
	}
	if err := os.Remove(x.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// send commits what changes behind the tip of the branch, each run by itself, and pushes it. It gives the new tip.
func (x *exchange) send(tip string, changes map[string][]byte, done *Exchange) (string, error) {
	folder, err := os.MkdirTemp("", "benchbook-sync-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	indexed := x.With("GIT_INDEX_FILE=" + filepath.Join(folder, "index"))
	byRun := map[string][]string{} // files, by RUN ARTICLE, so that commits are in the order of runs
	for name := range changes {
		run, _, _ := strings.Cut(path.Base(name), ".")
		slug, _, _ := strings.Cut(name, "/")
		byRun[run+" "+slug] = append(byRun[run+" "+slug], name)
	}
	var sent []string
	for _, of := range slices.Sorted(maps.Keys(byRun)) {
		run, slug, _ := strings.Cut(of, " ")
		if tip, err = commit(indexed, tip, run, slug, byRun[of], changes); err != nil {
			return "", err
		}
		sent = append(sent, slug+"/"+run)
	}
	if err := x.Push(x.remote, tip, x.branch); err != nil {
		return "", err
	}
	if _, err := x.Run("", "update-ref", x.ref(), tip); err != nil {
		return "", err
	}
	done.Sent = sent
	return tip, nil
}

// commit makes a commit of what changes in the files of a run.
func commit(r *git.Repository, tip, run, slug string, names []string, changes map[string][]byte) (string, error) {
	var index strings.Builder
	verb := "Remove"
	for _, name := range names {
		object := ""
		if changes[name] != nil {
			verb = "Add"
			var err error
			if object, err = r.Run(string(changes[name]), "hash-object", "-w", "--no-filters", "--stdin"); err != nil {
				return "", err
			}
		}
		index.WriteString(git.Change(name, object))
	}
	tree, err := r.WriteTree(tip, index.String())
	if err != nil {
		return "", err
	}
	return r.Commit(tip, tree, fmt.Sprintf("%s run %s of %s\n", verb, run, slug))
}
