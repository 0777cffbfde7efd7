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

// Options select what to plan of an article. The zero value plans everything with the profile full.
type Options struct {
	Profile     string // Full if empty
	Repetitions string // in the syntax of an article; empty: the article's
	// Revisions of the repository that are compared; see Revision. Without any, files are read from disk.
	Revisions []Revision
}

// Bounds of a plan.
const (
	maxCells       = 10_000
	maxSteps       = 200_000    // repetitions: days of measuring
	maxDefinitions = 16 << 20   // bytes of definitions, written out for each cell
	maxMatching    = 10_000_000 // comparisons of rows of include and exclude with cells
)

// ErrNoProfile is wrapped by the error of New for an unknown profile.
var ErrNoProfile = errors.New("no such profile")

// New plans the experiments of an article. If it adds problems, the plan is incomplete and must not be run. The only
// error wraps ErrNoProfile.
func New(project *article.Project, doc *article.Document, o Options, problems *source.Problems) (*Plan, error) {
	o.Profile = cmp.Or(o.Profile, Full)
	p := &planner{project: project, doc: doc, options: o, problems: problems, private: map[string]bool{},
		seenFiles: &seenFiles{project.Repository(), map[string]bool{}, map[string]bool{}, map[string]bool{}}}
	p.own = newFolder(doc, p.seenFiles)
	all := slice.Map(doc.Experiments, func(b *article.ExperimentBlock) *outline { return p.define(b, nil) })
	profiles := p.profiles(all)
	if !slices.Contains(profiles, o.Profile) {
		return nil, fmt.Errorf("%w %q: known are %s", ErrNoProfile, o.Profile,
			strings.Join(slices.Sorted(slices.Values(profiles)), ", "))
	}
	out := &Plan{Article: doc.Slug, Profile: o.Profile}
	for _, e := range all {
		if e.read() {
			p.outlines, out.Experiments = append(p.outlines, e), append(out.Experiments, e.Experiment)
		}
	}
	p.checkReferences()
	// Contexts leave out what configs name, so configs come first.
	for _, e := range p.outlines {
		for _, t := range e.Trials {
			if t.draft.definition != nil {
				t.draft.configs()
			}
		}
	}
	for _, e := range p.outlines {
		e.resolve()
	}
	p.checkClusters()
	out.All = slices.Clone(out.Experiments)
	out.others = sync.OnceValue(func() []*Plan { return p.others(profiles) })
	out.Reads, out.Secrets = sortedKeys(p.reads), slices.Concat(sortedKeys(p.hidden), sortedKeys(p.envFiles))
	p.hidePrivate(out)
	return out, nil
}

// others returns the plans of the other profiles, without those that have problems.
func (p *planner) others(profiles []string) []*Plan {
	var out []*Plan
	for _, profile := range profiles {
		var problems source.Problems
		options := Options{Profile: profile, Revisions: p.options.Revisions}
		if profile == p.options.Profile {
			continue
		}
		if other, err := New(p.project, p.doc, options, &problems); err == nil && problems.Empty() {
			out = append(out, other)
		}
	}
	return out
}

// profiles returns full, then the other profiles of the project and the article, sorted.
func (p *planner) profiles(all []*outline) []string {
	known := slices.Collect(maps.Keys(p.project.Profiles))
	for _, e := range all {
		for _, own := range profilesOf(article.Extend(p.defaults(), e.node)) {
			known = append(known, own.Name.Value)
		}
	}
	known = slices.DeleteFunc(known, func(profile string) bool { return profile == Full })
	return append([]string{Full}, sortedSet(known)...)
}

type planner struct {
	*seenFiles
	project  *article.Project
	doc      *article.Document
	options  Options
	problems *source.Problems
	own      *folder // of the article
	outlines []*outline
	composed []*composeFiles
	private  map[string]bool // values that records and messages do not show

	cells, steps, written, matched int // so far: see maxCells and the other bounds
}

func (p *planner) engine() spec.Engine { return cmp.Or(p.project.EngineName(), spec.DefaultEngine) }

