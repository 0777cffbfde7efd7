package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
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

// builtIn is the lowest layer of the defaults.
const builtIn = `
repetitions: 5
order: interleaved
calibrate: true
timeout: 5m
load:
  method: GET
  connections: 10
  timeout: 10s
  keepalive: true
`

// A load without requests runs for a time, after a warm-up.
const (
	defaultDuration = 10 * time.Second
	defaultWarmup   = 2 * time.Second
)

// What profile quick does to every experiment.
const (
	quickRepetitions = 3
	quickDuration    = 3 * time.Second
	quickWarmup      = time.Second
	quickLimit       = 5 * time.Second // of an experiment with requests
)

// ErrNoProfile is wrapped by the error of New for a profile that nobody defines.
var ErrNoProfile = errors.New("no such profile")

// New plans the experiments of an article. What is wrong with them goes to problems; the plan then lacks what could not be
// resolved and must not be run. The error is one of the options.
func New(project *article.Project, doc *article.Document, o Options, problems *article.Problems) (*Plan, error) {
	o.Profile = cmp.Or(o.Profile, Full)
	if err := knownProfile(project, doc, o.Profile); err != nil {
		return nil, err
	}
	p := &planner{project: project, doc: doc, options: o, problems: problems,
		folder: folder{doc: doc, configs: map[string]bool{}, contexts: map[string][]File{}}}
	out := &Plan{Article: doc.Slug, Profile: o.Profile}
	for _, block := range doc.Experiments {
		if e := p.outline(block); e != nil {
			out.Experiments = append(out.Experiments, e.Experiment)
			p.outlines = append(p.outlines, e)
		}
	}
	// Contexts leave out what any config of the article names, so configs come first.
	for _, e := range p.outlines {
		for _, t := range e.drafts {
			t.configs = p.configs(t)
		}
	}
	for _, e := range p.outlines {
		p.resolve(e)
	}
	return out, nil
}

func knownProfile(project *article.Project, doc *article.Document, name string) error {
	known := []string{Full, Quick}
	for profile := range project.Profiles {
		known = append(known, profile)
	}
	var ignored article.Problems
	for _, block := range doc.Experiments {
		for _, profile := range article.DecodeExperiment(block.Node, true, &ignored).Profiles {
			known = append(known, profile.Name.Value)
		}
	}
	if slices.Contains(known, name) {
		return nil
	}
	slices.Sort(known)
	return fmt.Errorf("%w %q: known are %s", ErrNoProfile, name, strings.Join(slices.Compact(known), ", "))
}

type planner struct {
	project  *article.Project
	doc      *article.Document
	options  Options
	problems *article.Problems
	folder   folder
	outlines []*outline
}

// An outline is an experiment whose matrix is multiplied, with nothing resolved yet.
type outline struct {
	*Experiment
	block     *article.ExperimentBlock
	calibrate bool
	drafts    []*draft
}

// A draft is a trial whose templates are expanded.
type draft struct {
	combination
	definition *article.Experiment
	configs    map[*article.Config]File
}

