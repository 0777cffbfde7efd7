package record

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"benchbook/internal/test/assert"
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
		m, ok := LookupMetric(test.name)
		assert.Equal(t, [3]string{m.Name, m.Unit, m.Better}, [3]string{test.name, test.unit, test.better})
		assert.Equal(t, ok && m.Title != "", true, "%s is known, and has a title", test.name)
	}
	for _, name := range []string{"", "latency", "latency.p0", "latency.p00", "latency.p100", "latency.p99.", "cpu.",
		"cpu.a.b", "troughput", "server"} {
		_, ok := LookupMetric(name)
		assert.Equal(t, ok, false, "%q is a metric", name)
	}
	for _, name := range []string{"latency.queue", "service.ping", "lag.pool", "errors.db.lost", "tune.db.pool"} {
		assert.Equal(t, IsTime(name) || CountsFailures(name) || IsSearched(name), false, "%q of an article is ours", name)
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
	assert.Equal(t, KeepOutput([]byte("Requests per second: 1\n")), "Requests per second: 1\n")
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
		r.End(tt.now, 5*time.Second)
		assert.Equal(t, r.Ended.Equal(tt.want), true, "%s: it ended at %v", tt.name, r.Ended)
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
		assert.Equal(t, strings.Join(OtherConditions(known(), tt.b), " "), tt.want, "%s", tt.name)
	}
}

const debian = "adduser 3.134\nbash 5.2.15"

func TestListsStandOnce(t *testing.T) {
	first := &Record{Facts: map[string]string{"packages.server": debian, "packages.db": debian,
		"pip.server": "Flask 3.1.3", "host.cpu": "x", "packages.empty": ""}}
	second := &Record{Facts: maps.Clone(first.Facts)}
	want := maps.Clone(first.Facts)
	have := map[string]bool{}
	first.Condense(have)
	second.Condense(have)
	if len(first.Lists) != 2 || len(second.Lists) != 0 || first.Facts["packages.server"] != second.Facts["packages.db"] {
		t.Errorf("lists %v and %v, facts %v", first.Lists, second.Lists, second.Facts)
	}
	condensed := maps.Clone(second.Facts)
	alone := &Record{Facts: maps.Clone(second.Facts)}
	Expand([]*Record{alone})
	assert.Map(t, alone.Facts, condensed, "without the lists")
	Expand([]*Record{second, first})
	assert.Map(t, first.Facts, want, "expanded")
	assert.Map(t, second.Facts, want, "expanded")
}

// An edited list is not put back: it is not what was found in the image.
func TestEditedListIsNotExpanded(t *testing.T) {
	r := &Record{Facts: map[string]string{"packages.server": debian}}
	r.Condense(map[string]bool{})
	digest := r.Facts["packages.server"]
	r.Lists[digest] = "bash 9"
	Expand([]*Record{r})
	assert.Equal(t, r.Facts["packages.server"], digest)
}

// Reading a folder undoes the condensing.
func TestReadExpandsLists(t *testing.T) {
	d, have := Dir(t.TempDir()), map[string]bool{}
	for i := range 2 {
		r := sample()
		r.Repetition, r.Facts = i+1, map[string]string{"packages.server": debian}
		r.Condense(have)
		save(d, r)
	}
	records, _ := must.Two(d.Read())
	assert.Equal(t, len(records), 2, "records")
	for _, r := range records {
		assert.Equal(t, r.Facts["packages.server"], debian, "repetition %d", r.Repetition)
	}
}

// searched returns the record of a search for a tuned value.
func searched() *Record {
	r := sample()
	r.Repetition, r.Samples = 0, nil
	r.Search = &Search{Kind: SearchTune, Name: "workers", Metric: "throughput", Unit: "1/s", Better: "higher",
		Effect: 0.05, Chosen: 2, Stop: StopLimit,
		Matters: 1.9, Lo: 2, Hi: 3, Probes: []Probe{
			{Candidate: 2, Phase: PhaseProbe, Value: 190, Started: time.Unix(1e9, 0).UTC(), Seconds: 4.5,
				Samples: []Sample{{Metric: "throughput", Value: 190, Unit: "1/s"}}},
			{Candidate: 1, Phase: PhaseProbe, Value: 100, Started: time.Unix(1e9, 0).UTC(), Seconds: 4},
			{Candidate: 2, Phase: PhaseProbe, Value: 180, Invalid: "errors 6 %", Started: time.Unix(1e9, 0).UTC(), Seconds: 4},
			{Candidate: 3, Phase: PhaseProbe, Failure: "service s is gone", Started: time.Unix(1e9, 0).UTC(), Seconds: 1},
		}}
	return r
}

// A search is read as it was saved.
func TestSaveSearch(t *testing.T) {
	dir := Dir(t.TempDir())
	capacity := searched()
	capacity.Search = &Search{Kind: SearchCapacity, Metric: "latency.p99", Unit: "s", Better: "lower",
		Objective: "latency.p99 < 100ms", Stop: StopLimit, Lo: 800}
	save(dir, capacity, searched())
	records, bad, err := dir.Read()
	if err != nil || len(bad) > 0 || len(records) != 2 {
		t.Fatalf("%d records, %v, %v", len(records), bad, err)
	}
	for i, want := range []*Record{capacity, searched()} {
		assert.Deep(t, records[i].Search, want.Search)
	}
	// A capacity that is only known as "at least" has no upper end.
	assert.Lacks(t, string(must.Get(capacity.Line())), `"hi"`)
}

func TestCandidates(t *testing.T) {
	candidates := searched().Search.Candidates()
	var values, counts []float64
	for _, c := range candidates {
		values = append(values, c.Value)
		for _, p := range c.Probes {
			counts = append(counts, p.Counts())
		}
	}
	assert.Deep(t, [2][]float64{values, counts}, [2][]float64{{1, 2, 3}, {100, 190, 0, 0}}, "values, and what counts")
}

// A probe with too few answers for a percentile has none, rather than one of 0 s.
func TestProbeHas(t *testing.T) {
	throughput := []Sample{{Metric: "throughput", Value: 190, Unit: "1/s"}}
	for name, test := range map[string]struct {
		probe Probe
		want  bool
	}{
		"measured":             {Probe{Value: 0.2, Samples: throughput}, true},
		"among failures":       {Probe{Samples: throughput}, false},
		"nothing at all":       {Probe{Samples: []Sample{{Metric: "latency.p99"}}}, true},
		"without what it read": {Probe{}, true},
		"failed":               {Probe{Failure: "service s is gone"}, false},
	} {
		assert.Equal(t, test.probe.Has("latency.p99"), test.want, "%s", name)
	}
}
