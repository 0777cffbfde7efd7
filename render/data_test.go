package render_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/record"
	"benchbook/render"
)

// What the checks found of a cell stands beside each of its metrics, between what is known of the metric and of the cell.
func TestFindingsInDataFiles(t *testing.T) {
	type finding struct {
		Repetition          int
		Check, Level, Words string
	}
	want := finding{2, "foreign CPU", "warn", "others used 8 % of the CPU"}
	b := measuredSockets(t, "full", func(r *record.Record) {
		if r.Repetition == want.Repetition {
			r.Load.ForeignCPU = 0.08
		}
	})
	page, err := newRenderer(t).Page(b.Dataset(), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(page.Files, func(f render.File) bool { return f.Path == "data/tbl-sockets.json" })
	if i < 0 {
		t.Fatal("the table has no data")
	}
	var data []struct {
		Metric, Validity, Host string
		Findings               []finding
		LimitedBy              *string `json:"limited_by"`
	}
	if err := json.Unmarshal(page.Files[i].Data, &data); err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		t.Fatal("there are no data")
	}
	for k, d := range data {
		if d.Metric == "" || d.Validity != "warn" || d.LimitedBy == nil || d.Host == "" || !slices.Contains(d.Findings, want) {
			t.Errorf("the data are %+v, want %+v among their findings", d, want)
		}
		line := strings.Split(string(page.Files[i].Data), "\n")[k+1]
		at := 0
		for _, key := range []string{`"metric"`, `"value"`, `"validity"`, `"findings"`, `"limited_by"`, `"run"`, `"host"`} {
			next := strings.LastIndex(line, key+":")
			if next < at {
				t.Errorf("%s does not follow in %s", key, line)
			}
			at = next
		}
	}
}
