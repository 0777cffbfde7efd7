package bundles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"benchbook/lab"
	"benchbook/lab/lock"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/runner/engine"
	"benchbook/runner/images"
)

// LockOptions say how an article is locked.
type LockOptions struct {
	Wait    bool // for another run to finish
	Verbose bool // says what builders of images say
}

// whole refuses what is not all of an article of a project.
func whole(project *projects.Project, c *lab.Article) error {
	switch {
	case len(c.Experiments) > 0:
		return lab.UsageError(fmt.Errorf("only a whole article can be locked or bundled: write %s", c.Slug))
	case project.File() != "":
		return lab.UsageError(fmt.Errorf("%s is in no project: move it to experiments/NAME/article.md, with benchbook.yaml "+
			"beside experiments", terminal.Relative(project.File())))
	}
	return nil
}

// Lock makes available all images of an article, under every profile that it has, and writes down what they came to.
func Lock(ctx context.Context, a *lab.Session, project *projects.Project, c *lab.Article,
	o LockOptions) (*lock.Lock, error) {
	if err := whole(project, c); err != nil {
		return nil, err
	}
	p, err := c.Plan(project, plan.Options{})
	if err != nil {
		return nil, err
	}
	profiles := []string{plan.Full}
	for _, other := range p.Others() {
		profiles = append(profiles, other.Profile)
	}
	var maker lock.Maker
	for _, profile := range profiles {
		one := &lab.Article{Slug: c.Slug}
		if one.Doc, err = lab.ReadArticle(project, c.Slug); err != nil {
			return nil, lab.Failure(err)
		}
		if err := measure.Prepare(ctx, a, project, []*lab.Article{one}, measure.Options{Profile: profile, Wait: o.Wait,
			Verbose: o.Verbose, Over: maker.Over}); err != nil {
			return nil, err
		}
	}
	l := maker.Lock(c.Slug)
	if len(l.Images) == 0 {
		return nil, lab.Failure(fmt.Errorf("article %s has no images to lock: what it runs is of this machine, and records "+
			"tell which programs these were", c.Slug))
	}
	if err := l.Write(project); err != nil {
		return nil, lab.Failure(err)
	}
	packages := 0
	for _, i := range l.Images {
		for _, list := range i.Packages {
			packages += len(list)
		}
	}
	fmt.Fprintf(a.Stdout, "locked %s, with %s in them, in %s\n", terminal.Count(len(l.Images), "image"),
		terminal.Count(packages, "package"), terminal.Relative(lock.File(project, c.Slug)))
	return l, nil
}

// Locked holds a run of some articles to their locks. Images that the engine lacks are loaded from an archive, if that
// is not empty. The function says, once it is over, which images were used.
func Locked(project *projects.Project, list []*lab.Article, archive string) (over func(engine.Engine) engine.Engine,
	used func(io.Writer), err error) {
	var locks []*lock.Lock
	for _, c := range list {
		l, err := lock.Read(project, c.Slug)
		if errors.Is(err, lock.ErrNone) {
			err = fmt.Errorf("%w: make one with benchbook lock %s", err, c.Slug)
		}
		if err != nil {
			return nil, nil, lab.UsageError(err)
		}
		locks = append(locks, l)
	}
	k, err := lock.Keep(locks...)
	if err != nil {
		return nil, nil, lab.Failure(err)
	}
	k.Archive = archive
	return k.Over, func(w io.Writer) {
		if words := k.Words(); words != "" {
			fmt.Fprintln(w, words)
		}
	}, nil
}

// checkLock asks whether a lock has all images of a plan.
func checkLock(l *lock.Lock, p *plan.Plan) error {
	isOld := func(t *plan.Trial) bool {
		for _, i := range images.Of(p.Article, t) {
			if t.Unavailable == "" && len(t.Tune) == 0 && !l.Has(i) {
				return true
			}
		}
		return false
	}
	for _, e := range p.Experiments {
		if slices.ContainsFunc(e.Trials, isOld) {
			return fmt.Errorf("the lock of article %s is older than its images: lock it again with benchbook lock %s",
				p.Article, p.Article)
		}
	}
	return nil
}
