package dataset

import (
	"strings"
	"testing"

	"benchbook/notebook/recordtest"
)

// Lists are of what can be measured, and say what they lack; a cell that cannot be measured is a reason where it is
// named.
func TestUnavailableValues(t *testing.T) {
	d := measuredServers(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment",
		recordtest.ServersWithGone)).dataset(Options{})
	tests := []struct {
		name, expr string
		want       float64
		err        string
	}{
		{"the most of a list", `max(throughput)`, 1203.6396576, ""},
		{"the number of cells", `count(throughput)`, 3, ""},
		{"a list of which one is left", `mean(throughput{server!="a", server!="b"})`, 800.46209947, ""},
		{"the cell itself", `throughput{server="gone"}`, 0, "unavailable: it has no package"},
		{"a list in the place of a cell, of which one is left", `throughput{server!="a", server!="b"}`, 0,
			"selects 2 cells, but one is needed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := d.Eval(recordtest.Parse(t, tt.expr), "")
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || !recordtest.CloseTo(q.Number, tt.want) || !strings.Contains(q.Note, recordtest.LeftGone) {
				t.Errorf("got %v, %v with note %q; want %v", q.Number, err, q.Note, tt.want)
			}
		})
	}
}
