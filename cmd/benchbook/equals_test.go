package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/lab/results"
)

var equals = flag.Int("equals", 1, "of how many experiments the cells that are the same are measured")

// A twin is an experiment of one cell under two names: a service and what is done to it, none for a command, and the
// metrics that claims are made about.
type twin struct {
	name, service, load string
	metrics             []string
}

// twins have, beside the two, the A/A pair that any experiment has. They are of every
// kind of load, and of a command.
var twins = []twin{
	{"quick", after("2ms"), "connections: 10", []string{"throughput", "latency.p50", "latency.p99",
		"throughput.per_core"}},
	{"program", "", "", []string{"time.real", "time.user"}},
	{"slow", after("20ms"), "connections: 20", []string{"throughput", "latency.p50", "latency.p99"}},
	{"scattered", "{origin: {latency: {distribution: lognormal, median: 5ms, sigma: 0.6}}}", "connections: 50",
		[]string{"throughput", "latency.p50", "latency.p99"}},
	{"far-away", "{origin: {}, link: {rtt: 10ms, jitter: 2ms}}", "connections: 20", []string{"throughput", "latency.p50",
		"latency.p99"}},
	{"new-connections", after("5ms"), "connections: 8, keepalive: false", []string{"throughput", "latency.p50",
		"latency.connect.p50"}},
	{"counted-off", after("10ms"), "connections: 50, requests: 5000", []string{"throughput", "latency.p50",
		"latency.p99"}},
	{"on-schedule", after("1ms"), "rate: 1000/s, connections: 100", []string{"latency.p50", "latency.p99", "cpu.server"}},
	{"at-random", "{origin: {latency: {distribution: lognormal, median: 5ms, sigma: 0.6}}}",
		"rate: 500/s, arrivals: poisson, connections: 200",
		[]string{"latency.p50", "latency.p99"}},
	{"many", after("25ms"), "connections: 128", []string{"throughput", "latency.p50", "latency.p99"}},
}

// after is an origin that answers after a while: one that answers at once leaves the load generator no time to spare.
func after(latency string) string {
	return "{origin: {body: 1kB, latency: {distribution: constant, value: " + latency + "}}}"
}

// equalsArticle measures the first n of them.
func equalsArticle(n int) string {
	var out strings.Builder
	out.WriteString("---\ntitle: The same under two names\n---\n")
	block := func(kind, text string) { fmt.Fprintf(&out, "\n```yaml %s\n%s\n```\n", kind, text) }
	for _, x := range twins[:n] {
		text := "name: " + x.name + "\nmatrix: {twin: [one, other]}\nrepetitions: 3\n"
		if x.service == "" {
			text += "command: {image: 'debian:bookworm-slim', run: 'seq 300000 | gzip -6 | wc -c', shell: true}"
		} else {
			text += fmt.Sprintf("services: {server: %s}\nload: {target: 'http://server/', warmup: 300ms, duration: 1500ms, %s}",
				x.service, x.load)
		}
		block("experiment", text)
		for _, m := range x.metrics {
			one, other := m+`{twin="one"}`, m+`{twin="other"}`
			for _, claim := range [][2]string{{"more", one + " > " + other}, {"less", one + " < " + other},
				{"same", "same(" + one + ", " + other + ")"}} {
				block("claim", fmt.Sprintf("name: %s-%s-%s\nexperiment: %s\nexpect: '%s'", x.name, strings.ReplaceAll(m, ".", "_"),
					claim[0], x.name, claim[1]))
			}
		}
	}
	return out.String()
}

// Cells that are the same are never claimed to differ with success, whatever is done to them. An interval covers its
// value 95 times of a hundred, and so some claim may have success once by chance: the same claim does not have it again
// when all is measured anew. With -equals 10 (make bench-equals) all experiments are measured, and the counts are
// printed.
func TestEqualsAreNotToldApart(t *testing.T) {
	w := onEngine(t)
	w.LockDir = "" // a busy machine is part of the question
	dir := t.TempDir()
	folder := filepath.Join(dir, "experiments", "equals")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	n := min(*equals, len(twins))
	for name, text := range map[string]string{filepath.Join(dir, "benchbook.yaml"): "title: Test\n",
		filepath.Join(folder, "article.md"): equalsArticle(n)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(mustRun(t, w, "-C", dir, "check"))
	supported := equalsMeasured(t, w, dir, "run")
	if len(supported) > 0 && *equals == 1 {
		again := equalsMeasured(t, w, dir, "run", "--force")
		supported = slices.DeleteFunc(supported, func(claim string) bool { return !slices.Contains(again, claim) })
	}
	for _, claim := range supported {
		t.Errorf("%s is supported", claim)
	}
}

// equalsMeasured measures the article and gives the claims of a difference that are supported.
func equalsMeasured(t *testing.T, w lab.Config, dir string, verb ...string) (supported []string) {
	t.Helper()
	mustRun(t, w, append([]string{"-C", dir}, verb...)...)
	var shown []results.ShowJSON
	if err := json.Unmarshal([]byte(mustRun(t, w, "-C", dir, "show", "--format", "json")), &shown); err != nil {
		t.Fatal(err)
	}
	counts := map[string]map[string]int{} // by the last word of the claim's name, then by verdict
	for _, c := range shown[0].Claims {
		kind := c.Claim[strings.LastIndexByte(c.Claim, '-')+1:]
		if counts[kind] == nil {
			counts[kind] = map[string]int{}
		}
		counts[kind][c.Verdict]++
		if kind == "same" {
			t.Logf("%-12s %s: %s", c.Verdict, strings.TrimSuffix(c.Claim, "-same"), c.Because)
		} else if c.Verdict == "supported" {
			supported = append(supported, c.Claim)
			t.Logf("%s is supported: %s", c.Claim, c.Because)
		}
	}
	for _, e := range shown[0].Experiments {
		i := slices.IndexFunc(twins, func(x twin) bool { return x.name == e.Experiment })
		for _, m := range twins[i].metrics {
			if f, ok := e.NoiseFloor[m]; ok {
				t.Logf("noise floor of %s, %s: %.2g %%, biased %v", e.Experiment, m, 100*f.Floor, f.Biased)
			}
		}
	}
	t.Logf("%d experiments, %d claims of a difference supported; more: %v, less: %v, same: %v", len(shown[0].Experiments),
		len(supported), counts["more"], counts["less"], counts["same"])
	return supported
}
