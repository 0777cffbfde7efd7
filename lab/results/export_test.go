package results

import (
	"testing"

	"benchbook/notebook/record"
)

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
		if got := benchName(&Cell{experiment: test.experiment, parameters: test.parameters}); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}
