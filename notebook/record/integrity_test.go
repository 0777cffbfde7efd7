package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/record"
)

const articles = "../../experiments"

// No committed record contradicts itself.
func TestCommittedRecords(t *testing.T) {
	entries, err := os.ReadDir(articles)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, e := range entries {
		records, bad, err := record.Dir(filepath.Join(articles, e.Name(), "records")).Read()
		if err != nil || len(bad) > 0 {
			t.Fatalf("%s: %v, %v", e.Name(), bad, err)
		}
		record.Check(records, time.Now())
		for _, r := range records {
			checked++
			if len(r.Doubts.Invalid) > 0 {
				t.Errorf("%s, %s, repetition %d: %q", r.Path(), r.Trial, r.Repetition, r.Doubts.Invalid)
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d records were checked", checked)
	}
}

// An edit that contradicts the rest of its record is found.
func TestContradictions(t *testing.T) {
	tests := []struct {
		name string
		edit func(*record.Record)
		want string
	}{
		{"nothing", func(*record.Record) {}, ""},
		{"the future", func(r *record.Record) { r.Ended = time.Now().AddDate(1, 0, 0) }, "ended in the future"},
		{"before its run", func(r *record.Record) { r.Started = r.Started.AddDate(0, 0, -1) }, "started before its run"},
		{"a window before it", func(r *record.Record) { r.Load.WindowStart = r.Started.Add(-time.Second) },
			"its window began before the repetition"},
		{"a window after it", func(r *record.Record) { r.Load.Window *= 1000 }, "its window ended after the repetition"},
		{"a share", func(r *record.Record) { r.Load.Busy = 1.5 }, "load.busy is 1.5, and it is a share"},
		{"cores", func(r *record.Record) { sample(r, "cpu.").Value = 99 }, "cores, and the machine has 2"},
		{"its key", func(r *record.Record) { r.Key = strings.Repeat("0", len(r.Key)) }, "its key is not that of its inputs"},
		{"its definition", func(r *record.Record) { r.Definition = []byte(`{"load":{"requests":1}}`) },
			"its definition is not the one that its digest is of"},
		{"attempted", func(r *record.Record) { r.Load.Attempted++ }, "were answered and"},
		{"failures", func(r *record.Record) { r.Load.Failures = map[string]int64{"reset": 7} }, "failures by kind are 7"},
		{"statuses", func(r *record.Record) { r.Load.Statuses = map[string]int64{"200": 1} }, "1 answers have a status"},
		{"completed", func(r *record.Record) { r.Load.Completed *= 2 }, "requests were answered by"},
		{"by second", func(r *record.Record) { r.Load.Answers[0]++ }, "answers by second are"},
		{"a histogram", func(r *record.Record) {
			h := r.Histograms["latency"]
			h.Count++
			r.Histograms["latency"] = h
		}, "histograms.latency has"},
		{"a window beside its part", func(r *record.Record) { r.Load.Window *= 0.9 }, "s, and parts.measure is"},
		{"a part beside its window", func(r *record.Record) { r.Parts["measure"] *= 0.9 }, "s, and parts.measure is"},
		{"services that use more than there is", func(r *record.Record) {
			r.Samples = append(r.Samples, record.Sample{Metric: "cpu.x", Value: 1.1},
				record.Sample{Metric: "cpu.y", Value: 1.1})
		}, "the services used"},
		{"services that use all", func(r *record.Record) {
			r.Samples = []record.Sample{{Metric: "cpu.x", Value: 1}, {Metric: "cpu.y", Value: 1}}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := committed(t, "async-101", func(r *record.Record) bool {
				return r.Load != nil && r.Load.Tool == "" && r.Load.Open == nil && r.Failure == "" && len(r.Load.Answers) > 0 &&
					r.Load.Failed == 0
			})
			checkEdit(t, r, tt.edit, tt.want)
		})
	}
}

// A time of a command that contradicts the others is found.
func TestCommandContradictions(t *testing.T) {
	const cores = 2
	tests := []struct {
		name string
		edit func(*record.Record)
		want string
	}{
		{"nothing", func(*record.Record) {}, ""},
		{"a longer sample", func(r *record.Record) { sample(r, "time.real").Value *= 1.1 }, "time.real is"},
		{"a shorter sample", func(r *record.Record) { sample(r, "time.real").Value *= 0.9 }, "time.real is"},
		{"a longer sample without a command", func(r *record.Record) { r.Command, sample(r, "time.real").Value = nil, 9 },
			"time.real is 9 s, and parts.measure is"},
		{"a longer sample without parts", func(r *record.Record) { r.Parts, sample(r, "time.real").Value = nil, 9 },
			"time.real is 9 s, and command.real is"},
		{"a shorter command", func(r *record.Record) { r.Command.Real *= 0.9 }, "command.real is"},
		{"a shorter part", func(r *record.Record) { r.Parts["measure"] *= 0.9 }, "parts.measure is"},
		{"as much CPU time as there is", func(r *record.Record) {
			sample(r, "time.user").Value, sample(r, "time.sys").Value = r.Command.Real, r.Command.Real
		}, ""},
		{"user time", func(r *record.Record) { sample(r, "time.user").Value = r.Command.Real*cores*1.1 + 1 },
			"of CPU time in"},
		{"system time", func(r *record.Record) { sample(r, "time.sys").Value = r.Command.Real*cores*1.1 + 1 },
			"and the machine has 2 CPUs"},
		{"a machine of unknown size", func(r *record.Record) {
			delete(r.Facts, "host.cores")
			sample(r, "time.user").Value = 99
		}, ""},
		{"a command as short as the clock's step", func(r *record.Record) {
			for _, x := range []*float64{&sample(r, "time.real").Value, &r.Command.Real} {
				*x = 0.001
			}
			r.Parts["measure"] = 0.001
			sample(r, "time.user").Value, sample(r, "time.sys").Value = 0.01, 0.01
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := committed(t, "hello", func(r *record.Record) bool { return r.Command != nil && r.Failure == "" })
			checkEdit(t, r, tt.edit, tt.want)
		})
	}
}

// committed returns the first committed record of an article that fits.
func committed(t *testing.T, article string, fits func(*record.Record) bool) *record.Record {
	t.Helper()
	records, _, err := record.Dir(filepath.Join(articles, article, "records")).Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if fits(r) {
			return r
		}
	}
	t.Fatal("no record fits")
	return nil
}

// checkEdit checks that an edited record is doubted for a reason that contains want; "" is for no doubt.
func checkEdit(t *testing.T, r *record.Record, edit func(*record.Record), want string) {
	t.Helper()
	edit(r)
	record.Check([]*record.Record{r}, time.Now())
	found := strings.Join(r.Doubts.Invalid, "; ")
	if !strings.Contains(found, want) || want == "" && found != "" {
		t.Errorf("found %q, want %q", found, want)
	}
}

func sample(r *record.Record, prefix string) *record.Sample {
	for i := range r.Samples {
		if strings.HasPrefix(r.Samples[i].Metric, prefix) {
			return &r.Samples[i]
		}
	}
	panic("no sample " + prefix)
}
