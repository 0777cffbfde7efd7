package load

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/loadgen"
)

// Requests is the driver of loads over HTTP: our generator, alone in an image of its own.
type Requests struct {
	Agent agent.Program
	image engine.Prepared
	facts map[string]string
}

// Prepare implements Driver.
func (d *Requests) Prepare(ctx context.Context, e engine.Engine, log io.Writer) error {
	program, err := d.Agent()
	if err != nil {
		return err
	}
	d.facts = map[string]string{"generator.binary": fmt.Sprintf("%x", sha256.Sum256(program)),
		"generator.semantics": strconv.Itoa(loadgen.Semantics)}
	d.image, err = e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: agent.Name, Data: program}}, log)
	if err != nil {
		return fmt.Errorf("preparing the load generator: %w", err)
	}
	return nil
}

// Container implements Driver.
func (d *Requests) Container(at Place, t *plan.Trial) *engine.Service {
	return &engine.Service{Image: d.image, Ours: true, Host: at.Host, First: t.Load.Priority != "",
		Service: spec.Service{Name: LoadName, CPUSet: at.CPUSet, Command: []string{agent.Idle}}}
}

// Measure implements Driver.
func (d *Requests) Measure(ctx context.Context, at Place, t *plan.Trial) (Measurement, error) {
	exit, err := at.generate(ctx, ownPath, requestsConfig(t.Load, at))
	if err != nil {
		return Measurement{}, err
	}
	if exit.Code != 0 {
		first, rest, _ := strings.Cut(generatorFailure(exit), "\n")
		return Measurement{Failure: first, Log: rest, Facts: d.facts}, nil
	}
	var result loadgen.Result
	if err := json.Unmarshal(exit.Stdout, &result); err != nil {
		return Measurement{}, fmt.Errorf("reading what the load generator found: %w", err)
	}
	if result.Semantics != record.LoadSemantics {
		return Measurement{}, fmt.Errorf("the load generator is of another version (%d, not %d): build both with make build",
			result.Semantics, record.LoadSemantics)
	}
	m := requestsMeasured(&result, t.Load)
	m.Facts = maps.Clone(d.facts)
	maps.Copy(m.Facts, encryption(result.TLS))
	return m, nil
}

func requestsConfig(l *spec.Load, at Place) loadgen.Config {
	c := loadgen.Config{
		Seed: at.Seed, Connections: l.Connections, Threads: cmp.Or(l.Threads, at.Cores), Duration: l.Duration,
		Requests: int64(l.Requests), Rate: l.Rate, Arrivals: loadgen.Arrivals(l.Arrivals), Warmup: l.Warmup, Think: l.Think,
		Timeout: l.Timeout, KeepAlive: l.Keepalive, Cut: l.Cut, Sharing: l.Priority != "",
		Verify: &loadgen.Verify{
			Before: &l.CheckBefore, Status: l.Status, Length: l.Length, Contains: l.Contains, Match: l.Match,
		},
		Targets: slice.Map(targetsOf(l), func(t spec.Target) loadgen.Target {
			return loadgen.Target{URL: t.URL, Method: t.Method, Headers: t.Headers, Body: []byte(t.Body), Weight: t.Weight}
		}),
	}
	c.Staggered = !c.Open() && (l.Cut || l.Requests == 0)
	return c
}

// encryption returns a fact for each way in which connections were encrypted.
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
		Histograms: map[string]record.Histogram{},
		Load: &record.Load{
			WindowStart: r.Start, Window: seconds, Connections: l.Connections, Think: l.Think.Seconds(),
			Attempted: r.Attempted, Failed: r.Failed, Failures: map[string]int64{}, Statuses: map[string]int64{},
			Completed: r.Completed.Right, Busy: -1, ForeignCPU: -1,
			FailuresMax: l.FailuresMax, StaleRetries: r.Stale,
		},
		Samples: []record.Sample{{Metric: "connects", Value: float64(r.Connects), Unit: "1"}},
	}
	for name, d := range map[string]*loadgen.Distribution{"latency": &r.Latency, "latency.failed": &r.FailedLatency,
		"latency.connect": &r.Connect, "latency.first_byte": &r.FirstByte, "latency.tls": r.TLSSetup, "lag": r.Lag,
		"lag.generator": r.Late, "service": r.Service, "latency.cut": r.Cut} {
		if d != nil {
			m.Histograms[name] = histogram(*d)
		}
	}
	if r.Lag != nil { // an open loop, even if nothing was due
		m.Load.Open = &record.OpenLoop{Rate: l.Rate, Arrivals: l.Arrivals, Due: r.Due, Sent: r.Sent, Blocked: r.Blocked}
		m.Samples = append(m.Samples, record.Sample{Metric: "offered", Value: r.Offered, Unit: "1/s"})
	} else if o := r.Overlap; o != nil { // in an open loop requests may wait for a server that is too slow
		m.Load.Overlap = &record.Overlap{Right: float64(o.Right) / loadgen.WholeRequest,
			Failed: float64(o.Failed) / loadgen.WholeRequest, Time: o.Time.Seconds()}
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

// inFlight returns ρ of docs/method.md#quantities-checked, the mean share of the clients with a request under way or
// thinking, and the seconds that it was taken over. The share is -1 if the run was too short to tell, or in an open
// loop. think is the mean pause of a client after a request, in seconds.
func inFlight(r *loadgen.Result, l *spec.Load, think float64) (share, over float64) {
	busy := 0.0
	switch {
	case r.Lag != nil:
	case r.InFlight != nil:
		busy, over = r.InFlight.Time.Seconds(), r.InFlight.Length.Seconds()
	case r.Overlap != nil && r.Latency.Count+r.FailedLatency.Count > 0:
		thinking := think * float64(r.Overlap.Right+r.Overlap.Failed) / loadgen.WholeRequest
		busy, over = r.Overlap.Time.Seconds()+thinking, r.Length.Seconds()
	}
	if over <= 0 {
		return -1, 0
	}
	return busy / over / float64(l.Connections), over
}