// outline merges the defaults of a block, applies the profile, multiplies the matrix and expands templates.
func (p *planner) outline(block *article.ExperimentBlock) *outline {
	merged, skipped := p.merge(block)
	e := &outline{block: block, Experiment: &Experiment{Name: block.Name.Value, Pos: block.Pos}}
	if skipped {
		e.Skipped = fmt.Sprintf("profile %s leaves this experiment out", p.options.Profile)
		return e
	}
	head := article.DecodeExperiment(merged, true, &article.Problems{}) // its problems were found when it was read
	e.Description = head.Description.Value
	e.Repetitions = head.Repetitions.V
	if p.options.Repetitions > 0 {
		e.Repetitions = p.options.Repetitions
	}
	if p.options.Profile == Quick {
		e.Repetitions = min(e.Repetitions, quickRepetitions)
	}
	if e.Repetitions < 1 || e.Repetitions > 1000 {
		p.problems.Add("wrong-value", head.Repetitions.Text.Pos, "repetitions has to be between 1 and 1000, not %d", e.Repetitions)
		return nil
	}
	e.Timeout = head.Timeout.V
	e.calibrate = head.Calibrate.V
	switch head.Order.V {
	case "interleaved":
		e.Interleaved = true
	case "sequential":
	default:
		p.problems.Add("wrong-value", head.Order.Text.Pos, "%q is no order", head.Order.V).Hint = article.Suggest(head.Order.V, []string{"interleaved", "sequential"})
	}
	if (head.Load == nil) == (head.Command == nil) {
		p.problems.Add("load-or-command", block.Pos, "experiment %q needs either a load or a command", block.Name.Value).
			Hint = "add load: with a target, or command: with run"
		return nil
	}
	combinations := multiply(head.Matrix, p.problems)
	if len(combinations) > 10_000 {
		p.problems.Add("too-many", block.Pos, "the matrix has %d cells", len(combinations)).Hint = "at most 10000 can be planned"
		return nil
	}
	body := merged.Without("matrix", "profiles", "repetitions", "name", "description", "order", "calibrate", "timeout")
	before := len(p.problems.Sorted())
	for _, c := range combinations {
		env := settings{combination: c, profile: p.options.Profile, ports: map[string]string{}}
		if services := body.Get("services"); services != nil {
			for _, s := range services.Fields {
				env.ports[s.Key.Value] = firstPort(s.Value.Get("expose"), env, p.problems)
			}
		}
		expanded := expand(body, env, p.problems)
		e.drafts = append(e.drafts, &draft{combination: c, definition: article.DecodeExperiment(expanded, false, p.problems)})
		if len(p.problems.Sorted()) > before {
			break // the other cells have the same mistakes
		}
	}
	seen := map[string]bool{}
	for _, d := range e.drafts {
		if seen[d.name()] {
			p.problems.Add("duplicate-cell", block.Pos, "two cells of the matrix are both called %q", d.name()).
				Hint = "give the rows a name, or a parameter that tells them apart"
			return nil
		}
		seen[d.name()] = true
		for _, parameter := range d.parameters {
			if !slices.Contains(e.Parameters, parameter.Name) {
				e.Parameters = append(e.Parameters, parameter.Name)
			}
		}
	}
	return e
}

func firstPort(n *article.Node, env settings, problems *article.Problems) string {
	if n == nil {
		return ""
	}
	if n.Kind == article.List && len(n.Items) > 0 {
		n = n.Items[0]
	}
	if n.Kind != article.Scalar {
		return ""
	}
	return expand(n, env, problems).Text.Value
}

// merge lays the layers of FORMAT.md 3 over each other: built in, benchbook.yaml, front matter, block; then the profile's.
func (p *planner) merge(block *article.ExperimentBlock) (merged *article.Node, skipped bool) {
	base := article.Mapping("built in", builtIn)
	if p.project.Defaults != nil {
		base = article.Merge(base, p.project.Defaults)
	}
	if p.doc.Front.Defaults.Node != nil {
		base = article.Merge(base, p.doc.Front.Defaults.Node)
	}
	if block.Node.Get("load") == nil {
		base = base.Without("load")
	}
	if block.Node.Get("command") == nil {
		base = base.Without("command")
	}
	merged = article.Merge(base, block.Node)
	merged = p.times(merged, p.options.Profile == Quick)
	if over := p.project.Profiles[p.options.Profile]; over != nil {
		merged = article.Merge(merged, only(over, merged))
	}
	for _, profile := range article.DecodeExperiment(block.Node, true, &article.Problems{}).Profiles {
		if profile.Name.Value != p.options.Profile {
			continue
		}
		if profile.Skip {
			return merged, true
		}
		merged = article.Merge(merged, profile.Node)
	}
	return merged, false
}

// only leaves out of a profile of the project what an experiment has no use for: a load where there is a command.
func only(over, merged *article.Node) *article.Node {
	for _, key := range []string{"load", "command"} {
		if merged.Get(key) == nil {
			over = over.Without(key)
		}
	}
	return over
}

