package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/inputs"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/notebook/yamltext"
)

// Profiles that need no definition.
const (
	Full  = "full"
	Quick = "quick"
)

// Options choose among what an article says. The zero value plans everything in full.
type Options struct {
	Profile     string // Full if empty
	Seed        int64  // 0: one drawn from the definition itself, so that the order is the same every time
	Repetitions int    // 0: as the article says
}

// Bounds of what can be planned, maxRepetitions for one experiment, the others for all of an article.
const (
	maxRepetitions = 1000
	maxCells       = 10_000
	maxSteps       = 100_000    // days of measuring
	maxDefinitions = 16 << 20   // bytes of what is written out for each cell
	maxMatching    = 10_000_000 // comparisons of rows of include and exclude with cells
)

// ErrNoProfile is wrapped by the error of New for a profile that nobody defines.
var ErrNoProfile = errors.New("no such profile")

// New plans the experiments of an article. What is wrong with them goes to problems; the plan then lacks what could not be
// resolved and must not be run. The error is one of the options.
func New(project *projects.Project, doc *article.Document, o Options, problems *source.Problems) (*Plan, error) {
	o.Profile = cmp.Or(o.Profile, Full)
	p := &planner{project: project, doc: doc, options: o, problems: problems,
		folders: map[*article.Document]*inputs.Folder{}, articles: map[string]*article.Document{doc.Slug: doc}}
	for _, block := range doc.Experiments {
		p.definitions = append(p.definitions, p.definition(doc, block, nil))
	}
	if err := p.knownProfile(); err != nil {
		return nil, err
	}
	out := &Plan{Article: doc.Slug, Profile: o.Profile}
	for _, d := range p.definitions {
		if e := p.outline(d); e != nil {
			out.Experiments = append(out.Experiments, e.Experiment)
			p.outlines = append(p.outlines, e)
		}
	}
	p.checkReferences()
	// Contexts leave out what configs name, so configs come first.
	for _, e := range p.outlines {
		for _, t := range e.drafts {
			t.configs = p.configs(t)
		}
	}
	for _, e := range p.outlines {
		p.resolve(e)
	}
	p.checkClusters()
	out.All = slices.Clone(out.Experiments)
	out.others = sync.OnceValue(p.others)
	return out, p.findFull(out)
}

// others plans the other profiles.
func (p *planner) others() []*Plan {
	var out []*Plan
	for _, profile := range p.profiles() {
		if profile == p.options.Profile {
			continue
		}
		var problems source.Problems
		if other, err := New(p.project, p.doc, Options{Profile: profile}, &problems); err == nil && problems.Empty() {
			out = append(out, other)
		}
	}
	return out
}

// findFull gives every trial of the profile quick that searches for a value the key that it has in full: what was found there need not
// be searched for again.
func (p *planner) findFull(quick *Plan) error {
	tunes := func(e *Experiment) bool {
		return slices.ContainsFunc(e.Trials, func(t *Trial) bool { return len(t.Tune) > 0 })
	}
	if quick.Profile != Quick || !slices.ContainsFunc(quick.Experiments, tunes) {
		return nil
	}
	full, err := New(p.project, p.doc, Options{}, &source.Problems{})
	if err != nil {
		return err
	}
	for _, e := range quick.Experiments {
		of, ok := full.Find(e.Name)
		if !ok {
			continue // what is wrong with it in full is said there
		}
		for _, t := range e.Trials {
			for _, o := range of.Trials {
				if o.Name == t.Name && o.Calibration == t.Calibration {
					t.FullKey = o.Key
				}
			}
		}
	}
	return nil
}

func (p *planner) knownProfile() error {
	known := p.profiles()
	if slices.Contains(known, p.options.Profile) {
		return nil
	}
	slices.Sort(known)
	return fmt.Errorf("%w %q: known are %s", ErrNoProfile, p.options.Profile, strings.Join(known, ", "))
}

// profiles are those that there are: full, quick, and others in the order of their names.
func (p *planner) profiles() []string {
	var known []string
	for profile := range p.project.Profiles {
		known = append(known, profile)
	}
	for _, d := range p.definitions {
		for _, profile := range profilesOf(article.Extend(p.defaults(d), d.node)) {
			known = append(known, profile.Name.Value)
		}
	}
	known = slices.DeleteFunc(known, func(profile string) bool { return profile == Full || profile == Quick })
	slices.Sort(known)
	return append([]string{Full, Quick}, slices.Compact(known)...)
}

