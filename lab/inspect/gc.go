package inspect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/go-units"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/load/foreign"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// garbage is what gc prints with --json. Fields are added to it in later versions, none are renamed or removed.
type Garbage struct {
	Records     []garbageRun   `json:"records"`
	Images      []garbageImage `json:"images"`
	RecordBytes int64          `json:"record_bytes"`
	ImageBytes  int64          `json:"image_bytes"`
	// Left says what is left alone, and why.
	Left []string `json:"left"`
}

type garbageRun struct {
	Article    string `json:"article"`
	Experiment string `json:"experiment"`
	Host       string `json:"host"`
	Profile    string `json:"profile"`
	Run        string `json:"run"`
	Records    int    `json:"records"`
	Bytes      int64  `json:"bytes"`
}

type garbageImage struct {
	Reference string `json:"reference"`
	For       string `json:"for"`
	Bytes     int64  `json:"bytes"` // beside those of what it is built from
}

// collect removes garbage, or only says what it would be. Nothing is collected while a run measures, since what it
// needs may not be written yet.
func CollectGarbage(ctx context.Context, a *lab.Session, dryRun, wait bool) (*Garbage, error) {
	project, list, err := a.Select(nil)
	if err != nil {
		return nil, err
	}
	defer a.AwaitOnInterrupt(ctx)()
	if !dryRun {
		host, err := sysinfo.ThisHost()
		if err != nil {
			return nil, lab.Failure(err)
		}
		unlock, err := measure.Lock(ctx, a, host, nil, "collecting garbage", wait)
		if err != nil {
			return nil, err
		}
		defer unlock()
	}
	if _, err := a.Sync(ctx, project, false, nil); err != nil { // what others have measured since decides as well
		return nil, lab.Failure(err)
	}
	packs, err := a.Packs(ctx, project)
	if err != nil {
		return nil, lab.Failure(err)
	}
	found := &Garbage{Records: []garbageRun{}, Images: []garbageImage{}, Left: []string{}}
	plans, unplanned, err := allPlans(a, project, list)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if slices.Contains(unplanned, c.Slug) {
			continue
		}
		if err := collectRecords(a, project, c.Slug, plans[c.Slug], found, dryRun); err != nil {
			return found, lab.Failure(err)
		}
	}
	if !dryRun {
		a.SyncOrWarn(ctx, project, packs)
	}
	if len(unplanned) > 0 {
		found.Left = append(found.Left, fmt.Sprintf("records of %s, and all images: it is not known what articles with "+
			"problems need; benchbook check names the problems", strings.Join(unplanned, ", ")))
		return found, nil
	}
	return found, collectImages(ctx, a, plans, found, dryRun)
}

// allPlans are the plans of articles by slug, under every profile that they have, and the articles that have problems.
func allPlans(a *lab.Session, project *projects.Project, list []*lab.Article) (plans map[string][]*plan.Plan,
	unplanned []string, err error) {
	plans = map[string][]*plan.Plan{}
	docs := slice.Map(list, func(c *lab.Article) *article.Document { return c.Doc })
	for _, c := range list {
		for _, profile := range lab.ProfileNames(project, docs) {
			var problems source.Problems
			p, err := plan.New(project, c.Doc, plan.Options{Profile: profile}, &problems)
			if errors.Is(err, plan.ErrNoProfile) {
				continue
			}
			if err != nil {
				return nil, nil, lab.Failure(err)
			}
			problems.Merge(&c.Doc.Problems)
			if !problems.Empty() && !slices.Contains(unplanned, c.Slug) {
				unplanned = append(unplanned, c.Slug)
			}
			plans[c.Slug] = append(plans[c.Slug], p)
		}
	}
	return plans, unplanned, nil
}

// collectRecords removes the records of an article that are superseded, and the probes of searches that no run would go
// on with.
func collectRecords(a *lab.Session, project *projects.Project, slug string, plans []*plan.Plan, found *Garbage,
	dryRun bool) error {
	type trial struct{ profile, experiment, name, key string }
	present := map[trial]bool{}
	for _, p := range plans {
		for _, e := range p.Experiments {
			for _, t := range e.Trials {
				present[trial{p.Profile, e.Name, t.Name, t.Key}] = true
			}
		}
	}
	dir := record.Dir(project.RecordsDir(slug))
	records, bad, err := dir.Read()
	if err != nil {
		return err
	}
	a.WarnBad(bad)
	// those of the article it was copied from
	records = slices.DeleteFunc(records, func(r *record.Record) bool { return r.Article != slug })
	isPresent := func(r *record.Record) bool { return present[trial{r.Profile, r.Experiment, r.Trial, r.Key}] }
	if err := collectSearches(dir, slug, records, isPresent, found, dryRun); err != nil {
		return err
	}
	superseded := record.Superseded(records, isPresent)
	sizes, err := dir.Remove(superseded, dryRun)
	for _, r := range superseded {
		if size, ok := sizes[r]; ok { // else it lies under a name that somebody gave it
			found.add(slug, r, size)
		}
	}
	return err
}

// collectSearches removes the probes of stopped searches that have ended since, or that no plan has any more.
func collectSearches(dir record.Dir, slug string, records []*record.Record, isPresent func(*record.Record) bool,
	found *Garbage, dryRun bool) error {
	stopped, err := dir.Unfinished()
	if err != nil {
		return err
	}
	for _, s := range stopped {
		hasEnded := slices.ContainsFunc(records, func(r *record.Record) bool {
			// else it is made again
			return record.SameSearch(r, s) && !r.Search.Busy && (r.Search.Kind != record.SearchTune || r.Search.Chosen > 0)
		})
		if s.Article != slug || isPresent(s) && !hasEnded {
			continue
		}
		data, err := s.Bytes()
		if err != nil {
			return err
		}
		if !dryRun {
			if err := dir.Drop(s); err != nil {
				return err
			}
		}
		found.add(slug, s, int64(len(data)))
	}
	return nil
}

