package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/source"
)

// at returns the repository as committed in revision t, with the files below the folder context. If the revision lacks
// that folder, at returns f itself with mayLack; without, it adds a problem and returns false.
func (f *folder) at(t source.Text, context string, mayLack bool, problems *source.Problems) (*folder, bool) {
	root, key := f.seen.repository, t.Value+"\x00"+context
	if at, ok := f.around[key]; ok {
		return at, true
	}
	blobs, err := committed(root, t.Value, context)
	if errors.Is(err, errNoFolder) && mayLack {
		return f, true
	}
	if err != nil {
		message, hint := refusal(err, t.Value, context)
		problems.Add("no-such-revision", t.Pos, "%s", message).Hint = hint
		return nil, false
	}
	at := newRepository(root, nil, f.doc, f.seen)
	at.committed = true
	for _, name := range sortedKeys(blobs) {
		file := followed(blobs, name)
		switch _, isListing := at.listed[name]; {
		case isListing: // of the article, which takes precedence
		case file == nil:
			at.broken = append(at.broken, name)
		default:
			at.listed[name] = newFile(name, file.data, file.mode == "100755")
		}
	}
	f.around[key] = at
	return at, true
}

// inRevision returns the folder of a revision that contains t, and the path of t there. It returns f and t themselves
// without a revision, and for files that the revision lacks or that are outside the repository.
func (f *folder) inRevision(revision string, t source.Text, problems *source.Problems) (*folder, source.Text) {
	if revision == "" || filepath.IsAbs(t.Value) {
		return f, t
	}
	below, inside := files.Below(f.seen.repository, f.whole(t.Value))
	there := filepath.ToSlash(below)
	if !inside {
		return f, t
	}
	at, ok := f.at(source.Text{Value: revision, Pos: t.Pos}, there, true, problems)
	if !ok || at == f {
		return f, t
	}
	t.Value = there
	return at, t
}

// blob is a committed file or symbolic link.
type blob struct {
	mode string // git's file mode, such as 100755
	data []byte
}

// followed returns the file at a path, with symbolic links followed; nil if a link is absolute, broken or in a cycle.
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

// errNoFolder means that a revision lacks a folder.
var errNoFolder = errors.New("it has no such folder")

// refusal returns the message and hint for an error of reading a folder of a revision.
func refusal(err error, revision, folder string) (message, hint string) {
	says, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "fatal: "), "\n")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "git is not installed", "install it, or remove git from the build"
	case strings.Contains(err.Error(), "not a git repository"):
		return "the project is not in a git repository", "commit it with git, or remove git from the build"
	case errors.Is(err, files.ErrNoRevision):
		return fmt.Sprintf("no revision %q in the git repository", revision),
			"name a tag, branch or commit; git fetch --tags gets those of the remote"
	case errors.Is(err, errNoFolder):
		return fmt.Sprintf("revision %q has no folder %q", revision, folder), "name a context that it has, or a later revision"
	case errors.Is(err, files.ErrTooLarge):
		return fmt.Sprintf("the folder %q of revision %q is larger than %d MiB", folder, revision, MaxSize>>20),
			"name a smaller context"
	}
	return fmt.Sprintf("revision %q cannot be read: git says: %s", revision, says),
		"repair the repository: git show " + revision + " fails in the same way"
}

// committed reads the files below a folder of a revision, by path, without git's attributes and filters.
func committed(root, revision, folder string) (map[string]*blob, error) {
	repository := files.Git(context.Background(), root, "GIT_NO_LAZY_FETCH=1") // never fetch from a remote
	tree, err := repository.Resolve(revision)
	if err != nil {
		return nil, err
	}
	list, err := repository.Run("", "ls-tree", "-r", "-z", "-l", "--full-tree", tree, "--", folder)
	if err != nil {
		return nil, err
	}
	var ids strings.Builder
	var names []string
	out, size := map[string]*blob{}, 0
	for entry := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if is := strings.Fields(about); len(is) == 4 && is[1] == "blob" { // a submodule becomes an empty folder
			length, _ := strconv.Atoi(is[3])
			size += length
			names, out[name] = append(names, name), &blob{mode: is[0]}
			fmt.Fprintln(&ids, is[2])
		}
	}
	switch {
	case len(names) == 0:
		return nil, errNoFolder
	case size > MaxSize:
		return nil, files.ErrTooLarge
	}
	data, err := repository.Output(ids.String(), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	for _, name := range names { // each has a header that ends with its size, then its content
		head, rest, _ := bytes.Cut(data, []byte("\n"))
		length, err := strconv.Atoi(string(head[bytes.LastIndexByte(head, ' ')+1:]))
		if err != nil || length >= len(rest) {
			return nil, fmt.Errorf("%s: %s", name, head)
		}
		out[name].data, data = rest[:length], rest[length+1:]
	}
	return out, nil
}
