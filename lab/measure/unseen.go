package measure

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// unseen returns a sentence for each experiment that may run changed files as they are in the working tree: only what is
// built from the repository differs between the sides.
func (b *bench) unseen(ctx context.Context, base, head plan.Revision) (sentences []string, err error) {
	root := b.project.Repository()
	printed, err := files.Git(ctx, root).Run("", "diff", "--name-only", "-z", base.Commit, head.Commit)
	if err != nil {
		return nil, lab.Failure(err)
	}
	changed := strings.FieldsFunc(printed, func(c rune) bool { return c == 0 })
	if len(changed) == 0 {
		return nil, nil
	}
	built := false
	for _, l := range b.articles {
		var problems source.Problems
		p, err := plan.New(b.project, l.Doc, plan.Options{Profile: b.Profile}, &problems)
		if err != nil {
			return nil, lab.Failure(err)
		}
		lab.KeepExperiments(p, l.Experiments)
		for _, e := range p.Experiments {
			for _, t := range e.Trials {
				why, builds := unseen(t, l.Doc.Dir, root, changed)
				built = built || builds
				if why != "" {
					sentences = append(sentences, fmt.Sprintf("%s#%s: %s", l.Slug, e.Name, why))
					break
				}
			}
		}
	}
	if !built && len(sentences) == 0 {
		sentences = []string{"nothing that it measures is built"}
	}
	return sentences, nil
}

// unseen returns why a trial may run changed files as they are in the working tree, empty if it does not, and whether it
// builds something. Changed files are relative to the root of the repository.
func unseen(t *plan.Trial, dir, root string, changed []string) (why string, builds bool) {
	images, names := []spec.Image{}, []string{}
	for _, s := range t.Services {
		images, names = append(images, s.Image), append(names, fmt.Sprintf("service %q", s.Name))
		for _, v := range s.Volumes {
			at := v.Host
			if at == "" {
				at = filepath.Join(dir, filepath.FromSlash(v.Source))
			}
			if v.Type == spec.BindVolume && slices.ContainsFunc(changed, func(name string) bool {
				_, inside := files.Below(at, filepath.Join(root, filepath.FromSlash(name)))
				return inside
			}) {
				return fmt.Sprintf("service %q mounts %s", s.Name, v.Source), false
			}
		}
	}
	if t.Command != nil && t.Command.Service == "" {
		images, names = append(images, t.Command.Image), append(names, "its command")
	}
	for i, image := range images {
		if image.Machine {
			return names[i] + " runs without a container", false
		}
		builds = builds || image.Build != nil
	}
	return "", builds
}
