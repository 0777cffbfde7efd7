package bundles

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/files"
	"benchbook/lab"

	"benchbook/lab/forecast"
	"benchbook/lab/measure"
	"benchbook/lab/pages"
	"benchbook/lab/results"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/bundle"
	"benchbook/notebook/plan"

	"benchbook/notebook/spec"
	"benchbook/notebook/stats"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/images"
	"benchbook/runner/machine"
)

// ReproOptions say how a bundle is repeated.
type ReproOptions struct {
	Into string // the folder that it is opened in; empty: ARTICLE.repro
	measure.Options
}

const (
	// quickTime is how long a repetition in profile quick lasts at most, unless somebody says otherwise: so long that it
	// tells whether everything works.
	quickTime = 5 * time.Minute
	// large is how many bytes a bundle may have before somebody is asked whether they are to be written.
	large = 1 << 30
)

// Repro opens a bundle, says what measuring would run, asks, measures its article on this machine, and makes its pages,
// where both stand side by side. Run again, it continues in the same folder.
func Repro(ctx context.Context, a *lab.Session, from string, o ReproOptions) error {
	t := &reproduction{Session: a, options: o}
	if err := t.open(ctx, from); err != nil {
		return lab.Interrupted(ctx, err)
	}
	if err := t.plan(); err != nil {
		return err
	}
	if err := t.show(ctx); err != nil {
		return err
	}
	if err := t.confirm("measure it?", "nothing was measured"); err != nil {
		return err
	}
	t.options.Asking = measure.Asked
	err := measure.Run(ctx, a, t.project, []*lab.Article{t.article}, t.options.Options)
	_, none := os.Stat(filepath.Join(t.project.RecordsDir(t.article.Slug), t.host.ID, t.planned.Profile))
	if ctx.Err() != nil || err != nil && none != nil {
		return err
	}
	return a.JoinErrors(err, t.report())
}

// A reproduction is a bundle that is measured here.
type reproduction struct {
	*lab.Session
	manifest bundle.Manifest
	digest   string
	options  ReproOptions
	dir      string
	this     machine.Host
	host     machine.Host // that of what is measured here, as soon as it is known
	project  *article.Project
	article  *lab.Article
	planned  *plan.Plan
}

// open opens the bundle in its folder, unless it is there already.
func (t *reproduction) open(ctx context.Context, from string) (err error) {
	defer t.AwaitOnInterrupt(ctx)()
	if t.this, err = machine.Here(); err != nil {
		return lab.Failure(err)
	}
	r, done, err := openBundle(ctx, from, bundle.Limits{})
	if err != nil {
		return lab.Failure(err)
	}
	defer done()
	t.manifest, t.digest = r.Manifest(), r.Digest()
	t.dir = cmp.Or(t.options.Into, t.manifest.Article+".repro")
	if size := t.size(); size > large {
		err := t.confirm(fmt.Sprintf("write %s to %s?", units.BytesSize(float64(size)), terminal.Relative(t.dir)),
			"nothing was written")
		if err != nil {
			return err
		}
	}
	project, known, err := Open(ctx, r, t.dir, nil)
	if err != nil {
		return lab.Failure(fmt.Errorf("%s: %w", named(from), err))
	}
	if t.project = project; known {
		fmt.Fprintf(t.Stderr, "going on in %s, where the bundle is opened already\n", terminal.Relative(t.dir))
	}
	return nil
}

// become says what host is measured on, as soon as it is known. The records of the bundle that are of the same one are
// left out: what is measured here would otherwise be one with them.
func (t *reproduction) become(host machine.Host) error {
	if t.host.ID == host.ID {
		return nil
	}
	records, _ := files.Below(t.project.Dir, filepath.Join(t.project.RecordsDir(t.article.Slug), host.ID))
	theirs := slices.DeleteFunc(slices.Clone(t.manifest.Files), func(f bundle.File) bool {
		return !strings.Contains(f.Path, "/"+filepath.ToSlash(records)+"/")
	})
	if len(theirs) > 0 {
		fmt.Fprintf(t.Stderr, "this host and the author's both count as %s: the pages show only what is measured here\n",
			host.ID)
	}
	var left []string
	for _, f := range theirs {
		name := filepath.Join(t.dir, filepath.FromSlash(f.Path))
		data, err := os.ReadFile(name)
		switch sum := sha256.Sum256(data); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return lab.Failure(err)
		case hex.EncodeToString(sum[:]) != f.SHA256:
			return lab.Failure(fmt.Errorf("%s has results of this machine among the author's: move it elsewhere, or open the "+
				"bundle in another folder with --output", terminal.Relative(name)))
		}
		left = append(left, name)
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return lab.Failure(err)
		}
	}
	t.host = host
	return nil
}

