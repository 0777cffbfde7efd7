package record

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Impossible values are rejected with the field and the reason, and possible ones accepted.
func TestParseRefusesTheImpossible(t *testing.T) {
	load := func(change func(*Load)) func(*Record) {
		return func(r *Record) {
			r.Load = &Load{Window: 2, Attempted: 10, Failed: 1, Completed: 9, Completions: []int64{5, 5}, Answers: []int64{5, 4},
				Latencies: []float64{1, 1},
				InFlight:  -1, Busy: -1, ForeignCPU: -1, Open: &OpenLoop{Rate: 5, Due: 10, Sent: 10}}
			change(r.Load)
		}
	}
	for _, test := range []struct {
		name   string
		change func(*Record)
		err    string
	}{
		{"a record", func(*Record) {}, ""},
		{"a load", load(func(*Load) {}), ""},
		{"a load of a tool that tells little",
			load(func(l *Load) { *l = Load{Tool: "wrk", Attempted: -1, Failed: -1, Completed: -1} }), ""},
		{"a window below zero", load(func(l *Load) { l.Window = -3 }), "load.window is -3, and cannot be less than 0"},
		{"a window of ages", load(func(l *Load) { l.Window = 1e300 }),
			"load.window is 1e+300, and cannot be more than 1e+15"},
		{"a window of nearly nothing", load(func(l *Load) { l.Window = 1e-300 }),
			"load.window is 1e-300, and cannot be so near to 0"},
		{"a share below that of the unknown", load(func(l *Load) { l.Busy = -2 }),
			"load.busy is -2, and cannot be less than -1"},
		{"more failures than requests", load(func(l *Load) { l.Failed = 11 }), "load: failed is 11, and attempted is 10"},
		{"more seconds than the window", load(func(l *Load) { l.Completions = make([]int64, 9) }),
			"load: completions has 9 seconds, and the window 2"},
		{"answers without latencies", load(func(l *Load) { l.Latencies = nil }),
			"load: answers has 2 seconds, and latencies 0"},
		{"fewer than no answers in a second", load(func(l *Load) { l.Completions[1] = -1 }),
			"load.completions[1] is -1, and cannot be less than 0"},
		{"more requests than were due", load(func(l *Load) { l.Open.Sent = 11 }), "load.open: sent is 11, and due is 10"},
		{"an end before the start", func(r *Record) { r.Ended = r.Started.Add(-time.Second) }, "it ended before it started"},
		{"many repetitions", func(r *Record) { r.Planned = 1 << 40 },
			"planned is 1099511627776, and 100000 is the most there can be"},
		{"an order of more than can be planned", func(r *Record) { r.Order.Of = 1 << 40 },
			"order.of is 1099511627776, and 400000 is the most there can be"},
		{"two samples of a metric", func(r *Record) { r.Samples = append(r.Samples, r.Samples[0]) },
			"there are two samples of connects"},
		{"a sample of nothing", func(r *Record) { r.Samples[0].Metric = "" }, "a sample has no metric"},
		{"a metric called as markup", func(r *Record) { r.Samples[0].Metric = "<img src=x>" },
			`a sample: invalid metric "<img src=x>": use letters, digits, - and _, in words joined by dots`},
		{"a metric called as a path", func(r *Record) { r.Samples[0].Metric = "../../x" },
			`a sample: invalid metric "../../x": use letters, digits, - and _, in words joined by dots`},
		{"a metric that turns text", func(r *Record) { r.Samples[0].Metric = "a\u202eb" },
			`a sample: invalid metric "a\u202eb": use letters, digits, - and _, in words joined by dots`},
		{"a metric that goes on after a line", func(r *Record) { r.Samples[0].Metric = "a\n" },
			`a sample: invalid metric "a\n": use letters, digits, - and _, in words joined by dots`},
		{"a metric with a name of words", func(r *Record) { r.Samples[0].Metric = "größe.p99.9.x-y_z" }, ""},
		{"a missing metric called as markup", func(r *Record) { r.Missing = map[string]string{"<b>": "it was not printed"} },
			`missing: invalid metric "<b>": use letters, digits, - and _, in words joined by dots`},
		{"a search for markup", func(r *Record) { r.Repetition, r.Search = 0, &Search{Kind: SearchTune, Metric: "<b>"} },
			`search: invalid metric "<b>": use letters, digits, - and _, in words joined by dots`},
		{"a sample that cannot be drawn", func(r *Record) { r.Samples[0].Value = 1e308 },
			"samples[0].value is 1e+308, and cannot be more than 1e+30"},
		{"a histogram without a load", func(r *Record) { r.Histograms = map[string]Histogram{"latency": {}} },
			"there are histograms, and no load"},
		{"a histogram that ends before it begins", func(r *Record) {
			load(func(*Load) {})(r)
			r.Histograms = map[string]Histogram{"latency": {Count: 1, Min: 3, Max: 2}}
		}, "histograms.latency: min is 3, and max is 2"},
		{"a search for something else", func(r *Record) { r.Repetition, r.Search = 0, &Search{Kind: "luck"} },
			`search.kind is "luck": there are tune and capacity`},
		{"a search whose bounds are crossed", func(r *Record) {
			r.Repetition, r.Search = 0, &Search{Kind: SearchTune, Lo: 3, Hi: 2}
		}, "search: lo is 3, and hi is 2"},
		{"looks that fall", func(r *Record) { r.Looks = []int{3, 2} }, "looks are [3 2], and have to rise from 1"},
		{"looks at nothing", func(r *Record) { r.Looks = []int{0, 5} }, "looks are [0 5], and have to rise from 1"},
		{"looks beyond the plan", func(r *Record) { r.Planned, r.Looks = 5, []int{3, 10} },
			"the last look is after 10 rounds, and planned is 5"},
		{"times in a mapping", func(r *Record) { r.Machine = &Machine{Threads: map[string]float64{"server": -1}} },
			"machine.threads.server is -1, and cannot be less than 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := sample()
			r.Ended = r.Started.Add(time.Second)
			test.change(r)
			data := must.Get(r.Line())
			_, err := Parse(data)
			assert.Equal(t, words(err), test.err, "error")
		})
	}
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every number in a record states its range.
func TestEveryNumberHasARange(t *testing.T) {
	numbers := 0
	var look func(of reflect.Type, path, within string)
	look = func(of reflect.Type, path, within string) {
		switch of.Kind() {
		case reflect.Int, reflect.Int64, reflect.Float64:
			numbers++
			if within != "0.." && within != "-1.." && within != "any" {
				t.Errorf("%s is a number, and has the range %q", path, within)
			}
		case reflect.Pointer, reflect.Map:
			look(of.Elem(), path, within)
		case reflect.Slice:
			if of != reflect.TypeFor[json.RawMessage]() {
				look(of.Elem(), path, within)
			}
		case reflect.Struct:
			for i := range of.NumField() {
				if f := of.Field(i); f.IsExported() && of != reflect.TypeFor[time.Time]() {
					look(f.Type, path+"."+f.Name, f.Tag.Get(rangeTag))
				}
			}
		case reflect.String, reflect.Bool:
		default:
			t.Errorf("%s is a %s, which checkNumbers does not look into", path, of.Kind())
		}
	}
	look(reflect.TypeFor[Record](), "Record", "")
	assert.Equal(t, numbers >= 50, true, "there are enough numbers, %d", numbers)
}

