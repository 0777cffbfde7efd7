package load

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/placing"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/load/http"
)

// programName is what a generator is called where it runs; all but the first have a number behind it. checkName is the
// one that only checks answers before the others start.
const (
	programName = "load"
	checkName   = programName + ".check"
)

// togetherIn is how long generators have from the word to begin until all of them do: the word has to reach each of
// them, and each has to look up its targets.
const togetherIn = 500 * time.Millisecond

// Requests is the driver of loads over HTTP: our generator, alone in an image of its own beside the services.
type Requests struct {
	Agent agent.Program
	image engine.Prepared
	facts map[string]string
}

func (d *Requests) Prepare(ctx context.Context, e engine.Engine, log io.Writer) error {
	program, err := d.Agent()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program)
	d.facts = map[string]string{"generator.binary": hex.EncodeToString(sum[:]),
		"generator.semantics": strconv.Itoa(http.Semantics)}
	d.image, err = e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}}, log)
	if err != nil {
		return fmt.Errorf("preparing the load generator: %w", err)
	}
	return nil
}

// Files are none: services under load have nothing of ours in them.
func (d *Requests) Files(*plan.Trial, string) []spec.File { return nil }

func (d *Requests) Measure(ctx context.Context, at Place, t *plan.Trial) (Measurement, error) {
	exits, clocks, failure, err := d.generate(ctx, at, t)
	if err != nil {
		return Measurement{}, err
	}
	if failure != "" {
		first, rest, _ := strings.Cut(failure, "\n")
		return Measurement{Failure: first, Log: rest, Facts: d.facts}, nil
	}
	var results []*http.Result
	for i, exit := range exits {
		var result http.Result
		if err := json.NewDecoder(bytes.NewReader(exit.Stdout)).Decode(&result); err != nil {
			return Measurement{}, fmt.Errorf("trial %s: reading what the load generator found: %w", t.Name, err)
		}
		if result.Semantics != record.LoadSemantics {
			return Measurement{}, fmt.Errorf("trial %s: the load generator is of another version (%d, not %d): build both "+
				"with make build", t.Name, result.Semantics, record.LoadSemantics)
		}
		if clocks != nil {
			// Results are put together by one clock, which is that of the first host as it is known to whoever reads Start.
			result.Start = result.Start.Add(at.Ahead - clocks[i].ahead)
		}
		results = append(results, &result)
	}
	result, err := http.Merge(results)
	if err != nil {
		return Measurement{}, fmt.Errorf("trial %s: putting together what %d load generators found: %w", t.Name, len(results),
			err)
	}
	m := requestsMeasured(result, t.Load)
	m.Load.Generators = generatorsMeasured(results, at, clocks)
	m.HostCPU = hostCPU(results, at)
	m.Facts = maps.Clone(d.facts)
	maps.Copy(m.Facts, encryption(result.TLS))
	return m, nil
}

var _ Starter = (*Requests)(nil)

// StandBy is nil for a load that shares the network of a service, which has to be there before.
func (d *Requests) StandBy(ctx context.Context, at Place, t *plan.Trial) *Standby {
	if t.Load.Network == string(placing.SharedNetwork) {
		return nil
	}
	programs, err := d.programs(at, t.Load)
	if err != nil {
		return nil
	}
	return standBy(ctx, at.Space, programs)
}

// programs are the generators of a load, each with its part of it, which wait for the word.
func (d *Requests) programs(at Place, l *spec.Load) ([]engine.Program, error) {
	var programs []engine.Program
	for _, config := range partConfigs(requestsConfig(l, at), l, at) {
		name := programName
		if n := config.Part.Number; n > 0 {
			name = fmt.Sprintf("%s.%d", programName, n+1)
		}
		program, err := d.program(at, l, name, config, http.AwaitArgument)
		if err != nil {
			return nil, err
		}
		program.Host = at.hostOf(config.Part.Number)
		programs = append(programs, program)
	}
	return programs, nil
}

// program is a generator with its config.
func (d *Requests) program(at Place, l *spec.Load, name string, config http.Config, args ...string) (engine.Program,
	error) {
	text, err := json.Marshal(config)
	return engine.Program{
		Name: name, Image: d.image, Command: append([]string{agent.Load}, args...), CPUSet: at.CPUSet,
		Environment: http.Environment(string(text)),
		Beside:      at.Beside(l), Single: true, First: l.Priority != "",
	}, err
}