// times fills in how long a load lasts: for a time after a warm-up, unless it is bounded by requests. Profile quick shortens
// it: see FORMAT.md 3.
func (p *planner) times(merged *article.Node, quick bool) *article.Node {
	load := merged.Get("load")
	if load == nil || load.Kind != article.Map {
		return merged
	}
	set := func(key string, d time.Duration) string { return fmt.Sprintf("  %s: %dms\n", key, d.Milliseconds()) }
	text := ""
	switch requests := load.Get("requests") != nil; {
	case requests && quick:
		text = set("duration", quickLimit)
	case requests:
	case quick:
		text = set("duration", quickDuration) + set("warmup", quickWarmup)
	default:
		if load.Get("duration") == nil {
			text += set("duration", defaultDuration)
		}
		if load.Get("warmup") == nil {
			text += set("warmup", defaultWarmup)
		}
	}
	if text == "" {
		return merged
	}
	return article.Merge(merged, article.Mapping("built in", "load:\n"+text))
}

func (p *planner) configs(d *draft) map[*article.Config]File {
	out := map[*article.Config]File{}
	add := func(list []article.Config) {
		for i := range list {
			if f, ok := p.folder.config(list[i], p.problems); ok {
				out[&list[i]] = f
			}
		}
	}
	for i := range d.definition.Services {
		add(d.definition.Services[i].Value.Configs)
	}
	if d.definition.Command != nil {
		add(d.definition.Command.Configs)
	}
	return out
}

// resolve makes the trials of an experiment, their keys and their order.
func (p *planner) resolve(e *outline) {
	for _, d := range e.drafts {
		t := &Trial{Name: d.name(), Parameters: d.parameters, Labels: d.labels}
		t.Services = p.services(d, e.block.Pos)
		if d.definition.Load != nil {
			t.Load = p.load(d.definition.Load, t.Services, e.block.Pos)
		} else if d.definition.Command != nil {
			t.Command = p.command(d, e.block.Pos)
		}
		if t.Name == "" {
			t.Name = e.Name
		}
		seal(t)
		e.Trials = append(e.Trials, t)
	}
	if e.Skipped != "" || len(e.Trials) == 0 {
		return
	}
	if e.calibrate {
		twin := *e.Trials[0]
		twin.Calibration = true
		twin.Name += " again"
		seal(&twin)
		e.Trials = append(e.Trials, &twin)
	}
	h := sha256.New()
	fmt.Fprintln(h, e.Name, p.options.Profile, e.Repetitions, e.Interleaved)
	for _, t := range e.Trials {
		fmt.Fprintln(h, t.Name, t.Key)
	}
	e.Seed = p.options.Seed
	if e.Seed == 0 {
		e.Seed = int64(binary.BigEndian.Uint64(h.Sum(nil)) >> 11) // 53 bits: JSON readers keep it exactly
	}
	fmt.Fprintln(h, e.Seed)
	e.Digest = hex.EncodeToString(h.Sum(nil)[:8])
	e.Steps = draw(e.Trials, e.Repetitions, e.Interleaved, e.Seed)
}

// draw gives the order of repetitions: rounds with every trial once, each in an order of its own; or trial by trial.
func draw(trials []*Trial, repetitions int, interleaved bool, seed int64) []Step {
	var steps []Step
	if !interleaved {
		for _, t := range trials {
			for r := range repetitions {
				steps = append(steps, Step{t, r + 1, r + 1})
			}
		}
		return steps
	}
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for r := range repetitions {
		for _, i := range random.Perm(len(trials)) {
			steps = append(steps, Step{trials[i], r + 1, r + 1})
		}
	}
	return steps
}

