package compare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/stats"
)

const (
	runA = "20261120T100000Z-aaaa"
	runB = "20261121T100000Z-bbbb"
)

// twice returns the sides of an article measured as A and as B, with the given throughputs of its cells.
func twice(t testing.TB, text string, a, b map[string][]float64, changesB ...recordtest.Change) Sides {
	t.Helper()
	lay := func(run string, values map[string][]float64, changes ...recordtest.Change) *dataset.Dataset {
		bench := recordtest.New(t, recordtest.FrontMatter+recordtest.Fence("experiment", text)+recordtest.Dockerfile)
		for _, trial := range []string{"a", "b", "c", "again"} {
			if len(values[trial]) > 0 {
				bench.Measure("servers", trial, run, values[trial], changes...)
			}
		}
		return datasetOf(bench, dataset.Options{ThisHost: "host-1"})
	}
	inputs := func(r *record.Record) {
		r.Inputs = []record.Input{{Name: "semantics", Digest: "2"}}
		r.Facts = map[string]string{"host.cpu": "Sample CPU", "host.cores": "8 logical, 4 physical"}
	}
	return Sides{A: lay(runA, a, inputs), B: lay(runB, b, append([]recordtest.Change{inputs}, changesB...)...)}
}

// changesInWords returns a line for each change of a metric.
func changesInWords(changes []*Change, metric string) string {
	var out strings.Builder
	for _, c := range changes {
		if c.Metric.Name != metric {
			continue
		}
		fmt.Fprintf(&out, "%s: %s", c.A.Trial.Name, c.Verdict)
		if e := c.Effect; e != nil {
			fmt.Fprintf(&out, " %+.3g", e.Number)
			if e.Interval != nil {
				fmt.Fprintf(&out, " [%+.3g %+.3g]", e.Interval.Lo, e.Interval.Hi)
			}
		}
		if c.Reason != "" {
			fmt.Fprintf(&out, " (%s)", c.Reason)
		}
		if len(c.Marks) > 0 {
			fmt.Fprintf(&out, " {%s}", strings.Join(c.Marks, "; "))
		}
		out.WriteString("\n")
	}
	return out.String()
}

func fails(n int64) recordtest.Change {
	return func(r *record.Record) {
		r.Load.Failed, r.Load.FailuresMax = n, 1
		r.Load.Failures = map[string]int64{"timeout": n}
	}
}

