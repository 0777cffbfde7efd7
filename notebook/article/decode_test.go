package article

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// decodeText decodes one experiment of an article.
func decodeText(t *testing.T, text string) *Experiment {
	t.Helper()
	var problems source.Problems
	e := DecodeExperiment(source.Mapping("test", text), true, &problems)
	assert.None(t, problems.Sorted())
	return e
}

// Keys with several notations give the same values.
func TestWaysToWrite(t *testing.T) {
	service := func(e *Experiment) *spec.Service { return e.Services[0] }
	dependencies := func(e *Experiment) string { return strings.Join(service(e).DependsOn, "|") }
	repetitions := func(e *Experiment) string { return fmt.Sprint(e.Repetitions.Looks, e.Repetitions.Fixed) }
	calibrate := func(e *Experiment) string { return fmt.Sprint(e.Calibrate.Off, e.Calibrate.Pick.Node) }
	volume := func(e *Experiment) string {
		v := service(e).Volumes[0]
		return fmt.Sprint(v.Type, " ", v.Source, " ", v.Target, " ", v.ReadOnly)
	}
	for _, test := range []struct {
		name, text string
		got        func(e *Experiment) string
		want       string
	}{
		{"a volume that is read-only", "services: {s: {volumes: ['./data:/data:ro']}}", volume, "bind ./data /data true"},
		{"a volume with a name", "services: {s: {volumes: ['space:/data']}}", volume, "volume space /data false"},
		{"a volume without one", "services: {s: {volumes: [/data]}}", volume, "volume  /data false"},
		{"a volume in full", "services: {s: {volumes: [{type: bind, source: ./data, target: /data, read_only: yes}]}}",
			volume, "bind ./data /data true"},
		{"a list of dependencies", "services: {s: {depends_on: [a, b]}}", dependencies, "a|b"},
		{"conditions of dependencies", "services: {s: {depends_on: {a: {condition: service_healthy}, b: , c: {condition: " +
			"service_started}}}}", dependencies, "a|b|c"},
		{"one file of variables", "services: {s: {env_file: a.env}}",
			func(e *Experiment) string { return strings.Join(service(e).EnvFile, "|") }, "a.env"},
		{"a limit for both", "services: {s: {ulimits: {nofile: 9}}}",
			func(e *Experiment) string { return fmt.Sprint(service(e).Ulimits["nofile"].Hard) }, "9"},
		{"two limits", "services: {s: {ulimits: {nofile: {soft: 8, hard: 9}}}}", func(e *Experiment) string {
			u := service(e).Ulimits["nofile"]
			return fmt.Sprint(u.Soft, u.Hard)
		}, "8 9"},
		{"sysctls as a list", "services: {s: {sysctls: [a.b=1]}}",
			func(e *Experiment) string { return fmt.Sprint(service(e).Sysctls) }, "map[a.b:1]"},
		{"several targets", "load: {target: [http://s/a, {url: http://s/b, weight: 0.5}]}", func(e *Experiment) string {
			return fmt.Sprint(len(e.Load.Targets), " ", e.Load.Targets[1].URL, " ", e.Load.Targets[1].Weight)
		}, "2 http://s/b 0.5"},
		{"a share of a rate", "load: {rate: {share: 80%, of: e}}",
			func(e *Experiment) string { return fmt.Sprint(e.Load.RateShare, " ", e.Load.RateOf) }, "0.8 e"},
		{"calibrate off", "calibrate: no", calibrate, "true <nil>"},
		{"calibrate by an expression", "calibrate: a == 1", calibrate, "false a == 1"},
		{"one hook", "prepare: {service: s, run: a 'b c'}",
			func(e *Experiment) string { return strings.Join(e.Prepare[0].Run, "|") }, "a|b c"},
		{"two hooks", "prepare: [{run: a}, {run: [b, c d]}]",
			func(e *Experiment) string { return strings.Join(e.Prepare[1].Run, "|") }, "b|c d"},
		{"a metric from a log", "metrics: [{name: m, from: s log, regex: '(a)'}]", func(e *Experiment) string {
			service, stream := e.Metrics[0].Source()
			return service + "|" + stream
		}, "s|log"},
		{"a metric from a hook", "metrics: {name: m.p99, unit: ms, better: lower, from: prepare, json: a.b}",
			func(e *Experiment) string {
				_, stream := e.Metrics[0].Source()
				return stream + "|" + e.Metrics[0].Means().Unit + "|" + e.Metrics[0].Means().Better
			}, "prepare|s|lower"},
		{"memory in powers of 1024", "services: {s: {mem_limit: 1k}}",
			func(e *Experiment) string { return fmt.Sprint(service(e).Memory) }, "1024"},
		{"a body in powers of 1000", "services: {s: {origin: {body: 1kB}}}",
			func(e *Experiment) string { return fmt.Sprint(service(e).Origin.Body) }, "1000"},
		{"the time of an origin", "services: {s: {origin: {latency: {distribution: constant, value: 2s}}}}",
			func(e *Experiment) string { return fmt.Sprint(service(e).Origin.Value) }, (2 * time.Second).String()},
		{"a number of repetitions", "repetitions: 5", repetitions, "[5] true"},
		{"looks at them", "repetitions: up to 20", repetitions, "[3 5 10 20] false"},
		{"one look", "repetitions: up to 2", repetitions, "[2] false"},
		{"as many looks as there can be", "repetitions: up to 1000", repetitions,
			"[3 5 10 20 40 80 160 320 640 1000] false"},
		{"repetitions that come later", "repetitions: '${{ profile }}'", repetitions, "[] false"},
		{"a value that comes later", "load: {connections: '${{ tune.n }}'}", func(e *Experiment) string {
			return fmt.Sprint(e.Load.Connections)
		}, "0"},
	} {
		assert.Equal(t, test.got(decodeText(t, test.text)), test.want, "%s", test.name)
	}
}

