package plan

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// volume completes a volume. Files of the article are mounted as a copy, read-only by default, and enter the key; paths
// of the host must be allowed.
func (d *draft) volume(n *source.Node, v *spec.Volume) {
	if v.Target == "" {
		return // reported when it was decoded
	}
	from, target := article.VolumeParts(n)
	if !path.IsAbs(v.Target) && !isTemplate(target) {
		d.problems.Add("wrong-value", target.Pos, "the target of a volume must be a path in the container, not %q",
			v.Target).Hint = "begin it with /"
	}
	v.Type, v.Target = cmp.Or(v.Type, spec.NamedVolume), path.Clean(v.Target)
	if tmpfs := n.Under("tmpfs"); tmpfs != nil && v.Type != spec.TmpfsVolume {
		d.contradiction(tmpfs.Text.Pos, "a volume of type "+v.Type+" has no tmpfs", "write type: tmpfs, or remove it")
	}
	switch v.Type {
	case spec.TmpfsVolume:
		if v.Source != "" {
			d.contradiction(from.Pos, "a tmpfs has no source", "remove source")
		}
	case spec.BindVolume:
		d.bind(n, from, v)
	default:
		if v.Source != "" && !files.IsWord(v.Source) {
			d.problems.Add("wrong-value", from.Pos, "invalid volume name %q", v.Source).
				Hint = "begin a path with ./, or use letters, digits, - and _"
		}
	}
}

// bind completes a mount of files of the article, or of a path of the host.
func (d *draft) bind(n *source.Node, written source.Text, v *spec.Volume) {
	clean := path.Clean(v.Source)
	if v.Source == "" {
		d.problems.Add("missing-key", n.Text.Pos, "a bind has no source").
			Hint = "add source: with a path next to the article, such as ./data"
		return
	}
	from, t := d.folder(written).inRevision(d.revision, written, d.problems)
	if path.IsAbs(v.Source) || strings.HasPrefix(v.Source, "~") || isAbove(clean) {
		d.allow(article.AllowMounts, written.Pos,
			fmt.Sprintf("the path %q of this machine, outside the article's folder,", v.Source))
		if !from.committed {
			host, err := hostPath(d.folder(written).doc.Dir, v.Source)
			if err != nil {
				d.problems.Add("wrong-value", written.Pos, "the path %q cannot be found: %v", v.Source, err).
					Hint = "write a path that begins with /"
			}
			v.Host = host
			return
		}
	} else {
		v.ReadOnly, v.Source = v.ReadOnly || n.Under("read_only") == nil, clean
	}
	v.Files, v.Single = from.mounted(t, d.problems)
}

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