// seal computes what identifies a trial: its definition, the files in it by their digests, and the number of what our samples
// mean. Nothing found out at run time enters.
func seal(t *Trial) {
	definition, err := json.Marshal(struct {
		Services    []*Service `json:"services,omitempty"`
		Load        *Load      `json:"load,omitempty"`
		Command     *Command   `json:"command,omitempty"`
		Calibration bool       `json:"calibration,omitempty"`
	}{t.Services, t.Load, t.Command, t.Calibration})
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err)) // only strings, numbers and their maps
	}
	t.Definition = definition
	t.Inputs = []record.Input{{Name: "definition", Digest: digest(definition)}, {Name: "semantics", Digest: strconv.Itoa(record.Semantics)}}
	for _, s := range t.Services {
		t.Inputs = append(t.Inputs, fileInputs(s.Name, s.Image, s.Configs)...)
	}
	if t.Command != nil {
		t.Inputs = append(t.Inputs, fileInputs("command", t.Command.Image, t.Command.Configs)...)
	}
	h := sha256.New()
	for _, in := range t.Inputs {
		fmt.Fprintln(h, in.Name, in.Digest)
	}
	t.Key = hex.EncodeToString(h.Sum(nil)[:16])
}

func fileInputs(name string, image Image, configs []File) (out []record.Input) {
	if image.Build != nil {
		for _, f := range image.Build.Files {
			out = append(out, record.Input{Name: name + ": " + f.Path, Digest: f.Digest})
		}
	}
	for _, f := range configs {
		out = append(out, record.Input{Name: name + ": " + f.Path, Digest: f.Digest})
	}
	return out
}

// services resolves the services of a trial and puts those that others depend on first.
func (p *planner) services(d *draft, at article.Pos) []*Service {
	all := map[string]*Service{}
	var names []string
	for i := range d.definition.Services {
		s := &d.definition.Services[i]
		if !article.IsName(s.Name.Value) || strings.Contains(s.Name.Value, ".") || s.Name.Value == "peak" {
			p.problems.Add("bad-name", s.Name.Pos, "%q is no name for a service", s.Name.Value).
				Hint = "use letters, digits, - and _, and not the word peak"
			continue
		}
		if r := p.service(s.Name, &s.Value, d); r != nil {
			all[s.Name.Value] = r
			names = append(names, s.Name.Value)
		}
	}
	var out []*Service
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		if state[name] != 0 {
			return
		}
		state[name] = visiting
		for _, s := range d.definition.Services {
			if s.Name.Value != name {
				continue
			}
			for _, dep := range s.Value.DependsOn {
				switch {
				case all[dep.Value] == nil:
					p.problems.Add("unknown-service", dep.Pos, "service %q depends on %q, which is none", name, dep.Value).
						Hint = article.Suggest(dep.Value, names)
				case state[dep.Value] == visiting:
					p.problems.Add("circle", dep.Pos, "services %q and %q wait for each other", name, dep.Value).
						Hint = "remove one of the depends_on"
				default:
					visit(dep.Value)
				}
			}
		}
		state[name] = done
		out = append(out, all[name])
	}
	for _, name := range names {
		visit(name)
	}
	return out
}

func (p *planner) service(name article.Text, s *article.Service, d *draft) *Service {
	out := &Service{
		Name: name.Value, WorkingDir: s.WorkingDir.Value, User: s.User.Value, CPUSet: s.CPUSet.Value,
		Memory: int64(s.MemLimit.V), ShmSize: int64(s.ShmSize.V), ReadOnly: s.ReadOnly.V, Init: s.Init.V,
		StopSignal: s.StopSignal.Value, StopGrace: s.StopGrace.V,
	}
	image, ok := p.image(s.Image, s.Build, fmt.Sprintf("service %q", name.Value), name.Pos)
	if !ok {
		return nil
	}
	out.Image = image
	if s.Command != nil {
		out.Command = s.Command.Words
	}
	if s.Entrypoint != nil {
		out.Entrypoint = s.Entrypoint.Words
	}
	for _, v := range s.Environment {
		out.Environment = append(out.Environment, v.Name.Value+"="+v.Value.Value)
	}
	for _, t := range s.Tmpfs {
		out.Tmpfs = append(out.Tmpfs, t.Value)
	}
	for _, e := range s.Expose {
		if e.V < 1 || e.V > 65535 {
			p.problems.Add("wrong-value", e.Text.Pos, "%d is no port", e.V).Hint = "ports go from 1 to 65535"
			continue
		}
		out.Expose = append(out.Expose, e.V)
	}
	for _, dep := range s.DependsOn {
		out.DependsOn = append(out.DependsOn, dep.Value)
	}
	for i := range s.Configs {
		if f, ok := d.configs[&s.Configs[i]]; ok {
			out.Configs = append(out.Configs, f)
		}
	}
	if s.Healthcheck != nil {
		out.Ready = p.ready(s.Healthcheck, name)
	}
	return out
}

