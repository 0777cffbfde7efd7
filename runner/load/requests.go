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

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
	"benchbook/runner/load/http"
)

// generatorName is the program of our load generator.
const generatorName = "benchbook-load"

// Requests is the driver of loads over HTTP: our generator, alone in an image of its own beside the services.
type Requests struct {
	Tool  Tool
	image engine.Prepared
	facts map[string]string
}

// Prepare is part of Driver.
func (d *Requests) Prepare(ctx context.Context, e engine.Engine, log io.Writer) error {
	program, err := d.Tool(generatorName)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program)
	d.facts = map[string]string{"generator.binary": hex.EncodeToString(sum[:]), "generator.semantics": strconv.Itoa(http.Semantics)}
	d.image, err = e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: generatorName, Data: program}}, log)
	if err != nil {
		return fmt.Errorf("preparing the load generator: %w", err)
	}
	return nil
}

// Files is part of Driver: services under load have nothing of ours in them.
func (d *Requests) Files(*plan.Trial, string) []engine.File { return nil }

// Measure is part of Driver.
func (d *Requests) Measure(ctx context.Context, at Place, t *plan.Trial) (Measurement, error) {
	exit, err := d.generate(ctx, at, t)
	if err != nil {
		return Measurement{}, err
	}
	if exit.Code != 0 {
		message := generatorFailure(exit)
		first, _, _ := strings.Cut(message, "\n")
		return Measurement{Failure: first, Log: message, Facts: d.facts}, nil
	}
	var result http.Result
	if err := json.NewDecoder(bytes.NewReader(exit.Stdout)).Decode(&result); err != nil {
		return Measurement{}, fmt.Errorf("trial %s: reading what the load generator found: %w", t.Name, err)
	}
	if result.Semantics != record.LoadSemantics {
		return Measurement{}, fmt.Errorf("trial %s: the load generator is of another version (%d, not %d): build both with make build",
			t.Name, result.Semantics, record.LoadSemantics)
	}
	m := requestsMeasured(&result, t.Load)
	m.Facts = maps.Clone(d.facts)
	maps.Copy(m.Facts, encryption(result.TLS))
	return m, nil
}

var _ Starter = (*Requests)(nil)

// StandBy is part of Starter. A load that shares the network of a service has to wait for that.
func (d *Requests) StandBy(ctx context.Context, at Place, t *plan.Trial) *Standby {
	if t.Load.Network == string(article.SharedNetwork) {
		return nil
	}
	program, err := d.program(at, t.Load, http.AwaitArgument)
	if err != nil {
		return nil
	}
	return standBy(ctx, at.Space, program)
}

// program is the generator with a load.
func (d *Requests) program(at Place, l *plan.Load, args ...string) (engine.Program, error) {
	config, err := json.Marshal(requestsConfig(l, at))
	return engine.Program{
		Name: "load", Image: d.image, Command: args, CPUSet: at.CPUSet, Environment: []string{"BENCHBOOK_LOAD=" + string(config)},
		Beside: at.Beside(l), Single: true,
	}, err
}

// generate runs the generator, or has the one go on that stands by.
func (d *Requests) generate(ctx context.Context, at Place, t *plan.Trial, args ...string) (exit engine.Exit, err error) {
	if at.Standby != nil {
		exit, err = at.Standby.run()
	} else {
		var program engine.Program
		if program, err = d.program(at, t.Load, args...); err != nil {
			return exit, fmt.Errorf("trial %s: %w", t.Name, err)
		}
		exit, err = at.Space.Run(ctx, program, nil)
	}
	if err != nil {
		return exit, fmt.Errorf("trial %s: running the load generator: %w", t.Name, err)
	}
	return exit, nil
}

// generatorFailure is why the generator could not do what it was asked for.
func generatorFailure(exit engine.Exit) string {
	if exit.OutOfMemory {
		return "the load generator ran out of memory"
	}
	said := strings.TrimPrefix(strings.TrimSpace(string(exit.Stderr)), generatorName+": ")
	return cmp.Or(said, fmt.Sprintf("the load generator ended with status %d", exit.Code)) // what is killed says nothing
}

var _ Checker = (*Requests)(nil)

