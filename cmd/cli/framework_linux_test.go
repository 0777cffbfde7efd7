package cli

import (
	"path/filepath"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Each benchmark of a framework's output is a row, from check to the page.
func TestFrameworks(t *testing.T) {
	w := onLocal(t)
	dir, folder := project(t, "sums", fixture(t, "sums"))
	must.Write(filepath.Join(dir, "benchbook.yaml"), "title: T\nengine: local\n")
	mustRun(t, w, "-C", dir, "check") // names of benchmarks are not known yet
	mustRun(t, w, "-C", dir, "run", "--yes")
	if n := len(recordsIn(t, folder)); n != 9 {
		t.Fatalf("%d records", n)
	}
	assert.Contains(t, mustRun(t, w, "-C", dir, "show", "--format", "csv"), `"old, BenchmarkSum/words=10"`,
		"new, BenchmarkLen", `"a ""b"" <c>"`)
	assert.Contains(t, mustRun(t, w, "-C", dir, "show"), "supported", `no cell has benchmark="BenchmarkLan"`)
	assert.Contains(t, mustRun(t, w, "-C", dir, "show", "sums#sums"),
		"not measured: the output has no benchmark BenchmarkNew", "hits")
	assert.Contains(t, mustRun(t, w, "-C", dir, "plan"), "sums#sums   2 ") // not one for each benchmark
	mustRun(t, w, "-C", dir, "render")
	assert.Contains(t, must.Read(filepath.Join(dir, "_site", "sums", "index.html")), "BenchmarkNew", "hits",
		"0 of 6\u00a0repetitions")
}