func TestCompare(t *testing.T) {
	slow, fast := map[string][]float64{"a": recordtest.ValuesB}, map[string][]float64{"a": recordtest.ValuesA}
	paired := strings.Replace(recordtest.Servers, "calibrate: false", "calibrate: true", 1)
	five := strings.Replace(recordtest.Servers, "repetitions: 3", "repetitions: 5", 1)
	like, up := []float64{1000, 1000, 1001}, []float64{1100, 1130, 1140}
	change := func(f func(*record.Record)) []recordtest.Change { return []recordtest.Change{f} }
	for _, tt := range []struct { // without more, throughput of recordtest.Servers rises from slow to fast
		name         string
		text, metric string
		a, b         map[string][]float64
		changesB     []recordtest.Change
		options      ChangeOptions
		want         string
	}{
		{name: "better", want: "a: better +0.205 [+0.161 +0.255] {noise floor not measured}\n"},
		{name: "worse", a: fast, b: slow, want: "a: worse -0.17 [-0.203 -0.139] {noise floor not measured}\n"},
		{name: "lower is better", metric: "latency.mean", options: ChangeOptions{Metrics: []string{"latency.mean"}},
			want: "a: better -0.17 [-0.203 -0.139] {noise floor not measured; different loads}\n"},
		{name: "neither is better", metric: "requests", options: ChangeOptions{Metrics: []string{"requests"}},
			want: "a: higher +0.205 [+0.161 +0.255] {noise floor not measured}\n"},
		{name: "the same", b: map[string][]float64{"a": {1001, 1009, 986}},
			want: "a: no difference shown +0.000506 [-0.0269 +0.0284] (the same within 5 %) {noise floor not measured}\n"},
		{name: "not certainly more than the smallest effect", b: map[string][]float64{"a": {1040, 1050, 1060}},
			want: "a: no difference shown +0.0513 [+0.0247 +0.0796] (a difference, but possibly no more than 5 %) " +
				"{noise floor not measured}\n"},
		{name: "shown alone only", a: map[string][]float64{"a": like, "b": like, "c": like},
			b: map[string][]float64{"a": up, "b": {1001, 1000, 1000}, "c": {1001, 1000, 1000}},
			want: "a: no difference shown +0.125 [+0.0722 +0.176] (it would be shown for a single cell, but not for one of 3) " +
				"{noise floor not measured}\n" +
				"b: no difference shown +0 [-0.00131 +0.00131] (the same within 5 %) {noise floor not measured}\n" +
				"c: no difference shown +0 [-0.00131 +0.00131] (the same within 5 %) {noise floor not measured}\n"},
		{name: "the larger noise floor", text: paired,
			a:    map[string][]float64{"a": recordtest.ValuesB, "again": recordtest.ValuesB},
			b:    map[string][]float64{"a": recordtest.ValuesA, "again": {1400, 1430, 1385}},
			want: "a: no difference shown +0.205 [+0.0194 +0.426] (a difference, but possibly no more than 5 %)\n"},
		{name: "one noise floor", text: paired,
			b:    map[string][]float64{"a": recordtest.ValuesA, "again": recordtest.ValuesA},
			want: "a: better +0.205 [+0.161 +0.255] {A: noise floor not measured}\n"},
		{name: "the same rounds, planned whole", text: five, a: map[string][]float64{"a": {1000, 1040, 1010, 1020, 990}},
			b:    map[string][]float64{"a": {1096, 1144, 1067, 1115, 1086}},
			want: "a: better +0.0895 [+0.0517 +0.126] {noise floor not measured}\n"},
		{name: "two repetitions", b: map[string][]float64{"a": {1200, 1230}},
			want: "a: not comparable +0.216 (B has 2 valid repetitions, and a verdict needs 3) {B: run not finished; " +
				"noise floor not measured}\n"},
		{name: "missing", b: map[string][]float64{"b": recordtest.ValuesA}, want: "a: not comparable (B: not measured)\n" +
			"b: not comparable (A: not measured)\nc: not comparable (A and B: not measured)\n"},
		{name: "invalid", changesB: change(func(r *record.Record) { r.Load.Busy = 0.95 }),
			want: "a: not comparable (B: invalid: load generator busy 95 %) {noise floor not measured}\n"},
		{name: "failed", changesB: change(func(r *record.Record) { r.Failure = "it ended" }),
			want: "a: not comparable (B: failed: it ended) {noise floor not measured}\n"},
		{name: "another meaning of samples", changesB: change(func(r *record.Record) { r.Inputs[0].Digest = "3" }),
			options: ChangeOptions{AcrossHosts: true},
			want:    "a: not comparable (what samples mean has changed: version 2 in A, 3 in B) {noise floor not measured}\n"},
		{name: "another processor", changesB: change(otherCPU),
			want: "a: not comparable (the hosts have different processors: Sample CPU in A, Other CPU in B) " +
				"{noise floor not measured}\n"},
		{name: "another processor, allowed", changesB: change(otherCPU), options: ChangeOptions{AcrossHosts: true},
			want: "a: better +0.205 [+0.161 +0.255] {noise floor not measured; the hosts have different processors: " +
				"Sample CPU in A, Other CPU in B}\n"},
		{name: "the same repetitions", b: slow, changesB: change(func(r *record.Record) { r.Run = runA }),
			want: "a: not comparable (both sides are the same repetitions)\n"},
		{name: "an older version", changesB: change(func(r *record.Record) { r.Key = "older" }),
			want: "a: better +0.205 [+0.161 +0.255] {B: measured with an older version; noise floor not measured}\n"},
		{name: "no failures at all", metric: "failed", want: "a: no difference shown +0 [-0.000123 +0.000102]\n"},
		{name: "more failures", metric: "failed", changesB: change(fails(500)), want: "a: worse +0.0415 [+0.0393 +0.0436]\n"},
		{name: "a number of failures", metric: "failed.count", changesB: change(fails(500)),
			options: ChangeOptions{Metrics: []string{"failed.count"}}, want: "a: worse +500 [+500 +500]\n"},
		{name: "a value of zero", metric: "memory.server", changesB: change(func(r *record.Record) { r.Samples[1].Value = 0 }),
			options: ChangeOptions{Metrics: []string{"memory.server"}},
			want:    "a: not comparable (there is no ratio: the smallest value of B is 0) {noise floor not measured}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.a == nil {
				tt.a = slow
			}
			if tt.b == nil {
				tt.b = fast
			}
			s := twice(t, cmp.Or(tt.text, recordtest.Servers), tt.a, tt.b, tt.changesB...)
			changes, _ := must.Two(Compare([]Sides{s}, tt.options))
			got := changesInWords(changes, cmp.Or(tt.metric, "throughput"))
			if len(tt.a)+len(tt.b) < 6 && tt.name != "missing" { // the cells that nothing was measured of
				got = strings.ReplaceAll(got, "b: not comparable (A and B: not measured)\n", "")
				got = strings.ReplaceAll(got, "c: not comparable (A and B: not measured)\n", "")
			}
			assert.Equal(t, got, tt.want, "changes")
		})
	}
}

