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
	"slices"
	"strconv"
	"strings"
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Full is the profile that needs no definition.
const Full = "full"

// Options choose among what an article says. The zero value plans everything in full.
type Options struct {
	Profile     string // Full if empty
	Repetitions string // as an article has them; empty: as the article says
	// Revisions of the repository that are compared; see Revision. Without any, files are read from disk.
	Revisions []Revision
}

// Bounds of what can be planned of an article.
const (
	maxCells       = 10_000
	maxSteps       = 200_000    // days of measuring
	maxDefinitions = 16 << 20   // bytes of definitions, written out for each cell
	maxMatching    = 10_000_000 // comparisons of rows of include and exclude with cells
)

// ErrNoProfile is wrapped by the error of New for an unknown profile.
var ErrNoProfile = errors.New("no such profile")

// New plans the experiments of an article. A plan with problems is incomplete and must not be run. The error is one of
// the options.
func New(project *article.Project, doc *article.Document, o Options, problems *source.Problems) (*Plan, error) {
	o.Profile = cmp.Or(o.Profile, Full)
	p := &planner{project: project, doc: doc, options: o, problems: problems, private: map[string]bool{},
		seenFiles: &seenFiles{map[string]bool{}, map[string]bool{}, map[string]bool{}}}
	p.own = newFolder(doc, p.seenFiles)
	for _, block := range doc.Experiments {
		p.definitions = append(p.definitions, p.define(block, nil))
	}
	if known := p.profiles(); !slices.Contains(known, o.Profile) {
		slices.Sort(known)
		return nil, fmt.Errorf("%w %q: known are %s", ErrNoProfile, o.Profile, strings.Join(known, ", "))
	}
	out := &Plan{Article: doc.Slug, Profile: o.Profile}
	for _, d := range p.definitions {
		if e := p.outline(d); e != nil {
			out.Experiments = append(out.Experiments, e.Experiment)
			p.outlines = append(p.outlines, e)
		}
	}
	checkReferences(doc, p.outlines, p.definitions, problems)
	// Contexts leave out what configs name, so configs come first.
	for _, e := range p.outlines {
		for _, d := range e.drafts {
			if d.definition != nil {
				p.configs(d)
			}
		}
	}
	for _, e := range p.outlines {
		p.resolve(e)
	}
	checkClusters(p.outlines, problems)
	out.All = slices.Clone(out.Experiments)
	out.others = sync.OnceValue(p.others)
	out.Reads, out.Secrets = sortedKeys(p.reads), sortedKeys(p.hidden)
	out.EnvFiles = sortedKeys(p.envFiles)
	p.hidePrivate(out)
	return out, nil
}

func (p *planner) others() []*Plan {
	var out []*Plan
	for _, profile := range p.profiles() {
		if profile == p.options.Profile {
			continue
		}
		var problems source.Problems
		if other, err := New(p.project, p.doc, Options{Profile: profile, Revisions: p.options.Revisions},
			&problems); err == nil && problems.Empty() {
			out = append(out, other)
		}
	}
	return out
}

// profiles returns full, and the profiles of project and article by name.
func (p *planner) profiles() []string {
	known := slices.Collect(maps.Keys(p.project.Profiles))
	for _, d := range p.definitions {
		known = append(known, p.profileNames(d)...)
	}
	known = slices.DeleteFunc(known, func(profile string) bool { return profile == Full })
	return append([]string{Full}, sortedSet(known)...)
}

type planner struct {
	*seenFiles
	project     *article.Project
	doc         *article.Document
	options     Options
	problems    *source.Problems
	own         *Folder // of the article
	definitions []*Definition
	outlines    []*outline
	composed    []*composed
	private     map[string]bool // values that records and messages do not show

	cells, steps, written, matched int // so far: see maxCells and the other bounds
}

func (p *planner) engine() spec.Engine { return cmp.Or(p.project.EngineName(), spec.DefaultEngine) }

// folder returns the folder that a path counts from: the repository for paths of Compose files, else the article's.
func (p *planner) folder(t source.Text) *Folder {
	if c := p.composedFrom(t); c != nil {
		return c.folder
	}
	return p.own
}

// An outline is an experiment whose matrix is multiplied, with nothing resolved yet.
type outline struct {
	*Experiment
	*Definition
	head     *article.Experiment // before templates are expanded, for what does not depend on the matrix
	headNode *source.Node        // that head was read from
	drafts   []*draft
}

