package plan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// A revision is a build context as it was committed. Its files are the listings of its folder.
type revision struct {
	executable map[string]bool // by path
	links      []string        // symbolic ones that lead to no file of it
}

func (r *revision) isExecutable(name string) bool { return r != nil && r.executable[name] }

// brokenLinks are those links of a revision that are in the folder.
func (g *gathering) brokenLinks() []string {
	if g.revision == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.revision.links), func(name string) bool {
		inner, ok := g.inner(name)
		return !ok || g.ignores(inner) || g.isLeftOut(name)
	})
}

// At is a folder of a git repository as it was in a revision, as a folder of the article that uses it. It is false if
// there is none, which is reported; if the revision may lack it, it is the folder as it is then.
func (f *Folder) At(root string, t source.Text, context string, mayLack bool, problems *source.Problems) (*Folder,
	bool) {
	key := strings.Join([]string{root, t.Value, context}, "\x00")
	if at, ok := f.around[key]; ok {
		return at, true
	}
	files, err := committed(root, t.Value, context)
	wrong, isWrong := errors.AsType[*noRevisionError](err)
	switch {
	case isWrong && wrong.noFolder && mayLack:
		return f, true
	case isWrong:
		problems.Add("no-such-revision", t.Pos, "%s", wrong.why).Hint = wrong.wayOut
		return nil, false
	case err != nil:
		says, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "fatal: "), "\n")
		problems.Add("no-such-revision", t.Pos, "revision %q cannot be read: git says: %s", t.Value, says).
			Hint = "repair the repository: git show " + t.Value + " fails in the same way"
		return nil, false
	}
	at := NewRepository(root, nil, f.Doc)
	at.revision = &revision{executable: map[string]bool{}}
	now := map[string]bool{} // listings of the article are there as they are now
	for _, l := range at.Doc.Listings {
		now[l.Path] = true
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := followed(files, name)
		switch {
		case now[name]:
		case file == nil:
			at.revision.links = append(at.revision.links, name)
		default:
			at.Doc.Listings = append(at.Doc.Listings, &article.Listing{Path: name, Data: file.data, Pos: t.Pos})
			at.revision.executable[name] = file.mode == "100755"
		}
	}
	if f.around == nil {
		f.around = map[string]*Folder{}
	}
	f.around[key] = at
	return at, true
}

// blob is a file or symbolic link that is committed.
type blob struct {
	mode string // as git writes it
	data []byte
}

const linkMode = "120000"

// followed is the file that a path leads to; nil for none.
func followed(files map[string]*blob, name string) *blob {
	file := files[name]
	for range 40 { // as many as the kernel follows
		if file == nil || file.mode != linkMode {
			return file
		}
		if path.IsAbs(string(file.data)) {
			return nil
		}
		name = path.Join(path.Dir(name), string(file.data))
		file = files[name]
	}
	return nil
}

// noRevisionError is why a context cannot be taken from a revision, and what to do.
type noRevisionError struct {
	why, wayOut string
	noFolder    bool // the revision is there
}

func (e *noRevisionError) Error() string { return e.why }

// committed reads what is committed in a folder, and in those below. Attributes and filters of git change nothing.
func committed(root, revision, folder string) (map[string]*blob, error) {
	repository := files.Git(context.Background(), root, "GIT_NO_LAZY_FETCH=1") // nothing comes from other machines
	tree, err := repository.Resolve(revision)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, &noRevisionError{why: "git is not installed", wayOut: "install it, or remove git from the build"}
	case err != nil && strings.Contains(err.Error(), "not a git repository"):
		return nil, &noRevisionError{why: "the project is not in a git repository",
			wayOut: "commit it with git, or remove git from the build"}
	case errors.Is(err, files.ErrNoRevision):
		return nil, &noRevisionError{why: fmt.Sprintf("no revision %q in the git repository", revision),
			wayOut: "name a tag, branch or commit; git fetch --tags gets those of the remote"}
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
		if is := strings.Fields(about); len(is) == 4 && is[1] == "blob" { // or a submodule, which is an empty folder
			bytes, _ := strconv.ParseInt(is[3], 10, 64)
			size += bytes
			names, out[name] = append(names, name), &blob{mode: is[0]}
			fmt.Fprintln(&ids, is[2])
		}
	}
	switch {
	case len(names) == 0:
		return nil, &noRevisionError{fmt.Sprintf("revision %q has no folder %q", revision, folder),
			"name a context that it has, or a later revision", true}
	case size > MaxSize:
		return nil, &noRevisionError{why: fmt.Sprintf("the folder %q of revision %q is larger than %d MiB", folder,
			revision, MaxSize>>20), wayOut: "name a smaller context"}
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
		size, err := strconv.ParseInt(head[strings.LastIndexByte(strings.TrimSpace(head), ' ')+1:len(head)-1], 10, 64)
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
