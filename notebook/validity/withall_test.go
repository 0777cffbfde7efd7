package validity

import (
	"testing"

	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// A repetition comes back that only checks of its own result left out, and no other.
func TestWithAll(t *testing.T) {
	foreign := func(r *record.Record) { r.Load.ForeignCPU = 0.5 }
	little := func(r *record.Record) { r.Load.Connections *= 2 }
	open := func(due, sent int64, lag float64) func(*record.Record) {
		return func(r *record.Record) {
			r.Load.Open = &record.OpenLoop{Due: due, Sent: sent}
			r.Histograms["lag"] = recordtest.Histogram(t, recordtest.Times(lag, 1000))
		}
	}
	for _, tt := range []struct {
		name string
		edit func(*record.Record)
		want int
		with Level // of the cell with all repetitions
	}{
		{"nothing", func(*record.Record) {}, 0, OK},
		{"Little's law", little, 1, Warn},
		{"offered rate", open(1000, 900, 0), 1, Warn},
		{"send lag", open(1000, 1000, 1), 1, Warn},
		{"delays", func(r *record.Record) {
			r.Facts = map[string]string{"link.late.db": "p50 30µs, p99 90ms, max 100ms of 5000"}
		}, 1, Warn},
		{"foreign CPU", foreign, 0, Warn},
		{"Little's law and foreign CPU", func(r *record.Record) { little(r); foreign(r) }, 0, Warn},
		{"no answers", func(r *record.Record) { r.Load.Completions, r.Load.Completed = nil, 0 }, 0, Warn},
		{"failed", recordtest.Failed("exited"), 0, Warn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var records []*record.Record
			for i := range 5 {
				r := &record.Record{Repetition: i + 1}
				recordtest.FillLoad(t, r, 1000)
				if i == 2 {
					tt.edit(r)
				}
				records = append(records, r)
			}
			r := NewReport(records)
			if n := r.LeftOutByResult("throughput"); n != tt.want {
				t.Errorf("%d repetitions are left out by their result, want %d", n, tt.want)
			}
			all := r.WithAll()
			if back := len(all.ValidFor("throughput")) - len(r.ValidFor("throughput")); back != tt.want ||
				all.LeftOutByResult("throughput") != 0 {
				t.Errorf("%d repetitions came back, want %d", back, tt.want)
			}
			if level := all.Level(); level != tt.with {
				t.Errorf("with all repetitions the cell is %v, want %v", level, tt.with)
			}
		})
	}
}
