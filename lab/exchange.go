package lab

import (
	"bytes"
	"cmp"
	"context"
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

	"github.com/google/renameio/v2"

	"benchbook/files"
	"benchbook/lab/terminal"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/slice"
)

// An Exchange is what Sync did with the records of a project.
type Exchange struct {
	Fetched int      `json:"fetched"` // runs that came here, or became longer here
	Removed int      `json:"removed"` // runs that were removed here, as somebody has removed them from the branch
	Sent    []string `json:"sent"`    // runs that the branch got, or that it has shorter or no more: ARTICLE/RUN
}

// exchangeAttempts is how often records are sent again after others have sent theirs.
const exchangeAttempts = 10

// syncedFile holds, in the folder of the records, the commit of the branch that they were like when they were last
// exchanged.
const syncedFile = ".synced"

// Sync exchanges runs with the branch that the project keeps its records in: what is only there comes here, and with
// send what is only here goes there, in a commit for each run. A run that both have is joined, line by line. What one
// of both has removed since they were alike is removed from the other. Nobody's commits are overwritten: if others push
// meanwhile, it begins anew.
//
// It does nothing for a project without such a branch. The error says what to do about it.
func (a *Session) Sync(ctx context.Context, project *projects.Project, send bool) (done Exchange, err error) {
	done.Sent = []string{}
	if project.Records == nil || project.RecordsIn != project.SharedRecords() {
		return done, nil
	}
	x := exchange{ctx: ctx, dir: project.Dir, folder: project.RecordsIn, branch: project.Records.Branch.Value,
		remote: cmp.Or(project.Records.Remote.Value, "origin")}
	if _, err := StateFolder(project.Dir, ""); err != nil {
		return done, err
	}
	for range exchangeAttempts {
		err = x.once(&done, send)
		if !errors.Is(err, errPushedMeanwhile) {
			break
		}
		select { // so that those who came at the same time do not come back so
		case <-ctx.Done():
			return done, ctx.Err()
		case <-time.After(rand.N(500 * time.Millisecond)):
		}
	}
	if err != nil && ctx.Err() == nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "fatal: "), "\n") // what git says below it is general
		err = fmt.Errorf("records are not exchanged with branch %s of %s: %s", x.branch, x.remote, first)
	}
	return done, err
}

// SyncOrWarn is Sync for a verb whose own work is done: what cannot be sent now is sent by the next one.
func (a *Session) SyncOrWarn(ctx context.Context, project *projects.Project) {
	done, err := a.Sync(ctx, project, true)
	if err != nil {
		fmt.Fprintf(a.Stderr, "warning: %s; they are kept here: benchbook sync sends them\n",
			new(record.Redactor).Text(err.Error()))
	} else if len(done.Sent) > 0 {
		fmt.Fprintf(a.Stderr, "sent %s to branch %s\n", terminal.Count(len(done.Sent), "run"), project.Records.Branch.Value)
	}
}

// fetchRecords fetches the records of a project that has them in a branch, if none have been fetched yet.
func (a *Session) fetchRecords(project *projects.Project) {
	if project.Records == nil {
		return
	}
	if _, err := os.Stat(project.SharedRecords()); err == nil {
		return
	}
	// git gets the interrupts of the terminal itself
	if _, err := a.Sync(context.Background(), project, false); err != nil {
		fmt.Fprintf(a.Stderr, "warning: %s\n", new(record.Redactor).Text(err.Error()))
	}
}

var errPushedMeanwhile = errors.New("others push to it again and again: try again")

type exchange struct {
	ctx            context.Context
	dir, folder    string
	remote, branch string
}

// ref is where the repository keeps what the branch was when it was last fetched. It is no branch of the user's.
func (x *exchange) ref() string { return "refs/benchbook/" + x.branch }