func (p *planner) image(name article.Text, build *article.Build, what string, at article.Pos) (Image, bool) {
	switch {
	case name.Value != "" && build != nil:
		p.problems.Add("image-or-build", name.Pos, "%s has both an image and a build", what).Hint = "keep one of them"
		return Image{}, false
	case name.Value != "":
		return Image{Name: name.Value}, true
	case build == nil:
		p.problems.Add("image-or-build", at, "%s has neither an image nor a build", what).
			Hint = "add build: with a folder beside the article, or image: with a name"
		return Image{}, false
	}
	b, ok := p.folder.build(build, at, p.problems)
	return Image{Build: b}, ok
}

// ready reads a healthcheck; the forms HTTP, PORT and LOG are ours, the others Compose's.
func (p *planner) ready(h *article.Healthcheck, service article.Text) Ready {
	r := Ready{Timeout: h.Timeout.V}
	if len(h.Test) == 0 {
		return r
	}
	kind, rest := h.Test[0], h.Test[1:]
	wrong := func(hint string) {
		p.problems.Add("wrong-value", kind.Pos, "the healthcheck of service %q cannot be read", service.Value).Hint = hint
	}
	words := make([]string, len(rest))
	for i, t := range rest {
		words[i] = t.Value
	}
	switch kind.Value {
	case "HTTP":
		if len(words) != 1 || !strings.HasPrefix(words[0], "/") {
			wrong("write [HTTP, /path]")
			return r
		}
		r.HTTP = words[0]
	case "PORT":
		port := 0
		if len(words) == 1 {
			port, _ = strconv.Atoi(words[0])
		}
		if port < 1 || port > 65535 {
			wrong(`write [PORT, "5432"]`)
			return r
		}
		r.Port = port
	case "LOG":
		times := 1
		if len(words) == 2 {
			times, _ = strconv.Atoi(words[1])
		}
		if len(words) < 1 || len(words) > 2 || words[0] == "" || times < 1 {
			wrong("write [LOG, text] or [LOG, text, times]")
			return r
		}
		r.Log, r.Times = words[0], times
	case "CMD":
		r.Command = words
	case "CMD-SHELL":
		r.Command = append([]string{"/bin/sh", "-c"}, words...)
	default:
		if len(h.Test) == 1 {
			r.Command = []string{"/bin/sh", "-c", kind.Value}
			return r
		}
		wrong("begin with CMD, CMD-SHELL, HTTP, PORT or LOG")
	}
	return r
}

