package bundle

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	Into string // a folder; ARTICLE.repro by default
	measure.Options
}

const (
	quickTime = 5 * time.Minute // of profile quick, unless there is a budget
	large     = 1 << 30         // bytes of a bundle; repro asks before it writes more
)

// Repro opens a bundle, says what measuring would run, asks, measures its article on this machine, and prints and
// renders both results. Run again, it continues in the same folder.
func Repro(ctx context.Context, a *lab.Session, from string, o ReproOptions) error {
	r := &reproduction{Session: a, options: o}
	if err := r.open(ctx, from); err != nil {
		return lab.Interrupted(ctx, err)
	}
	if err := r.prepare(); err != nil {
		return err
	}
	if err := r.describe(ctx); err != nil {
		return err
	}
	if err := r.confirm("measure it?", "nothing was measured"); err != nil {
		return err
	}
	r.options.Asking = measure.Asked
	err := measure.Run(ctx, a, r.project, []*lab.Article{r.article}, r.options.Options)
	_, none := os.Stat(filepath.Join(r.project.RecordsDir(r.article.Slug), r.host.ID, r.plan.Profile))
	if ctx.Err() != nil || err != nil && none != nil {
		return err
	}
	return a.JoinErrors(err, r.report())
}

// reproduction is an opened bundle that is measured on this machine.
type reproduction struct {
	*lab.Session
	manifest Manifest
	digest   string
	options  ReproOptions
	dir      string
	here     machine.Host
	host     machine.Host // of the results; zero until it is known
	sameID   bool         // the author's host has the ID of host
	project  *article.Project
	article  *lab.Article
	plan     *plan.Plan
}

// open extracts the bundle into its folder.
func (r *reproduction) open(ctx context.Context, from string) (err error) {
	defer r.AwaitOnInterrupt(ctx)()
	if r.here, err = machine.Here(); err != nil {
		return lab.Failure(err)
	}
	in, done, err := openFrom(ctx, from, Limits{})
	if err != nil {
		return lab.Failure(err)
	}
	defer done()
	r.manifest, r.digest = in.Manifest(), in.Digest()
	r.dir = cmp.Or(r.options.Into, r.manifest.Article+".repro")
	if size := r.manifest.size(); size > large {
		question := fmt.Sprintf("write %s to %s?", units.BytesSize(float64(size)), terminal.Relative(r.dir))
		if err := r.confirm(question, "nothing was written"); err != nil {
			return err
		}
	}
	project, reused, err := extract(ctx, in, r.dir, nil)
	if err != nil {
		return lab.Failure(fmt.Errorf("%s: %w", redacted(from), err))
	}
	if r.project = project; reused {
		fmt.Fprintf(r.Stderr, "continuing in %s, where the bundle is opened already\n", terminal.Relative(r.dir))
	}
	return nil
}

// authorSuffix ends the host of the author's records where the author's host has the same ID as this one.
const authorSuffix = "-author"

// setHost sets the host of the results, as soon as it is known. The author's records of a host with the same ID get
// another host, so that the two are shown next to each other.
func (r *reproduction) setHost(host machine.Host) error {
	if r.host.ID == host.ID {
		return nil
	}
	records, _ := files.Below(r.project.Dir, r.project.RecordsDir(r.article.Slug))
	same := filepath.ToSlash(filepath.Join(records, host.ID)) + "/"
	author := filepath.Join(r.project.RecordsDir(r.article.Slug), host.ID+authorSuffix)
	content, target := map[string][]byte{}, map[string]string{} // by old file
	for _, f := range r.manifest.Files {
		_, below, ok := strings.Cut(f.Path, "/"+same)
		if !ok {
			continue
		}
		r.sameID = true
		name := filepath.Join(r.dir, filepath.FromSlash(f.Path))
		data, err := os.ReadFile(name)
		switch sum := sha256.Sum256(data); {
		case errors.Is(err, fs.ErrNotExist): // renamed before
		case err != nil:
			return lab.Failure(err)
		case hex.EncodeToString(sum[:]) != f.SHA256:
			return lab.Failure(fmt.Errorf("%s has results of this machine among the author's: move it elsewhere, or open the "+
				"bundle in another folder with --output", terminal.Relative(name)))
		default:
			content[name], target[name] = withHost(data, host.ID+authorSuffix), filepath.Join(author, filepath.FromSlash(below))
		}
	}
	if r.sameID {
		fmt.Fprintf(r.Stderr, "this host and the author's both count as %s: the author's is shown as %s\n", host.ID,
			host.ID+authorSuffix)
	}
	for name, data := range content {
		err := files.Write(target[name], data)
		if err == nil {
			err = os.Remove(name)
		}
		if err != nil {
			return lab.Failure(err)
		}
	}
	r.host = host
	return nil
}