// profilesOf reads the profiles of an experiment; what is wrong with them was said when its block was read.
func profilesOf(n *yamltext.Node) article.Profiles {
	profiles := n.Get("profiles")
	if profiles == nil {
		return nil
	}
	only := &yamltext.Node{Kind: yamltext.Map, Text: n.Text, Fields: []yamltext.Field{{Key: n.Text, Value: profiles}}}
	only.Fields[0].Key.Value = "profiles"
	return article.DecodeExperiment(only, false, &source.Problems{}).Profiles
}

type planner struct {
	project     *projects.Project
	doc         *article.Document
	options     Options
	problems    *source.Problems
	articles    map[string]*article.Document // by slug; nil for one that cannot be read
	folders     map[*article.Document]*inputs.Folder
	definitions []*definition
	outlines    []*outline

	cells, steps, written, matched int // so far: see maxCells and what stands with it
}

// An outline is an experiment whose matrix is multiplied, with nothing resolved yet.
type outline struct {
	*Experiment
	*definition
	head   *article.Experiment // before templates are expanded, for what does not depend on the matrix
	drafts []*draft
}

// A draft is a trial whose templates are expanded.
type draft struct {
	combination
	definition *article.Experiment // nil if the trial is unavailable
	node       *yamltext.Node
	configs    map[*article.Config]spec.File
	places     places
}

// outline merges the defaults of a definition, applies the profile, multiplies the matrix and expands templates.
func (p *planner) outline(d *definition) *outline {
	block := d.block
	c, skipped := p.cascade(d)
	e := &outline{definition: d, Experiment: &Experiment{Name: block.Name.Value, Pos: block.Pos, Engine: p.engine()}}
	if skipped {
		e.Skipped = fmt.Sprintf("profile %s leaves this experiment out", p.options.Profile)
		return e
	}
	e.Origin = c.origin()
	e.Origin["seed"] = builtInName
	if p.options.Seed != 0 {
		e.Origin["seed"] = seedName
	}
	merged := c.merged
	// What does not depend on the matrix may still depend on the profile.
	constant := expandAll(merged.Without(perTrial...), settings{profile: p.options.Profile}, p.problems)
	if matrix := merged.Get("matrix"); matrix != nil {
		merged = with(merged, "matrix", expand(matrix, settings{profile: p.options.Profile, early: true}, p.problems))
	}
	// What is wrong with single values was found when they were read.
	e.head = article.DecodeExperiment(article.Merge(merged, constant), false, &source.Problems{})
	if !p.readHead(e) {
		return nil
	}
	combinations, ok := p.multiply(e.head.Matrix, block)
	if !ok {
		return nil
	}
	if !p.expandTrials(e, merged, combinations) {
		return nil
	}
	p.checkNames(e)
	return e
}

// readHead reads what an experiment says about all of its trials. It is false if there is nothing to plan then.
func (p *planner) readHead(e *outline) bool {
	head := e.head
	e.Description = head.Description.Value
	e.Repetitions = head.Repetitions.V
	switch {
	case !head.Repetitions.Set():
		e.Repetitions = 1 // there is a default, so what is written was no number, which was said
	case e.Repetitions < 1 || e.Repetitions > maxRepetitions:
		p.problems.Add("wrong-value", head.Repetitions.Text.Pos, "repetitions has to be between 1 and %d, not %d",
			maxRepetitions, e.Repetitions)
		e.Repetitions = 1 // so that what else is wrong comes to light
	}
	e.Timeout = head.Timeout.V
	if head.Timeout.Known() && e.Timeout <= 0 {
		p.problems.Add("wrong-value", head.Timeout.Text.Pos, "timeout has to be more than 0").
			Hint = "write a time, such as 5m"
	}
	e.Interleaved = head.Order.V != article.Sequential
	for _, s := range head.Shared {
		e.Shared = append(e.Shared, s.Value)
	}
	for _, h := range head.Hosts {
		if e.Hosts == nil {
			e.Hosts = map[string]string{}
		}
		e.Hosts[h.Name.Value] = h.Value.Value
	}
	e.Setup, e.Cleanup = hooks(head.Setup), hooks(head.Cleanup)
	for i := range head.Metrics {
		e.Metrics = append(e.Metrics, metric(&head.Metrics[i]))
	}
	if head.Load == nil && head.Command == nil && (head.Tried.Has("load", "command") || !e.whole) {
		return true // it may be in what could not be found, or read, which was said
	}
	if !isMapping(e.node.Get("load")) || !isMapping(e.node.Get("command")) {
		return false // as was said when the block was read
	}
	switch {
	case head.Load != nil && head.Command != nil:
		p.problems.Add("load-or-command", e.block.Pos, "experiment %q has both a load and a command", e.block.Name.Value).
			Hint = "keep one of them, or make two experiments"
	case head.Load == nil && head.Command == nil:
		p.problems.Add("load-or-command", e.block.Pos, "experiment %q needs either a load or a command", e.block.Name.Value).
			Hint = "add load: with a target, or command: with run"
	}
	return true
}