// Check is part of Checker.
func (d *Requests) Check(ctx context.Context, at Place, t *plan.Trial) ([]http.Answer, error) {
	one := *t.Load // of the schedule nothing counts, and a share of a rate may not be known
	one.Connections, one.Threads, one.Requests, one.Duration, one.Warmup, one.Think = 1, 1, 1, 0, 0, 0
	one.Rate, one.Arrivals, one.Stages = 0, "", nil
	asked := *t
	asked.Load = &one
	exit, err := d.generate(ctx, at, &asked, http.CheckArgument)
	if err != nil {
		return nil, err
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

func requestsConfig(l *plan.Load, at Place) http.Config {
	c := http.Config{
		Seed: at.Seed, Connections: l.Connections, Threads: l.Threads, Duration: l.Duration, Requests: int64(l.Requests),
		Rate: l.Rate, Arrivals: http.Arrivals(l.Arrivals), Warmup: l.Warmup, Think: l.Think, Timeout: l.Timeout, KeepAlive: l.Keepalive,
		Verify: &http.Verify{
			Before: &l.CheckBefore, Status: l.Status, Length: l.Length, Contains: l.Contains, Match: l.Match, JSON: l.JSON, Headers: l.WantHeaders,
		},
	}
	for _, t := range l.Targets {
		c.Targets = append(c.Targets, http.Target{URL: t.URL, Method: t.Method, Headers: t.Headers, Body: []byte(t.Body), Weight: t.Weight})
	}
	if len(l.Targets) == 0 {
		c.Targets = []http.Target{{URL: l.Target, Method: l.Method, Headers: l.Headers, Body: []byte(l.Body)}}
	}
	for _, s := range l.Stages {
		c.Stages = append(c.Stages, http.Stage{Duration: s.Duration, Rate: s.Rate, Connections: s.Connections})
	}
	if c.Threads == 0 {
		c.Threads = at.Cores
	}
	return c
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
func requestsMeasured(r *http.Result, l *plan.Load) Measurement {
	seconds := r.Length.Seconds()
	share, over := inFlight(r, l)
	m := Measurement{
		Start: r.Start, Length: r.Length, GeneratorCPU: -1, Warmup: l.Warmup,
		Histograms: map[string]record.Histogram{
			"latency": histogram(r.Latency), "latency.failed": histogram(r.FailedLatency),
			"latency.connect": histogram(r.Connect), "latency.first_byte": histogram(r.FirstByte),
		},
		Load: &record.Load{
			WindowStart: r.Start, Window: seconds, Connections: l.Connections, Think: l.Think.Seconds(),
			Attempted: r.Attempted, Failed: r.Failed, Failures: map[string]int64{}, Statuses: map[string]int64{},
			Completed: r.Completed.Right, InFlight: share, InFlightOver: over, Busy: -1, ForeignCPU: -1, FailuresMax: l.FailuresMax, StaleRetries: r.Stale,
		},
	}
	for name, d := range map[string]*http.Distribution{"latency.tls": r.TLSSetup, "lag": r.Lag, "service": r.Service} {
		if d != nil {
			m.Histograms[name] = histogram(*d)
		}
	}
	if r.Lag != nil { // an open loop, even if nothing was due
		m.Load.Open = &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: r.Due, Sent: r.Sent, Blocked: r.Blocked}
	}
	for kind, n := range r.Failures {
		m.Load.Failures[string(kind)] = n
	}
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
		m.Samples = append(m.Samples,
			record.Sample{Metric: "bytes.in", Value: float64(r.BytesIn) / seconds, Unit: "B/s"},
			record.Sample{Metric: "bytes.out", Value: float64(r.BytesOut) / seconds, Unit: "B/s"})
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

func histogram(d http.Distribution) record.Histogram {
	seconds := func(ns int64) float64 { return time.Duration(ns).Seconds() }
	return record.Histogram{HDR: d.Encoded, Count: d.Count, Overflow: d.Overflow, Min: seconds(d.Min), Max: seconds(d.Max), Sum: seconds(d.Sum)}
}

// inFlight is the ρ of METHOD.md 7, the mean share of the clients that had a request under way or were thinking, with the time
// that it was taken over, in seconds. The share is -1 where the run was too short to tell, and where the number of clients is not
// fixed, as in an open loop.
func inFlight(r *http.Result, l *plan.Load) (share, over float64) {
	if r.Lag != nil || len(l.Stages) > 0 {
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
	n := r.Latency.Count + r.FailedLatency.Count
	if n == 0 || over <= 0 {
		return -1, 0
	}
	mean := time.Duration((r.Latency.Sum + r.FailedLatency.Sum) / n)
	rate := float64(r.Completed.Right+r.Completed.Failed) / over
	return rate * (mean + l.Think).Seconds() / float64(l.Connections), over
}
