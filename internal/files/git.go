package files

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Repository is the git repository of a folder.
type Repository struct {
	ctx         context.Context
	dir         string
	environment []string
	options     []string // before each command
}

// Boundary is the name of a file that marks the folder of an extracted bundle. A search for a repository ends there.
const Boundary = ".benchbook-bundle"

// RepositoryAbove returns the nearest folder, from dir upwards, that has a repository or a Boundary, and the name found
// there: ".git" or Boundary. If nothing is found, both are empty.
func RepositoryAbove(dir string) (folder, name string) {
	for d := dir; ; d = filepath.Dir(d) {
		for _, name := range []string{Boundary, ".git"} {
			if _, err := os.Lstat(filepath.Join(d, name)); err == nil {
				return d, name
			}
		}
		if d == filepath.Dir(d) {
			return "", ""
		}
	}
}

// ceiling returns the nearest folder with a Boundary, from dir upwards; empty without one or if a repository is nearer.
func ceiling(dir string) string {
	resolved, err := filepath.Abs(dir)
	if err == nil {
		resolved, err = filepath.EvalSymlinks(resolved)
	}
	if err != nil {
		return ""
	}
	if folder, name := RepositoryAbove(resolved); name == Boundary {
		return folder
	}
	return ""
}

// protocols lists the protocols that remotes may use. Others, such as ext:: and fd::, run programs.
const protocols = "file:git:http:https:ssh"

// maxOutput bounds the output of git, in bytes. A tree bomb lists more paths than a disk holds.
const maxOutput = 300 << 20

// errTooMuch means that git printed more than maxOutput bytes.
var errTooMuch = fmt.Errorf("git prints more than %d MiB", maxOutput>>20)

// bounded is a buffer of at most limit bytes. A write beyond that fails, which ends the command that writes.
// bytes.Buffer is not embedded, because its method ReadFrom would bypass the limit.
type bounded struct {
	kept  bytes.Buffer
	limit int
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.over = b.kept.Len()+len(p) > b.limit; b.over {
		return 0, errTooMuch
	}
	return b.kept.Write(p)
}

// Git returns the repository of a folder. variables are added to the environment of git.
func Git(ctx context.Context, dir string, variables ...string) *Repository {
	r := &Repository{ctx: ctx, dir: dir}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		// If a git hook started us, these are set for the hook's repository.
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
			"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX":
		default:
			r.environment = append(r.environment, v)
		}
	}
	r.environment = append(append(r.environment, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_ALLOW_PROTOCOL="+protocols),
		variables...)
	if above := ceiling(dir); above != "" {
		r.environment = append(r.environment, "GIT_CEILING_DIRECTORIES="+filepath.Dir(above))
	}
	return r
}

// A GitError is a failed command of git.
type GitError struct {
	Command string // subcommand, such as push
	Said    string // output of git
}

func (e *GitError) Error() string {
	return fmt.Sprintf("git %s: %s", e.Command, strings.ReplaceAll(e.Said, "\n", "; "))
}

// Reason returns the line of the output that has the cause, or all of it if no line has one.
func (e *GitError) Reason() string {
	for line := range strings.Lines(e.Said) {
		for _, begin := range []string{"fatal: ", "error: ", " ! ["} {
			if strings.HasPrefix(line, begin) {
				return strings.TrimSpace(strings.TrimPrefix(line, begin))
			}
		}
	}
	return e.Said
}

// Output runs git with an input and returns its standard output. The error is a *GitError or the context's error, or it
// wraps exec.ErrNotFound or errTooMuch.
func (r *Repository) Output(input string, args ...string) ([]byte, error) {
	options := []string{"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.writeCommitGraph=false", "-c",
		"push.followTags=false", "-c", "submodule.recurse=false", "-c", "core.fsmonitor=false"}
	// A repository of a stranger may have hooks, so they are off. On a push, users expect their pre-push to run.
	if args[0] != "push" {
		options = append(options, "-c", "core.hooksPath="+os.DevNull)
	}
	cmd := exec.CommandContext(r.ctx, "git", slices.Concat(options, r.options, args)...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, r.environment, strings.NewReader(input)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // lets git remove its locks
	cmd.WaitDelay = 5 * time.Second
	stdout, stderr := &bounded{limit: maxOutput}, &bounded{limit: 1 << 20}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.kept.Bytes(), nil
	case stdout.over:
		return nil, fmt.Errorf("git %s: %w", args[0], errTooMuch)
	case r.ctx.Err() != nil:
		return nil, r.ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("git is not installed: %w", err)
	}
	return nil, &GitError{args[0], cmp.Or(strings.TrimRight(stderr.kept.String()+stdout.kept.String(), "\n"), err.Error())}
}

