package forecast

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"benchbook/lab/terminal"
	"benchbook/notebook/claim"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// placed says on which CPUs of a host services and load of an experiment run: all of a host that was never met.
func (s *sheet) placed(e *plan.Experiment, host string) plan.Placement {
	cores := s.of.CoresOf(host)
	if len(cores) == 0 || !e.Engine.Can(spec.NamedCPUs) {
		return plan.Placement{Services: "all", Load: "all"}
	}
	return e.Place(host, cores)
}

// placedLoad says on which CPUs the load or the command of a trial runs, likewise.
func (s *sheet) placedLoad(e *plan.Experiment, t *plan.Trial) string {
	cpus, _ := e.PlaceLoad(t, s.of.CoresOf(e.LoadHost(t)))
	return cmp.Or(cpus, "all")
}

// hereLine says what of an experiment that names no hosts runs on which CPUs.
func (s *sheet) hereLine(e *plan.Experiment) string {
	services, load, command := false, "", ""
	for _, t := range e.Trials {
		services = services || len(t.Services) > 0
		switch {
		case t.Load != nil:
			load = "load on CPU " + s.placed(e, "").Load
		case t.Command != nil && t.Command.Service == "":
			command = "command on CPU " + s.placedLoad(e, t)
		}
	}
	var what []string
	if services {
		what = append(what, "services on CPU "+s.placed(e, "").Services)
	}
	for _, words := range []string{load, command} {
		if words != "" {
			what = append(what, words)
		}
	}
	if len(what) == 0 {
		return s.host
	}
	return fmt.Sprintf("%s: %s, where the article names no others", s.host, strings.Join(what, ", "))
}

// hostLine says what of an experiment runs on one of its hosts.
func hostLine(e *plan.Experiment, host string, of sysinfo.Host) string {
	var what []string
	add := func(name string) {
		what = slice.Add(what, name)
	}
	for _, t := range e.Trials {
		for _, s := range t.Services {
			if e.HostOf(s.Name) == host {
				add(s.Name)
			}
		}
		switch {
		case e.LoadHost(t) != host:
		case t.Load != nil:
			add("the load")
		case t.Command != nil:
			add("the command")
		}
	}
	line := terminal.InSentence(what)
	if cpu := of.At(host).Facts["host.cpu"]; host != "" && cpu != "" {
		line += "; " + cpu + ", " + of.At(host).Facts["host.cores"]
	}
	return line
}

// A sheet prints plans for people: labels on the left, values beside them.
type sheet struct {
	w             io.Writer
	host, profile string
	at            plan.Placement
	of            sysinfo.Host // with all machines of the article that is printed
	width         int          // of the column of labels, of the experiment that is printed
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
	s.lines(indent, label, terminal.Wrap(value, terminal.LineWidth-s.width))
}

func (s *sheet) lines(indent, label string, lines []string) {
	for _, text := range lines {
		fmt.Fprintln(s.w, strings.TrimRight(terminal.Padded(indent+label, s.width-1)+" "+text, " "))
		label = ""
	}
}

