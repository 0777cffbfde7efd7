package record

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"benchbook/internal/test/must"
)

func TestLookupMetric(t *testing.T) {
	for _, test := range []struct{ name, unit, better string }{
		{"throughput", "1/s", "higher"}, {"latency.p99", "s", "lower"}, {"latency.p99.9", "s", "lower"},
		{"latency.connect.p50", "s", "lower"},
		{"cpu.server", "cores", "lower"}, {"errors.reset", "1", "lower"}, {"status.200", "1", ""},
		{"memory.peak", "B", "lower"},
		{"memory.db", "B", "lower"}, {"net.listen_overflows.server", "1", "lower"},
	} {
		if m, ok := LookupMetric(test.name); !ok || m.Unit != test.unit || m.Better != test.better || m.Name != test.name ||
			m.Title == "" {
			t.Errorf("%s: %+v, %v", test.name, m, ok)
		}
	}
	for _, name := range []string{"", "latency", "latency.p0", "latency.p00", "latency.p100", "latency.p99.", "cpu.",
		"cpu.a.b", "troughput", "server"} {
		if m, ok := LookupMetric(name); ok {
			t.Errorf("%q is taken for %+v", name, m)
		}
	}
}

func FuzzParse(f *testing.F) {
	data := must.Get(sample().Line())
	f.Add(data)
	f.Add([]byte(`{"schema_version":1,"repetition":-1}`))
	f.Add([]byte(`{"schema_version":1,"experiment":"e","trial":"t","key":"k","run":"r","search":{"name":"../x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := Parse(data); err == nil && (r.Key == "" || (r.Repetition < 1) != (r.Search != nil) ||
			r.Path() != filepath.Clean(r.Path()) || strings.HasPrefix(r.Path(), "..")) {
			t.Errorf("taken for a record: %+v", r)
		}
	})
}

// Short output is kept whole; longer output says how much was left out.
func TestOutput(t *testing.T) {
	if got := KeepOutput([]byte("Requests per second: 1\n")); got != "Requests per second: 1\n" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("é", MaxOutput)
	got := KeepOutput([]byte("begin" + long + "end"))
	if len(got) > MaxOutput+100 || !utf8.ValidString(got) || !strings.HasPrefix(got, "begin") ||
		!strings.HasSuffix(got, "end") ||
		!strings.Contains(got, fmt.Sprintf("\n[benchbook left out %d bytes here]\n", 8+2*MaxOutput-MaxOutput)) {
		t.Errorf("%d bytes: %.80q … %q", len(got), got, got[len(got)-20:])
	}
}

// A clock that is set back does not end a repetition before it started.
func TestEndOfARepetition(t *testing.T) {
	started := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name      string
		now, want time.Time
	}{
		{"a clock that runs", started.Add(5 * time.Second), started.Add(5 * time.Second)},
		{"a clock that was set back", started.Add(-time.Hour), started.Add(5 * time.Second)},
		{"a clock that was set forwards", started.Add(time.Hour), started.Add(time.Hour)},
	} {
		r := Record{Started: started}
		if r.End(tt.now, 5*time.Second); !r.Ended.Equal(tt.want) {
			t.Errorf("%s: it ended at %v, want %v", tt.name, r.Ended, tt.want)
		}
	}
}

func TestOtherConditions(t *testing.T) {
	known := func(more ...string) map[string]string {
		facts := map[string]string{"host.kernel": "6.1", "host.governor": "performance", "engine.name": "docker",
			"engine.version": "20.10"}
		for i := 0; i < len(more); i += 2 {
			facts[more[i]] = more[i+1]
		}
		return facts
	}
	for _, tt := range []struct {
		name string
		b    map[string]string
		want string
	}{
		{"the same", known(), ""},
		{"swap", known("host.swap", "1 GiB"), ""},
		{"kernel", known("host.kernel", "6.2"), "host.kernel"},
		{"a microcode that was unknown", known("host.microcode", "0x2"), "host.microcode"},
		{"governor and version", known("host.governor", "powersave", "engine.version", "29"), "host.governor engine.version"},
		{"no engine", map[string]string{"host.kernel": "6.1", "host.governor": "performance"}, ""},
		{"nothing", nil, ""},
	} {
		if got := strings.Join(OtherConditions(known(), tt.b), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