// clock is that of where a generator is, before ours, give or take.
type clock struct{ ahead, uncertain time.Duration }

// generate runs the generators of a load, or gives those that stand by their word. There are clocks if generators are
// on several hosts. The failure is why they could not do what they were asked for.
func (d *Requests) generate(ctx context.Context, at Place, t *plan.Trial) (exits []engine.Exit, clocks []clock,
	failure string, err error) {
	if t.Load.Generators > 1 {
		return d.generateTogether(ctx, at, t)
	}
	var exit engine.Exit
	if at.Standby != nil {
		exits, _, err = at.Standby.run(func(int) string { return http.AwaitedWord })
		exit = exits[0]
	} else if exit, err = d.runOne(ctx, at, t, programName); err == nil {
		exits = []engine.Exit{exit}
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("trial %s: running the load generator: %w", t.Name, err)
	}
	if exit.Code != 0 {
		failure = generatorFailure(exit)
	}
	return exits, nil, failure, nil
}

// runOne runs one generator for all of a load.
func (d *Requests) runOne(ctx context.Context, at Place, t *plan.Trial, name string, args ...string) (engine.Exit,
	error) {
	program, err := d.program(at, t.Load, name, requestsConfig(t.Load, at), args...)
	if err != nil {
		return engine.Exit{}, err
	}
	return at.Space.Run(ctx, program, nil)
}

// generateTogether runs several generators, which begin at one moment, shortly ahead. Nobody knows how long a server
// takes for its first answer, so answers are checked once, for all of them, before the word is given.
func (d *Requests) generateTogether(ctx context.Context, at Place, t *plan.Trial) (exits []engine.Exit, clocks []clock,
	failure string, err error) {
	s := at.Standby
	if s == nil {
		programs, err := d.programs(at, t.Load)
		if err != nil {
			return nil, nil, "", fmt.Errorf("trial %s: %w", t.Name, err)
		}
		s = standBy(ctx, at.Space, programs)
		defer s.End()
	}
	if t.Load.CheckBefore {
		// A cluster may have no more CPUs of their own to give than those that the generators have, which stand by.
		anywhere := at
		anywhere.CPUSet = ""
		answers, err := d.ask(ctx, anywhere, t, checkName)
		if err != nil {
			return nil, nil, "", err
		}
		if failure := checkFailure(answers); failure != "" {
			return nil, nil, failure, nil
		}
	}
	s.Started(ctx)
	if len(at.Hosts) > 1 {
		if clocks, err = s.clocks(ctx, at.Hosts); err != nil {
			return nil, nil, "", fmt.Errorf("trial %s: %w", t.Name, err)
		}
	}
	moment := time.Now().Add(togetherIn)
	exits, failed, err := s.run(func(number int) string {
		if clocks != nil {
			return http.BeginAt(moment.Add(clocks[number].ahead))
		}
		return http.BeginAt(moment.Add(at.Ahead))
	})
	which := fmt.Sprintf("load generator %d of %d", failed+1, t.Load.Generators)
	switch {
	case err != nil:
		return nil, nil, "", fmt.Errorf("trial %s: running %s: %w", t.Name, which, err)
	case failed >= 0:
		failure = which + ": " + generatorFailure(exits[failed])
	}
	return exits, clocks, failure, nil
}

// checkFailure is what is wrong with the answers to targets that were asked once; empty if nothing is.
func checkFailure(answers []http.Answer) string {
	for _, a := range answers {
		switch {
		case a.Failure == "":
		case a.Address.IsValid():
			return fmt.Sprintf("check before timing: %s %s at %v: %s", a.Method, a.URL, a.Address, a.Failure)
		default:
			return a.Failure
		}
	}
	return ""
}

// generatorFailure is why the generator could not do what it was asked for.
func generatorFailure(exit engine.Exit) string {
	if exit.OutOfMemory {
		return "the load generator ran out of memory"
	}
	said := strings.TrimPrefix(strings.TrimSpace(string(exit.Stderr)), agent.ErrorPrefix(agent.Load))
	return cmp.Or(said, fmt.Sprintf("the load generator ended with status %d", exit.Code)) // what is killed says nothing
}