func (p *planner) load(l *article.Load, services []*Service, at article.Pos) *Load {
	out := &Load{
		Target: l.Target.Value, Method: l.Method.Value, Body: l.Body.Value, Connections: l.Connections.V, Threads: l.Threads.V,
		Duration: l.Duration.V, Requests: l.Requests.V, Warmup: l.Warmup.V, Think: l.Think.V, Timeout: l.Timeout.V,
		Keepalive: l.Keepalive.V, CheckBefore: true, CPUSet: l.CPUSet.Value,
	}
	out.Headers = byName(l.Headers)
	if l.Failures.Expected {
		out.FailuresMax = 1
	} else {
		out.FailuresMax = float64(l.Failures.Max.V)
	}
	if v := l.Verify; v != nil {
		for _, s := range v.Status {
			out.Status = append(out.Status, s.V)
		}
		out.Contains, out.Match = v.Contains.Value, v.Match.Value
		if v.Length.Set() {
			n := int64(v.Length.V)
			out.Length = &n
		}
		out.JSON, out.WantHeaders = byName(v.JSON), byName(v.Headers)
		if v.Before.Set() {
			out.CheckBefore = v.Before.V
		}
	}
	positive := func(v article.Value[int], what string, most int) {
		if v.Set() && (v.V < 1 || v.V > most) {
			p.problems.Add("wrong-value", v.Text.Pos, "%s has to be between 1 and %d, not %d", what, most, v.V)
		}
	}
	positive(l.Connections, "connections", 60_000)
	positive(l.Threads, "threads", 1024)
	positive(l.Requests, "requests", 1_000_000_000)
	for _, d := range []struct {
		v    article.Value[time.Duration]
		what string
		zero bool
	}{{l.Duration, "duration", false}, {l.Warmup, "warmup", true}, {l.Think, "think", true}, {l.Timeout, "timeout", false}} {
		if d.v.Set() && (d.v.V < 0 || d.v.V == 0 && !d.zero) {
			p.problems.Add("wrong-value", d.v.Text.Pos, "%s has to be more than 0", d.what)
		}
	}
	p.target(l, services, at)
	return out
}

func byName(list article.Environment) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, v := range list {
		out[v.Name.Value] = v.Value.Value
	}
	return out
}

// target checks that load goes to a service of the experiment: a container reaches nothing else.
func (p *planner) target(l *article.Load, services []*Service, at article.Pos) {
	if l.Target.IsZero() {
		p.problems.Add("missing-key", at, "the load has no target").Hint = "add target: http://SERVICE:PORT/"
		return
	}
	u, err := url.Parse(l.Target.Value)
	if err != nil || u.Host == "" {
		p.problems.Add("wrong-value", l.Target.Pos, "%q is no URL", l.Target.Value).Hint = "write http://SERVICE:PORT/path"
		return
	}
	if u.Scheme != "http" {
		p.problems.Add("not-yet", l.Target.Pos, "this version puts load on http:// only, not on %s://", u.Scheme)
		return
	}
	var names []string
	for _, s := range services {
		if s.Name == u.Hostname() {
			return
		}
		names = append(names, s.Name)
	}
	p.problems.Add("unknown-service", l.Target.Pos, "the load goes to %q, which is no service of the experiment", u.Hostname()).
		Hint = article.Suggest(u.Hostname(), names)
}

func (p *planner) command(d *draft, at article.Pos) *Command {
	c := d.definition.Command
	if c.Run != nil {
		at = c.Run.Pos
	}
	image, ok := p.image(c.Image, c.Build, "the command", at)
	if !ok {
		return nil
	}
	out := &Command{Image: image, WorkingDir: c.WorkingDir.Value, Stdin: c.Stdin.Value, Timeout: c.Timeout.V}
	if c.Run != nil {
		out.Run = c.Run.Words
	}
	if len(out.Run) == 0 {
		p.problems.Add("missing-key", at, "the command has nothing to run").Hint = "add run: with a program and its arguments"
		return nil
	}
	if c.Shell.V {
		out.Run = []string{"/bin/sh", "-c", c.Run.Written}
	}
	for _, v := range c.Environment {
		out.Environment = append(out.Environment, v.Name.Value+"="+v.Value.Value)
	}
	for i := range c.Configs {
		if f, ok := d.configs[&c.Configs[i]]; ok {
			out.Configs = append(out.Configs, f)
		}
	}
	if c.Expect != nil {
		out.ExpectExit, out.Contains = c.Expect.Exit.V, c.Expect.Contains.Value
	}
	return out
}

// Slug is the trial's name as part of a file's name.
func (t *Trial) Slug() string { return record.Slug(path.Clean(t.Name)) }