// folder returns the folder that t is relative to: the repository for paths of Compose files, else the article's.
func (p *planner) folder(t source.Text) *folder {
	if c := p.composedFrom(t); c != nil {
		return c.folder
	}
	return p.own
}

// An outline is an experiment while it is planned.
type outline struct {
	*planner
	*Experiment
	block    *article.ExperimentBlock
	node     *source.Node        // the block merged with the experiments that it extends
	whole    bool                // all experiments that it extends were found
	head     *article.Experiment // decoded without the matrix applied; nil if the experiment is skipped
	headNode *source.Node        // the source of head
}

// read merges the layers of an experiment, multiplies its matrix and expands templates; false after a problem.
func (e *outline) read() bool {
	merged, skipped := e.merge()
	if skipped {
		e.Skipped = fmt.Sprintf("profile %s leaves this experiment out", e.options.Profile)
		return true
	}
	merged, ok := e.compose(merged)
	if !ok {
		return false
	}
	// What does not depend on the matrix may still depend on the profile.
	env := settings{profile: e.options.Profile}
	constant := expandAll(merged.Only(perExperiment...).Without(perTrial...), env, e.problems)
	if matrix := merged.Get("matrix"); matrix != nil {
		env.early = true
		expanded, ok := e.readRows(expand(matrix, env, e.problems))
		if !ok {
			return false
		}
		merged = with(merged, "matrix", expanded)
	}
	// Problems of single values were reported when they were read.
	e.headNode = article.Merge(merged, constant)
	e.head = article.DecodeExperiment(e.headNode, false, &source.Problems{})
	if n := merged.Get("repetitions"); n != nil && isTemplate(n.Text) {
		new(article.Repetitions).DecodeNode(article.NewDecoder(e.problems, false), constant.Get("repetitions"), "repetitions")
	}
	if load := e.head.Load; load != nil && load.Outside {
		e.Outside, e.Engine = true, spec.Local // whatever the engine of the project is
	}
	e.readSecrets()
	if !e.readHead() {
		return false
	}
	combinations, ok := e.multiply(e.head.Matrix, e.Pos)
	if !ok || !e.expandTrials(merged.Without(perExperiment...), e.perRevision(combinations)) {
		return false
	}
	e.checkNames()
	return true
}

// Keys that hold for all trials of an experiment, and keys whose templates are expanded for each trial.
var (
	perExperiment = []string{"compose", "secrets", "matrix", "profiles", "repetitions", "name", "extends", "description",
		"calibrate", "timeout", "setup", "shared", "metrics", "before"}
	perTrial = []string{"matrix", "profiles", "services", "load", "command", "tune", "capacity", "prepare"}
)

// readHead reads the keys that hold for all trials. It returns false if the experiment cannot be planned.
func (e *outline) readHead() bool {
	head := e.head
	e.Description, e.Looks, e.Timeout = head.Description.Value, head.Repetitions.Looks, head.Timeout
	if len(e.Looks) == 0 { // reported already
		e.Looks = []int{1} // to find further problems
	}
	timeout := e.headNode.TextAt("timeout")
	if e.Timeout <= 0 && !timeout.IsZero() && !isTemplate(timeout) && !head.HasTried(e.headNode, "timeout") {
		e.problems.Add("wrong-value", timeout.Pos, "timeout must be more than 0").Hint = "write a time, such as 5m"
	}
	e.Shared, e.Cold = article.Texts(head.Shared), head.Before == article.Cold
	if e.Cold {
		e.checkCold()
	}
	e.Setup = hooks(head.Setup)
	e.Metrics = slice.Map(head.Metrics, metric)
	return e.hasWork()
}