// A draft is a trial with its templates expanded.
type draft struct {
	combination
	definition *article.Experiment // nil after a problem
	node       *source.Node
	secrets    map[string]bool // names of secrets of the experiment
}

// outline merges the layers of a definition, multiplies its matrix and expands templates; nil after a problem.
func (p *planner) outline(d *Definition) *outline {
	merged, skipped := p.merge(d)
	e := &outline{Definition: d, Experiment: &Experiment{Name: d.Block.Name.Value, Pos: d.Block.Pos, Engine: p.engine()}}
	if skipped {
		e.Skipped = fmt.Sprintf("profile %s leaves this experiment out", p.options.Profile)
		return e
	}
	var ok bool
	if merged, ok = p.compose(e, merged); !ok {
		return nil
	}
	// What does not depend on the matrix may still depend on the profile.
	constant := expandAll(merged.Without(perTrial...), settings{profile: p.options.Profile}, p.problems)
	if matrix := merged.Get("matrix"); matrix != nil {
		expanded := expand(matrix, settings{profile: p.options.Profile, early: true}, p.problems)
		if expanded, ok = p.readRows(expanded); !ok {
			return nil
		}
		merged = With(merged, "matrix", expanded)
	}
	// Problems of single values were reported when they were read.
	e.headNode = article.Merge(merged, constant)
	e.head = article.DecodeExperiment(e.headNode, false, &source.Problems{})
	if n := merged.Get("repetitions"); n != nil && strings.Contains(n.Text.Value, "${{") {
		new(article.Repetitions).DecodeNode(article.NewDecoder(p.problems, false), constant.Get("repetitions"), "repetitions")
	}
	if load := e.head.Load; load != nil && load.Outside {
		e.Outside, e.Engine = true, spec.Local // on any engine of the project
	}
	p.secrets(e)
	if !readHead(e, p.problems) {
		return nil
	}
	combinations, ok := p.multiply(e.head.Matrix, d.Block.Pos)
	if !ok || !p.expandTrials(e, merged, p.perRevision(e, combinations)) {
		return nil
	}
	checkNames(e, p.project, p.problems)
	return e
}

// Keys of an experiment that are about all of its trials, and those that templates are expanded in for each.
var (
	perExperiment = []string{"compose", "secrets", "matrix", "profiles", "repetitions", "name", "extends", "description",
		"calibrate", "timeout", "setup", "shared", "metrics", "before"}
	perTrial = []string{"matrix", "profiles", "services", "load", "command", "tune", "capacity", "prepare"}
)

// readHead reads the keys of an experiment for all of its trials. It is false if it cannot be planned.
func readHead(e *outline, problems *source.Problems) bool {
	head := e.head
	e.Description, e.Looks, e.Timeout = head.Description.Value, head.Repetitions.Looks, head.Timeout
	e.Fixed = head.Repetitions.Fixed
	if len(e.Looks) == 0 { // which was reported
		e.Looks = []int{1} // so that what else is wrong comes to light
	}
	timeout := e.headNode.TextAt("timeout")
	if e.Timeout <= 0 && !timeout.IsZero() && !isTemplate(timeout) && !head.HasTried(e.headNode, "timeout") {
		problems.Add("wrong-value", timeout.Pos, "timeout must be more than 0").Hint = "write a time, such as 5m"
	}
	e.Shared, e.Cold = article.Texts(head.Shared), head.Before == article.Cold
	if e.Cold {
		checkCold(e, problems)
	}
	e.Setup = hooks(head.Setup)
	for i := range head.Metrics {
		e.Metrics = append(e.Metrics, metric(&head.Metrics[i]))
	}
	return hasWork(e, problems)
}

// checkCold reports what warms the caches of an experiment that is to begin with cold ones.
func checkCold(e *outline, problems *source.Problems) {
	head, at := e.head, e.headNode.TextAt("before").Pos
	refuse := func(is bool, words, hint string) {
		if is {
			problems.Add("contradiction", at, "before: cold has no effect %s", words).Hint = hint
		}
	}
	refuse(len(head.Shared) > 0, "on shared services, which keep their caches", "remove shared, or before")
	refuse(e.Outside, "on a server that runs already", "remove before")
	if c := head.Command; c != nil {
		refuse(c.Warmup > 0, "on a command that is warmed up", "remove warmup, or before")
		refuse(c.Service == "" && len(head.Prepare) > 0,
			"where prepare hooks run in the command's own container, right before it", "move them to a service, or to its build")
	}
}

