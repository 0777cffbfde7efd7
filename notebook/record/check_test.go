package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/record"
)

const articles = "../../experiments"

// No committed record contradicts itself.
func TestCommittedRecords(t *testing.T) {
	entries := must.Get(os.ReadDir(articles))
	checked := 0
	for _, e := range entries {
		records, bad, err := record.Dir(filepath.Join(articles, e.Name(), "records")).Read()
		if err != nil || len(bad) > 0 {
			t.Fatalf("%s: %v, %v", e.Name(), bad, err)
		}
		record.Check(records, time.Now())
		for _, r := range records {
			checked++
			if len(r.Contradictions) > 0 {
				t.Errorf("%s, %s, repetition %d: %q", r.Path(), r.Trial, r.Repetition, r.Contradictions)
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
		{"a number that the article calls cpu.db.waits", func(r *record.Record) {
			r.Samples = append(r.Samples, record.Sample{Metric: "cpu.db.waits", Value: 99, Unit: "1"})
		}, ""},
		{"its key", func(r *record.Record) { r.Key = strings.Repeat("0", len(r.Key)) }, "its key does not match its inputs"},
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
		}, "were answered and"},
	}
	line := committedLine(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := must.Get(record.Parse(line))
			tt.edit(r)
			record.Check([]*record.Record{r}, time.Now())
			found := strings.Join(r.Contradictions, "; ")
			if !strings.Contains(found, tt.want) || tt.want == "" && found != "" {
				t.Errorf("found %q, want %q", found, tt.want)
			}
		})
	}
}

// committedLine returns the first committed record of a load by benchbook's own generator, as a line.
func committedLine(t *testing.T) []byte {
	t.Helper()
	records, _ := must.Two(record.Dir(filepath.Join(articles, "async-101", "records")).Read())
	for _, r := range records {
		if l := r.Load; l != nil && l.Tool == "" && l.Open == nil && r.Failure == "" && len(l.Answers) > 0 && l.Failed == 0 {
			return must.Get(r.Line())
		}
	}
	t.Fatal("no record fits")
	return nil
}

func sample(r *record.Record, prefix string) *record.Sample {
	for i := range r.Samples {
		if strings.HasPrefix(r.Samples[i].Metric, prefix) {
			return &r.Samples[i]
		}
	}
	panic("no sample " + prefix)
}
