package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner"
)

// planJSON is what plan prints with --json. Times are in seconds. Fields are added to it in later versions, none are
// renamed or removed, except below "definition", which is that of records and follows their version.
type planJSON struct {
	Host        string               `json:"host"` // class and digest, as in records
	Profile     string               `json:"profile"`
	Placement   placementJSON        `json:"placement"`
	Experiments []experimentPlanJSON `json:"experiments"`
}

// placementJSON is the logical CPUs of services and load, as in cpuset, wherever the article does not say others.
type placementJSON struct {
	Services string `json:"services"`
	Load     string `json:"load"`
}

type experimentPlanJSON struct {
	Article     string            `json:"article"`
	Experiment  string            `json:"experiment"`
	Description string            `json:"description,omitempty"`
	Skipped     string            `json:"skipped,omitempty"` // why the profile leaves it out; then nothing below is there
	Repetitions int               `json:"repetitions"`
	Order       string            `json:"order"` // interleaved or sequential
	Seed        int64             `json:"seed"`
	Digest      string            `json:"digest"` // of all that makes a run of it the same run
	Timeout     float64           `json:"timeout"`
	Parameters  []string          `json:"parameters"` // those that identify a trial
	Trials      []trialPlanJSON   `json:"trials"`
	Steps       []stepJSON        `json:"steps"` // in the order to run, whatever is fresh
	Estimate    estimateJSON      `json:"estimate"`
	Origins     map[string]string `json:"origins"` // by path of the key, as written in the article: where its value came from
}

type trialPlanJSON struct {
	Trial       string             `json:"trial"`
	Calibration bool               `json:"calibration"` // second half of the A/A pair
	Parameters  []record.Parameter `json:"parameters"`
	Labels      []record.Parameter `json:"labels"`
	Key         string             `json:"key"`
	State       string             `json:"state"` // as status has it
	ToMeasure   int                `json:"to_measure"`
	Why         []string           `json:"why"`
	Definition  json.RawMessage    `json:"definition"` // times in it are in nanoseconds
	Inputs      []record.Input     `json:"inputs"`
}

type stepJSON struct {
	Round      int    `json:"round"`
	Repetition int    `json:"repetition"`
	Trial      string `json:"trial"`
}

// estimateJSON is how long a run would take, images aside. Total is the sum of the others.
type estimateJSON struct {
	Total     float64  `json:"total"`
	StartStop float64  `json:"start_stop"`
	Warmup    float64  `json:"warmup"`
	Measure   float64  `json:"measure"`
	Unknown   []string `json:"unknown"` // what is not in it, since it has never been measured
}

