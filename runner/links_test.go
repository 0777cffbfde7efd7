package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

// far is an experiment with a database behind a link, and an origin behind a link that depends on it.
const far = `name: far
services:
  api:
    origin: {latency: {distribution: lognormal, median: 150ms, sigma: 0.6}, body: 1256B}
    link: {rtt: 40ms}
    depends_on: [db]
  db: {image: postgres, expose: ["5432", "5433"], cpuset: "1", link: {rtt: 10ms}}
load: {target: "http://api/", requests: 100}
repetitions: 1
calibrate: false
timeout: 2s
`

// runFar runs far on an engine with a script, and returns its record and the started services in order.
func runFar(t *testing.T, s fake.Script) (*record.Record, []engine.Service, *fake.Engine) {
	t.Helper()
	var mu sync.Mutex
	var started []engine.Service
	start := s.Start
	s.Start = func(ctx context.Context, service engine.Service) error {
		mu.Lock()
		started = append(started, service)
		mu.Unlock()
		if start != nil {
			return start(ctx, service)
		}
		return nil
	}
	e, store := fake.New(s), &memory{}
	must.Get(newRunner(e, &quiet{}).Run(t.Context(), planOf(t, far), store,
		Options{}))
	if len(store.records) != 1 {
		t.Fatalf("%d records", len(store.records))
	}
	return store.records[0], started, e
}

// Each service starts under a private name, and then its link starts under the service's own name.
func TestLinksAndOrigins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script()
		s.Logs = func(name string) []byte {
			return fmt.Appendf(nil, "%s\nlateness {\"count\":5,\"p50_ns\":20000,\"p99_ns\":90000,\"max_ns\":%d000000}\n", name,
				len(name))
		}
		r, started, _ := runFar(t, s)
		names := slice.Map(started, func(service engine.Service) string { return service.Name })
		if got, want := strings.Join(names, " "), "db.behind db api.behind api"; got != want {
			t.Fatalf("started %s, want %s", got, want)
		}
		db, dbLink, api, apiLink := started[0], started[1], started[2], started[3]
		if len(db.Aliases)+len(dbLink.Aliases) > 0 || db.CPUSet != "1" || dbLink.CPUSet != "0" || apiLink.CPUSet != "0" {
			t.Errorf("the database is on %s, the links on %s and %s; names %v, %v", db.CPUSet, dbLink.CPUSet, apiLink.CPUSet,
				db.Aliases, dbLink.Aliases)
		}
		if dbLink.Ready.Log != agent.LinkReadyLine || dbLink.Ready.Port != 0 || len(dbLink.Expose) > 0 {
			t.Errorf("the link is ready when %+v: its ports must not be asked", dbLink.Ready)
		}
		var c agent.LinkConfig
		configOf(t, dbLink, "BENCHBOOK_LINK", &c)
		want := agent.LinkConfig{Semantics: record.LinkSemantics, Link: spec.Link{RTT: 10 * time.Millisecond},
			Routes: []agent.LinkRoute{{Listen: ":5432", Target: "db.behind:5432"}, {Listen: ":5433", Target: "db.behind:5433"}}}
		if got := fmt.Sprintf("%+v", c); got != fmt.Sprintf("%+v", want) || c.Validate() != nil {
			t.Errorf("got %s, want %+v", got, want)
		}
		var o agent.OriginConfig
		configOf(t, api, "BENCHBOOK_ORIGIN", &o)
		wanted := agent.OriginConfig{Semantics: record.OriginSemantics, Seed: o.Seed,
			HTTPOrigin: spec.HTTPOrigin{Body: 1256, Status: 200, Latency: spec.Latency{Distribution: "lognormal",
				Median: 150 * time.Millisecond, Sigma: 0.6}}}
		if got := fmt.Sprintf("%+v", o); got != fmt.Sprintf("%+v", wanted) || o.Validate() != nil {
			t.Errorf("got %s, want %+v", got, wanted)
		}
		assert.Equal(t, o.Seed != 0, true, "the origin has a seed")
		_, again, _ := runFar(t, script())
		if again[1].Environment[0] != dbLink.Environment[0] || again[2].Environment[0] != api.Environment[0] {
			t.Error("another repetition meets other draws")
		}

		for fact, want := range map[string]string{
			"link.semantics": "1", "origin.semantics": "1", "link.late.db": "p50 20µs, p99 90µs, max 2ms of 5",
			"link.late.api": "p50 20µs, p99 90µs, max 3ms of 5", "origin.late.api": "p50 20µs, p99 90µs, max 10ms of 5",
		} {
			assert.Equal(t, r.Facts[fact], want, "fact %s", fact)
		}
		if len(r.Facts["link.binary"]) != 64 || len(r.Facts["origin.binary"]) != 64 || r.Facts["image.api"] != "" ||
			r.Facts["image.db"] == "" {
			t.Errorf("facts %v", r.Facts)
		}
	})
}

func configOf(t *testing.T, s engine.Service, variable string, config any) {
	t.Helper()
	for _, e := range s.Environment {
		if text, ok := strings.CutPrefix(e, variable+"="); ok {
			must.Do(json.Unmarshal([]byte(text), config))
			return
		}
	}
	t.Fatalf("%s is told %q", s.Name, s.Environment)
}

// Failures use the names of the article, and contain the logs of services and links.
func TestLinksThatFail(t *testing.T) {
	for _, tt := range []struct {
		name, fails string
		err         error
		failure     string
		log         string
	}{
		{"the service is not ready", "db.behind", &engine.NotReadyError{Service: "db.behind",
			Reason: errors.New("it ended with status 1")},
			`service "db" was not ready: it ended with status 1`, ""},
		{"the link is not ready", "db", &engine.NotReadyError{Service: "db", Reason: errors.New("its time ran out"),
			Log: []byte("no such host\n")},
			`service "db.link" was not ready: its time ran out`, "db wrote:\nlog of db.behind\n\ndb.link wrote:\nno such host"},
		{"the service is rejected", "db.behind", &engine.RejectedError{Name: "db.behind",
			Err: errors.New("unable to find user x")},
			`"db" could not be started: unable to find user x`, ""},
		{"the load", "", nil, "status 500", "db wrote:\nlog of db.behind\n\ndb.link wrote:\nlog of db\n\napi wrote:\n" +
			"log of api.behind\n\napi.link wrote:\nlog of api"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := script()
			s.Start = func(_ context.Context, service engine.Service) error {
				if service.Name == tt.fails {
					return tt.err
				}
				return nil
			}
			s.Run = func(_ context.Context, p fake.Program) (engine.Exit, error) {
				return engine.Exit{Code: 1, Stderr: []byte("status 500")}, nil
			}
			s.Logs = func(name string) []byte { return []byte("log of " + name + "\nlateness {\"count\":1}\n") }
			var r *record.Record
			var e *fake.Engine
			synctest.Test(t, func(t *testing.T) { r, _, e = runFar(t, s) })
			if r.Failure != tt.failure || !strings.Contains(r.Log, tt.log) || strings.Contains(r.Log, "lateness") {
				t.Errorf("failure %q with log %q, want %q with %q", r.Failure, r.Log, tt.failure, tt.log)
			}
			checkClosed(t, e)
		})
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	r := newRunner(fake.New(script()), &quiet{})
	// Only the runner lacks the program; the driver has its own.
	r.Agent = func() ([]byte, error) { return nil, errors.New("it does not lie beside benchbook") }
	_, err := r.Run(t.Context(), planOf(t, far), &memory{}, Options{})
	if err == nil || err.Error() != "it does not lie beside benchbook" {
		t.Errorf("got %v", err)
	}
}
