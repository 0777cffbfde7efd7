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
		c, err := record.Read(record.Dir(filepath.Join(articles, e.Name(), "records")))
		if err != nil || len(c.Bad) > 0 {
			t.Fatalf("%s: %v, %v", e.Name(), c.Bad, err)
		}
		for _, r := range c.Records {
			checked++
			if len(r.Doubts.Invalid) > 0 {
				t.Errorf("%s: %q", r.Path(), r.Doubts.Invalid)
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := record.Dir(filepath.Join(articles, "async-101", "records")).Load()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range c.Records {
				if r.Load == nil || r.Load.Tool != "" || r.Load.Open != nil || r.Failure != "" || len(r.Load.Answers) == 0 ||
					r.Load.Failed > 0 {
					continue
				}
				tt.edit(r)
				record.Check([]*record.Record{r}, time.Now())
				found := strings.Join(r.Doubts.Invalid, "; ")
				if !strings.Contains(found, tt.want) || tt.want == "" && found != "" {
					t.Errorf("found %q, want %q", found, tt.want)
				}
				return
			}
			t.Fatal("no record fits")
		})
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
