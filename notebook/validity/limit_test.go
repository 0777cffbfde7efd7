package validity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// usage sets how many cores two services used, the CPUs that they and the load ran on, and the CPUs that the article
// gave db.
func usage(server, db float64, services, load, cpuset string) recordtest.Change {
	return func(r *record.Record) {
		r.Definition = json.RawMessage(fmt.Sprintf(`{"services": [{"name": "server"}, {"name": "db", "cpuset": %q}]}`,
			cpuset))
		r.Samples = []record.Sample{{Metric: "cpu.server", Value: server, Unit: "cores"},
			{Metric: "cpu.db", Value: db, Unit: "cores"}}
		r.Facts = map[string]string{factServices: services, factLoad: load, factCores: "8 logical, 4 physical",
			factSiblings: "0,4; 1,5; 2,6; 3,7"}
	}
}

// threads sets how busy the busiest threads of services were.
func threads(shares map[string]float64) recordtest.Change {
	return func(r *record.Record) { r.Machine = &record.Machine{Threads: shares} }
}

func TestLimitedBy(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  []recordtest.Change
		want string
		all  string
	}{
		{"nothing known", []recordtest.Change{recordtest.LoadChange(func(l *record.Load) { l.Busy, l.InFlight = -1, -1 })},
			"", ""},
		{"the connections of an idle machine", []recordtest.Change{usage(0.3, 0.2, "0-1", "3", "")}, "connections",
			"load generator 0.30, CPU of server and db together 0.25, CPU of server 0.15, CPU of db 0.10, connections 1.00"},
		{"one service", []recordtest.Change{usage(1.8, 0.2, "server 0-1; db 2", "3", "")}, "CPU of server",
			"CPU of server 0.90, load generator 0.30, CPU of db 0.20, connections 1.00"},
		{"a service on a CPU of the article's choice", []recordtest.Change{usage(1, 0.9, "server 0-1; db 2", "3", "2")},
			"CPU of db", ""},
		{"a service that was given another CPU than the article names",
			[]recordtest.Change{usage(1, 1.8, "server 0-1; db 2-3", "3", "2")}, "CPU of db",
			"CPU of db 0.90, CPU of server 0.50, load generator 0.30, connections 1.00"},
		{"two services that share", []recordtest.Change{usage(1, 0.9, "0-1", "3", "")}, "CPU of server and db together",
			"CPU of server and db together 0.95, CPU of server 0.50, CPU of db 0.45, load generator 0.30, connections 1.00"},
		{"two services that share with the generator", []recordtest.Change{usage(0.9, 0.66, "0-1", "0-1", "")},
			"CPU of server and db together", "CPU of server and db together 0.93, CPU of server 0.45, CPU of db 0.33, " +
				"load generator 0.30, connections 1.00"},
		{"a limit below the CPUs", []recordtest.Change{usage(0.48, 0.1, "0-1", "3", ""), func(r *record.Record) {
			r.Definition = json.RawMessage(`{"services": [{"name": "server", "cpus": 0.5}]}`)
		}}, "CPU of server", "CPU of server 0.96, load generator 0.30, connections 1.00"},
		{"a service of one thread on two CPUs", []recordtest.Change{usage(1, 0.2, "server 0-1; db 2", "3", ""),
			threads(map[string]float64{"server": 0.97, "db": 0.99})}, "busiest thread of server",
			"busiest thread of server 0.97, CPU of server 0.50, load generator 0.30, CPU of db 0.20, connections 1.00"},
		{"the generator", []recordtest.Change{usage(0.5, 0.2, "server 0-1; db 2", "3", ""),
			recordtest.LoadChange(func(l *record.Load) { l.Busy = 0.88 })}, "load generator", ""},
		{"clients that think most of the time",
			[]recordtest.Change{func(r *record.Record) {
				r.Load.Think = 0.006 / 1.1
				h := r.Histograms["latency"]
				h.Sum -= float64(h.Count) * r.Load.Think
				r.Histograms["latency"] = h
			}}, "", "load generator 0.30, connections 0.35"},
		{"an open loop", []recordtest.Change{recordtest.LoadChange(func(l *record.Load) {
			l.Open = &record.OpenLoop{Due: 1000, Sent: 1000}
		})}, "", "load generator 0.30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Article(recordtest.Servers))
			b.Measure("servers", "a", "1", []float64{1200, 1200, 1200}, tt.set...)
			got := NewReport(b.Records).LimitedBy()
			assert.Equal(t, LimitOf(b.Records[0]).By, tt.want, "its first repetition is limited by")
			all := slice.Map(got.Resources, func(r Resource) string { return fmt.Sprintf("%s %.2f", r.Name, r.Share) })
			if got.By != tt.want || tt.all != "" && strings.Join(all, ", ") != tt.all {
				t.Errorf("by %q of %s, want %q of %s", got.By, strings.Join(all, ", "), tt.want, tt.all)
			}
		})
	}
}

// Every repetition is checked for CPUs shared with the generator, the experiment once for shared physical cores.
func TestSharedCPUs(t *testing.T) {
	for _, tt := range []struct {
		name           string
		services, load string
		definition     string // its further fields
		level          Level
		words          string
		siblings       CheckResult
	}{
		{"apart", "0-1", "3", "", OK, "load generator busy 30 %", CheckResult{"SMT siblings", OK,
			"load generator and services share no physical core"}},
		{"one CPU", "0-1", "1,3", "", Warn, "3 of 3 repetitions: load generator shares CPU 1 with db, server",
			CheckResult{"SMT siblings", OK, "load generator and services share no physical core"}},
		{"before others", "0-1", "1,3", `, "load": {"priority": "high"}}`, OK, "load generator busy 30 %",
			CheckResult{"SMT siblings", OK, "load generator and services share no physical core"}},
		{"on another machine", "0-1", "1,3", `, "hosts": {"load": "far"}}`, OK, "load generator busy 30 %",
			CheckResult{"SMT siblings", NotChecked, notRecorded}},
		{"threads of one core", "0-1", "5", "", OK, "load generator busy 30 %",
			CheckResult{"SMT siblings", Warn,
				"CPU 5 of the load generator and CPU 1 of server are threads of one physical core"}},
		{"not told", "", "", "", OK, "load generator busy 30 %", CheckResult{"SMT siblings", NotChecked, notRecorded}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := recordtest.New(t, recordtest.Article(recordtest.Servers))
			b.Measure("servers", "a", "1", recordtest.ValuesA, usage(1, 0.5, tt.services, tt.load, ""), func(r *record.Record) {
				if tt.definition != "" {
					r.Definition = json.RawMessage(strings.TrimSuffix(string(r.Definition), "}") + tt.definition)
				}
			})
			checks := NewReport(b.Records).Checks()
			i := slices.IndexFunc(checks, func(c CheckResult) bool { return c.Name == "generator CPU" })
			assert.Equal(t, checks[i], CheckResult{"generator CPU", tt.level, tt.words})
			got, ok := SharedCores(b.Records)
			assert.Equal(t, [2]any{got, ok}, [2]any{tt.siblings, true}, "once")
		})
	}
}