func otherCPU(r *record.Record) { r.Host, r.Facts["host.cpu"] = "host-2", "Other CPU" }

func TestCompareRefusesUnknownMetrics(t *testing.T) {
	s := twice(t, recordtest.Servers, map[string][]float64{"a": recordtest.ValuesA},
		map[string][]float64{"a": recordtest.ValuesB})
	_, _, err := Compare([]Sides{s}, ChangeOptions{Metrics: []string{"throughputs"}})
	assert.Error(t, err, `no metric "throughputs" in what is compared: did you mean "throughput"?`)
}

func TestGate(t *testing.T) {
	s := twice(t, recordtest.Servers, map[string][]float64{"a": recordtest.ValuesB, "b": recordtest.ValuesB},
		map[string][]float64{"a": recordtest.ValuesA, "b": recordtest.ValuesC})
	for _, tt := range []struct{ condition, met, unknown string }{
		{"throughput < -5%", "b", "c"},
		{"throughput > 5%", "a", "c"},
		{"throughput > 15%", "", "c"}, // of a alone it would be, but there are three cells
		{"failed > 1%", "", "c"},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			gate := must.Get(NewGate(tt.condition))
			changes, _ := must.Two(Compare([]Sides{s}, ChangeOptions{Gate: gate}))
			cells := gate.Judge(changes)
			var met, unknown []string
			for _, c := range cells {
				if c.Met {
					met = append(met, c.A.Trial.Name)
				}
				if c.Unknown != "" {
					unknown = append(unknown, c.A.Trial.Name)
				}
			}
			assert.Equal(t, strings.Join(met, " "), tt.met, "met by")
			assert.Equal(t, strings.Join(unknown, " "), tt.unknown, "unknown of")
		})
	}
}

// Metrics of programs have letters of any script, and messages write a space before the percent sign.
func TestGateNames(t *testing.T) {
	for _, tt := range []struct{ condition, metric string }{
		{"throughput < -5%", "throughput"}, {"größe.p99.9 >= 5 %", "größe.p99.9"}, {"データ_1-x>5%", "データ_1-x"},
	} {
		assert.Equal(t, must.Get(NewGate(tt.condition)).Metric, tt.metric)
	}
	var o ChangeOptions
	must.Do(o.SetProve("10 %"))
	assert.Equal(t, o.Prove, 0.1)
}

