package measure

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// unseen returns sentences about changes between the revisions that the comparison cannot see: experiments that may
// take changed files from the working tree, and articles whose blocks differ.
func (b *bench) unseen(ctx context.Context) (sentences []string, err error) {
	root := b.Project.Repository()
	repository := files.Git(ctx, root)
	printed, err := repository.Run("", "diff", "--name-only", "-z", b.A.Commit, b.B.Commit)
	if err != nil {
		return nil, lab.Failure(err)
	}
	changed := strings.FieldsFunc(printed, func(c rune) bool { return c == 0 })
	if len(changed) == 0 {
		return nil, nil
	}
	takes := false
	for _, l := range b.Articles {
		var problems source.Problems
		p, err := plan.New(b.Project, l.Doc, plan.Options{Profile: b.Profile}, &problems)
		if err != nil {
			return nil, lab.Failure(err)
		}
		if blocksDiffer(repository, root, l.Doc, changed, b.A.Commit, b.B.Commit) {
			takes = true
			sentences = append(sentences, l.Slug+": its blocks differ, and both sides have those of the working tree")
		}
		l.KeepExperiments(p)
		for _, e := range p.Experiments {
			for _, t := range e.Trials {
				why, fromRepository := unseen(t, root, changed)
				takes = takes || fromRepository
				if why != "" {
					sentences = append(sentences, fmt.Sprintf("%s#%s: %s", l.Slug, e.Name, why))
					break
				}
			}
		}
	}
	if !takes && len(sentences) == 0 {
		sentences = []string{"nothing that it measures is from the repository"}
	}
	return sentences, nil
}

// unseen returns why a trial may take changed files from the working tree, if it may, and whether it takes files from
// the revisions. changed lists files relative to root, the repository's folder.
func unseen(t *plan.Trial, root string, changed []string) (why string, fromRepository bool) {
	look := func(what string, image spec.Image, configs []spec.File) {
		switch {
		case image.Build != nil || len(configs) > 0:
			fromRepository = true
		case image.Machine && why == "":
			why = what + " runs without a container and has neither build nor configs"
		}
	}
	for _, s := range t.Services {
		what := fmt.Sprintf("service %q", s.Name)
		look(what, s.Image, s.Configs)
		for _, v := range s.Volumes {
			fromRepository = fromRepository || len(v.Files) > 0
			if v.Host != "" && slices.ContainsFunc(changed, func(name string) bool {
				_, inside := files.Below(v.Host, filepath.Join(root, filepath.FromSlash(name)))
				return inside
			}) {
				return fmt.Sprintf("%s mounts %s, which is not a path relative to the article", what, v.Source), false
			}
		}
	}
	if t.Command != nil && t.Command.Service == "" {
		look("its command", t.Command.Image, t.Command.Configs)
	}
	return why, fromRepository
}

// blocksDiffer reports whether the fenced blocks of an article, such as its experiments, differ between two commits.
func blocksDiffer(repository *files.Repository, root string, doc *article.Document, changed []string, base,
	head string) bool {
	below, _ := files.Below(root, filepath.Join(doc.Dir, filepath.Base(doc.Source.Path)))
	if !slices.Contains(changed, filepath.ToSlash(below)) {
		return false
	}
	blocks := func(commit string) string {
		text, _ := repository.Run("", "show", commit+":"+filepath.ToSlash(below)) // nothing if the revision lacks it
		var out strings.Builder
		inside := false
		for line := range strings.Lines(text) {
			fence := strings.HasPrefix(line, "```") || strings.HasPrefix(line, "~~~")
			if inside = inside != fence; inside || fence {
				out.WriteString(line)
			}
		}
		return out.String()
	}
	a, b := blocks(base), blocks(head)
	return a != b && a != "" && b != ""
}