// hasWork makes sure that an experiment has either a load or a command. It is false if neither can be read.
func hasWork(e *outline, problems *source.Problems) bool {
	load, command := e.head.Load != nil, e.head.Command != nil
	for _, key := range []string{"load", "command"} {
		if n := e.Node.Get(key); isEmpty(n) && n != nil && n.Kind != source.Null {
			return false // reported when the block was read
		}
	}
	isElsewhere := e.Node.Get("services").Get("load") != nil || !isEmpty(e.Node.Get("matrix").Get("load"))
	switch {
	case load && command:
		problems.Add("load-or-command", e.Pos, "experiment %q has both a load and a command", e.Name).
			Hint = "keep one of them, or make two experiments"
	case load || command || isElsewhere || e.head.HasTried(e.headNode, "load", "command") || !e.Whole:
		// What is missing may be in a part that could not be found or read, which was reported.
	default:
		problems.Add("load-or-command", e.Pos, "experiment %q needs either a load or a command", e.Name).
			Hint = "add load: with a target, or command: with run"
	}
	return true
}

func metric(m *article.Metric) Metric {
	out := Metric{Metric: m.Means(), Value: m.Value.Text.Value, Regex: m.Regex.Value, JSON: m.JSON.Value}
	if !m.From.IsZero() {
		out.Service, out.Stream = m.Source()
		if !m.Unit.IsZero() && m.Unit.Value != out.Unit {
			out.Written = m.Unit.Value
		}
	}
	return out
}

// expandTrials makes a draft of every combination. It is false if two have the same name.
func (p *planner) expandTrials(e *outline, merged *source.Node, combinations []combination) bool {
	body := merged.Without(perExperiment...)
	e.checkAxes(body)
	if p.written += len(combinations) * weight(body); p.written > maxDefinitions {
		p.problems.Add("too-large", e.Pos, "written out for each cell of its matrix, the experiment is larger than %d MiB",
			maxDefinitions>>20).Hint = "remove axes or values, or move long texts to files"
		return false
	}
	if p.steps += len(combinations) * e.Most(); p.steps > maxSteps {
		p.problems.Add("too-many", e.Pos, "the experiments have more than %d repetitions of trials", maxSteps).
			Hint = "lower repetitions, or remove axes or values"
		return false
	}
	p.checkVariables(body)
	before := p.problems.Len()
	checkSecrets(body, p.problems)
	seen := map[string]bool{}
	for _, c := range combinations {
		d := &draft{combination: c, secrets: setOf(e.headNode.Get("secrets").Keys())}
		e.drafts = append(e.drafts, d)
		if seen[d.name()] {
			p.problems.Add("duplicate-cell", e.Pos, "two cells of the matrix are both called %q", d.name()).
				Hint = "give the rows a name, or a parameter that tells them apart"
			return false
		}
		seen[d.name()] = true
		for _, parameter := range c.parameters {
			if !slices.Contains(e.Parameters, parameter.Name) {
				e.Parameters = append(e.Parameters, parameter.Name)
			}
		}
		if p.problems.Len() == before { // other cells have the same mistakes
			p.expandTrial(e, d, body)
		}
	}
	return true
}

// expandTrial fills in the templates of a draft, and decodes it.
func (p *planner) expandTrial(e *outline, d *draft, body *source.Node) {
	env := settings{combination: d.combination, profile: p.options.Profile, ports: map[string]string{},
		searches: setOf(e.headNode.Get("tune").Keys()), secrets: d.secrets, unread: e.head.HasTried(e.headNode, "matrix")}
	for _, s := range body.Get("services").All() {
		env.ports[s.Key.Value] = firstPort(s.Value, env, p.problems)
	}
	d.node = expandAll(body, env, p.problems)
	checkSecrets(d.node, p.problems) // which may come from the matrix
	d.definition = article.DecodeExperiment(d.node, true, p.problems)
}