func (g *Garbage) add(slug string, r *record.Record, bytes int64) {
	i := slices.IndexFunc(g.Records, func(o garbageRun) bool {
		return o.Article == slug && o.Experiment == r.Experiment && o.Host == r.Host && o.Profile == r.Profile &&
			o.Run == r.Run
	})
	if i < 0 {
		i = len(g.Records)
		g.Records = append(g.Records, garbageRun{Article: slug, Experiment: r.Experiment, Host: r.Host, Profile: r.Profile,
			Run: r.Run})
	}
	g.Records[i].Records++
	g.Records[i].Bytes += bytes
	g.RecordBytes += bytes
}

// collectImages removes the images that no plan uses. Without an engine they stay.
func collectImages(ctx context.Context, a *lab.Session, plans map[string][]*plan.Plan, found *Garbage,
	dryRun bool) error {
	e, err := a.Config.Engine(ctx, spec.DefaultEngine)
	if errors.Is(err, engine.ErrUnavailable) {
		found.Left = append(found.Left, "images: "+err.Error())
		return nil
	}
	if err != nil {
		return lab.Interrupted(ctx, err)
	}
	defer e.Close()
	store, ok := e.(engine.ImageStore)
	if !ok {
		return nil // such an engine keeps none
	}
	r := runner.Runner{Engine: e, Agent: a.Config.Agent, Requests: &load.Requests{Agent: a.Config.Agent},
		Commands: &load.Commands{Agent: a.Config.Agent}, Tools: foreign.Drivers(a.Config.Agent),
		Programs: foreign.NewProgram(a.Config.Agent)}
	used, err := r.Used(ctx, store, slices.Concat(slices.Collect(maps.Values(plans))...))
	if err != nil {
		return lab.Interrupted(ctx, fmt.Errorf("finding the images that articles use: %w", err))
	}
	built, err := store.Built(ctx)
	if err != nil {
		return lab.Interrupted(ctx, err)
	}
	unused, others := unusedImages(built, used, func(slug string) bool { return plans[slug] != nil })
	if others > 0 {
		found.Left = append(found.Left, fmt.Sprintf("%s of articles that this project does not have: they may be another "+
			"project's", terminal.Count(others, "image")))
	}
	for _, k := range unused {
		if !dryRun {
			if err := store.Discard(ctx, k); err != nil {
				if ctx.Err() != nil {
					return lab.Interrupted(ctx, err)
				}
				found.Left = append(found.Left, err.Error()) // somebody's container uses it
				continue
			}
		}
		found.Images = append(found.Images, garbageImage{k.Reference, k.For, k.Own})
		found.ImageBytes += k.Own
	}
	return nil
}

// unusedImages picks those that nothing needs, those first that are built on others of them. An image stays that
// another one is built on which stays. Of images of articles that is does not know there are others: they may be
// another project's. One of an article of this project goes though another clone may use it: an image is made once for
// all of them, by whoever needs it first, and made again.
func unusedImages(built []engine.BuiltImage, used map[string]bool,
	is func(slug string) bool) (unused []engine.BuiltImage, others int) {
	candidate := map[string]bool{}
	for _, k := range built {
		slug, _, ofArticle := strings.Cut(k.For, " ")
		switch {
		case used[k.ID]:
		case strings.HasSuffix(k.For, engine.WithFiles):
		case !ofArticle, strings.HasPrefix(k.For, "load by "), strings.HasPrefix(k.For, "Debian "), is(slug):
			candidate[k.ID] = true
		default:
			others++
		}
	}
	for _, k := range built { // these are needed as long as what they are built on
		if strings.HasSuffix(k.For, engine.WithFiles) && !used[k.ID] {
			candidate[k.ID] = k.Base == "" || candidate[k.Base]
		}
	}
	for again := true; again; {
		again = false
		for _, k := range built {
			above := 0 // of those that go as well
			for _, o := range unused {
				above += lab.Boolean(o.Base == k.ID)
			}
			if candidate[k.ID] && above == k.Above {
				candidate[k.ID], again = false, true
				unused = append(unused, k)
			}
		}
	}
	return unused, others
}

// PrintGarbage says what was removed, or would be.
func PrintGarbage(a *lab.Session, g *Garbage, dryRun, asJSON bool) error {
	if asJSON {
		return lab.PrintJSON(a.Stdout, g)
	}
	verb, frees := "removed", "freed"
	if dryRun {
		verb, frees = "would remove", "would free"
	}
	size := func(n int64) string { return units.BytesSize(float64(n)) }
	for _, r := range g.Records {
		fmt.Fprintf(a.Stdout, "%s %s of %s#%s, run %s (host %s, profile %s): %s\n", verb, terminal.Count(r.Records, "record"),
			r.Article, r.Experiment, r.Run, r.Host, r.Profile, size(r.Bytes))
	}
	for _, i := range g.Images {
		fmt.Fprintf(a.Stdout, "%s image %s (%s): %s\n", verb, i.Reference, i.For, size(i.Bytes))
	}
	for _, left := range g.Left {
		fmt.Fprintf(a.Stderr, "left alone: %s\n", left)
	}
	if len(g.Records)+len(g.Images) == 0 {
		fmt.Fprintln(a.Stdout, "nothing to remove")
		return nil
	}
	fmt.Fprintf(a.Stdout, "%s %s of records and %s of images\n", frees, size(g.RecordBytes), size(g.ImageBytes))
	return nil
}