var _ Checker = (*Requests)(nil)

func (d *Requests) Check(ctx context.Context, at Place, t *plan.Trial) ([]http.Answer, error) {
	return d.ask(ctx, at, t, programName)
}

// ask asks for every target once, by a program of that name.
func (d *Requests) ask(ctx context.Context, at Place, t *plan.Trial, name string) ([]http.Answer, error) {
	one := *t.Load // of the schedule nothing counts, and a share of a rate may not be known
	one.Connections, one.Threads, one.Requests, one.Duration, one.Warmup, one.Think, one.Generators = 1, 1, 1, 0, 0, 0, 0
	one.Rate, one.Arrivals, one.Stages, one.Cut = 0, "", nil, false
	asked := *t
	asked.Load = &one
	exit, err := d.runOne(ctx, at, &asked, name, http.CheckArgument)
	if err != nil {
		return nil, fmt.Errorf("trial %s: running the load generator: %w", t.Name, err)
	}
	if exit.Code != 0 {
		return []http.Answer{{Method: t.Load.Method, URL: t.Load.Target, Failure: generatorFailure(exit)}}, nil
	}
	var answers []http.Answer
	if err := json.Unmarshal(exit.Stdout, &answers); err != nil {
		return nil, fmt.Errorf("trial %s: reading what was answered: %w", t.Name, err)
	}
	return answers, nil
}

func requestsConfig(l *spec.Load, at Place) http.Config {
	c := http.Config{
		Seed: at.Seed, Connections: l.Connections, Threads: l.Threads, Duration: l.Duration, Requests: int64(l.Requests),
		Rate: l.Rate, Arrivals: http.Arrivals(l.Arrivals), Warmup: l.Warmup, Think: l.Think, Timeout: l.Timeout,
		KeepAlive: l.Keepalive, Cut: l.Cut, Protocol: http.Protocol(l.Protocol), Streams: l.Streams,
		Sharing: l.Priority != "",
		Verify: &http.Verify{
			Before: &l.CheckBefore, Status: l.Status, Length: l.Length, Contains: l.Contains, Match: l.Match, JSON: l.JSON,
			Headers: l.WantHeaders,
		},
	}
	for _, t := range l.Targets {
		c.Targets = append(c.Targets, http.Target{URL: t.URL, Method: t.Method, Headers: t.Headers, Body: []byte(t.Body),
			Weight: t.Weight})
	}
	addSteps(&c, l)
	if len(c.Targets) == 0 {
		c.Targets = []http.Target{{URL: l.Target, Method: l.Method, Headers: l.Headers, Body: []byte(l.Body)}}
	}
	for _, s := range l.Stages {
		c.Stages = append(c.Stages, http.Stage{Duration: s.Duration, Rate: s.Rate, Connections: s.Connections})
	}
	c.Threads = cmp.Or(c.Threads, at.Cores)
	c.Staggered = !c.Open() && len(c.Stages) == 0 && !l.AtOnce && (l.Cut || l.Requests == 0)
	return c
}

// addSteps adds what clients of a load with steps do.
func addSteps(c *http.Config, l *spec.Load) {
	for _, s := range l.Steps {
		c.Targets = append(c.Targets, http.Target{URL: s.URL, Method: s.Method, Headers: s.Headers, Body: []byte(s.Body)})
		c.Steps = append(c.Steps, http.Step{Name: s.Name, Think: s.Think, Extract: s.Extract,
			Verify: &http.Verify{Status: s.Status, Length: s.Length, Contains: s.Contains, Match: s.Match, JSON: s.JSON,
				Headers: s.WantHeaders}})
	}
	if d := l.Data; d != nil {
		c.Data = &http.Data{CSV: d.File.Data, Random: d.Order == spec.RandomOrder}
	}
}

