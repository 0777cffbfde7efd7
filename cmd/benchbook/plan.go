package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/machines"
)

// planJSON is what plan prints with --json. Times are in seconds. Fields are added to it in later versions, none are
// renamed or removed, except below "definition", which is that of records and follows their version.
type planJSON struct {
	Host        string               `json:"host"` // class and digest, as in records
	Profile     string               `json:"profile"`
	Placement   placementJSON        `json:"placement"`
	Experiments []experimentPlanJSON `json:"experiments"`
}

// placementJSON is the logical CPUs of services and load, as in cpuset, wherever the article does not say others. Those of commands stand
// with their trials.
type placementJSON struct {
	Services string `json:"services"`
	Load     string `json:"load"`
}

type experimentPlanJSON struct {
	Article     string            `json:"article"`
	Experiment  string            `json:"experiment"`
	Description string            `json:"description,omitempty"`
	Skipped     string            `json:"skipped,omitempty"` // why the profile leaves it out; then nothing below is there
	Unsupported []unsupportedJSON `json:"unsupported"`       // what this version cannot run yet; if there is anything, run leaves it out
	Repetitions int               `json:"repetitions"`
	Order       string            `json:"order"` // interleaved or sequential
	Seed        int64             `json:"seed"`
	Digest      string            `json:"digest"` // of all that makes a run of it the same run
	Timeout     float64           `json:"timeout"`
	Parameters  []string          `json:"parameters"` // those that identify a trial
	Trials      []trialPlanJSON   `json:"trials"`
	Steps       []stepJSON        `json:"steps"` // in the order to run, whatever is fresh
	Estimate    estimateJSON      `json:"estimate"`
	Warnings    []string          `json:"warnings"` // what keeps it from deciding a claim, in sentences
	Origins     map[string]string `json:"origins"`  // by path of the key, as written in the article: where its value came from
}

// unsupportedJSON is something that an article says and this version cannot run.
type unsupportedJSON struct {
	What string `json:"what"` // a key of the article language, or a few words
	File string `json:"file"`
	Line int    `json:"line"`
}

func unsupported(e *plan.Experiment) []unsupportedJSON {
	out := []unsupportedJSON{}
	for _, u := range e.Unsupported {
		line, _ := u.Pos.Source.Position(u.Pos.Start)
		out = append(out, unsupportedJSON{u.What, u.Pos.Source.Path, line})
	}
	return out
}

// notYet says what an experiment cannot be run for; it is empty if it can.
func notYet(list []unsupportedJSON) string {
	if len(list) == 0 {
		return ""
	}
	var words []string
	for _, u := range list {
		words = append(words, fmt.Sprintf("%s (%s:%d)", u.What, path.Base(u.File), u.Line))
	}
	return "run leaves it out: this version cannot run " + strings.Join(words, ", ")
}

type trialPlanJSON struct {
	Trial       string             `json:"trial"`
	Calibration bool               `json:"calibration"`          // second half of the A/A pair
	InsteadOf   string             `json:"instead_of,omitempty"` // what it is a substitute for
	Parameters  []record.Parameter `json:"parameters"`
	Labels      []record.Parameter `json:"labels"`
	Key         string             `json:"key"`
	State       string             `json:"state"` // as status has it
	ToMeasure   int                `json:"to_measure"`
	Why         []string           `json:"why"`
	CPUs        string             `json:"cpus,omitempty"` // of the load or command, as in cpuset; absent where all of a node may be used
	Definition  json.RawMessage    `json:"definition"`     // times in it are in nanoseconds
	Inputs      []record.Input     `json:"inputs"`
}

type stepJSON struct {
	Round      int    `json:"round"`
	Repetition int    `json:"repetition"`
	Trial      string `json:"trial"`
}

// estimateJSON is how long a run would take, images aside. Total is the sum of the four below it.
type estimateJSON struct {
	Total     float64  `json:"total"`
	StartStop float64  `json:"start_stop"`
	Warmup    float64  `json:"warmup"`
	Measure   float64  `json:"measure"`
	Search    float64  `json:"search"`
	Recorded  bool     `json:"recorded"`  // some of it is what earlier repetitions took
	Elsewhere bool     `json:"elsewhere"` // on another host
	Assumed   []string `json:"assumed"`   // where neither the article sets a time nor records know one
}

