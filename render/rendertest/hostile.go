package rendertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/check"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
)

// Evil is text that runs, loads or shows something wherever it becomes markup, style, script or a formula. All that it
// would create is named evil, to tell it from ours, and its script sets the variable evil.
const Evil = `=evil()"'` + "`" + `</title></style></script></textarea></svg></details></table><script>window.evil=1</script>` +
	`<img src=//evil.example/x onerror=window.evil=1><svg onload=window.evil=1><evil-x id=evil class=evil style=background:url(//evil.example/y)>` +
	`</evil-x><a href=javascript:window.evil=1>evil</a><base href=//evil.example/><style>*{background:url(//evil.example/z)}</style>{{evil}}` +
	// Markdown decodes these, but as text
	`&lt;script&gt;window.evil=1&lt;/script&gt;&lt;evil-x id=evil&gt;`

// Acting is text with characters that act on a terminal or change the direction of text, as they are and by number.
const Acting = "evil\x1bc\x08\u009b\u202elive\u202c\u2066evil\u2069&#x202e;&#27;"

// EvilLinks returns addresses that run or load something when followed, or are invalid.
func EvilLinks() []string {
	return []string{"javascript:window.evil=1", "JaVaScRiPt\t:window.evil=1",
		"data:text/html,<script>window.evil=1</script>", "vbscript:evil", "file:///evil",
		"//evil.example/x\"onmouseover=window.evil=1", " javascript:window.evil=1"}
}

// picture is a file in the folder of articles, so that their picture has a target and its alternative text is shown.
var picture = map[string]string{"picture.png": "a picture"}

// Hostile is an article with records in which texts were replaced by hostile ones.
type Hostile struct {
	Name  string // what was replaced
	Bench *Bench
}

// The runs of hostile records: one harmless, and two that are equally hostile, for pages about changes and the lack of
// them.
const (
	harmlessRun = "20261110T100000Z-fine"
	hostileRun  = "20261112T100000Z-once"
	againRun    = "20261114T100000Z-next"
)

// HostileRecords yields benches with three runs of an article. In the later two, Evil and Acting are appended to one
// text at a time, for all values and names in records. Measured records are of the article whole, which should show
// everything that can be shown, the others of the article small. It fails the test if a text field of records is never
// set.
func HostileRecords(t testing.TB, whole, small []byte) iter.Seq[Hostile] {
	t.Helper()
	kinds := []struct {
		name string
		text []byte
		fill func(*record.Record)
	}{
		{"measured", whole, fillMeasured},
		{"failed", small, func(r *record.Record) { fillMeasured(r); Fails("it ended", "some\nlines")(r) }},
		{"doubted", small, func(r *record.Record) {
			fillMeasured(r)
			r.Checked, r.Contradictions = true, []string{"its seal is another"}
		}},
		{"searched", small, func(r *record.Record) {
			fillMeasured(r)
			r.Repetition, r.Search = 0, &record.Search{Kind: record.SearchTune, Name: "workers", Metric: "throughput",
				Unit: "1/s", Better: "higher",
				Objective: "latency.p99 < 1s", Stop: record.StopBudget, Reason: "there was no time",
				Probes: []record.Probe{{Candidate: 1, Phase: record.PhaseProbe,
					Invalid: "disturbed", Disturbed: "others used the CPU", Failure: "it ended", Samples: r.Samples}}}
		}},
	}
	return func(yield func(Hostile) bool) {
		seen := map[string]bool{}
		for _, kind := range kinds {
			article := WithFiles(t, "hostile", kind.text, picture)
			measured := func() *Bench {
				b := *article
				for i, run := range []string{harmlessRun, hostileRun, againRun} {
					b.MeasureAll(kind.fill, In(run, 10+2*i))
				}
				return &b
			}
			with := map[string]*record.Record{} // a record with a text, by the path of the text
			for _, r := range measured().Records {
				withTexts(r, func(path, value string) string {
					with[path], seen[path] = r, true
					return value
				})
			}
			for _, path := range slices.Sorted(maps.Keys(with)) {
				hostile := func(at, value string) string {
					if at == path {
						return value + Evil + Acting
					}
					return value
				}
				if !bytes.Contains(savedAs(withTexts(with[path], hostile)), []byte("window.evil=1")) {
					continue // the name of a field, which is no field with another name
				}
				b := measured()
				for i, r := range b.Records {
					if r.Run != harmlessRun {
						b.Records[i] = withTexts(r, hostile)
					}
				}
				if !yield(Hostile{kind.name + " " + path, b}) {
					return
				}
			}
		}
		for name := range textFields(reflect.TypeFor[record.Record](), map[string]bool{}) {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(path string) bool { return strings.HasSuffix(path, "{"+name+"}") }) {
				t.Errorf("no record of this test has the text %s", name)
			}
		}
	}
}

// textFields adds to names the JSON names of all string fields in a type.
func textFields(t reflect.Type, names map[string]bool) map[string]bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return textFields(t.Elem(), names)
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Type.Kind() == reflect.String {
				names[name] = true
			} else if name != "" {
				textFields(f.Type, names)
			}
		}
	}
	return names
}

