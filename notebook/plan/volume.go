package plan

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/spec"
)

func (r *reader) volumes(list []article.Volume) []spec.Volume {
	var out []spec.Volume
	for i := range list {
		if v, ok := r.volume(&list[i]); ok {
			out = append(out, v)
		}
	}
	return out
}

// volume reads a volume. Files of the article's folder are mounted as a copy, read-only unless it says otherwise, and
// are inputs; paths of the host have to be allowed.
func (r *reader) volume(v *article.Volume) (spec.Volume, bool) {
	if v.Target.IsZero() {
		return spec.Volume{}, false // reported when it was decoded
	}
	if !path.IsAbs(v.Target.Value) && !isTemplate(v.Target) {
		r.problems.Add("wrong-value", v.Target.Pos, "the target of a volume must be a path in the container, not %q",
			v.Target.Value).Hint = "begin it with /"
	}
	out := spec.Volume{Type: cmp.Or(string(v.Type.V), spec.NamedVolume), Source: v.Source.Value,
		Target: path.Clean(v.Target.Value), ReadOnly: v.ReadOnly.V}
	if v.Tmpfs != nil && v.Type.V != article.TmpfsVolume {
		r.contradiction(v.Tmpfs.Pos, "a volume of type "+out.Type+" has no tmpfs", "write type: tmpfs, or remove it")
	}
	switch v.Type.V {
	case article.TmpfsVolume:
		if v.Tmpfs != nil {
			out.Size = int64(v.Tmpfs.Size.V)
		}
		if !v.Source.IsZero() {
			r.contradiction(v.Source.Pos, "a tmpfs has no source", "remove source")
		}
		return out, true
	case article.BindVolume:
		return r.bind(v, out)
	}
	if v.Source.Value != "" && !article.IsName(v.Source.Value) {
		r.problems.Add("wrong-value", v.Source.Pos, "invalid volume name %q", v.Source.Value).
			Hint = "begin a path with ./, or use letters, digits, - and _"
		return out, false
	}
	return out, true
}

// bind reads a mount of files of the article or of a path of the host.
func (r *reader) bind(v *article.Volume, out spec.Volume) (spec.Volume, bool) {
	written := v.Source.Value
	clean := path.Clean(written)
	if written == "" {
		r.problems.Add("missing-key", v.Pos, "a bind has no source").
			Hint = "add source: with a path beside the article, such as ./data"
		return out, false
	}
	var ok bool
	from, t := r.folder(v.Source).inRevision(r.revisionOf(), v.Source, r.problems)
	if path.IsAbs(written) || strings.HasPrefix(written, "~") || clean == ".." || strings.HasPrefix(clean, "../") {
		r.allow(article.AllowMounts, v.Source.Pos,
			fmt.Sprintf("the path %q of this machine, outside the article's folder,", written))
		if from.revision != nil {
			out.Files, out.Single, ok = from.Mounted(t, r.problems)
			return out, ok
		}
		host, err := hostPath(r.folder(v.Source).Doc.Dir, written)
		if err != nil {
			r.problems.Add("wrong-value", v.Source.Pos, "the path %q cannot be found: %v", written, err).
				Hint = "write a path that begins with /"
		}
		out.Host = host
		return out, true
	}
	out.ReadOnly, out.Source = v.ReadOnly.V || !v.ReadOnly.Set(), clean
	out.Files, out.Single, ok = from.Mounted(t, r.problems)
	return out, ok
}

func (r *reader) revisionOf() revisionOf { return revisionOf{r.project.Repository(), r.revision} }

func hostPath(folder, source string) (string, error) {
	switch rest, home := strings.CutPrefix(source, "~"); {
	case home && (rest == "" || strings.HasPrefix(rest, "/")):
		dir, err := os.UserHomeDir()
		return filepath.Join(dir, rest), err
	case home:
		return "", errors.New("the home of another user is not looked up")
	case path.IsAbs(source):
		return path.Clean(source), nil
	}
	return filepath.Abs(filepath.Join(folder, source))
}