func TestGateMistakes(t *testing.T) {
	for _, tt := range []struct{ condition, want string }{
		{"throughput", "it is not METRIC OP NUMBER%: write a metric, one of < > <= >=, and a percentage"},
		{"throughput <", "it is not METRIC OP NUMBER%"},
		{"5% < throughput", "it is not METRIC OP NUMBER%"},
		{"throughput == 5%", "it is not METRIC OP NUMBER%"},
		{"latency.p99 > 10ms", "it is not METRIC OP NUMBER%"},
		{"throughput < -5% or failed > 1%", "it is not METRIC OP NUMBER%"},
		{`throughput{server="a"} < -5%`, "it is not METRIC OP NUMBER%"},
		{"throughput < -5.5.5%", "-5.5.5 is not a number"},
		{"throughput < -5", "the change of throughput is a percentage: write throughput < -5%"},
		{"throughput < -500%", "no change of throughput goes below -100%"},
		{"failed.count > 3", "failed.count is a number, not a percentage: write failed >, with a percentage"},
	} {
		_, err := NewGate(tt.condition)
		assert.Error(t, err, tt.want)
	}
}

// Cells of hosts that differ in a processor or its cores are not compared, and other hosts and engines are marked.
func TestRefused(t *testing.T) {
	type facts = map[string]string
	of := func(host string, all ...facts) *dataset.Cell {
		r := &record.Record{Host: host, Facts: facts{}}
		for _, some := range all {
			maps.Copy(r.Facts, some)
		}
		return &dataset.Cell{Records: []*record.Record{r}}
	}
	machine := func(prefix, cpu string) facts {
		return facts{prefix + "host.cpu": cpu, prefix + "host.cores": "2 logical, 2 physical"}
	}
	engine := func(name string) facts { return facts{"engine.name": name} }
	one, far := machine("", "One CPU"), machine("hosts.far.", "One CPU")
	for _, tt := range []struct {
		name      string
		a, b      *dataset.Cell
		why, mark string
	}{
		{"the same engine", of("h", one, engine("docker")), of("h", one, engine("docker")), "", ""},
		{"another engine", of("h", one, engine("docker")), of("h", one, engine("local")), "",
			"different engines: docker in A, local in B"},
		{"an unknown engine", of("h", one), of("h", one, engine("local")), "", ""},
		{"another engine on another host", of("h", one, engine("local")), of("i", one, engine("docker")), "",
			"different hosts of the same processor and cores; different engines: local in A, docker in B"},
		{"like machines", of("a", one, far), of("b", one, far), "", "different hosts of the same processor and cores"},
		{"another processor far away", of("a", one, far), of("b", one, machine("hosts.far.", "Other CPU")),
			"the hosts have different processors: One CPU, One CPU on host far in A, One CPU, Other CPU on host far in B", ""},
		{"other cores", of("a", one), of("b", facts{"host.cpu": "One CPU", "host.cores": "4 logical, 4 physical"}),
			"the hosts have different cores: 2 logical, 2 physical in A, 4 logical, 4 physical in B", ""},
		{"one machine", of("a", one, far), of("b", one),
			"the hosts have different processors: One CPU, One CPU on host far in A, One CPU in B", ""},
		{"another kernel", of("h", one, facts{"host.kernel": "6.1"}), of("h", one, facts{"host.kernel": "6.2"}), "",
			"different kernel: 6.1 in A, 6.2 in B"},
		{"other speeds", of("a", one, facts{"host.speed.copied": "10 GB/s", "host.speed.calls": "1e+07/s"}),
			of("b", one, facts{"host.speed.copied": "8 GB/s", "host.speed.calls": "1.04e+07/s"}), "",
			"different hosts of the same processor and cores; host.speed.copied 0.80 times as high in B"},
		{"another version of the engine", of("h", one, engine("docker"), facts{"engine.version": "20.10"}),
			of("h", one, engine("docker"), facts{"engine.version": "29.1"}), "", "different engine version: 20.10 in A, 29.1 in B"},
		{"nothing known", of("a", one, far), of("b"), "the hosts differ, a in A and b in B, and the records do not say how", ""},
	} {
		why, marks := refused(tt.a, tt.b, false)
		assert.Equal(t, [2]string{why, strings.Join(marks, "; ")}, [2]string{tt.why, tt.mark}, "%s", tt.name)
	}
}