// The error for a record of another version names the version, even if its fields have other types.
func TestParseRefuses(t *testing.T) {
	const whole = `"experiment": "e", "trial": "a", "key": "0123", "run": "20261120T100000Z-test", "repetition": 1`
	for _, test := range []struct{ name, text, err string }{
		{"a record", `{"schema_version": 1, ` + whole + `}`, ""},
		{"a later version", `{"schema_version": 2, ` + whole + `}`, "record of version 2; this benchbook reads version 1"},
		{"a later version of other types", `{"schema_version": 2, "experiment": {"name": "e"}, "facts": []}`,
			"record of version 2; this benchbook reads version 1"},
		{"no version", `{` + whole + `}`, "record of version 0; this benchbook reads version 1"},
		{"other types", `{"schema_version": 1, "experiment": {"name": "e"}}`,
			"not a record: \"experiment\" cannot be an object"},
		{"cut off", `{"schema_version": 1, "experiment": "e`, "not a record: the JSON ends too early"},
		{"a profile that leads out", `{"schema_version": 1, "profile": "../../x", ` + whole + `}`,
			`not a record: "../../x" cannot be the name of its profile`},
		{"a host of folders", `{"schema_version": 1, "host": "a/b", ` + whole + `}`,
			`not a record: "a/b" cannot be the name of its host`},
		{"of nothing", `{"schema_version": 1}`, "not a record: it does not say of what"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := Parse([]byte(test.text))
			switch {
			case test.err == "" && (err != nil || r.Trial != "a"):
				t.Errorf("got %v, %v", r, err)
			case test.err != "" && (err == nil || !strings.HasPrefix(err.Error(), test.err)):
				t.Errorf("got the error %v, want %q", err, test.err)
			}
		})
	}
}