// size is that of all files of the bundle, in bytes.
func (t *reproduction) size() (size int64) {
	for _, f := range t.manifest.Files {
		size += f.Size
	}
	return size
}

// plan plans the article.
func (t *reproduction) plan() (err error) {
	t.options.ChooseEngine(t.project)
	t.article = &lab.Article{Slug: t.manifest.Article}
	if t.article.Doc, err = lab.ReadArticle(t.project, t.article.Slug); err != nil {
		return lab.Failure(err)
	}
	list := []*lab.Article{t.article}
	plans, err := t.Plans(t.project, list, plan.Options{Profile: t.options.Profile},
		"nothing was measured")
	if err != nil {
		return t.wayOut(err)
	}
	t.planned = plans[t.article.Slug]
	t.options.Met = t.become
	if !t.planned.UsesHosts() { // others are met when it runs
		if err := t.become(t.this); err != nil {
			return err
		}
	}
	if t.options.Profile == plan.Quick && t.options.Budget == 0 {
		t.options.Budget = quickTime
	}
	if t.options.Over, err = Images(t.dir); err != nil {
		return lab.Failure(err)
	}
	return nil
}

// wayOut says of the error of an article with problems what to do.
func (t *reproduction) wayOut(err error) error {
	var status *lab.StatusError
	if !errors.As(err, &status) || status.Status != lab.StatusProblems {
		return err
	}
	words := "the bundle is of another version of benchbook, or was made by hand"
	if !t.project.Problems.Empty() {
		words = "mend that, and run the same command again"
	}
	return lab.WithStatus(status.Status, fmt.Errorf("%w: %s", status.Err, words))
}

// show says what the bundle is, and what measuring would run.
func (t *reproduction) show(ctx context.Context) error {
	m, w := t.manifest, t.Stdout
	fmt.Fprintf(w, "%s\n", terminal.Clean(cmp.Or(m.Title, m.Article)))
	if m.Author != "" {
		fmt.Fprintf(w, "  by %s\n", terminal.Clean(m.Author))
	}
	fmt.Fprintf(w, "  %s\n  %s, %s, opened in %s\n", t.digest, terminal.Count(len(m.Files), "file"),
		units.BytesSize(float64(t.size())), terminal.Relative(t.dir))
	if len(m.Hosts) > 0 {
		fmt.Fprintf(w, "  measured on %s until %s\n", terminal.Clean(terminal.InSentence(m.Hosts)),
			m.Date.UTC().Format("2 January 2006"))
	}
	fmt.Fprintf(w, "measuring it here, in profile %s, runs what its author wrote:\n", t.planned.Profile)
	for _, words := range t.dangers() {
		fmt.Fprintf(w, "  %s\n", terminal.Clean(words))
	}
	fmt.Fprintln(w)
	return forecast.PrintPlans(ctx, t.Session, t.project, []*lab.Article{t.article},
		map[string]*plan.Plan{t.article.Slug: t.planned}, t.this, false)
}

// What an article runs, uses and reaches, each once.
type needs struct {
	builds, bases, secrets, targets map[string]bool
	machine                         bool // runs programs of this machine
}

// needsOf finds what a plan needs.
func needsOf(p *plan.Plan) needs {
	n := needs{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, false}
	for _, e := range p.Experiments {
		n.machine = n.machine || e.Engine == spec.Local
		for _, s := range e.Secrets {
			n.secrets[s.Name] = true
		}
		for _, t := range e.Trials {
			for _, i := range images.Of(p.Article, t) {
				n.addImage(i)
			}
			if t.Load != nil && t.Load.Outside {
				for _, target := range t.Load.Targets {
					n.targets[target.URL] = true
				}
			}
		}
	}
	return n
}

func (n *needs) addImage(i engine.Image) {
	n.machine = n.machine || i.Machine
	if i.Build == nil {
		if i.Name != "" {
			n.bases[i.Name] = true
		}
		return
	}
	n.builds[i.Build.For] = true
	for _, f := range i.Build.Files {
		if f.Path != i.Build.Dockerfile {
			continue
		}
		if d, err := docker.ReadDockerfile(f.Data, i.Build.Args, i.Build.Target); err == nil {
			for _, b := range d.Bases {
				n.bases[b.Reference] = true
			}
		}
	}
}

// settings is the project file of the opened bundle, for people.
func (t *reproduction) settings() string {
	return terminal.Relative(filepath.Join(t.project.Dir, article.ProjectFile))
}

// otherMachines say where a plan runs that does not run on this machine alone; empty for one that does.
func otherMachines(p *plan.Plan, settings string) string {
	isCluster := func(e *plan.Experiment) bool { return e.Engine.Can(spec.Nodes) }
	if slices.ContainsFunc(p.All, isCluster) {
		return "in pods of the cluster that " + settings + " or your kubeconfig names"
	}
	return ""
}