// Changes of searched metrics are shown if the intervals do not overlap.
func TestSearchedChanges(t *testing.T) {
	before, after := datasetOf(recordtest.NewSearched(t)), recordtest.NewSearched(t)
	found := map[string][2]float64{"a": {800, 840}, "b": {910, 950}}
	for _, r := range after.Records {
		if is, ok := found[r.Trial]; ok && r.Experiment == "ceiling" {
			r.Search, r.Run = &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Lo: is[0], Hi: is[1]}, "2"
		}
	}
	changes, _ := must.Two(Compare([]Sides{{A: before, B: datasetOf(after), Experiments: []string{"ceiling"}}},
		ChangeOptions{}))
	got := map[string]stats.Shift{}
	for _, c := range changes {
		got[c.A.Trial.Name] = c.Verdict
	}
	if got["a"] != stats.Better || got["b"] != stats.NotShown {
		t.Errorf("%v", got)
	}
}

func TestExplanations(t *testing.T) {
	a := record.Record{Key: "k", Definition: json.RawMessage(`{"load":{"connections":10}}`), Facts: map[string]string{
		"host.kernel": "6.1.0", "engine.kernel": "6.1.0", "image.server": "sha256:" + strings.Repeat("a", 64),
		"base.server": "debian", "engine.version": "29.0",
		"hosts.far.host.kernel": "6.1.0", "hosts.far.clock.ahead": "1ms", "engine.memory": "25276063744"},
		Inputs: []record.Input{{Name: "definition", Digest: "1"}, {Name: "semantics", Digest: "2"},
			{Name: "server: Dockerfile", Digest: "3"}}}
	fact := func(name, value string) func(*record.Record) { return func(r *record.Record) { r.Facts[name] = value } }
	image := fact("image.server", "sha256:"+strings.Repeat("b", 64))
	file := func(r *record.Record) {
		r.Key, r.Inputs = "l", slices.Clone(r.Inputs)
		r.Inputs[2].Digest = "4"
	}
	for _, tt := range []struct {
		name    string
		changes []func(*record.Record)
		want    string
	}{
		{"nothing", nil, "no recorded difference"},
		{"one fact", []func(*record.Record){fact("engine.version", "29.1")},
			"the only difference is engine.version: 29.0 → 29.1"},
		{"a kernel, found out twice", []func(*record.Record){fact("host.kernel", "6.2.0"), fact("engine.kernel", "6.2.0")},
			"the only difference is kernel (engine.kernel: 6.1.0 → 6.2.0, and 1 more)"},
		{"a kernel of another host", []func(*record.Record){fact("hosts.far.host.kernel", "6.2.0")},
			"the only difference is hosts.far.host.kernel: 6.1.0 → 6.2.0"},
		{"a clock of another host", []func(*record.Record){fact("hosts.far.clock.ahead", "2ms")}, "no recorded difference"},
		{"memory after another boot", []func(*record.Record){fact("engine.memory", "25276514304")}, "no recorded difference"},
		{"an image built anew", []func(*record.Record){image},
			"the only difference is image of server (image.server: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb)"},
		{"a file, and an image with another base", []func(*record.Record){file, image, fact("base.server", "debian:13")},
			"2 differences, but no cell changed"},
		{"a setting", []func(*record.Record){func(r *record.Record) {
			r.Key, r.Definition = "m", json.RawMessage(`{"load":{"connections":12}}`)
		}}, "the only difference is load.connections: 10 → 12"},
		{"a secret", []func(*record.Record){func(r *record.Record) { r.Key = "n" }},
			"the only difference is a value that is not recorded: k → n"},
		{"a fact on one side only", []func(*record.Record){func(r *record.Record) { delete(r.Facts, "base.server") }},
			"no recorded difference"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := a
			b.Facts = maps.Clone(a.Facts)
			for _, change := range tt.changes {
				change(&b)
			}
			assert.Equal(t, Explain(nil, differencesOf([]*record.Record{&a}, []*record.Record{&b})), tt.want, "it says")
		})
	}
}

// datasetOf returns the records of an article over its plan.
func datasetOf(b *recordtest.Fixture, o ...dataset.Options) *dataset.Dataset {
	b.T.Helper()
	with := append(o, dataset.Options{})[0]
	with.Plan = b.Plan
	return must.Get(dataset.New(b.Doc, b.Records, with))
}