// Rows have places in their file, or in the article if the file is a listing.
func TestPlacesInRows(t *testing.T) {
	text := head + "```csv file=rows.csv\nname,\"w,ord\"\none,\"un \"\"deux\"\"\"\ntwo,äö\n```\n"
	doc := parseText(t, text)
	assert.None(t, doc.Problems.Sorted())
	var problems source.Problems
	rows, ok := doc.Rows(source.Text{Value: "rows.csv"}, &problems)
	if !ok || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), problems.Sorted())
	}
	for _, want := range []struct {
		text  source.Text
		stand string
	}{{rows[1].Fields[0].Value.Text, "two"}, {rows[1].Fields[1].Value.Text, "äö"}, {rows[0].Fields[0].Key, "name"}} {
		at := want.text.Pos
		assert.Equal(t, string(at.Source.Data[at.Start:at.End]), want.stand, "the place of %q", want.text.Value)
	}
	assert.Equal(t, rows[0].Get("w,ord").Text.Value, `un "deux"`, "a quoted field")
}

func TestPublishedRows(t *testing.T) {
	const block = "\n```yaml experiment\nname: e\nservices: {s: {image: x}}\nload: {target: http://s/}\n" +
		"metrics: [{name: tail, unit: '1', value: latency.p99 / latency.p50}]\n```\n\n" +
		"```yaml experiment\nname: c\ncommand: {image: x, run: y}\n```\n\n```yaml published\nsource: x\n"
	csv := "```csv file=p.csv\nserver,tool,metric,value,unit\na,ab,p50,17,ms\na,wrk,p50,18,ms\na,ab,other,1,1\n" +
		"a,ab,tail,3,\n```\n"
	for _, test := range []struct{ name, text, want string }{
		{"in the block", "rows: [{server: a, throughput: 5/s, latency.p50: 17ms, remark: x}]\n",
			"server=a remark=x: throughput=5 latency.p50=0.017"},
		{"with a column for the metric", "rows: [{server: a, metric: throughput, value: 5, unit: 1/s}]\n",
			"server=a: throughput=5"},
		{"of a file", "file: p.csv\nmetrics: {p50: latency.p50}\n",
			"server=a tool=ab: latency.p50=0.017; server=a tool=wrk: latency.p50=0.018"},
		{"that where picks", "file: p.csv\nwhere: tool == \"wrk\"\nmetrics: {p50: latency.p50}\n",
			"server=a tool=wrk: latency.p50=0.018"},
		{"with a field for all", "rows: [{server: a, throughput: 5/s}, {server: b, tool: wrk, throughput: 6/s}]\n" +
			"with: {tool: ab}\n",
			"server=a tool=ab: throughput=5; server=b tool=wrk: throughput=6"},
		{"renamed columns take only these", "rows: [{server: a, rps: 5/s, throughput: 7/s}]\nmetrics: {rps: throughput}\n",
			"server=a throughput=7/s: throughput=5"},
		{"metrics that programs print", "experiment: c\nrows: [{server: a, metric: duration, value: 2, unit: ms}]\n",
			"server=a: duration=0.002"},
		{"metrics that the article adds", "file: p.csv\nmetrics: {tail: tail}\n", "server=a tool=ab: tail=3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := test.text
			if !strings.Contains(text, "experiment:") {
				text += "experiment: e\n"
			}
			doc := parseText(t, head+csv+block+text+"```\n")
			assert.None(t, doc.Problems.Sorted())
			var rows []string
			for _, row := range doc.Published[0].Rows {
				var fields, metrics []string
				for _, f := range row.Fields {
					fields = append(fields, f.Name.Value+"="+f.Value.Value)
				}
				for _, m := range row.Metrics {
					metrics = append(metrics, fmt.Sprint(m.Name.Value, "=", m.Value.Number))
				}
				rows = append(rows, strings.Join(fields, " ")+": "+strings.Join(metrics, " "))
			}
			assert.Equal(t, strings.Join(rows, "; "), test.want)
		})
	}
}