// WithoutFilters returns the repository without the filters that it and its submodules configure. The user's global
// filters stay.
func (r *Repository) WithoutFilters() *Repository {
	out := *r
	out.options = slices.Clone(r.options)
	top, err := r.Run("", "rev-parse", "--show-toplevel")
	if err != nil {
		return r // the next command will say why
	}
	for _, key := range filters(r.ctx, top) {
		value := ""
		if strings.HasSuffix(key, ".required") {
			value = "false"
		}
		out.options = append(out.options, "-c", key+"="+value)
	}
	return &out
}

// filters returns the configuration keys of filters that a repository and its submodules define. top is its folder.
func filters(ctx context.Context, top string) (keys []string) {
	r := Git(ctx, top)
	listed, _ := r.Run("", "config", "--show-scope", "--name-only", "-z", "--get-regexp", `^filter\.`) // or there are none
	words := strings.Split(listed, "\x00")                                                             // a scope before each key
	for i := 0; i+1 < len(words); i += 2 {
		if words[i] == "local" || words[i] == "worktree" {
			keys = append(keys, words[i+1])
		}
	}
	staged, _ := r.Run("", "ls-files", "--stage", "-z") // or there are none
	for entry := range strings.SplitSeq(staged, "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if !strings.HasPrefix(about, "160000 ") {
			continue
		}
		below := filepath.Join(top, name)
		info, err := os.Lstat(below) // a link could lead back here
		_, none := os.Lstat(filepath.Join(below, ".git"))
		if err == nil && info.IsDir() && none == nil {
			keys = append(keys, filters(ctx, below)...)
		}
	}
	return keys
}

// Run is like Output, without the line break at the end.
func (r *Repository) Run(input string, args ...string) (string, error) {
	out, err := r.Output(input, args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// ErrNoRevision means that no commit has the name.
var ErrNoRevision = errors.New("there is no such revision")

// Resolve returns the commit that a name refers to. The error is ErrNoRevision, or an error of Output.
func (r *Repository) Resolve(name string) (string, error) {
	commit, err := r.Run("", "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if e, ok := errors.AsType[*GitError](err); ok && strings.HasPrefix(e.Said, "exit status") { // git printed nothing
		return "", ErrNoRevision
	}
	return commit, err
}

// Tree returns the objects of a commit's regular files by path. With paths, it returns only files below these.
func (r *Repository) Tree(commit string, paths ...string) (map[string]string, error) {
	printed, err := r.Run("", append([]string{"ls-tree", "-r", "-z", commit, "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for entry := range strings.SplitSeq(printed, "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if fields := strings.Fields(about); len(fields) == 3 && strings.HasPrefix(fields[0], "100") { // mode, type, object
			out[name] = fields[2]
		}
	}
	return out, nil
}

// Commit makes a commit of a tree and returns it. Its parent is tip, or none if tip is empty.
func (r *Repository) Commit(tip, tree, message string) (string, error) {
	args := []string{"commit-tree", tree}
	if tip != "" {
		args = append(args, "-p", tip)
	}
	commit, err := r.Run(message, args...)
	if err != nil && strings.Contains(err.Error(), "tell me who you are") {
		return "", errors.New("git does not know who you are: tell it with git config user.name NAME and git config " +
			"user.email ADDRESS")
	}
	return commit, err
}

// ErrMoved means that somebody else changed the branch before a push.
var ErrMoved = errors.New("somebody else has pushed to it meanwhile, again and again: try again")

// Push pushes a commit to a branch of a remote, never by force. It returns ErrMoved if the branch is not an ancestor.
func (r *Repository) Push(to, commit, branch string) error {
	_, err := r.Run("", "push", "--quiet", "--porcelain", "--no-recurse-submodules", "--", to,
		commit+":refs/heads/"+branch)
	for _, words := range []string{"non-fast-forward", "fetch first", "cannot lock ref", "failed to update ref",
		"incorrect old value", "[rejected]"} {
		if err != nil && strings.Contains(err.Error(), words) {
			return ErrMoved
		}
	}
	return err
}