// fillMeasured sets the optional fields of a record of a repetition. It does not change a record of a search.
func fillMeasured(r *record.Record) {
	if r.Search != nil {
		return
	}
	r.Output = "output of the tool"
	r.Parts = map[string]float64{"start": 1}
	r.Plans = map[string]string{r.Experiment: r.Plan}
	r.Labels = append(r.Labels, record.Parameter{Name: "label", Value: "x"})
	r.Missing = map[string]string{"rps": "the tool did not print it"}
	r.Command = &record.Command{Real: 1, ForeignCPU: -1}
	r.Before = &record.Before{Waited: 1}
	r.Machine.Threads = map[string]float64{"server": 0.5}
	r.Load.Failures, r.Load.Statuses = map[string]int64{"connect": 1}, map[string]int64{"200": 10}
	r.Load.Tool, r.Load.Open = "wrk", &record.OpenLoop{Rate: 100, Arrivals: "poisson", Due: 100, Sent: 100}
	r.Load.Driver = "driver:1 run"
	r.Samples = append(r.Samples, record.Sample{Metric: "cpu.server", Value: 1, Unit: "cores", Benchmark: "BenchmarkOne"})
	r.Load.ForeignCPU, r.Facts[record.FactOthers] = 0.06, "make 6 %"
	r.Facts["git.commit"], r.Lists = "abc", map[string]string{"list": "a 1\nb 2"}
	if r.Inputs == nil {
		r.Inputs = []record.Input{{Name: "definition", Digest: "sha256:1234"}}
	}
}

// saved is a record in JSON, with the contradictions that reading found.
type saved struct {
	*record.Record
	Found []string `json:"contradictions,omitempty"`
}

func savedAs(r *record.Record) []byte { return must.Get(json.Marshal(saved{r, r.Contradictions})) }

// withTexts returns a copy of a record with every text in its JSON replaced by change.
func withTexts(r *record.Record, change func(path, value string) string) *record.Record {
	decoder := json.NewDecoder(bytes.NewReader(savedAs(r)))
	decoder.UseNumber() // seeds have too many digits for a float64
	var data any
	must.Do(decoder.Decode(&data))
	out := saved{Record: &record.Record{Checked: r.Checked}}
	must.Do(json.Unmarshal(must.Get(json.Marshal(eachText(data, "", change))), &out))
	out.Record.Contradictions = out.Found
	return out.Record
}

// eachText replaces every text and name in JSON by change, except times.
func eachText(data any, path string, change func(path, value string) string) any {
	switch data := data.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339, data); err != nil {
			return change(path, data)
		}
	case []any:
		for i := range data {
			data[i] = eachText(data[i], path+"[]", change)
		}
	case map[string]any:
		out := map[string]any{}
		for name, value := range data {
			at := path + "{" + name + "}"
			out[change(at+"name", name)] = eachText(value, at, change)
		}
		return out
	}
	return data
}

// MeasureAll adds records, and those of searches before them, for every planned trial, with different values.
func (b *Bench) MeasureAll(changes ...func(*record.Record)) {
	b.t.Helper()
	for _, e := range must.Get(b.plan(plan.Full)).Experiments {
		for k, t := range e.Trials {
			name, x := t.Name, float64(500+100*k)
			if t.Calibration {
				name = "again"
			}
			for _, s := range t.Tune {
				b.Search(plan.Full, e.Name, name, tuned(s.Name, x), changes...)
			}
			if t.Capacity != nil {
				b.Search(plan.Full, e.Name, name, capacityOf(t.Capacity.SLO, x, k%2 == 0), changes...)
				continue
			}
			var throughputs []float64
			for i := range e.Most() {
				throughputs = append(throughputs, x+10*float64(i%3-1))
			}
			b.Measure(plan.Full, e.Name, name, throughputs, changes...)
		}
	}
}

// tuned returns a search that chose one of four candidates, of which one failed and one was disturbed.
func tuned(name string, x float64) record.Search {
	return record.Search{Kind: record.SearchTune, Name: name, Metric: "throughput", Unit: "1/s", Better: "higher",
		Chosen: 2, Stop: record.StopWorse,
		Matters: 2, Lo: 2, Hi: 2, Probes: []record.Probe{{Candidate: 1, Phase: record.PhaseProbe, Value: x / 2},
			{Candidate: 2, Phase: record.PhaseProbe, Value: x},
			{Candidate: 3, Phase: record.PhaseProbe, Failure: "it ended"}, {Candidate: 4, Phase: record.PhaseProbe, Value: x,
				Disturbed: "others used the CPU"}}}
}

// capacityOf returns a search for a capacity that found one, or says why it did not.
func capacityOf(objective string, x float64, found bool) record.Search {
	s := record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Unit: "s", Objective: objective,
		Stop: record.StopStep, Lo: x, Hi: 1.04 * x,
		Probes: []record.Probe{{Candidate: x, Phase: record.PhaseProbe, Passed: true},
			{Candidate: 1.04 * x, Phase: record.PhaseRefute, Invalid: "it was late"}}}
	if !found {
		s.Stop, s.Reason, s.Lo, s.Hi = record.StopNone, "there was no time", 0, 0
	}
	return s
}

