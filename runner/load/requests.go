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
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/loadgen"
)

// programName is the name of the generator where it runs.
const programName = "load"

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
		"generator.semantics": strconv.Itoa(loadgen.Semantics)}
	d.image, err = e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}}, log)
	if err != nil {
		return fmt.Errorf("preparing the load generator: %w", err)
	}
	return nil
}

// Files are none: services under load have nothing of ours in them.
func (d *Requests) Files(*plan.Trial, string) []spec.File { return nil }

func (d *Requests) Measure(ctx context.Context, at Place, t *plan.Trial) (Measurement, error) {
	exit, err := d.generate(ctx, at, t)
	if err != nil {
		return Measurement{}, fmt.Errorf("trial %s: running the load generator: %w", t.Name, err)
	}
	if exit.Code != 0 {
		first, rest, _ := strings.Cut(generatorFailure(exit), "\n")
		return Measurement{Failure: first, Log: rest, Facts: d.facts}, nil
	}
	var result loadgen.Result
	if err := json.NewDecoder(bytes.NewReader(exit.Stdout)).Decode(&result); err != nil {
		return Measurement{}, fmt.Errorf("trial %s: reading what the load generator found: %w", t.Name, err)
	}
	if result.Semantics != record.LoadSemantics {
		return Measurement{}, fmt.Errorf("trial %s: the load generator is of another version (%d, not %d): build both "+
			"with make build", t.Name, result.Semantics, record.LoadSemantics)
	}
	m := requestsMeasured(&result, t.Load)
	m.Facts = maps.Clone(d.facts)
	maps.Copy(m.Facts, encryption(result.TLS))
	return m, nil
}

var _ Starter = (*Requests)(nil)

// StandBy is nil for a load that shares the network of a service, which has to be there before.
func (d *Requests) StandBy(ctx context.Context, at Place, t *plan.Trial) *Standby {
	if t.Load.Network == string(source.SharedNetwork) {
		return nil
	}
	program, err := d.program(at, t.Load, requestsConfig(t.Load, at), loadgen.AwaitArgument)
	if err != nil {
		return nil
	}
	return standBy(ctx, at.Space, program)
}

// program is the generator with its config.
func (d *Requests) program(at Place, l *spec.Load, config loadgen.Config, args ...string) (engine.Program, error) {
	text, err := json.Marshal(config)
	return engine.Program{
		Name: programName, Image: d.image, Command: append([]string{agent.Load}, args...), CPUSet: at.CPUSet,
		Environment: loadgen.Environment(string(text)),
		Beside:      at.Beside(l), Single: true, First: l.Priority != "",
	}, err
}

// generate runs the generator, or the one that stands by.
func (d *Requests) generate(ctx context.Context, at Place, t *plan.Trial) (engine.Exit, error) {
	if at.Standby != nil {
		return at.Standby.run()
	}
	return d.runAlone(ctx, at, t)
}

