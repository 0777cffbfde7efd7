package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// Replicas also have the name of their service. observe.TestWatch tests that their usage counts for the service.
func TestScale(t *testing.T) {
	s := script()
	var mu sync.Mutex
	aliases := map[string]string{}
	s.Start = func(_ context.Context, service engine.Service) error {
		mu.Lock()
		defer mu.Unlock()
		aliases[service.Name] = strings.Join(service.Aliases, " ")
		return nil
	}
	runOnce(t, s, "expose:", "scale: 3\n    expose:")
	assert.Map(t, aliases, map[string]string{"server": "", "server.2": "server", "server.3": "server"}, "aliases")
}

// Volumes are lowered to what engines support: files of the article without its folder, and memory with a limit.
func TestVolumes(t *testing.T) {
	s := script()
	var got engine.Service
	s.Start = func(_ context.Context, service engine.Service) error {
		got = service
		return nil
	}
	runOnce(t, s, "expose:", `volumes: ["./sync.py:/srv/one.py", "data:/data:ro", /own, {type: tmpfs, target: /fast, tmpfs: {size: 64m}}]
    expose:`)
	want := []spec.Volume{{Type: spec.NamedVolume, Target: "/data", Source: "data", ReadOnly: true},
		{Type: spec.NamedVolume, Target: "/own"}}
	if fmt.Sprint(got.Volumes) != fmt.Sprint(want) || !slices.Equal(got.Tmpfs, []string{"/fast:size=67108864"}) {
		t.Errorf("volumes %+v, tmpfs %v; want %+v", got.Volumes, got.Tmpfs, want)
	}
	if i := slices.IndexFunc(got.Configs, func(f spec.File) bool { return f.Path == "/srv/one.py" }); i < 0 ||
		!strings.Contains(string(got.Configs[i].Data), "sync") {
		t.Errorf("files %+v", got.Configs)
	}
}

// Independent services start at once, and others wait for their dependencies by the conditions of Compose. A completed
// service is not used during the load, and its exit is no failure.
func TestConditions(t *testing.T) {
	s := script()
	var mu sync.Mutex
	up, before := map[string]bool{}, map[string][]string{}
	other := make(chan struct{})
	s.Start = func(ctx context.Context, service engine.Service) error {
		mu.Lock()
		before[service.Name] = slices.Sorted(maps.Keys(up))
		mu.Unlock()
		switch service.Name {
		case "registry": // it is ready only once the one that depends on it has begun
			select {
			case <-other:
			case <-ctx.Done():
				return ctx.Err()
			}
		case "server":
			close(other)
		case "migrate":
			assert.Equal(t, service.Completes, true, "migrate is to complete")
		}
		mu.Lock()
		defer mu.Unlock()
		up[service.Name] = true
		return nil
	}
	s.State = func(name string) (engine.State, error) { return engine.State{Ended: name == "migrate"}, nil }
	s.Usage = func(name string, _ int) (engine.Usage, error) {
		assert.Equal(t, name != "migrate", true, "whose usage is asked for has not ended")
		return engine.Usage{At: time.Now()}, nil
	}
	s.Logs = func(name string) []byte { return []byte(name + " took 7 ms\n") }
	store := &memory{}
	p := planOf(t, `name: chain
services:
  server: {image: a, expose: ["80"], depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}, registry: {condition: service_started}}}
  db: {image: a, expose: ["1"]}
  migrate: {image: a, depends_on: [db]}
  registry: {image: a, expose: ["2"]}
load: {target: "http://server/", requests: 100}
metrics: [{name: migration, from: migrate log, regex: 'took (\d+) ms', unit: ms}]
repetitions: 1
calibrate: false
`)
	if _, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store, Options{}); err != nil ||
		store.records[0].Failure != "" {
		t.Fatalf("%v, %q", err, store.records[0].Failure)
	}
	assert.Slice(t, before["server"], []string{"db", "migrate"}, "ready before server")
	assert.Equal(t, slices.Contains(before["migrate"], "db"), true, "db is ready before migrate, as are %v",
		before["migrate"])
	if r := store.records[0]; !slices.ContainsFunc(r.Samples,
		func(s record.Sample) bool { return s.Metric == "migration" && s.Value == 0.007 }) {
		t.Errorf("what a service that has completed wrote is not found: %+v", r.Facts)
	}
}