func (a *app) planCommand() *cobra.Command {
	var options plan.Options
	var asJSON, origins bool
	cmd := &cobra.Command{
		Use:   "plan [ARTICLE[#NAME] ...]",
		Short: "Show what run would do: services, trials, order, placement, time, and what is to be measured",
		Long: `Show what run would do, without doing it: every service and load with all its keys, defaults included;
the trials; the order of repetitions; where services and load would run on this machine; how long it should take; and
which trials are to be measured, and why. A value that differs between trials is followed by theirs.`,
		RunE: func(_ *cobra.Command, args []string) error {
			if options.Repetitions < 0 {
				return fmt.Errorf("--repetitions has to be 1 or more, not %d", options.Repetitions)
			}
			project, list, err := a.choose(args)
			if err != nil {
				return err
			}
			plans, err := a.sound(project, list, options, "articles with problems cannot be planned")
			if err != nil {
				return err
			}
			host, err := runner.ThisHost()
			if err != nil {
				return &statusError{statusFailed, err}
			}
			s := sheet{w: a.stdout, host: host.ID, profile: options.Profile, placement: placement(host)}
			if err := a.printPlans(project, list, plans, s, asJSON, origins); err != nil {
				return &statusError{statusFailed, err}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Profile, "profile", plan.Full, "plan this profile")
	cmd.Flags().IntVar(&options.Repetitions, "repetitions", 0, "repetitions of every trial, instead of what the article says")
	cmd.Flags().Int64Var(&options.Seed, "seed", 0, "seed of the order of repetitions, instead of one drawn from the experiment")
	cmd.Flags().BoolVar(&origins, "origins", false, "say where each value came from")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func (a *app) printPlans(project *article.Project, list []*chosen, plans map[string]*plan.Plan, s sheet, asJSON, origins bool) error {
	out := planJSON{Host: s.host, Profile: s.profile, Placement: s.placement, Experiments: []experimentPlanJSON{}}
	for _, c := range list {
		known, err := a.inspect(project, c, plans[c.slug], s.host)
		if err != nil {
			return err
		}
		for _, e := range plans[c.slug].Experiments {
			if asJSON {
				out.Experiments = append(out.Experiments, experimentJSON(c.slug, e, known))
			} else if err := s.experiment(c.slug, e, known, origins); err != nil {
				return err
			}
		}
	}
	if asJSON {
		return printJSON(s.w, out)
	}
	return nil
}

func experimentJSON(slug string, e *plan.Experiment, known map[*plan.Trial]*known) experimentPlanJSON {
	out := experimentPlanJSON{Article: slug, Experiment: e.Name, Description: e.Description, Skipped: e.Skipped,
		Repetitions: e.Repetitions, Order: order(e), Seed: e.Seed, Digest: e.Digest, Timeout: e.Timeout.Seconds(),
		Parameters: append([]string{}, e.Parameters...), Trials: []trialPlanJSON{}, Steps: []stepJSON{}, Origins: map[string]string{}}
	maps.Copy(out.Origins, e.Origin)
	for _, t := range e.Trials {
		k := known[t]
		out.Trials = append(out.Trials, trialPlanJSON{Trial: t.Name, Calibration: t.Calibration,
			Parameters: append([]record.Parameter{}, t.Parameters...), Labels: append([]record.Parameter{}, t.Labels...), Key: t.Key,
			State: stateWords[k.state], ToMeasure: k.toMeasure, Why: append([]string{}, k.why...), Definition: t.Definition, Inputs: t.Inputs})
	}
	for _, s := range e.Steps {
		out.Steps = append(out.Steps, stepJSON{s.Round, s.Repetition, s.Trial.Name})
	}
	time := estimated(e, known)
	out.Estimate = estimateJSON{time.total().Seconds(), time.start.Seconds(), time.warmup.Seconds(), time.measure.Seconds(),
		append([]string{}, time.unknown...)}
	return out
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
	placement     placementJSON
}

// labelWidth is the width of the column of labels.
const labelWidth = 22

// line prints a value beside its label, on several lines where it is long.
func (s *sheet) line(indent, label, value string) {
	for _, part := range wrap(value, lineWidth-labelWidth) {
		fmt.Fprintln(s.w, strings.TrimRight(padded(indent+label, labelWidth-1)+" "+part, " "))
		label = ""
	}
}

func (s *sheet) experiment(slug string, e *plan.Experiment, known map[*plan.Trial]*known, origins bool) error {
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
	s.line("  ", "host", fmt.Sprintf("%s: services on CPU %s, load on CPU %s, where the article names no others", s.host,
		s.placement.Services, s.placement.Load))
	if err := s.parts(e); err != nil {
		return err
	}
	s.trials(e, known)
	s.order(e)
	time := estimated(e, known)
	if toMeasure(e, known) > 0 {
		s.line("  ", "time", time.String())
	} else {
		s.line("  ", "time", "none: everything is fresh")
	}
	s.line("  ", "timeout", clock(e.Timeout)+" for a repetition")
	s.line("  ", "precision", precision(e.Repetitions))
	if origins && len(e.Origin) > 0 {
		fmt.Fprintln(s.w, "  origins")
		for _, path := range slices.Sorted(maps.Keys(e.Origin)) {
			s.line("    ", path, e.Origin[path])
		}
	}
	fmt.Fprintln(s.w)
	return nil
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

// parts prints services, load and command with all their keys.
func (s *sheet) parts(e *plan.Experiment) error {
	var parts []*part
	named := func(name string) *part {
		i := slices.IndexFunc(parts, func(p *part) bool { return p.name == name })
		if i < 0 {
			i = len(parts)
			parts = append(parts, &part{name: name, values: map[string]map[string]string{}})
		}
		return parts[i]
	}
	for _, t := range e.Trials {
		if t.Calibration {
			continue // it is the trial that it repeats
		}
		list, err := entries(t.Definition)
		if err != nil {
			return err
		}
		for _, entry := range withoutFiles(list) {
			name, key, ok := strings.Cut(entry.path, ".")
			if name == "services" && ok {
				service, rest, _ := strings.Cut(key, ".")
				name, key = "service "+service, rest
			}
			named(name).add(cmp.Or(key, name), t.Name, entry.text)
		}
		for _, service := range t.Services {
			p := named("service " + service.Name)
			if r := service.Ready; r.HTTP == "" && r.Port == 0 && r.Log == "" && len(r.Command) == 0 {
				p.add("healthcheck", t.Name, "ready when the exposed ports accept")
			}
			if service.CPUSet == "" {
				p.add("cpuset", t.Name, s.placement.Services)
			}
		}
		switch {
		case t.Load != nil:
			if t.Load.CPUSet == "" {
				named("load").add("cpuset", t.Name, s.placement.Load)
			}
			named("load").add("in words", t.Name, loadInWords(t.Load))
		case t.Command != nil:
			named("command").add("cpuset", t.Name, s.placement.Load)
		}
	}
	for _, p := range parts {
		fmt.Fprintf(s.w, "  %s\n", p.name)
		for _, key := range p.keys {
			s.value(key, p.values[key], e)
		}
	}
	return nil
}

// maxValues is how many values of one key are printed, where trials differ.
const maxValues = 8

// value prints a key: once if all trials have the same value, else each value with the trials that have it.
func (s *sheet) value(key string, values map[string]string, e *plan.Experiment) {
	var distinct []string
	trials := map[string][]string{}
	all := 0
	for _, t := range e.Trials {
		if t.Calibration {
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
		width = max(width, runes(v))
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
		fmt.Fprintf(s.w, "%s %s  (%s)\n", padded("    "+key, labelWidth-1), padded(v, min(width, lineWidth/2)), who)
		key = ""
	}
}

// withoutFiles puts the files of a build and of configs into one entry each.
func withoutFiles(list []entry) []entry {
	var out []entry
	builds := map[string]int{} // place in out of the entry for the files of a build
	sums := map[string][]string{}
	for _, e := range list {
		parent, name, _ := strings.Cut(strings.TrimSuffix(e.path, "]"), "[")
		key, isBuild := strings.CutSuffix(parent, ".files")
		switch {
		case e.file && isBuild:
			if _, ok := builds[key]; !ok {
				builds[key] = len(out)
				out = append(out, entry{path: key})
			}
			sums[key] = append(sums[key], name+" "+e.text)
			digest := sha256.Sum256([]byte(strings.Join(sums[key], "\n")))
			out[builds[key]].text = count(len(sums[key]), "file") + ", " + hex.EncodeToString(digest[:4])
		case e.file:
			out = append(out, entry{path: parent, text: name + " " + e.text})
		default:
			out = append(out, e)
		}
	}
	return out
}

// loadInWords is a load as one would tell somebody.
func loadInWords(l *plan.Load) string {
	connections := "over a connection of its own"
	if l.Keepalive {
		connections = "on a connection that is kept"
	}
	next := "the next as soon as the answer is there"
	if l.Think > 0 {
		next = "the next " + duration(l.Think) + " after the answer"
	}
	until := ""
	switch {
	case l.Requests > 0 && l.Duration > 0:
		until = fmt.Sprintf("until %s are done or %s are over", count(l.Requests, "request"), duration(l.Duration))
	case l.Requests > 0:
		until = fmt.Sprintf("until %s are done", count(l.Requests, "request"))
	default:
		until = "for " + duration(l.Duration)
	}
	if l.Warmup > 0 {
		until += ", after " + duration(l.Warmup) + " of warm-up"
	}
	clients := count(l.Connections, "client") + " send"
	if l.Connections == 1 {
		clients += "s"
	}
	text := fmt.Sprintf("%s requests, each %s, %s, %s", clients, connections, next, until)
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
	fmt.Fprintf(s.w, "  %s, %s of each, %d to measure\n",
		count(len(e.Trials), "trial"), count(e.Repetitions, "repetition"), toMeasure(e, known))
	original := map[string]string{} // by what identifies them
	var rows [][]string
	for _, t := range e.Trials {
		about := settings(t)
		if t.Calibration {
			about = "A/A pair: " + original[identity(t)] + " a second time, for the noise floor"
		} else {
			original[identity(t)] = t.Name
		}
		k := known[t]
		state := stateWords[k.state]
		if k.state != dataset.Fresh && len(k.why) > 0 {
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
func settings(t *plan.Trial) string {
	var out []string
	for _, list := range [][]record.Parameter{t.Parameters, t.Labels} {
		for _, p := range list {
			out = append(out, p.Name+"="+p.Value)
		}
	}
	return strings.Join(out, " ")
}

// shownRounds is how many rounds are printed in their order.
const shownRounds = 3

func (s *sheet) order(e *plan.Experiment) {
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

// placement says where services and load run if the article names no CPUs: the load on the last physical core, services on
// the others; on a machine with one core both share it.
func placement(h runner.Host) placementJSON {
	at := plan.Place(h.Cores)
	return placementJSON{Services: at.Services, Load: at.Load}
}