// partConfigs are the configs of all generators of a load, given that of the whole. They share its cores, and do not
// check answers before timing.
func partConfigs(whole http.Config, l *spec.Load, at Place) []http.Config {
	if l.Generators < 2 {
		return []http.Config{whole}
	}
	var parts []http.Config
	for i := range l.Generators {
		part, verify := whole, *whole.Verify
		part.Part = http.Part{Number: i, Of: l.Generators}
		if l.Threads == 0 {
			part.Threads = max(1, at.coresOf(part.Part))
		}
		verify.Before = new(false)
		part.Verify = &verify
		parts = append(parts, part)
	}
	return parts
}

// hostCPU is what the generators of each host used, where they are on several; nil unless all of them tell.
func hostCPU(parts []*http.Result, at Place) map[string]time.Duration {
	if len(at.Hosts) < 2 {
		return nil
	}
	used := map[string]time.Duration{}
	for i, r := range parts {
		if r.CPU == nil {
			return nil
		}
		used[at.hostOf(i)] += r.CPU.User + r.CPU.System
	}
	return used
}

// generatorsMeasured says what each generator of a load did, and where by which clock if they were on several hosts;
// nil if there was one.
func generatorsMeasured(parts []*http.Result, at Place, clocks []clock) []record.Generator {
	if len(parts) < 2 {
		return nil
	}
	first := slices.MinFunc(parts, func(a, b *http.Result) int { return a.Start.Compare(b.Start) }).Start
	var out []record.Generator
	for i, r := range parts {
		g := record.Generator{After: r.Start.Sub(first).Seconds(), Attempted: r.Attempted, Busy: -1, Host: at.hostOf(i)}
		if clocks != nil {
			g.Uncertain = clocks[i].uncertain.Seconds()
		}
		if r.CPU != nil && r.CPU.Busiest != nil {
			g.Busy = *r.CPU.Busiest
		}
		out = append(out, g)
	}
	return out
}

// encryption says how connections were encrypted, for each way in which they were.
func encryption(ways []http.TLS) map[string]string {
	facts := map[string]string{}
	for i, way := range ways {
		name := "load.tls"
		if i > 0 {
			name += "." + strconv.Itoa(i+1)
		}
		facts[name] = strings.TrimSpace(way.Version + " " + way.CipherSuite + " " + way.Protocol)
	}
	return facts
}

// requestsMeasured turns the generator's result into samples and what validity checks need.
func requestsMeasured(r *http.Result, l *spec.Load) Measurement {
	seconds := r.Length.Seconds()
	m := Measurement{
		Start: r.Start, Length: r.Length, GeneratorCPU: -1, Warmup: l.Warmup,
		Histograms: map[string]record.Histogram{
			"latency": histogram(r.Latency), "latency.failed": histogram(r.FailedLatency),
			"latency.connect": histogram(r.Connect), "latency.first_byte": histogram(r.FirstByte),
		},
		Load: &record.Load{
			WindowStart: r.Start, Window: seconds, Connections: l.Connections, Think: l.Think.Seconds(),
			Protocol: l.Protocol, Streams: l.Streams,
			Attempted: r.Attempted, Failed: r.Failed, Failures: map[string]int64{}, Statuses: map[string]int64{},
			Completed: r.Completed.Right, Busy: -1, ForeignCPU: -1,
			FailuresMax: l.FailuresMax, StaleRetries: r.Stale,
		},
	}
	for name, d := range map[string]*http.Distribution{"latency.tls": r.TLSSetup, "lag": r.Lag, "service": r.Service,
		"latency.cut": r.Cut} {
		if d != nil {
			m.Histograms[name] = histogram(*d)
		}
	}
	if o := r.Overlap; o != nil && r.Lag == nil { // in an open loop requests may wait for a server that is too slow
		m.Load.Overlap = &record.Overlap{Right: float64(o.Right) / http.WholeRequest,
			Failed: float64(o.Failed) / http.WholeRequest, Time: o.Time.Seconds()}
	}
	if r.Lag != nil { // an open loop, even if nothing was due
		m.Load.Open = &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: r.Due, Sent: r.Sent, Blocked: r.Blocked}
	}
	for kind, n := range r.Failures {
		m.Load.Failures[string(kind)] = n
	}
	addJourneys(&m, r, l)
	m.Load.InFlight, m.Load.InFlightOver = inFlight(r, l, m.Load.Think)
	for status, n := range r.Status {
		m.Load.Statuses[strconv.Itoa(status)] = n
	}
	for _, s := range r.Seconds {
		m.Load.Completions = append(m.Load.Completions, s.Right+s.Failed)
		m.Load.Answers = append(m.Load.Answers, s.Right)
		m.Load.Latencies = append(m.Load.Latencies, s.LatencySum.Seconds())
	}
	m.Samples = []record.Sample{{Metric: "connects", Value: float64(r.Connects), Unit: "1"}}
	if r.Lag != nil { // an open loop, even if nothing was due
		m.Samples = append(m.Samples, record.Sample{Metric: "offered", Value: r.Offered, Unit: "1/s"})
	}
	if seconds > 0 {
		m.Samples = append(m.Samples, record.Sample{Metric: "bytes.in", Value: float64(r.BytesIn) / seconds, Unit: "B/s"},
			record.Sample{Metric: "bytes.out", Value: float64(r.BytesOut) / seconds, Unit: "B/s"})
	}
	if r.Health != nil {
		m.Load.Health = &record.Health{Standstill: r.Health.Standstill.Seconds(), Waiting: -1}
		if r.Health.Waiting != nil {
			m.Load.Health.Waiting = *r.Health.Waiting
		}
	}
	if r.CPU != nil {
		m.GeneratorCPU = r.CPU.User + r.CPU.System
		if r.CPU.Busiest != nil {
			m.Load.Busy = *r.CPU.Busiest
			m.Samples = append(m.Samples, record.Sample{Metric: "generator.cpu", Value: *r.CPU.Busiest, Unit: "1"})
		}
	}
	return m
}