// isMapping says that nothing else than a mapping is written, if anything.
func isMapping(n *yamltext.Node) bool {
	return n == nil || n.Kind == yamltext.Map || n.Kind == yamltext.Null
}

// expandTrials makes a draft of every combination. It is false if they cannot be told apart.
func (p *planner) expandTrials(e *outline, merged *yamltext.Node, combinations []combination) bool {
	body := merged.Without(perExperiment...)
	e.checkAxes(body)
	searches := map[string]bool{}
	for _, s := range e.head.Tune {
		searches[s.Name.Value] = true
	}
	if p.written += len(combinations) * weight(body); p.written > maxDefinitions {
		p.problems.Add("too-large", e.block.Pos, "written out for each cell of its matrix, the experiment is larger than %d MiB",
			maxDefinitions>>20).
			Hint = "remove axes or values, or move long texts to files"
		return false
	}
	p.checkVariables(body)
	before := p.problems.Len()
	for _, c := range combinations {
		d := &draft{combination: c}
		e.drafts = append(e.drafts, d)
		if c.unavailable != "" || p.problems.Len() > before {
			continue // other cells have the same mistakes
		}
		env := settings{combination: c, profile: p.options.Profile, ports: map[string]string{}, searches: searches}
		if services := body.Get("services"); services != nil {
			for _, s := range services.Fields {
				env.ports[s.Key.Value] = firstPort(s.Value, env, p.problems)
			}
		}
		d.node = expandAll(body, env, p.problems)
		d.definition = article.DecodeExperiment(d.node, true, p.problems)
	}
	if p.steps += len(e.drafts) * e.Repetitions; p.steps > maxSteps {
		p.problems.Add("too-many", e.block.Pos, "the experiments have more than %d repetitions of trials", maxSteps).
			Hint = "lower repetitions, or remove axes or values"
		return false
	}
	seen := map[string]bool{}
	for _, d := range e.drafts {
		if seen[d.name()] {
			p.problems.Add("duplicate-cell", e.block.Pos, "two cells of the matrix are both called %q", d.name()).
				Hint = "give the rows a name, or a parameter that tells them apart"
			return false
		}
		seen[d.name()] = true
		for _, parameter := range d.parameters {
			if !slices.Contains(e.Parameters, parameter.Name) {
				e.Parameters = append(e.Parameters, parameter.Name)
			}
		}
	}
	return true
}

// weight is about how many bytes a value takes when it is written out.
func weight(n *yamltext.Node) int {
	sum := len(n.Text.Value) + 10
	for _, item := range n.Items {
		sum += weight(item)
	}
	for _, f := range n.Fields {
		sum += len(f.Key.Value) + weight(f.Value)
	}
	return sum
}