func (d *Requests) runAlone(ctx context.Context, at Place, t *plan.Trial, args ...string) (engine.Exit, error) {
	program, err := d.program(at, t.Load, requestsConfig(t.Load, at), args...)
	if err != nil {
		return engine.Exit{}, err
	}
	return at.Space.Run(ctx, program, nil)
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

func (d *Requests) Check(ctx context.Context, at Place, t *plan.Trial) ([]loadgen.Answer, error) {
	one := *t.Load // of the schedule nothing counts, and a share of a rate may not be known
	one.Connections, one.Threads, one.Requests, one.Duration, one.Warmup, one.Think = 1, 1, 1, 0, 0, 0
	one.Rate, one.Arrivals, one.Cut = 0, "", false
	asked := *t
	asked.Load = &one
	exit, err := d.runAlone(ctx, at, &asked, loadgen.CheckArgument)
	if err != nil {
		return nil, fmt.Errorf("trial %s: running the load generator: %w", t.Name, err)
	}
	if exit.Code != 0 {
		return []loadgen.Answer{{Method: t.Load.Method, URL: t.Load.Target, Failure: generatorFailure(exit)}}, nil
	}
	var answers []loadgen.Answer
	if err := json.Unmarshal(exit.Stdout, &answers); err != nil {
		return nil, fmt.Errorf("trial %s: reading what was answered: %w", t.Name, err)
	}
	return answers, nil
}

func requestsConfig(l *spec.Load, at Place) loadgen.Config {
	c := loadgen.Config{
		Seed: at.Seed, Connections: l.Connections, Threads: l.Threads, Duration: l.Duration, Requests: int64(l.Requests),
		Rate: l.Rate, Arrivals: loadgen.Arrivals(l.Arrivals), Warmup: l.Warmup, Think: l.Think, Timeout: l.Timeout,
		KeepAlive: l.Keepalive, Cut: l.Cut, Sharing: l.Priority != "",
		Verify: &loadgen.Verify{
			Before: &l.CheckBefore, Status: l.Status, Length: l.Length, Contains: l.Contains, Match: l.Match, JSON: l.JSON,
			Headers: l.WantHeaders,
		},
	}
	for _, t := range l.Targets {
		c.Targets = append(c.Targets, loadgen.Target{URL: t.URL, Method: t.Method, Headers: t.Headers, Body: []byte(t.Body),
			Weight: t.Weight})
	}
	if len(c.Targets) == 0 {
		c.Targets = []loadgen.Target{{URL: l.Target, Method: l.Method, Headers: l.Headers, Body: []byte(l.Body)}}
	}
	c.Threads = cmp.Or(c.Threads, at.Cores)
	c.Staggered = !c.Open() && !l.AtOnce && (l.Cut || l.Requests == 0)
	return c
}

// encryption says how connections were encrypted, for each way in which they were.
func encryption(ways []loadgen.TLS) map[string]string {
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
func requestsMeasured(r *loadgen.Result, l *spec.Load) Measurement {
	seconds := r.Length.Seconds()
	m := Measurement{
		Start: r.Start, Length: r.Length, GeneratorCPU: -1, Warmup: l.Warmup,
		Histograms: map[string]record.Histogram{
			"latency": histogram(r.Latency), "latency.failed": histogram(r.FailedLatency),
			"latency.connect": histogram(r.Connect), "latency.first_byte": histogram(r.FirstByte),
		},
		Load: &record.Load{
			WindowStart: r.Start, Window: seconds, Connections: l.Connections, Think: l.Think.Seconds(),
			Attempted: r.Attempted, Failed: r.Failed, Failures: map[string]int64{}, Statuses: map[string]int64{},
			Completed: r.Completed.Right, Busy: -1, ForeignCPU: -1,
			FailuresMax: l.FailuresMax, StaleRetries: r.Stale,
		},
	}
	for name, d := range map[string]*loadgen.Distribution{"latency.tls": r.TLSSetup, "lag": r.Lag, "service": r.Service,
		"latency.cut": r.Cut} {
		if d != nil {
			m.Histograms[name] = histogram(*d)
		}
	}
	if o := r.Overlap; o != nil && r.Lag == nil { // in an open loop requests may wait for a server that is too slow
		m.Load.Overlap = &record.Overlap{Right: float64(o.Right) / loadgen.WholeRequest,
			Failed: float64(o.Failed) / loadgen.WholeRequest, Time: o.Time.Seconds()}
	}
	if r.Lag != nil { // an open loop, even if nothing was due
		m.Load.Open = &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: r.Due, Sent: r.Sent, Blocked: r.Blocked}
	}
	for kind, n := range r.Failures {
		m.Load.Failures[string(kind)] = n
	}
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

func histogram(d loadgen.Distribution) record.Histogram {
	seconds := func(ns int64) float64 { return time.Duration(ns).Seconds() }
	return record.Histogram{HDR: d.Encoded, Count: d.Count, Overflow: d.Overflow, Min: seconds(d.Min), Max: seconds(d.Max),
		Sum: seconds(d.Sum)}
}

// inFlight is the ρ of docs/method.md#quantities-checked: the mean share of the clients with a request under way, or
// thinking, and the seconds that it was taken over. The share is -1 if the run was too short to tell, or the number of
// clients is not fixed. Think is the mean pause of a client behind a request, in seconds.
func inFlight(r *loadgen.Result, l *spec.Load, think float64) (share, over float64) {
	if r.Lag != nil {
		return -1, 0
	}
	if r.InFlight != nil {
		over = r.InFlight.Length.Seconds()
		if over <= 0 {
			return -1, 0
		}
		return r.InFlight.Time.Seconds() / over / float64(l.Connections), over
	}
	over = r.Length.Seconds()
	if r.Overlap == nil || r.Latency.Count+r.FailedLatency.Count == 0 || over <= 0 {
		return -1, 0
	}
	thinking := think * float64(r.Overlap.Right+r.Overlap.Failed) / loadgen.WholeRequest
	return (r.Overlap.Time.Seconds() + thinking) / over / float64(l.Connections), over
}