// A service without a healthcheck uses the one of its image, including times that it leaves open. If another service
// waits until it is healthy, there must be a healthcheck.
func TestHealthcheckOfAnImage(t *testing.T) {
	ofImage := spec.Ready{Command: []string{"up"}, Interval: 30 * time.Second, Retries: 5}
	for _, tt := range []struct {
		name, service string
		ofImage, want spec.Ready
		failure       string
	}{
		{"none", "expose: ['1']", spec.Ready{}, spec.Ready{}, ""},
		{"the image's", "expose: ['1']", ofImage, ofImage, ""},
		{"the image's alone tells", "environment: {A: b}", ofImage, ofImage, ""},
		{"with times of the service", "healthcheck: {interval: 1s, start_period: 9s}", ofImage, spec.Ready{
			Command: []string{"up"}, Interval: time.Second, Retries: 5, StartPeriod: 9 * time.Second}, ""},
		{"its own", "healthcheck: {test: [CMD, own]}", ofImage, spec.Ready{Command: []string{"own"}}, ""},
		{"disabled", "expose: ['1'], healthcheck: {disable: true}", ofImage, spec.Ready{}, ""},
		{"nothing tells", "environment: {A: b}", spec.Ready{}, spec.Ready{}, `"db" could not be started: another service ` +
			"waits until it is healthy, but neither it nor its image has a healthcheck, and it exposes no port: give it a " +
			"healthcheck, or write condition: service_started"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			got := map[string]spec.Ready{}
			s := script()
			s.Prepare = func(_ context.Context, image engine.Image, _ io.Writer) (engine.Prepared, error) {
				out := engine.Prepared{Reference: "x", ID: "sha256:x"}
				if image.Name == "checked" {
					out.Healthcheck = tt.ofImage
				}
				return out, nil
			}
			s.Start = func(_ context.Context, service engine.Service) error {
				mu.Lock()
				defer mu.Unlock()
				got[service.Name] = service.Ready
				return nil
			}
			store := &memory{}
			p := planOf(t, `name: e
services:
  server: {image: a, expose: ["80"], depends_on: {db: {condition: service_healthy}}}
  db: {image: checked, `+tt.service+`}
load: {target: "http://server/", requests: 100}
repetitions: 1
calibrate: false
`)
			must.Get(newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store, Options{}))
			assert.Equal(t, store.records[0].Failure, tt.failure, "failure")
			assert.Deep(t, got["db"], tt.want, "ready")
		})
	}
}

// Without containers, the loopback is the place to listen.
func TestServiceOnTheLoopbackOfTheMachine(t *testing.T) {
	s := script()
	s.Run = func(context.Context, fake.Program) (engine.Exit, error) {
		return engine.Exit{Code: 3, Stderr: []byte("it is so")}, nil
	}
	s.Listeners = func(string) ([]netip.AddrPort, error) {
		return []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080")}, nil
	}
	store := &memory{}
	must.Get(newRunner(withoutContainers{fake.New(s)}, &quiet{}).Run(t.Context(), socketsPlan(t), store, Options{}))
	assert.Equal(t, store.records[0].Failure, "it is so", "failure")
}

// withoutContainers is an engine whose services are reached through loopback.
type withoutContainers struct{ *fake.Engine }

func (withoutContainers) Name() string { return string(spec.Local) }

// Whatever a search chooses, a service contains what the driver of a command needs. A failing repetition is kept, never
// a failing probe.
func TestCommandWithASearch(t *testing.T) {
	s, runs := script(), 0
	s.Start = func(_ context.Context, service engine.Service) error {
		assert.Equal(t, len(service.Configs), 1,
			"service %s has the files %+v, want the timer", service.Name, service.Configs)
		return nil
	}
	s.Exec = func(_ context.Context, _ string, c engine.Command) (engine.Exit, error) {
		settings, err := agent.FindTimerSettings(c.Environment)
		if err != nil {
			return engine.Exit{}, err
		}
		var out bytes.Buffer
		runs++
		// every other one fails
		err = settings.Write(&out, agent.TimerReport{Start: time.Now(), Real: time.Second, Exit: runs % 2})
		return engine.Exit{Stdout: out.Bytes()}, err
	}
	store := &memory{}
	p := planOf(t, `name: tuned
services: {db: {image: a}}
command: {service: db, run: "work ${{ tune.n }}"}
tune: {n: {from: 1, to: 2}}
repetitions: 1
calibrate: false
`)
	sum, err := newRunner(fake.New(s), &quiet{}).Run(t.Context(), p, store, Options{Keep: true, KeepLast: true})
	if err != nil || sum.Measured != 1 || sum.Searches != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if sum.Kept == nil || len(sum.Kept.Services) != 1 {
		t.Errorf("kept %+v", sum.Kept)
	}
}

// over is a context whose deadline has passed but whose timer has not fired yet.
type over struct{ context.Context }

func (over) Deadline() (time.Time, bool) { return time.Now().Add(-time.Microsecond), true }

func TestNothingIsStartedWhenTheTimeIsOver(t *testing.T) {
	space := must.Get(fake.New(script()).Open(t.Context(), "run"))
	service, err := startOne(t.Context(), over{t.Context()}, space, engine.Service{Service: spec.Service{Name: "server"}})
	if service != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", service, err)
	}
}