func (x *exchange) git(stdin []byte, variables []string, args ...string) (string, error) {
	out, err := GitWith(x.ctx, x.dir, append(variables, "LC_ALL=C"), bytes.NewReader(stdin), args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// once exchanges records with the branch as it is now.
func (x *exchange) once(done *Exchange, send bool) error {
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
	for name := range names(there, before, here) {
		if err := x.join(name, here[name], there[name], before[name], changes, done); err != nil {
			return err
		}
	}
	if send && len(changes) > 0 {
		if tip, err = x.send(tip, changes, done); err != nil {
			return err
		}
		changes = nil
	}
	if err := os.MkdirAll(x.folder, 0o755); err != nil || len(changes) > 0 || tip == "" {
		return err // what is only here would look as if it had been removed from the branch
	}
	return renameio.WriteFile(filepath.Join(x.folder, syncedFile), []byte(tip+"\n"), 0o644)
}

// fetch gives the commit of the branch; empty if the remote has none.
func (x *exchange) fetch() (string, error) {
	_, err := x.git(nil, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--",
		x.remote, "+refs/heads/"+x.branch+":"+x.ref())
	switch {
	case err == nil:
		return x.git(nil, nil, "rev-parse", "--verify", x.ref())
	case strings.Contains(err.Error(), "couldn't find remote ref"):
		return "", nil
	case strings.Contains(err.Error(), "not a git repository"):
		return "", errors.New("the project is in no git repository")
	}
	return "", err
}

// synced is the commit that the records were like last. It is empty if they are new here, or if the branch has been
// made anew since: then nothing counts as removed.
func (x *exchange) synced(tip string) string {
	data, _, err := files.Read(filepath.Join(x.folder, syncedFile), 100)
	commit := strings.TrimSpace(string(data))
	if err != nil || tip == "" || strings.HasPrefix(commit, "-") {
		return ""
	}
	if _, err := x.git(nil, nil, "merge-base", "--is-ancestor", commit, tip); err != nil {
		return ""
	}
	return commit
}

// isPack reports whether a file below the folder of records is a packed run, or its signature.
func isPack(name string) bool {
	return filepath.IsLocal(name) && strings.Count(name, "/") == 3 && !strings.ContainsAny(name, "\n\"\\") &&
		record.IsPack(strings.TrimSuffix(name, record.SignatureSuffix))
}

// tree lists the packs of a commit, by path.
func (x *exchange) tree(commit string) (map[string]string, error) {
	out := map[string]string{}
	if commit == "" {
		return out, nil
	}
	printed, err := x.git(nil, nil, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(printed, "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if fields := strings.Fields(about); len(fields) == 3 && strings.HasPrefix(fields[0], "100") && isPack(name) {
			out[name] = fields[2]
		}
	}
	return out, nil
}

// packs lists the packs that are here, by path, with the name that git has for their content.
func (x *exchange) packs() (map[string]string, error) {
	var list []string
	err := filepath.WalkDir(x.folder, func(file string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
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
	paths := slice.Map(list, func(name string) string { return filepath.Join(x.folder, filepath.FromSlash(name)) })
	printed, err := x.git([]byte(strings.Join(paths, "\n")+"\n"), nil, "hash-object", "--no-filters", "--stdin-paths")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i, object := range strings.Fields(printed) {
		out[list[i]] = object
	}
	return out, nil
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

// read is the content of a file that is here; nil without an object.
func (x *exchange) read(name, object string) ([]byte, error) {
	if object == "" {
		return nil, nil
	}
	return os.ReadFile(filepath.Join(x.folder, filepath.FromSlash(name)))
}

// blob is the content of an object; nil without one.
func (x *exchange) blob(object string) ([]byte, error) {
	if object == "" {
		return nil, nil
	}
	return GitWith(x.ctx, x.dir, nil, nil, "cat-file", "blob", object)
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
	isSignature := strings.HasSuffix(name, record.SignatureSuffix)
	if there == before || there == "" && here != before || isSignature && here != "" && here != before {
		changes[name] = mine
		return nil
	}
	now, err := x.blob(there)
	if err != nil {
		return err
	}
	if here != "" && here != before { // both have changed it
		now = together(now, mine)
		changes[name] = now
	}
	switch {
	case isSignature:
	case now == nil:
		done.Removed++
	default:
		done.Fetched++
	}
	return x.write(name, now)
}

// together are the lines of both, each once.
func together(theirs, mine []byte) []byte {
	lines := slices.Collect(bytes.Lines(append(bytes.TrimSpace(theirs), '\n')))
	known := map[string]bool{}
	for _, line := range lines {
		known[string(line)] = true
	}
	for line := range bytes.Lines(append(bytes.TrimSpace(mine), '\n')) {
		if !known[string(line)] {
			lines = append(lines, line)
		}
	}
	return bytes.Join(lines, nil)
}

// write writes a file here, or removes it.
func (x *exchange) write(name string, data []byte) error {
	file := filepath.Join(x.folder, filepath.FromSlash(name))
	if data == nil {
		return os.Remove(file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(file, data, 0o644)
}

// send commits what changes behind the tip of the branch, each run by itself, and pushes it. It gives the new tip.
func (x *exchange) send(tip string, changes map[string][]byte, done *Exchange) (string, error) {
	index, err := os.MkdirTemp("", "benchbook-sync-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(index)
	variables := []string{"GIT_INDEX_FILE=" + filepath.Join(index, "index")}
	if _, err := x.git(nil, variables, "read-tree", cmp.Or(tip, "--empty")); err != nil {
		return "", err
	}
	byRun := map[string][]string{} // files, by RUN ARTICLE, so that commits are in the order of runs
	for name := range changes {
		run, _, _ := strings.Cut(path.Base(name), ".")
		slug, _, _ := strings.Cut(name, "/")
		byRun[run+" "+slug] = append(byRun[run+" "+slug], name)
	}
	var sent []string
	for _, of := range slices.Sorted(maps.Keys(byRun)) {
		run, slug, _ := strings.Cut(of, " ")
		var entries strings.Builder
		verb := "Remove"
		for _, name := range byRun[of] {
			if changes[name] == nil {
				fmt.Fprintf(&entries, "0 %040d\t%s\x00", 0, name)
				continue
			}
			verb = "Add"
			object, err := x.git(changes[name], nil, "hash-object", "-w", "--no-filters", "--stdin")
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&entries, "100644 %s\t%s\x00", object, name)
		}
		if _, err := x.git([]byte(entries.String()), variables, "update-index", "-z", "--index-info"); err != nil {
			return "", err
		}
		tree, err := x.git(nil, variables, "write-tree")
		if err != nil {
			return "", err
		}
		args := []string{"commit-tree", "-m", fmt.Sprintf("%s run %s of %s", verb, run, slug), tree}
		if tip != "" {
			args = append(args, "-p", tip)
		}
		if tip, err = x.git(nil, nil, args...); err != nil {
			return "", unknownAuthor(err)
		}
		sent = append(sent, slug+"/"+run)
	}
	if err := x.push(tip); err != nil {
		return "", err
	}
	done.Sent = append(done.Sent, sent...)
	return tip, nil
}

func unknownAuthor(err error) error {
	if strings.Contains(err.Error(), "tell me who you are") {
		return errors.New("git does not know who commits: tell it with git config user.name NAME and git config user.email " +
			"ADDRESS")
	}
	return err
}

// push pushes a commit, never by force.
func (x *exchange) push(commit string) error {
	_, err := x.git(nil, nil, "-c", "push.followTags=false", "push", "--quiet", "--no-recurse-submodules", "--", x.remote,
		commit+":refs/heads/"+x.branch)
	if err == nil {
		_, err = x.git(nil, nil, "update-ref", x.ref(), commit)
		return err
	}
	for _, words := range []string{"non-fast-forward", "fetch first", "cannot lock ref", "failed to update ref",
		"incorrect old value", "[rejected]"} {
		if strings.Contains(err.Error(), words) {
			return errPushedMeanwhile
		}
	}
	return err
}