// withHost returns records, one a line, with another host. Lines that are not JSON objects are left out.
func withHost(records []byte, host string) (out []byte) {
	for line := range bytes.Lines(records) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(line, &fields) != nil {
			continue
		}
		if fields["host"] == nil {
			out = append(out, line...)
			continue
		}
		fields["host"] = json.RawMessage(strconv.Quote(host))
		if changed, err := json.Marshal(fields); err == nil {
			out = append(append(out, changed...), '\n')
		}
	}
	return out
}

// prepare plans the article.
func (r *reproduction) prepare() (err error) {
	r.options.ChooseEngine(r.project)
	r.article = &lab.Article{Slug: r.manifest.Article}
	if r.article.Doc, err = lab.ReadArticle(r.project, r.article.Slug); err != nil {
		return lab.Failure(err)
	}
	plans, err := r.Plans(r.project, []*lab.Article{r.article}, plan.Options{Profile: r.options.Profile},
		"nothing was measured")
	var status *lab.StatusError
	if errors.As(err, &status) && status.Status == lab.StatusProblems {
		words := "the bundle is of another version of benchbook, or was made by hand"
		if !r.project.Problems.Empty() {
			words = "correct that, and run the same command again"
		}
		return lab.WithStatus(status.Status, fmt.Errorf("%w: %s", status.Err, words))
	}
	if err != nil {
		return err
	}
	r.plan = plans[r.article.Slug]
	r.options.Met = r.setHost
	if !r.plan.UsesHosts() { // hosts of a cluster are known when they run
		if err := r.setHost(r.here); err != nil {
			return err
		}
	}
	if r.options.Profile == plan.Quick && r.options.Budget == 0 {
		r.options.Budget = quickTime
	}
	if r.options.Over, err = useImages(r.dir); err != nil {
		return lab.Failure(err)
	}
	return nil
}

// describe prints the origin of the bundle, the rights that measuring needs, and the plan.
func (r *reproduction) describe(ctx context.Context) error {
	w := r.Stdout
	r.printOrigin()
	fmt.Fprintf(w, "measuring it here, in profile %s, runs what its author wrote:\n", r.plan.Profile)
	for _, words := range r.rights() {
		fmt.Fprintf(w, "  %s\n", terminal.Clean(words))
	}
	fmt.Fprintln(w)
	return forecast.PrintPlans(ctx, r.Session, r.project, []*lab.Article{r.article},
		map[string]*plan.Plan{r.article.Slug: r.plan}, r.here, false)
}

// printOrigin prints what the bundle says about itself, without characters that act on a terminal.
func (r *reproduction) printOrigin() {
	m, w := r.manifest, r.Stdout
	fmt.Fprintf(w, "%s\n", terminal.Clean(cmp.Or(m.Title, m.Article)))
	if m.Author != "" {
		fmt.Fprintf(w, "  by %s\n", terminal.Clean(m.Author))
	}
	fmt.Fprintf(w, "  %s\n  %s, %s, opened in %s\n", r.digest, terminal.Count(len(m.Files), "file"),
		units.BytesSize(float64(m.size())), terminal.Relative(r.dir))
	if len(m.Hosts) > 0 {
		fmt.Fprintf(w, "  measured on %s until %s\n", terminal.Clean(terminal.InSentence(m.Hosts)),
			m.Date.UTC().Format("2 January 2006"))
	}
}

// rights returns one line for each thing that may do harm.
func (r *reproduction) rights() (out []string) {
	builds, bases, secrets, targets := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	local := false
	for _, e := range r.plan.Experiments {
		local = local || e.Engine == spec.Local
		for _, s := range e.Secrets {
			secrets[s.Name] = true
		}
		for _, t := range e.Trials {
			for _, i := range images.Of(r.plan.Article, t) {
				local = local || i.Machine
				addBases(i, builds, bases)
			}
			if t.Load != nil && t.Load.Outside {
				for _, target := range t.Load.Targets {
					targets[target.URL] = true
				}
			}
		}
	}
	add := func(wanted bool, words string, names map[string]bool) {
		if wanted {
			out = append(out, words+terminal.InSentence(slices.Sorted(maps.Keys(names))))
		}
	}
	carried := r.options.Over != nil
	add(local, "programs of this machine, as you: the engine local keeps them from nothing", nil)
	add(carried, "images that its author made, whatever its Dockerfiles say", nil)
	add(!carried && len(builds) > 0, terminal.Count(len(builds), "image")+" built here, with access to the network", nil)
	add(!carried && len(bases) > 0, "from ", bases)
	add(slices.ContainsFunc(r.plan.All, func(e *plan.Experiment) bool { return e.Engine.Can(spec.Nodes) }),
		"in pods of the cluster that "+terminal.Relative(filepath.Join(r.project.Dir, article.ProjectFile))+
			" or your kubeconfig names", nil)
	add(len(secrets) > 0, "with your secrets: ", secrets)
	add(len(targets) > 0, "with load on what runs here already, at ", targets)
	allowed := map[string]bool{}
	for _, v := range r.project.Allow.Words {
		allowed[string(v.V)] = true
	}
	add(len(allowed) > 0, "with what its project file allows: ", allowed)
	return out
}