// addJourneys adds what became of journeys and their steps.
func addJourneys(m *Measurement, r *http.Result, l *spec.Load) {
	if r.Journeys == nil {
		delete(m.Load.Failures, string(http.Extract)) // a kind of steps alone
		return
	}
	j := &record.Journeys{Attempted: r.Journeys.Attempted, Failed: r.Journeys.Failed, Completed: r.Journeys.Completed}
	m.Histograms["journey"], m.Histograms["journey.cut"] = histogram(r.Journeys.Time), histogram(r.Journeys.Cut)
	think, requests := 0.0, 0.0
	for i, s := range r.Journeys.Steps {
		step := record.Step{Name: l.Steps[i].Name, Attempted: s.Attempted, Failures: map[string]int64{}}
		for kind, n := range s.Failures {
			step.Failures[string(kind)] = n
		}
		j.Steps = append(j.Steps, step)
		m.Histograms["latency.step."+step.Name] = histogram(s.Latency)
		think += l.Steps[i].Think.Seconds() * float64(s.Attempted)
		requests += float64(s.Attempted)
	}
	m.Load.Journeys, m.Load.Think = j, think/max(1, requests)
}

func histogram(d http.Distribution) record.Histogram {
	seconds := func(ns int64) float64 { return time.Duration(ns).Seconds() }
	return record.Histogram{HDR: d.Encoded, Count: d.Count, Overflow: d.Overflow, Min: seconds(d.Min), Max: seconds(d.Max),
		Sum: seconds(d.Sum)}
}

// inFlight is the ρ of docs/method.md#quantities-checked: the mean share of the clients with a request under way, or
// thinking, and the seconds that it was taken over. The share is -1 if the run was too short to tell, or the number of
// clients is not fixed. Think is the mean pause of a client behind a request, in seconds.
func inFlight(r *http.Result, l *spec.Load, think float64) (share, over float64) {
	if r.Lag != nil || len(l.Stages) > 0 {
		return -1, 0
	}
	if r.InFlight != nil {
		over = r.InFlight.Length.Seconds()
		if over <= 0 {
			return -1, 0
		}
		return r.InFlight.Time.Seconds() / over / float64(l.Clients()), over
	}
	over = r.Length.Seconds()
	if r.Overlap == nil || r.Latency.Count+r.FailedLatency.Count == 0 || over <= 0 {
		return -1, 0
	}
	thinking := think * float64(r.Overlap.Right+r.Overlap.Failed) / http.WholeRequest
	return (r.Overlap.Time.Seconds() + thinking) / over / float64(l.Clients()), over
}