// checkCold reports settings that make before: cold ineffective.
func (e *outline) checkCold() {
	head, at := e.head, e.headNode.TextAt("before").Pos
	refuse := func(is bool, words, hint string) {
		if is {
			e.problems.Add("contradiction", at, "before: cold has no effect %s", words).Hint = hint
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

// hasWork reports an experiment that lacks a load and a command, or has both. It returns false if one is not a mapping.
func (e *outline) hasWork() bool {
	load, command := e.head.Load != nil, e.head.Command != nil
	for _, key := range []string{"load", "command"} {
		if n := e.node.Get(key); isEmpty(n) && n != nil && n.Kind != source.Null {
			return false // reported when the block was read
		}
	}
	isElsewhere := e.node.Get("services").Get("load") != nil || !isEmpty(e.node.Get("matrix").Get("load"))
	switch {
	case load && command:
		e.problems.Add("load-or-command", e.Pos, "experiment %q has both a load and a command", e.Name).
			Hint = "keep one of them, or make two experiments"
	case load || command || isElsewhere || e.head.HasTried(e.headNode, "load", "command") || !e.whole:
		// What is missing may be in a part that could not be found or read, which was reported.
	default:
		e.problems.Add("load-or-command", e.Pos, "experiment %q needs either a load or a command", e.Name).
			Hint = "add load: with a target, or command: with run"
	}
	return true
}

func metric(m article.Metric) Metric {
	out := Metric{Metric: m.Means(), Value: m.Value.Text.Value, Regex: m.Regex.Value, JSON: m.JSON.Value}
	if !m.From.IsZero() {
		out.Service, out.Stream = m.Source()
		if !m.Unit.IsZero() && m.Unit.Value != out.Unit {
			out.Written = m.Unit.Value
		}
	}
	return out
}

// expandTrials makes a trial of every combination. It returns false if two have the same name, or they are too large.
func (e *outline) expandTrials(body *source.Node, combinations []combination) bool {
	e.checkAxes(body)
	if e.steps += len(combinations) * e.Most(); e.steps > maxSteps {
		e.problems.Add("too-many", e.Pos, "the experiments have more than %d repetitions of trials", maxSteps).
			Hint = "lower repetitions, or remove axes or values"
		return false
	}
	e.checkVariables(body)
	before := e.problems.Len()
	checkSecrets(body, e.problems)
	secrets, seen := map[string]string{}, map[string]bool{}
	for _, name := range e.headNode.Get("secrets").Keys() {
		secrets[name] = "${{secrets." + name + "}}" // one word of a command; it is filled in when a trial starts
	}
	for _, c := range combinations {
		t := &Trial{Name: cmp.Or(c.name(), e.Name), Parameters: c.parameters, Labels: c.labels,
			Definition: json.RawMessage("{}"), draft: draft{planner: e.planner, combination: c, at: e.Pos, secrets: secrets}}
		e.Trials = append(e.Trials, t)
		if seen[c.name()] {
			e.problems.Add("duplicate-cell", e.Pos, "two cells of the matrix are both called %q", c.name()).
				Hint = "give the rows a name, or a parameter that tells them apart"
			return false
		}
		seen[c.name()] = true
		for _, parameter := range c.parameters {
			e.Parameters = slice.Add(e.Parameters, parameter.Name)
		}
		if e.problems.Len() > before {
			continue // other cells have the same mistakes
		}
		e.expandTrial(&t.draft, body)
		if e.written += weight(t.draft.node); e.written > maxDefinitions {
			e.problems.Add("too-large", e.Pos, "with its templates filled in for each cell of its matrix, the experiment is "+
				"larger than %d MiB", maxDefinitions>>20).Hint = "remove axes or values, or move long texts to files"
			return false
		}
	}
	return true
}

// expandTrial fills in the templates of a draft, and decodes it.
func (e *outline) expandTrial(d *draft, body *source.Node) {
	tune, ports := map[string]string{}, map[string]string{}
	for _, name := range e.headNode.Get("tune").Keys() {
		tune[name] = ""
	}
	env := settings{profile: e.options.Profile, unread: e.head.HasTried(e.headNode, "matrix"),
		values: map[string]map[string]string{"matrix": d.fields, "tune": tune, "secrets": d.secrets, "services": ports}}
	for _, s := range body.Get("services").All() {
		ports[s.Key.Value] = firstPort(s.Value, env, e.problems)
	}
	d.node = expandAll(body, env, e.problems)
	checkSecrets(d.node, e.problems) // values of the matrix may contain secrets
	d.definition = article.DecodeExperiment(d.node, true, e.problems)
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

// resolve completes the trials of an experiment, and draws their order.
func (e *outline) resolve() {
	e.placeOnNodes()
	for _, t := range e.Trials {
		if t.draft.definition != nil {
			e.resolveTrial(t)
		}
		if t.Command != nil && t.Command.Output != "" {
			e.Parameters = slice.Add(e.Parameters, record.BenchmarkAxis)
		}
	}
	if e.keepChanged(); e.Skipped != "" {
		return
	}
	measured := slice.Filter(e.Trials, func(t *Trial) bool { return t.Key != "" })
	if len(measured) == 0 {
		return
	}
	searches := measured[0].Capacity != nil // then there are no repetitions
	if !searches {
		if original := e.calibrated(e.ofBase(measured)); original != nil {
			twin := *original
			twin.Calibration = true
			twin.Name += " again"
			computeKey(&twin, e.Experiment)
			e.Trials, measured = append(e.Trials, &twin), append(measured, &twin)
		}
	}
	h := sha256.New()
	repetitions := "until decided" // looks may add rounds later
	if e.head.Repetitions.Fixed {
		repetitions = strconv.Itoa(e.Most())
	}
	fmt.Fprintln(h, e.Name, e.options.Profile, repetitions, true) // the true keeps the seeds of older versions
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

// resolveTrial reads what a trial runs, and computes its key.
func (e *outline) resolveTrial(t *Trial) {
	t.read()
	d := &t.draft
	if load := d.definition.Load; load != nil {
		e.checkPort(t, d.node.Get("load"))
		if load.Outside != e.Outside {
			e.problems.Add("wrong-value", d.node.TextAt("load", "outside").Pos, "outside is the same for all trials of an experiment").
				Hint = "write true or false, or make two experiments"
		}
	}
	t.Tune, t.Capacity = d.searches(), d.capacity()
	if t.Deferred = deferred(d.node); len(t.Deferred) > 0 && e.problems.Empty() { // otherwise they would be reported twice
		t.checkEnds()
	}
	computeKey(t, e.Experiment)
}

// calibrated returns the trial that the A/A pair measures twice, or nil.
func (e *outline) calibrated(measured []*Trial) *Trial {
	c := e.head.Calibrate
	switch {
	case c.Off:
		return nil
	case c.Pick.Node == nil:
		return measured[0]
	}
	known := map[string]bool{"experiment": true}
	for _, t := range e.Trials {
		for _, parameter := range slices.Concat(t.Parameters, t.Labels) {
			known[parameter.Name] = true
		}
	}
	var picked []*Trial
	for _, t := range measured {
		fits, err := expr.Where(c.Pick.Node, func(name string) (string, bool) {
			if name == "experiment" {
				return e.Name, true
			}
			return t.draft.fields[name], known[name]
		})
		if err != nil {
			if e, ok := errors.AsType[*expr.Error](err); ok && errors.Is(err, expr.ErrUnknownName) {
				e.Hint = source.Suggest(c.Text.Value[e.Span.Start:e.Span.End], sortedKeys(known))
			}
			article.AddExprError(c.Text, err, e.problems)
			return nil
		}
		if fits {
			picked = append(picked, t)
		}
	}
	isBroken := func(t *Trial) bool { return t.Key == "" }
	what := "no trial"
	switch {
	case len(picked) == 1:
		return picked[0]
	case len(picked) == 0 && slices.ContainsFunc(e.Trials, isBroken):
		return nil // it may pick one with a problem of its own, which is reported
	case len(picked) > 0:
		names := slice.Map(picked[:min(len(picked), 5)], func(t *Trial) string { return t.Name })
		what = fmt.Sprintf("%d trials: %s", len(picked), strings.Join(names, "; "))
	}
	e.problems.Add("not-one-cell", c.Text.Pos, "calibrate must pick one trial, but picks %s", what).
		Hint = "compare it with the matrix; true takes the first trial"
	return nil
}