func (s *sheet) experiment(slug string, e *plan.Experiment, known map[*plan.Trial]*TrialState, doubts []claim.Doubt,
	origins bool) error {
	parts, err := s.parts(e)
	if err != nil {
		return err
	}
	s.width = labelWidth
	for _, p := range parts {
		for _, key := range p.keys {
			s.width = min(max(s.width, len("    ")+terminal.Width(key)+1), labelMost)
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
	s.hosts(e)
	if len(e.Secrets) > 0 {
		s.line("  ", "secrets", strings.Join(slice.Map(e.Secrets, plan.Secret.String), ", "))
	}
	if len(e.Notes) > 0 {
		s.line("  ", "compose", strings.Join(e.Notes, "; "))
	}
	for _, p := range parts {
		fmt.Fprintf(s.w, "  %s\n", p.name)
		for _, key := range p.keys {
			s.value(key, p.values[key], e)
		}
	}
	s.trials(e, known)
	s.order(e)
	s.outlook(e, known, doubts)
	if origins && len(e.Origin) > 0 {
		fmt.Fprintln(s.w, "  origins")
		var rows [][]string
		for _, path := range slices.Sorted(maps.Keys(e.Origin)) {
			rows = append(rows, []string{path, e.Origin[path]})
		}
		terminal.PrintColumns(s.w, "    ", rows)
	}
	fmt.Fprintln(s.w)
	return nil
}

// hosts prints where an experiment runs.
func (s *sheet) hosts(e *plan.Experiment) {
	if len(e.Hosts) == 0 {
		s.line("  ", "host", s.hereLine(e))
		return
	}
	s.line("  ", "hosts", s.of.ID)
	for _, name := range e.HostNames() {
		s.line("    ", cmp.Or(name, "this machine"), hostLine(e, name, s.of))
	}
}

// outlook prints how long an experiment takes, how precise it is, and what may be wrong with it.
func (s *sheet) outlook(e *plan.Experiment, known map[*plan.Trial]*TrialState, doubts []claim.Doubt) {
	words := "none: everything is fresh"
	time := e.Estimate(s.at, Experience(e, known))
	if time.Total > 0 {
		words = inWords(time, e.Estimate(s.at, atMost(e, known)).Total)
	}
	s.line("  ", "time", words)
	s.line("  ", "timeout", terminal.Clock(e.Timeout)+" for a repetition")
	if len(e.Steps) > 0 {
		s.line("  ", "precision", precision(e.Looks))
	}
	for _, d := range doubts {
		s.line("  ", "warning", d.String())
	}
	if n := pendingTrials(e, known); IsMuch(n, time) {
		s.line("  ", "warning", fmt.Sprintf("%s to be measured: run asks for --yes, --only or --budget",
			terminal.Are(n, "trial")))
	}
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

// parts are services, load and command, in order.
type parts []*part

// named is the part of a name, which is added if it is missing.
func (p *parts) named(name string) *part {
	i := slices.IndexFunc(*p, func(p *part) bool { return p.name == name })
	if i < 0 {
		i = len(*p)
		*p = append(*p, &part{name: name, values: map[string]map[string]string{}})
	}
	return (*p)[i]
}

// parts gathers services, load and command with all their keys.
func (s *sheet) parts(e *plan.Experiment) (parts, error) {
	var out parts
	redact := redactorOf(e)
	for _, t := range e.Trials {
		if t.Calibration || t.Unavailable != "" {
			continue // it is the trial that it repeats, or there is nothing to tell of it
		}
		list, err := record.DefinitionEntries(redact.Shown(t.Definition))
		if err != nil {
			return nil, err
		}
		for _, entry := range withoutFiles(asWritten(list, t)) {
			name, key, ok := strings.Cut(entry.Path, ".")
			if name == "services" && ok {
				service, rest, _ := strings.Cut(key, ".")
				name, key = "service "+service, rest
			}
			out.named(name).add(cmp.Or(key, name), t.Name, entry.Text)
		}
		for _, service := range t.Services {
			s.addService(out.named("service "+service.Name), e, t, service)
		}
		switch {
		case t.Load != nil:
			if t.Load.CPUSet == "" {
				out.named("load").add("cpuset", t.Name, s.placed(e, e.LoadHost(t)).Load)
			}
			out.named("load").add("in words", t.Name, loadInWords(t))
		case t.Command != nil && t.Command.CPUSet == "":
			out.named("command").add("cpuset", t.Name, s.placedLoad(e, t))
		}
	}
	return out, nil
}

// addService adds what the definition of a service leaves open: when it is ready, and where it runs.
func (s *sheet) addService(p *part, e *plan.Experiment, t *plan.Trial, service *spec.Service) {
	switch {
	case service.Completes:
		p.add("healthcheck", t.Name, "ready when it has ended with status 0")
	case !service.Ready.HasNoTest():
	case service.NoImageHealthcheck || service.Image.Machine || service.Origin != nil:
		p.add("healthcheck", t.Name, "ready when the exposed ports accept")
	default:
		p.add("healthcheck", t.Name, "that of its image, or ready when the exposed ports accept")
	}
	if service.CPUSet == "" {
		p.add("cpuset", t.Name, s.placed(e, e.HostOf(service.Name)).Services)
	}
	if service.Link != nil {
		p.add("relay", t.Name, "on CPU "+s.placed(e, e.HostOf(service.Name)).Services+", beside the services")
	}
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
		width = max(width, terminal.Width(first))
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
		lines[0] = fmt.Sprintf("%s  (%s)", terminal.Padded(lines[0], min(width, terminal.LineWidth/2)), who)
		s.lines("    ", key, lines)
		key = ""
	}
}

// asWritten puts the templates of values that a search finds in the place of what stands for them.
func asWritten(list []record.DefinitionEntry, t *plan.Trial) []record.DefinitionEntry {
	out := slices.DeleteFunc(list, func(e record.DefinitionEntry) bool { return strings.HasPrefix(e.Path, "deferred") })
	for _, d := range t.Deferred {
		i := slices.IndexFunc(out, func(e record.DefinitionEntry) bool { return e.Path == d.Key })
		if i < 0 {
			i = len(out)
			out = append(out, record.DefinitionEntry{Path: d.Key})
		}
		out[i].Text = d.Template
	}
	return out
}

// withoutFiles puts the files of a build, of a volume and of configs into one definition.Entry each.
func withoutFiles(list []record.DefinitionEntry) []record.DefinitionEntry {
	var out []record.DefinitionEntry
	builds := map[string]int{} // place in out of the definition.Entry for the files of a build or volume
	sums := map[string][]string{}
	for _, e := range list {
		parent, name := strings.TrimSuffix(e.Path, "["+e.Name+"]"), e.Name
		key, isBuild := strings.CutSuffix(parent, ".files")
		switch {
		case e.File && isBuild:
			if _, ok := builds[key]; !ok {
				builds[key] = len(out)
				out = append(out, record.DefinitionEntry{Path: key})
			}
			sums[key] = append(sums[key], name+" "+e.Text)
			digest := sha256.Sum256([]byte(strings.Join(sums[key], "\n")))
			out[builds[key]].Text = terminal.Count(len(sums[key]), "file") + ", " + hex.EncodeToString(digest[:4])
		case e.File:
			out = append(out, record.DefinitionEntry{Path: parent, Text: name + " " + e.Text})
		default:
			out = append(out, e)
		}
	}
	return out
}

// loadInWords is the load of a trial as one would tell somebody.
func loadInWords(t *plan.Trial) string {
	l := t.Load
	text := arrivalWords(t)
	switch {
	case t.Capacity != nil:
	case l.Requests > 0 && l.Duration > 0:
		text += fmt.Sprintf(", until %s are done or %s are over", terminal.Count(l.Requests, "request"),
			record.DefinitionDuration(l.Duration))
	case l.Requests > 0:
		text += fmt.Sprintf(", until %s are done", terminal.Count(l.Requests, "request"))
	default:
		text += ", for " + record.DefinitionDuration(l.Duration)
	}
	if l.Requests > 0 && !l.Cut && l.Tool == "" {
		text += ", and no more are sent"
	}
	if l.Priority != "" {
		text += ", before the services on CPUs that they share"
	}
	if l.Warmup > 0 && t.Capacity == nil {
		text += ", after " + record.DefinitionDuration(l.Warmup) + " of warm-up"
	}
	if t.Capacity != nil {
		text += "; the rate rises until the objective is missed"
	}
	return text + failureWords(l)
}

// failureWords say which failures of a load are accepted; empty for none.
func failureWords(l *spec.Load) string {
	switch {
	case l.FailuresMax >= 1:
		return "; failures are accepted"
	case l.FailuresMax > 0:
		return fmt.Sprintf("; up to %g %% of failures are accepted", 100*l.FailuresMax)
	}
	return ""
}

// arrivalWords say when the requests of a load leave.
func arrivalWords(t *plan.Trial) string {
	l := t.Load
	connections, each := "over a connection of its own", "a new connection for each request"
	if l.Keepalive {
		connections, each = "on a connection that is kept", "on connections that are kept"
	}
	spaced := "evenly spaced"
	if l.Arrivals == "poisson" {
		spaced = "at random intervals"
	}
	switch {
	case t.Capacity != nil:
		return "open loop, " + spaced + ", " + each
	case l.RateShare > 0:
		whose := "the lowest throughput"
		if l.RateOwn {
			whose = "its own throughput"
		}
		return fmt.Sprintf("open loop at %g %% of %s of %s, %s, %s", 100*l.RateShare, whose, l.RateOf, spaced, each)
	case l.Rate > 0:
		return fmt.Sprintf("open loop at %g requests per second, %s, %s", l.Rate, spaced, each)
	}
	next := "the next as soon as the answer is there"
	if l.Think > 0 {
		next = "the next " + record.DefinitionDuration(l.Think) + " after the answer"
	}
	clients := terminal.Count(l.Connections, "client") + " send"
	switch l.Connections {
	case 1:
		clients += "s"
	case 0: // a search finds how many
		clients = "the clients send"
	}
	return fmt.Sprintf("%s requests, each %s, %s", clients, connections, next)
}

// trials prints the table of trials, and why some are not fresh.
func (s *sheet) trials(e *plan.Experiment, known map[*plan.Trial]*TrialState) {
	if len(e.Steps) > 0 {
		least, most := toMeasure(e, known)
		fmt.Fprintf(s.w, "  %s, %s of each, %s to measure\n", trialsOf(e), upTo(e.Least(), e.Most(), "repetition"),
			upTo(least, most, ""))
	} else {
		fmt.Fprintf(s.w, "  %s, no repetitions\n", trialsOf(e))
	}
	original := map[string]string{} // by what identifies them
	redact := redactorOf(e)
	reasons, order := map[string][]string{}, []string(nil) // trials by why they are not fresh
	var rows [][]string
	for _, t := range e.Trials {
		about := settings(t, redact)
		if t.Calibration {
			about = "A/A pair: " + original[identity(t)] + " a second time, for the noise floor"
		} else {
			original[identity(t)] = t.Name
		}
		k := known[t]
		rows = append(rows, []string{t.Name, about, k.word()})
		for _, why := range k.why {
			if t.Unavailable != "" {
				break // which has a line of its own
			}
			if reasons[why] == nil {
				order = append(order, why)
			}
			reasons[why] = append(reasons[why], t.Name)
		}
	}
	terminal.PrintColumns(s.w, "    ", rows)
	for _, why := range order {
		s.line("  ", "why", fewOf(reasons[why])+": "+why)
	}
	for _, t := range e.Trials {
		if t.Unavailable != "" {
			s.line("  ", "unavailable", t.Name+": "+t.Unavailable)
		}
	}
}

// upTo counts things of which there are so many at least and at most.
func upTo(least, most int, what string) string {
	text := fmt.Sprint(most)
	if what != "" {
		text = terminal.Count(most, what)
	}
	if least < most {
		text = fmt.Sprintf("%d to %s", least, text)
	}
	return text
}

// trialsOf counts the trials of an experiment.
func trialsOf(e *plan.Experiment) string {
	unavailable := slice.Count(e.Trials, func(t *plan.Trial) bool { return t.Unavailable != "" })
	text := terminal.Count(len(e.Trials), "trial")
	if unavailable > 0 {
		text += fmt.Sprintf(", %d of them unavailable", unavailable)
	}
	return text
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

// looksLine says what follows the first look of an experiment, if something does.
func looksLine(e *plan.Experiment) string {
	if e.Most() == e.Least() {
		return ""
	}
	looks := slice.Map(e.Looks[1:], func(look int) string { return fmt.Sprint(look) })
	return fmt.Sprintf("; then up to %s with the trials that claims are undecided about", terminal.InSentence(looks))
}

// shownRounds is how many rounds are printed in their order.
const shownRounds = 3

func (s *sheet) order(e *plan.Experiment) {
	if len(e.Steps) == 0 {
		return // all trials are unavailable, or a search is all there is
	}
	if e.Blocks {
		s.line("  ", "order", fmt.Sprintf("blocks: all repetitions of a trial on services that are started once, trials in "+
			"random order, seed %d%s", e.Seed, looksLine(e)))
		return
	}
	s.line("  ", "order", fmt.Sprintf("interleaved: %s with every trial once, drawn with seed %d%s",
		terminal.Count(e.Least(), "round"), e.Seed, looksLine(e)))
	for round := 1; round <= min(e.Least(), shownRounds); round++ {
		var names []string
		for _, step := range e.Steps {
			if step.Round == round {
				names = append(names, step.Trial.Name)
			}
		}
		s.line("    ", fmt.Sprintf("round %d", round), strings.Join(names, "; "))
	}
}

// fewOf names the first of some trials, and how many more there are.
func fewOf(names []string) string {
	if n := len(names) - 3; n > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], "; "), n)
	}
	return strings.Join(names, "; ")
}