// resolve makes the trials of an experiment, their keys and their order.
func (p *planner) resolve(e *outline) {
	var measured []*Trial
	p.placeOnNodes(e)
	for _, d := range e.drafts {
		t := &Trial{Name: cmp.Or(d.name(), e.Name), Parameters: d.parameters, Labels: d.labels,
			Unavailable: d.unavailable, InsteadOf: d.insteadOf, Definition: json.RawMessage("{}")}
		e.Trials = append(e.Trials, t)
		if d.definition == nil {
			continue
		}
		p.lay(d, t, e.block.Pos)
		if d.definition.Load != nil {
			e.checkPort(t, d.definition.Load)
		}
		t.Tune = p.tune(d.definition)
		t.Capacity = p.capacity(d.definition)
		t.Deferred = deferred(d.node, "", nil)
		if len(t.Deferred) > 0 {
			t.template = &template{*p, d, e.block.Pos}
			if p.problems.Empty() { // else they would be found a second time
				p.checkEnds(t)
			}
		}
		seal(t, e.Experiment)
		measured = append(measured, t)
	}
	if len(measured) == 0 {
		return
	}
	e.Unsupported = p.unsupported(e)
	p.checkPlaces(e)
	searches := measured[0].Capacity != nil // which is all there is
	if !searches {
		if original := p.calibrated(e, measured); original != nil {
			twin := *original
			twin.Calibration = true
			twin.Name += " again"
			seal(&twin, e.Experiment)
			e.Trials, measured = append(e.Trials, &twin), append(measured, &twin)
		}
	}
	h := sha256.New()
	fmt.Fprintln(h, e.Name, p.options.Profile, e.Repetitions, e.Interleaved)
	for _, t := range measured {
		fmt.Fprintln(h, t.Name, t.Key)
	}
	e.Seed = p.options.Seed
	if e.Seed == 0 {
		e.Seed = int64(binary.BigEndian.Uint64(h.Sum(nil)) >> 11) // 53 bits: JSON readers keep it exactly
	}
	fmt.Fprintln(h, e.Seed)
	e.Digest = hex.EncodeToString(h.Sum(nil)[:8])
	if !searches {
		e.Steps = draw(measured, e.Repetitions, e.Interleaved, e.Seed)
	}
}

// calibrated picks the trial that is measured a second time, or none.
func (p *planner) calibrated(e *outline, measured []*Trial) *Trial {
	c := e.head.Calibrate
	switch {
	case c.Off:
		return nil
	case c.Pick.Node == nil:
		return measured[0]
	}
	known := map[string]bool{"experiment": true}
	for _, d := range e.drafts {
		for _, parameter := range slices.Concat(d.parameters, d.labels) {
			known[parameter.Name] = true
		}
	}
	var picked []*Trial
	for _, t := range measured {
		fits, err := expr.Where(c.Pick.Node, func(name string) (string, bool) {
			if name == "experiment" {
				return e.Name, true
			}
			for _, parameter := range slices.Concat(t.Parameters, t.Labels) {
				if parameter.Name == name {
					return parameter.Value, true
				}
			}
			return "", known[name]
		})
		if err != nil {
			var e *expr.Error
			if errors.Is(err, expr.ErrUnknownName) && errors.As(err, &e) {
				e.Hint = source.Suggest(c.Text.Value[e.Span.Start:e.Span.End], slices.Sorted(maps.Keys(known)))
			}
			article.AddExprError(c.Text, err, p.problems)
			return nil
		}
		if fits {
			picked = append(picked, t)
		}
	}
	if len(picked) != 1 {
		var names []string
		for _, t := range picked {
			names = append(names, t.Name)
		}
		what := "no trial that can be measured"
		if len(picked) > 0 {
			what = fmt.Sprintf("%d trials: %s", len(picked), strings.Join(names[:min(len(names), 5)], "; "))
		}
		p.problems.Add("not-one-cell", c.Text.Pos, "calibrate has to pick one trial, and picks %s", what).
			Hint = "compare it with the matrix; true takes the first trial"
		return nil
	}
	return picked[0]
}

// draw gives the order of repetitions: rounds with every trial once, each in an order of its own; or trial by trial.
func draw(trials []*Trial, repetitions int, interleaved bool, seed int64) []Step {
	var steps []Step
	if !interleaved {
		for _, t := range trials {
			for r := range repetitions {
				steps = append(steps, Step{Trial: t, Round: r + 1, Repetition: r + 1})
			}
		}
		return steps
	}
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for r := range repetitions {
		for _, i := range random.Perm(len(trials)) {
			steps = append(steps, Step{Trial: trials[i], Round: r + 1, Repetition: r + 1})
		}
	}
	return steps
}

// Slug is the trial's name as part of a file's name.
func (t *Trial) Slug() string { return record.Slug(path.Clean(t.Name)) }
