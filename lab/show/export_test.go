package show

import (
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// Of a cell that others disturbed nothing is exported: other programs would take its values for valid ones.
func TestDisturbedCellsAreNotExported(t *testing.T) {
	b := recordtest.New(t, recordtest.FrontMatter+recordtest.Dockerfile+recordtest.Fence("experiment", recordtest.Servers))
	b.Measure("servers", "a", "1", recordtest.ValuesA, recordtest.Disturbed(0.16, 0))
	b.Measure("servers", "b", "1", recordtest.ValuesB, recordtest.Disturbed(0.01, 0))
	d, err := dataset.New(b.Doc, b.Records, dataset.Options{Plan: b.Plan})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Experiments[0].Cells[0].Metric("throughput").Missing; got != "" {
		t.Fatalf("throughput of a is %q", got)
	}
	cells := benchCells([]ShowJSON{{Experiments: []shownExperiment{showExperiment(d, d.Experiments[0])}}})
	if len(cells) != 1 || cells[0].trial != "b" {
		t.Errorf("exported are %+v", cells)
	}
}

func TestBenchName(t *testing.T) {
	tests := []struct {
		name, experiment string
		parameters       []record.Parameter
		want             string
	}{
		{"no parameters", "gzip", nil, "BenchmarkGzip"},
		{"in the order of the article", "web", []record.Parameter{{Name: "server", Value: "sync"},
			{Name: "workers", Value: "4"}}, "BenchmarkWeb/server=sync/workers=4"},
		{"white space and slashes", "a b", []record.Parameter{{Name: "path", Value: "/usr/bin x"}},
			"BenchmarkA_b/path=_usr_bin_x"},
		{"what looks like a number of cores", "e", []record.Parameter{{Name: "nice", Value: "-5"}}, "BenchmarkE/nice=-5-1"},
		{"of any script", "größe", nil, "BenchmarkGröße"},
	}
	for _, test := range tests {
		if got := benchName(&benchCell{experiment: test.experiment, parameters: test.parameters}); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}