func (a *app) planCommand() *cobra.Command {
	var options plan.Options
	var asJSON, origins bool
	var onlyTrials string
	var chooseQuick func() error
	cmd := &cobra.Command{
		Use:   "plan [ARTICLE[#NAME] ...]",
		Short: "Show what a run would do, without running anything",
		Long: `Show what a run would do, without running anything: every service and load with all its keys, defaults included;
the trials; the order of repetitions; where services and load would run on this machine; how long it should take; and
which trials are to be measured, and why. A value that differs between trials is followed by theirs.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := chooseQuick(); err != nil {
				return err
			}
			if err := checkRepetitions(cmd.Flags(), options.Repetitions); err != nil {
				return err
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			plans, err := a.sound(project, list, options, "articles with problems cannot be planned")
			if err != nil {
				return err
			}
			picked, err := newFilter(onlyTrials, list, plans)
			if err != nil {
				return err
			}
			for _, c := range list {
				picked.leave(plans[c.slug])
			}
			this, err := machines.ThisHost()
			if err != nil {
				return failure(err)
			}
			if err := printPlans(cmd.Context(), a.session, project, list, plans, this, asJSON, origins); err != nil {
				return stopped(cmd.Context(), err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Profile, "profile", plan.Full, "plan this profile")
	chooseQuick = addQuick(cmd.Flags(), &options.Profile)
	cmd.Flags().IntVar(&options.Repetitions, "repetitions", 0, "repetitions of every trial, instead of what the article says")
	cmd.Flags().Int64Var(&options.Seed, "seed", 0, "seed of the order of repetitions, instead of one drawn from the experiment")
	cmd.Flags().StringVar(&onlyTrials, "only", "", "plan "+onlyUsage)
	cmd.Flags().BoolVar(&origins, "origins", false, "say where each value came from")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// printPlans prints what a run of articles would do on a host, as data or for people, who may want the origin of each value.
func printPlans(ctx context.Context, a *session, project *article.Project, list []*chosen, plans map[string]*plan.Plan, this machines.Host,
	asJSON, origins bool) error {
	s := sheet{w: a.stdout, host: this.ID, at: plan.Place(this.Cores)}
	out := planJSON{Host: s.host, Placement: placementJSON{s.at.Services, s.at.Load}, Experiments: []experimentPlanJSON{}}
	present := a.present(project)
	defer present.Close()
	for _, c := range list {
		host, err := a.hostOf(project, c, this)
		if err != nil {
			return err
		}
		known, err := inspect(ctx, a, project, c, plans[c.slug], host.ID, present)
		if err != nil {
			return err
		}
		s.of, s.profile, out.Profile = host, plans[c.slug].Profile, plans[c.slug].Profile
		for _, e := range plans[c.slug].Experiments {
			warnings := dataset.Unbounded(c.doc, plans[c.slug], e.Name)
			if asJSON {
				out.Experiments = append(out.Experiments, experimentJSON(c.slug, e, known, host, s.at, warnings))
			} else if err := s.experiment(c.slug, e, known, warnings, origins); err != nil {
				return err
			}
		}
	}
	if asJSON {
		return printJSON(s.w, out)
	}
	return nil
}

func experimentJSON(slug string, e *plan.Experiment, known map[*plan.Trial]*known, of machines.Host, at plan.Placement, warnings []string) experimentPlanJSON {
	out := experimentPlanJSON{Article: slug, Experiment: e.Name, Description: e.Description, Skipped: e.Skipped, Unsupported: unsupported(e),
		Repetitions: e.Repetitions, Order: order(e), Seed: e.Seed, Digest: e.Digest, Timeout: e.Timeout.Seconds(),
		Parameters: append([]string{}, e.Parameters...), Trials: []trialPlanJSON{}, Steps: []stepJSON{}, Warnings: append([]string{}, warnings...),
		Origins: map[string]string{}}
	maps.Copy(out.Origins, e.Origin)
	redact := redactorOf(e)
	for _, t := range e.Trials {
		k := known[t]
		cpus := ""
		if t.Unavailable == "" {
			cpus, _ = e.PlaceLoad(t, of.CoresOf(e.LoadHost(t)))
		}
		out.Trials = append(out.Trials, trialPlanJSON{Trial: t.Name, CPUs: cpus, Calibration: t.Calibration, InsteadOf: t.InsteadOf,
			Parameters: append([]record.Parameter{}, redact.Parameters(t.Parameters)...), Labels: append([]record.Parameter{}, redact.Parameters(t.Labels)...),
			Key: t.Key, State: k.word(), ToMeasure: k.toMeasure, Why: append([]string{}, k.why...),
			Definition: redact.Shown(t.Definition), Inputs: redact.Inputs(t.Inputs, t.Definition)})
	}
	for _, s := range e.Steps {
		out.Steps = append(out.Steps, stepJSON{s.Round, s.Repetition, s.Trial.Name})
	}
	time := e.Estimate(at, experience(e, known))
	out.Estimate = estimateJSON{Total: time.Total.Seconds(), StartStop: time.Overhead.Seconds(), Warmup: time.Warmup.Seconds(),
		Measure: time.Window.Seconds(), Search: time.Searches.Seconds(), Recorded: time.Recorded, Elsewhere: time.Elsewhere, Assumed: append([]string{}, time.Guesses...)}
	return out
}

// redactorOf knows the secrets of all trials of an experiment: a plan is shown to others as records are.
func redactorOf(e *plan.Experiment) *record.Redactor {
	var definitions []json.RawMessage
	for _, t := range e.Trials {
		definitions = append(definitions, t.Definition)
	}
	return record.NewRedactor(definitions...)
}

func order(e *plan.Experiment) string {
	if e.Interleaved {
		return "interleaved"
	}
	return "sequential"
}

// A sheet prints plans for people: labels on the left, values beside them.
type sheet struct {
	w             io.Writer
	host, profile string
	at            plan.Placement
	of            machines.Host // with all machines of the article that is printed
	width         int           // of the column of labels, of the experiment that is printed
}

// The width of the column of labels, and how far a long label may widen it.
const (
	labelWidth = 22
	labelMost  = 32
)

// line prints a value beside its label, on several lines where it is long or has several.
func (s *sheet) line(indent, label, value string) {
	if text := strings.TrimRight(value, "\n"); strings.Contains(text, "\n") {
		s.lines(indent, label, strings.Split(text, "\n"))
		return
	}
	s.lines(indent, label, wrap(value, lineWidth-s.width))
}

func (s *sheet) lines(indent, label string, lines []string) {
	for _, text := range lines {
		fmt.Fprintln(s.w, strings.TrimRight(padded(indent+label, s.width-1)+" "+text, " "))
		label = ""
	}
}

func (s *sheet) experiment(slug string, e *plan.Experiment, known map[*plan.Trial]*known, warnings []string, origins bool) error {
	parts, err := s.parts(e)
	if err != nil {
		return err
	}
	s.width = labelWidth
	for _, p := range parts {
		for _, key := range p.keys {
			s.width = min(max(s.width, len("    ")+runes(key)+1), labelMost)
		}
	}
	fmt.Fprintf(s.w, "%s#%s\n", slug, e.Name)
	if e.Skipped != "" {
		s.line("  ", "skipped", e.Skipped)
		fmt.Fprintln(s.w)
		return nil
	}
	if e.Description != "" {
		s.line("  ", "description", e.Description)
	}
	s.line("  ", "profile", s.profile)
	if len(e.Hosts) == 0 {
		s.line("  ", "host", s.hereLine(e))
	} else {
		if e.Cluster != "" {
			s.line("  ", "cluster", e.Cluster)
		}
		s.line("  ", "hosts", s.of.ID)
		for _, name := range e.HostNames() {
			s.line("    ", cmp.Or(name, "this machine"), hostLine(e, name, s.of))
		}
	}
	if words := notYet(unsupported(e)); words != "" {
		s.line("  ", "not yet", words)
	}
	for _, p := range parts {
		fmt.Fprintf(s.w, "  %s\n", p.name)
		for _, key := range p.keys {
			s.value(key, p.values[key], e)
		}
	}
	s.trials(e, known)
	s.order(e)
	if time := e.Estimate(s.at, experience(e, known)); time.Total > 0 {
		s.line("  ", "time", inWords(time))
	} else {
		s.line("  ", "time", "none: everything is fresh")
	}
	s.line("  ", "timeout", clock(e.Timeout)+" for a repetition")
	if len(e.Steps) > 0 {
		s.line("  ", "precision", precision(e.Repetitions))
	}
	for _, w := range warnings {
		s.line("  ", "warning", "claim "+w)
	}
	if n := pendingTrials(e, known); n > manyTrials {
		s.line("  ", "warning", fmt.Sprintf("%d trials are to be measured: run asks for --yes, --only or --budget", n))
	}
	if origins && len(e.Origin) > 0 {
		fmt.Fprintln(s.w, "  origins")
		var rows [][]string
		for _, path := range slices.Sorted(maps.Keys(e.Origin)) {
			rows = append(rows, []string{path, e.Origin[path]})
		}
		printColumns(s.w, "    ", rows)
	}
	fmt.Fprintln(s.w)
	return nil
}

// pendingTrials counts the trials of an experiment of which something is to be measured, the A/A pair once.
func pendingTrials(e *plan.Experiment, known map[*plan.Trial]*known) int {
	n := 0
	for _, t := range e.Trials {
		if known[t].toMeasure > 0 && !t.Calibration {
			n++
		}
	}
	return n
}

func toMeasure(e *plan.Experiment, known map[*plan.Trial]*known) int {
	n := 0
	for _, t := range e.Trials {
		n += known[t].toMeasure
	}
	return n
}

// A part is one service, the load or the command: its keys in order, and the value of each by trial.
type part struct {
	name   string
	keys   []string
	values map[string]map[string]string // by key and trial
}

func (p *part) add(key, trial, value string) {
	if p.values[key] == nil {
		p.keys = append(p.keys, key)
		p.values[key] = map[string]string{}
	}
	if before := p.values[key][trial]; before != "" {
		value = before + ", " + value
	}
	p.values[key][trial] = value
}

// parts gathers services, load and command with all their keys.
func (s *sheet) parts(e *plan.Experiment) ([]*part, error) {
	var parts []*part
	named := func(name string) *part {
		i := slices.IndexFunc(parts, func(p *part) bool { return p.name == name })
		if i < 0 {
			i = len(parts)
			parts = append(parts, &part{name: name, values: map[string]map[string]string{}})
		}
		return parts[i]
	}
	redact := redactorOf(e)
	for _, t := range e.Trials {
		if t.Calibration || t.Unavailable != "" {
			continue // it is the trial that it repeats, or there is nothing to tell of it
		}
		list, err := plan.Entries(redact.Shown(t.Definition))
		if err != nil {
			return nil, err
		}
		for _, entry := range withoutFiles(asWritten(list, t)) {
			name, key, ok := strings.Cut(entry.Path, ".")
			if name == "services" && ok {
				service, rest, _ := strings.Cut(key, ".")
				name, key = "service "+service, rest
			}
			named(name).add(cmp.Or(key, name), t.Name, entry.Text)
		}
		for _, service := range t.Services {
			p := named("service " + service.Name)
			switch {
			case service.Completes:
				p.add("healthcheck", t.Name, "ready when it has ended with status 0")
			case service.Ready.HasNoTest():
				p.add("healthcheck", t.Name, "ready when the exposed ports accept")
			}
			if service.CPUSet == "" {
				p.add("cpuset", t.Name, s.placed(e, e.HostOf(service.Name)).Services)
			}
			if service.Link != nil {
				p.add("relay", t.Name, "on CPU "+s.placed(e, e.HostOf(service.Name)).Services+", beside the services")
			}
		}
		switch {
		case t.Load != nil:
			if t.Load.CPUSet == "" {
				named("load").add("cpuset", t.Name, s.placed(e, e.LoadHost(t)).Load)
			}
			named("load").add("in words", t.Name, loadInWords(t))
		case t.Command != nil && t.Command.CPUSet == "":
			named("command").add("cpuset", t.Name, s.placedLoad(e, t))
		}
	}
	return parts, nil
}

// maxValues is how many values of one key are printed, where trials differ.
const maxValues = 8

// value prints a key: once if all trials have the same value, else each value with the trials that have it.
func (s *sheet) value(key string, values map[string]string, e *plan.Experiment) {
	var distinct []string
	trials := map[string][]string{}
	all := 0
	for _, t := range e.Trials {
		if t.Calibration || t.Unavailable != "" {
			continue
		}
		all++
		v, ok := values[t.Name]
		if !ok {
			v = "-"
		}
		if trials[v] == nil {
			distinct = append(distinct, v)
		}
		trials[v] = append(trials[v], t.Name)
	}
	if len(distinct) == 1 {
		s.line("    ", key, distinct[0])
		return
	}
	width := 0
	for _, v := range distinct[:min(len(distinct), maxValues)] {
		first, _, _ := strings.Cut(v, "\n")
		width = max(width, runes(first))
	}
	for i, v := range distinct {
		if i == maxValues {
			s.line("    ", "", fmt.Sprintf("and %d more; --json has them all", len(distinct)-maxValues))
			return
		}
		who := strings.Join(trials[v], "; ")
		if n := len(trials[v]); n > 3 {
			who = fmt.Sprintf("%s and %d more of %d trials", trials[v][0], n-1, all)
		}
		lines := strings.Split(strings.TrimRight(v, "\n"), "\n")
		lines[0] = fmt.Sprintf("%s  (%s)", padded(lines[0], min(width, lineWidth/2)), who)
		s.lines("    ", key, lines)
		key = ""
	}
}

// asWritten puts the templates of values that a search finds in the place of what stands for them.
func asWritten(list []plan.Entry, t *plan.Trial) []plan.Entry {
	out := slices.DeleteFunc(list, func(e plan.Entry) bool { return strings.HasPrefix(e.Path, "deferred") })
	for _, d := range t.Deferred {
		i := slices.IndexFunc(out, func(e plan.Entry) bool { return e.Path == d.Key })
		if i < 0 {
			i = len(out)
			out = append(out, plan.Entry{Path: d.Key})
		}
		out[i].Text = d.Template
	}
	return out
}

// withoutFiles puts the files of a build, of a volume and of configs into one plan.Entry each.
func withoutFiles(list []plan.Entry) []plan.Entry {
	var out []plan.Entry
	builds := map[string]int{} // place in out of the plan.Entry for the files of a build or volume
	sums := map[string][]string{}
	for _, e := range list {
		parent, name := strings.TrimSuffix(e.Path, "["+e.Name+"]"), e.Name
		key, isBuild := strings.CutSuffix(parent, ".files")
		switch {
		case e.File && isBuild:
			if _, ok := builds[key]; !ok {
				builds[key] = len(out)
				out = append(out, plan.Entry{Path: key})
			}
			sums[key] = append(sums[key], name+" "+e.Text)
			digest := sha256.Sum256([]byte(strings.Join(sums[key], "\n")))
			out[builds[key]].Text = count(len(sums[key]), "file") + ", " + hex.EncodeToString(digest[:4])
		case e.File:
			out = append(out, plan.Entry{Path: parent, Text: name + " " + e.Text})
		default:
			out = append(out, e)
		}
	}
	return out
}

// loadInWords is the load of a trial as one would tell somebody.
func loadInWords(t *plan.Trial) string {
	l := t.Load
	connections := "over a connection of its own"
	if l.Keepalive {
		connections = "on a connection that is kept"
	}
	next := "the next as soon as the answer is there"
	if l.Think > 0 {
		next = "the next " + plan.Duration(l.Think) + " after the answer"
	}
	clients := count(l.Connections, "client") + " send"
	switch {
	case l.Connections == 1:
		clients += "s"
	case l.Connections == 0: // a search finds how many
		clients = "the clients send"
	}
	text := fmt.Sprintf("%s requests, each %s, %s", clients, connections, next)
	arrivals := "at even distances"
	if l.Arrivals == "poisson" {
		arrivals = "at distances drawn at random"
	}
	switch {
	case t.Capacity != nil:
		text = fmt.Sprintf("requests leave %s, whether earlier ones are answered or not, each %s, more of them until the objective is missed",
			arrivals, connections)
	case l.RateShare > 0:
		text = fmt.Sprintf("requests leave %s, %g %% as many as %s answers at least, whether earlier ones are answered or not, each %s",
			arrivals, 100*l.RateShare, l.RateOf, connections)
	case l.Rate > 0:
		text = fmt.Sprintf("%g requests leave per second, %s, whether earlier ones are answered or not, each %s", l.Rate, arrivals, connections)
	}
	switch {
	case t.Capacity != nil:
	case len(l.Stages) > 0:
		text += fmt.Sprintf(", in %s", count(len(l.Stages), "stage"))
	case l.Requests > 0 && l.Duration > 0:
		text += fmt.Sprintf(", until %s are done or %s are over", count(l.Requests, "request"), plan.Duration(l.Duration))
	case l.Requests > 0:
		text += fmt.Sprintf(", until %s are done", count(l.Requests, "request"))
	default:
		text += ", for " + plan.Duration(l.Duration)
	}
	if l.Generators > 1 {
		text += fmt.Sprintf(", put on by %d generators together", l.Generators)
	}
	if l.Warmup > 0 && t.Capacity == nil {
		text += ", after " + plan.Duration(l.Warmup) + " of warm-up"
	}
	switch {
	case l.FailuresMax >= 1:
		text += "; failures are a result"
	case l.FailuresMax > 0:
		text += fmt.Sprintf("; up to %g %% of failures are a result", 100*l.FailuresMax)
	}
	return text
}

// trials prints the table of trials, and for those that are to be measured the reason.
func (s *sheet) trials(e *plan.Experiment, known map[*plan.Trial]*known) {
	if len(e.Steps) > 0 {
		fmt.Fprintf(s.w, "  %s, %s of each, %d to measure\n", trialsOf(e), count(e.Repetitions, "repetition"), toMeasure(e, known))
	} else {
		fmt.Fprintf(s.w, "  %s, no repetitions\n", trialsOf(e))
	}
	original := map[string]string{} // by what identifies them
	redact := redactorOf(e)
	var rows [][]string
	for _, t := range e.Trials {
		about := settings(t, redact)
		if t.Calibration {
			about = "A/A pair: " + original[identity(t)] + " a second time, for the noise floor"
		} else {
			original[identity(t)] = t.Name
		}
		k := known[t]
		state := k.word()
		if !k.unavailable && k.state != dataset.Fresh && len(k.why) > 0 {
			state += ": " + k.why[0]
			if n := len(k.why) - 1; n > 0 {
				state += fmt.Sprintf(", and %s (status --why)", count(n, "other change"))
			}
		}
		rows = append(rows, []string{t.Name, about, state})
	}
	names, abouts := 0, 0
	for _, row := range rows {
		names, abouts = max(names, runes(row[0])), max(abouts, runes(row[1]))
	}
	for _, row := range rows {
		row[2] = shortened(row[2], max(40, lineWidth-4-names-2-abouts-2), " … (status --why)")
	}
	printColumns(s.w, "    ", rows)
	for _, t := range e.Trials {
		if t.Unavailable != "" {
			s.line("  ", "unavailable", t.Name+": "+t.Unavailable)
		}
	}
}

// trialsOf counts the trials of an experiment.
func trialsOf(e *plan.Experiment) string {
	unavailable := 0
	for _, t := range e.Trials {
		if t.Unavailable != "" {
			unavailable++
		}
	}
	text := count(len(e.Trials), "trial")
	if unavailable > 0 {
		text += fmt.Sprintf(", %d of them unavailable", unavailable)
	}
	return text
}

// shortened is s in at most width characters, with an end of ours where it was cut.
func shortened(s string, width int, end string) string {
	if runes(s) <= width {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:width-runes(end)]), " ") + end
}

func identity(t *plan.Trial) string { return fmt.Sprint(t.Parameters) }

// settings lists what a trial's name does not tell: parameters by name where there are several, and labels.
func settings(t *plan.Trial, redact *record.Redactor) string {
	var out []string
	for _, list := range [][]record.Parameter{t.Parameters, t.Labels} {
		for _, p := range redact.Parameters(list) {
			out = append(out, p.Name+"="+p.Value)
		}
	}
	if t.InsteadOf != "" {
		out = append(out, "instead of "+t.InsteadOf)
	}
	return strings.Join(out, " ")
}

// shownRounds is how many rounds are printed in their order.
const shownRounds = 3

func (s *sheet) order(e *plan.Experiment) {
	if len(e.Steps) == 0 {
		return // all trials are unavailable, or a search is all there is
	}
	if !e.Interleaved {
		s.line("  ", "order", "sequential: all repetitions of a trial, then those of the next")
		return
	}
	s.line("  ", "order", fmt.Sprintf("interleaved: %s with every trial once, drawn with seed %d", count(e.Repetitions, "round"), e.Seed))
	for round := 1; round <= min(e.Repetitions, shownRounds); round++ {
		var names []string
		for _, step := range e.Steps {
			if step.Round == round {
				names = append(names, step.Trial.Name)
			}
		}
		s.line("    ", fmt.Sprintf("round %d", round), strings.Join(names, "; "))
	}
}