// setOf returns a set of names, not nil.
func setOf(names []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

// weight estimates how many bytes a value takes when it is written out.
func weight(n *source.Node) int {
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
	placeOnNodes(e)
	for _, d := range e.drafts {
		t := &Trial{Name: cmp.Or(d.name(), e.Name), Parameters: d.parameters, Labels: d.labels,
			Definition: json.RawMessage("{}")}
		e.Trials = append(e.Trials, t)
		if d.definition != nil {
			p.resolveTrial(e, d, t)
		}
		if t.Command != nil && t.Command.Output != "" && !slices.Contains(e.Parameters, record.BenchmarkAxis) {
			e.Parameters = append(e.Parameters, record.BenchmarkAxis)
		}
	}
	if p.keepChanged(e); e.Skipped != "" {
		return
	}
	measured := slices.DeleteFunc(slices.Clone(e.Trials), func(t *Trial) bool { return t.Key == "" })
	if len(measured) == 0 {
		return
	}
	searches := measured[0].Capacity != nil // which is all there is
	if !searches {
		if original := calibrated(e, p.ofBase(measured), p.problems); original != nil {
			twin := *original
			twin.Calibration = true
			twin.Name += " again"
			computeKey(&twin, e.Experiment)
			e.Trials, measured = append(e.Trials, &twin), append(measured, &twin)
		}
	}
	h := sha256.New()
	repetitions := "until decided" // a run that was planned to go on takes more rounds
	if e.Fixed {
		repetitions = strconv.Itoa(e.Most())
	}
	fmt.Fprintln(h, e.Name, p.options.Profile, repetitions, true) // the true keeps seeds of older runs
	for _, t := range measured {
		fmt.Fprintln(h, t.Name, t.Key)
	}
	e.Seed = int64(binary.BigEndian.Uint64(h.Sum(nil)) >> 11) // 53 bits: JSON readers keep it exactly
	fmt.Fprintln(h, e.Seed)
	e.Digest = hex.EncodeToString(h.Sum(nil)[:8])
	if !searches {
		e.Steps = e.drawOrder(measured)
	}
}

// resolveTrial reads what a trial runs, and gives it its key.
func (p *planner) resolveTrial(e *outline, d *draft, t *Trial) {
	p.readTrial(d, t, e.Pos)
	if load := d.definition.Load; load != nil {
		e.checkPort(t, d.node.Get("load"))
		if load.Outside != e.Outside {
			p.problems.Add("wrong-value", d.node.TextAt("load", "outside").Pos, "outside is the same for all trials of an experiment").
				Hint = "write true or false, or make two experiments"
		}
	}
	t.Tune = p.searches(d)
	t.Capacity = p.capacity(d)
	if t.Deferred = deferred(d.node); len(t.Deferred) > 0 {
		t.template = &template{*p, d, e.Pos}
		if p.problems.Empty() { // else they would be found a second time
			p.checkEnds(t)
		}
	}
	computeKey(t, e.Experiment)
}

// calibrated picks the trial that is measured a second time, or none.
func calibrated(e *outline, measured []*Trial, problems *source.Problems) *Trial {
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
		values := map[string]string{}
		for _, parameter := range slices.Concat(t.Labels, t.Parameters) {
			values[parameter.Name] = parameter.Value
		}
		values["experiment"] = e.Name
		fits, err := expr.Where(c.Pick.Node, func(name string) (string, bool) { return values[name], known[name] })
		if err != nil {
			if e, ok := errors.AsType[*expr.Error](err); ok && errors.Is(err, expr.ErrUnknownName) {
				e.Hint = source.Suggest(c.Text.Value[e.Span.Start:e.Span.End], sortedKeys(known))
			}
			article.AddExprError(c.Text, err, problems)
			return nil
		}
		if fits {
			picked = append(picked, t)
		}
	}
	if len(picked) == 1 {
		return picked[0]
	}
	e.notOne(c.Text.Pos, picked, problems)
	return nil
}

// notOne reports that calibrate picks none or several of the trials. It may pick one with a problem of its own, which is
// reported.
func (e *outline) notOne(at source.Pos, picked []*Trial, problems *source.Problems) {
	isBroken := func(t *Trial) bool { return t.Key == "" }
	if len(picked) == 0 && slices.ContainsFunc(e.Trials, isBroken) {
		return
	}
	what := "no trial"
	if len(picked) > 0 {
		names := slice.Map(picked[:min(len(picked), 5)], func(t *Trial) string { return t.Name })
		what = fmt.Sprintf("%d trials: %s", len(picked), strings.Join(names, "; "))
	}
	problems.Add("not-one-cell", at, "calibrate must pick one trial, but picks %s", what).
		Hint = "compare it with the matrix; true takes the first trial"
}