// HostileArticles yields an article with its texts replaced by each payload in turn: every value and key of its YAML
// and all of its prose. It replaces as many texts at once as it can, and each text once, except those that cause
// problems in the article: two thirds at most.
func HostileArticles(t testing.TB, text []byte, payloads ...string) iter.Seq[Hostile] {
	t.Helper()
	return func(yield func(Hostile) bool) {
		spans := spansOf(WithFiles(t, "hostile", text, picture).Doc)
		for _, payload := range payloads {
			var left []span
			for _, s := range spans {
				if b := read(t, "hostile", replaced(text, []span{s}, payload), picture); b.sound() {
					left = append(left, s)
				}
			}
			if len(left) < len(spans)/3 {
				t.Errorf("only %d of %d texts may be %.12q", len(left), len(spans), payload)
			}
			meaning := (*Bench).meant // first texts that break no reference, so that the page shows them
			for round := 1; len(left) > 0; round++ {
				var together, later []span
				var add func(some []span)
				add = func(some []span) { // by halves, as few texts are incompatible
					all := slices.SortedFunc(slices.Values(slices.Concat(together, some)),
						func(a, b span) int { return a.start - b.start })
					switch b := read(t, "hostile", replaced(text, all, payload), picture); {
					case meaning(b):
						together = all
					case len(some) == 1:
						later = append(later, some[0])
					default:
						add(some[:len(some)/2])
						add(some[len(some)/2:])
					}
				}
				add(left)
				meaning = (*Bench).sound
				b := read(t, "hostile", replaced(text, together, payload), picture)
				b.MeasureAll(In(hostileRun, 12))
				b.MeasureAll(In(againRun, 14))
				if !yield(Hostile{fmt.Sprintf("%.12q in %d texts, round %d", payload, len(together), round), b}) {
					return
				}
				left = later
			}
		}
	}
}

// sound reports whether an article has no problems and can be planned.
func (b *Bench) sound() bool {
	if !b.Doc.Problems.Empty() {
		return false
	}
	_, err := b.plan(plan.Full)
	return err == nil
}

// meant reports whether an article is sound and passes package check, so that its references exist.
func (b *Bench) meant() bool {
	if !b.sound() {
		return false
	}
	var problems source.Problems
	check.Check(b.Doc, must.Get(b.plan(plan.Full)), &problems)
	return problems.Empty()
}

// span is a text in an article: a value of YAML, which is quoted, or prose.
type span struct {
	start, end int
	prose      bool
}

// spansOf returns the texts of an article in order, without overlaps.
func spansOf(doc *article.Document) []span {
	var found []span
	seen := map[uintptr]bool{}
	src := reflect.ValueOf(doc.Source).Pointer()
	var look func(v reflect.Value)
	look = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() && !seen[v.Pointer()] {
				seen[v.Pointer()] = true
				look(v.Elem())
			}
		case reflect.Interface:
			look(v.Elem())
		case reflect.Slice:
			for i := range v.Len() {
				look(v.Index(i))
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[source.Text]() {
				at := v.FieldByName("Pos")
				if at.FieldByName("Source").Pointer() == src {
					found = append(found, span{start: int(at.FieldByName("Start").Int()), end: int(at.FieldByName("End").Int())})
				}
				return
			}
			for i := range v.NumField() {
				if v.Type() == reflect.TypeFor[source.Node]() &&
					source.NodeKind(v.FieldByName("Kind").Int()) != source.Scalar && v.Type().Field(i).Name == "Text" {
					continue // it has only a place
				}
				look(v.Field(i))
			}
		}
	}
	front := reflect.ValueOf(doc).Elem()
	for i := range front.NumField() {
		if front.Type().Field(i).Name != "Tree" {
			look(front.Field(i))
		}
	}
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			found = append(found, span{t.Segment.Start, t.Segment.Stop, true})
		}
		if n.Type() == ast.TypeBlock && entering && n.IsRaw() {
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				found = append(found, span{line.Start, line.Stop - 1, true})
			}
		}
		return ast.WalkContinue, nil
	})
	slices.SortFunc(found, func(a, b span) int { return a.start - b.start })
	var apart []span
	for _, s := range found {
		if s.end > s.start && (len(apart) == 0 || s.start >= apart[len(apart)-1].end) {
			apart = append(apart, s)
		}
	}
	return apart
}

// replaced returns an article with some of its texts replaced by a payload.
func replaced(text []byte, spans []span, payload string) []byte {
	quoted, err := json.Marshal(payload)
	if err != nil {
		panic(err) // a string is JSON
	}
	var out []byte
	at := 0
	for _, s := range spans {
		out = append(out, text[at:s.start]...)
		if s.prose {
			out = append(out, payload...)
		} else {
			out = append(out, source.PlainBytes(quoted)...) // YAML accepts active characters only by number
		}
		at = s.end
	}
	return append(out, text[at:]...)
}