// dangers say in a line each what may do harm.
func (t *reproduction) dangers() (out []string) {
	n := needsOf(t.planned)
	list := func(of map[string]bool) string { return terminal.InSentence(slices.Sorted(maps.Keys(of))) }
	if n.machine {
		out = append(out, "programs of this machine, as you: the engine local keeps them from nothing")
	}
	if t.options.Over != nil {
		out = append(out, "images that its author made, whatever its Dockerfiles say")
	} else {
		if len(n.builds) > 0 {
			out = append(out, terminal.Count(len(n.builds), "image")+" built here, with access to the network")
		}
		if len(n.bases) > 0 {
			out = append(out, "from "+list(n.bases))
		}
	}
	if words := otherMachines(t.planned, t.settings()); words != "" {
		out = append(out, words)
	}
	if len(n.secrets) > 0 {
		out = append(out, "with secrets of yours: "+list(n.secrets))
	}
	if len(n.targets) > 0 {
		out = append(out, "with load on what runs here already, at "+list(n.targets))
	}
	if words := Allowed(t.project); len(words) > 0 {
		out = append(out, "with what its project file allows: "+terminal.InSentence(words))
	}
	return out
}

// confirm asks the person at the terminal.
func (t *reproduction) confirm(question, otherwise string) error {
	if t.options.Yes {
		return nil
	}
	switch yes, asked := t.Ask(question); {
	case yes:
		return nil
	case asked:
		return lab.Failure(errors.New(otherwise))
	}
	return lab.UsageError(fmt.Errorf("%s: there is no terminal to ask on; add --yes if you trust its author", otherwise))
}

// report makes the pages, and says how far this host agrees with the bundle.
func (t *reproduction) report() error {
	list := []*lab.Article{t.article}
	outcomes, err := results.Outcomes(t.Session, t.project, list, t.planned.Profile)
	if err != nil {
		return err
	}
	var mine map[string]results.JudgementJSON
	if len(outcomes) > 0 && outcomes[0].Data.Host == t.host.ID {
		mine = outcomes[0].Judgements()
	}
	t.compare(mine)
	_, err = pages.Render(t.Session, t.project, list, pages.Options{}, lab.SlugsOf(list), false)
	if mine != nil {
		fmt.Fprintf(t.Stdout, "send its author the new files in %s\n",
			terminal.Relative(t.project.RecordsDir(t.article.Slug)))
	}
	return err
}

// compare prints the claims of the bundle beside what came of them here.
func (t *reproduction) compare(mine map[string]results.JudgementJSON) {
	if len(t.manifest.Claims) == 0 || mine == nil {
		return
	}
	rows := [][]string{{"claim", "there, on " + terminal.Clean(t.manifest.Claims[0].Host), "here, on " + t.host.ID, ""}}
	holds, same, measured, headlines := 0, 0, 0, 0
	for _, c := range t.manifest.Claims {
		here, ok := mine[c.Name]
		word := string(stats.NotMeasured)
		if ok {
			word = here.Verdict
		}
		both := word != string(stats.NotMeasured) && c.Verdict != string(stats.NotMeasured)
		agree := "differ"
		switch {
		case !both && word == c.Verdict:
			agree = "not measured"
		case !both:
			agree = "one host only"
		case word == c.Verdict:
			agree = "same"
		}
		if c.Headline {
			headlines++
			measured += lab.Boolean(both)
			holds += lab.Boolean(both && word == string(stats.Supported))
			same += lab.Boolean(agree == "same")
		}
		words := word
		if here.Effect != nil {
			words += effectOf(&here.Effect.Value, here.Effect.Lo, here.Effect.Hi)
		}
		rows = append(rows, []string{terminal.Clean(c.Name), terminal.Clean(c.Verdict) + effectOf(c.Effect, c.Lo, c.Hi),
			words, agree})
	}
	terminal.PrintColumns(t.Stdout, "", rows)
	switch {
	case measured > 0:
		fmt.Fprintf(t.Stdout, "of %s, %d measured on both: %d supported here, and %d with the same verdict as there\n",
			terminal.Count(headlines, "headline claim"), measured, holds, same)
	case headlines > 0:
		fmt.Fprintf(t.Stdout, "none of %s is measured on both\n", terminal.Count(headlines, "headline claim"))
	}
}

// effectOf is an effect with its interval, as far as they are known.
func effectOf(value, lo, hi *float64) string {
	switch {
	case value == nil:
		return ""
	case lo == nil || hi == nil:
		return fmt.Sprintf(" %.3g", *value)
	}
	return fmt.Sprintf(" %.3g [%.3g, %.3g]", *value, *lo, *hi)
}
