package plan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// A revision is a build context as it was committed. Its files are listings of its folder.
type revision struct{ executable, broken map[string]bool } // by path; broken are links without a file

func (r *revision) isExecutable(name string) bool { return r != nil && r.executable[name] }
func (r *revision) isBroken(name string) bool     { return r != nil && r.broken[name] }

// at returns a folder of a git repository in a revision. A revision without the folder is a problem, and at is false; with
// mayLack it returns f itself.
func (f *Folder) at(root string, t source.Text, context string, mayLack bool, problems *source.Problems) (*Folder,
	bool) {
	key := strings.Join([]string{root, t.Value, context}, "\x00")
	if at, ok := f.around[key]; ok {
		return at, true
	}
	blobs, err := committed(root, t.Value, context)
	if errors.Is(err, errNoFolder) && mayLack {
		return f, true
	}
	if err != nil {
		refused, ok := errors.AsType[*revisionError](err)
		if !ok {
			says, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "fatal: "), "\n")
			refused = &revisionError{fmt.Errorf("revision %q cannot be read: git says: %s", t.Value, says),
				"repair the repository: git show " + t.Value + " fails in the same way"}
		}
		problems.Add("no-such-revision", t.Pos, "%v", refused.error).Hint = refused.hint
		return nil, false
	}
	at := newRepository(root, nil, f.Doc, f.seen)
	at.revision = &revision{map[string]bool{}, map[string]bool{}}
	for _, l := range at.Doc.Listings {
		delete(blobs, l.Path) // listings of the article are there as they are now
	}
	for _, name := range sortedKeys(blobs) {
		listing := &article.Listing{Path: name, Pos: t.Pos}
		if file := followed(blobs, name); file != nil {
			listing.Data, at.revision.executable[name] = file.data, file.mode == "100755"
		} else {
			at.revision.broken[name] = true
		}
		at.Doc.Listings = append(at.Doc.Listings, listing)
	}
	f.around[key] = at
	return at, true
}

// revisionOf is a revision of a repository; without a commit, the files as they are.
type revisionOf struct{ root, commit string }

// inRevision returns the folder of a revision with what a path of f names, and its path there. Listings, files that the
// revision lacks, and files outside the repository are the ones of f.
func (f *Folder) inRevision(r revisionOf, t source.Text, problems *source.Problems) (*Folder, source.Text) {
	below, inside := files.Below(r.root, filepath.Join(f.Doc.Dir, filepath.FromSlash(t.Value)))
	if r.commit == "" || !inside || filepath.IsAbs(t.Value) {
		return f, t
	}
	there := filepath.ToSlash(below)
	at, ok := f.at(r.root, source.Text{Value: r.commit, Pos: t.Pos}, there, true, problems)
	if !ok || at == f {
		return f, t
	}
	t.Value = there
	return at, t
}

// blob is a file or symbolic link that is committed.
type blob struct {
	mode string // as git writes it
	data []byte
}

// followed returns the file that a path leads to, or nil.
func followed(blobs map[string]*blob, name string) *blob {
	file := blobs[name]
	for range 40 { // as many links as the kernel follows
		if file == nil || file.mode != "120000" {
			return file
		}
		if path.IsAbs(string(file.data)) {
			return nil
		}
		name = path.Join(path.Dir(name), string(file.data))
		file = blobs[name]
	}
	return nil
}

// revisionError is an error with a hint for the author.
type revisionError struct {
	error
	hint string
}

func (e *revisionError) Unwrap() error { return e.error }

// errNoFolder means that a revision lacks a folder.
var errNoFolder = errors.New("has no folder")

// committed reads the files that are committed below a folder. Attributes and filters of git change nothing.
func committed(root, revision, folder string) (map[string]*blob, error) {
	repository := files.Git(context.Background(), root, "GIT_NO_LAZY_FETCH=1") // nothing comes from other machines
	tree, err := repository.Resolve(revision)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, &revisionError{errors.New("git is not installed"), "install it, or remove git from the build"}
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, &revisionError{errors.New("the project is not in a git repository"),
			"commit it with git, or remove git from the build"}
	case errors.Is(err, files.ErrNoRevision):
		return nil, &revisionError{fmt.Errorf("no revision %q in the git repository", revision),
			"name a tag, branch or commit; git fetch --tags gets those of the remote"}
	case err != nil:
		return nil, err
	}
	list, err := repository.Run("", "ls-tree", "-r", "-z", "-l", "--full-tree", tree, "--", folder)
	if err != nil {
		return nil, err
	}
	var ids strings.Builder
	var names []string
	out, size := map[string]*blob{}, int64(0)
	for entry := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if is := strings.Fields(about); len(is) == 4 && is[1] == "blob" { // a submodule is an empty folder
			bytes, _ := strconv.ParseInt(is[3], 10, 64)
			size += bytes
			names, out[name] = append(names, name), &blob{mode: is[0]}
			fmt.Fprintln(&ids, is[2])
		}
	}
	switch {
	case len(names) == 0:
		return nil, &revisionError{fmt.Errorf("revision %q %w %q", revision, errNoFolder, folder),
			"name a context that it has, or a later revision"}
	case size > MaxSize:
		return nil, &revisionError{fmt.Errorf("the folder %q of revision %q is larger than %d MiB", folder, revision,
			MaxSize>>20), "name a smaller context"}
	}
	data, err := repository.Output(ids.String(), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return out, readBlobs(data, names, out)
}

// readBlobs reads what git cat-file --batch writes: for each, a line that ends with its size, and its content.
func readBlobs(data []byte, names []string, into map[string]*blob) error {
	r := bufio.NewReader(bytes.NewReader(data))
	for _, name := range names {
		head, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(head[strings.LastIndexByte(head, ' ')+1:len(head)-1], 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %s", name, strings.TrimSpace(head))
		}
		content := make([]byte, size+1) // with the end of its line
		if _, err := io.ReadFull(r, content); err != nil {
			return err
		}
		into[name].data = content[:size]
	}
	return nil
}