// addBases adds the build of an image, and the images that it begins with.
func addBases(i engine.Image, builds, bases map[string]bool) {
	if i.Build == nil {
		if i.Name != "" {
			bases[i.Name] = true
		}
		return
	}
	builds[i.Build.For] = true
	for _, f := range i.Build.Files {
		if f.Path != i.Build.Dockerfile {
			continue
		}
		if d, err := docker.ReadDockerfile(f.Data, i.Build.Args, i.Build.Target); err == nil {
			for _, b := range d.Bases {
				bases[b.Reference] = true
			}
		}
	}
}

// confirm asks the person at the terminal.
func (r *reproduction) confirm(question, otherwise string) error {
	if r.options.Yes {
		return nil
	}
	switch yes, asked := r.Ask(question); {
	case yes:
		return nil
	case asked:
		return lab.Failure(errors.New(otherwise))
	}
	return lab.UsageError(fmt.Errorf("%s: there is no terminal to ask on; add --yes if you trust its author", otherwise))
}

// report prints both results and makes the pages.
func (r *reproduction) report() error {
	list := []*lab.Article{r.article}
	outcomes, err := results.Outcomes(r.Session, r.project, list, r.plan.Profile)
	if err != nil {
		return err
	}
	var mine map[string]results.JudgementJSON
	if len(outcomes) > 0 && outcomes[0].Data.Host == r.host.ID {
		mine = outcomes[0].Judgements()
	}
	r.compare(mine)
	_, err = pages.Render(r.Session, r.project, list, pages.Options{}, lab.SlugsOf(list), false)
	if mine != nil {
		fmt.Fprintf(r.Stdout, "send its author the new files in %s\n",
			terminal.Relative(r.project.RecordsDir(r.article.Slug)))
	}
	return err
}

// compare prints each claim there and here.
func (r *reproduction) compare(mine map[string]results.JudgementJSON) {
	if len(r.manifest.Claims) == 0 || mine == nil {
		return
	}
	there := terminal.Clean(r.manifest.Claims[0].Host)
	if r.sameID && there == r.host.ID {
		there += authorSuffix
	}
	rows := [][]string{{"claim", "there, on " + there, "here, on " + r.host.ID, ""}}
	holds, same, measured, headlines := 0, 0, 0, 0
	for _, c := range r.manifest.Claims {
		here, ok := mine[c.Name]
		word := string(stats.NotMeasured)
		if ok {
			word = here.Verdict
		}
		both := word != string(stats.NotMeasured) && c.Verdict != string(stats.NotMeasured)
		agree := agreement(c.Verdict, word)
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
	terminal.PrintColumns(r.Stdout, "", rows)
	switch {
	case measured > 0:
		fmt.Fprintf(r.Stdout, "of %s, %d measured on both: %d supported here, and %d with the same verdict as there\n",
			terminal.Count(headlines, "headline claim"), measured, holds, same)
	case headlines > 0:
		fmt.Fprintf(r.Stdout, "none of %s is measured on both\n", terminal.Count(headlines, "headline claim"))
	}
}

// agreement compares the verdicts on a claim on two hosts.
func agreement(there, here string) string {
	const none = string(stats.NotMeasured)
	switch {
	case there == none && here == none:
		return "not measured"
	case there == none || here == none:
		return "one host only"
	case there == here:
		return "same"
	}
	return "differ"
}

// effectOf returns an effect and its interval.
func effectOf(value, lo, hi *float64) string {
	switch {
	case value == nil:
		return ""
	case lo == nil || hi == nil:
		return fmt.Sprintf(" %.3g", *value)
	}
	return fmt.Sprintf(" %.3g [%.3g, %.3g]", *value, *lo, *hi)
}