func TestInclude(t *testing.T) {
	doc := parseText(t, head+"```python include=a.py\n```\n\n```python file=a.py\n1\n2\n```\n")
	b, ok := doc.Tree.FirstChild().(*Block)
	if !doc.Problems.Empty() || !ok || b.Is != "include" || string(b.Listing.Data) != "1\n2\n" || len(doc.Listings) != 1 {
		t.Errorf("got %v, %+v and %d files", doc.Problems.Sorted(), b, len(doc.Listings))
	}
}

func TestAnswer(t *testing.T) {
	const head, claim = "---\ntitle: T\n---\n\n", "\n```yaml claim\n{name: c, expect: 'throughput{a=\"1\"} > 5/s'}\n```\n"
	for _, tt := range []struct {
		name, text string
		blocks     int      // of the answer
		want       []string // rule: part of the message
	}{
		{"none", "Text.\n", 0, nil},
		{"paragraphs and a list", "::: answer\nOne.\n\n- Two.\n:::\n\nText.\n", 2, nil},
		{"parts", "::: answer\nOne.\n\n::: when c supported\nYes.\n:::\n::: when c else\n:::\n:::\n" + claim, 3, nil},
		{"two", "::: answer\nOne.\n:::\n\n::: answer\nTwo.\n:::\n", 1, []string{"misplaced-block: an answer already"}},
		{"a heading", "::: answer\n## One\n:::\n", 1, []string{"misplaced-block: has a heading"}},
		{"a block", "::: answer\n```yaml table\n{label: tbl-x, rows: [a], columns: [throughput]}\n```\n:::\n", 1,
			[]string{"misplaced-block: a table block cannot be in the answer"}},
		{"in a part", "::: when c supported\n::: answer\nOne.\n:::\n:::\n::: when c else\n:::\n" + claim, 1,
			[]string{"misplaced-block: cannot depend on an outcome"}},
		{"never closed", "::: answer\nOne.\n", 0, []string{"unclosed-fence: never closed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parseText(t, head+tt.text)
			blocks := 0
			if doc.Answer != nil {
				blocks = doc.Answer.ChildCount()
			}
			assert.Equal(t, blocks, tt.blocks, "blocks of the answer")
			var got []string
			for _, p := range doc.Problems.Sorted() {
				if p.Rule == "misplaced-block" || p.Rule == "unclosed-fence" {
					got = append(got, p.Rule+": "+p.Message)
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("problems %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				rule, message, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], rule) || !strings.Contains(got[i], message) {
					t.Errorf("problem %q, want %q", got[i], want)
				}
			}
		})
	}
}
