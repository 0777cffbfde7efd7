package cli

import (
	"path/filepath"
	"testing"

	"benchbook/notebook/record"
)

const frameworkArticle = `---
title: Sums
---

~~~sh file=bench.sh
n=$((${BENCHBOOK_REPETITION} % 3 + $1))
echo "goos: linux"
for count in 1 2 3; do
	echo "BenchmarkSum/words=10-8  1000  ${n}.5 ns/op  16 B/op  2 allocs/op"
	echo "BenchmarkLen-8  1000  $((n + 40)).25 ns/op  0 B/op  0 allocs/op"
done
[ "$1" = 100 ] || echo "BenchmarkNew-8  1000  5.5 ns/op  7 hits/op"
~~~

~~~yaml experiment
name: sums
matrix: {version: [{name: old, n: 100}, {name: new, n: 50}]}
command:
  configs: [{source: bench.sh, target: /srv/bench.sh}]
  run: sh /srv/bench.sh ${{ matrix.version.n }}
  output: benchfmt
repetitions: 3
calibrate: false
~~~

~~~yaml experiment
name: files
command:
  shell: true
  run: echo '{"results":[{"command":"a \"b\" <c>","times":[0.1,0.2,0.4]}]}' >out.json
  output: {format: hyperfine, file: out.json}
repetitions: 3
calibrate: false
~~~

~~~yaml claim
name: faster
headline: true
expect: 'time{experiment=sums, benchmark="BenchmarkSum/words=10", version=new} < time{experiment=sums, benchmark="BenchmarkSum/words=10", version=old}'
~~~

~~~yaml claim
name: no-such
expect: 'time{experiment=sums, benchmark=BenchmarkLan, version=new} < 1ms'
~~~

~~~yaml table
label: tbl-hits
experiment: sums
where: benchmark == "BenchmarkNew"
columns: [time, hits]
~~~
`

// Each benchmark of a framework's output is a row, from check to the page.
func TestFrameworks(t *testing.T) {
	w := onLocal(t)
	dir, folder := project(t, "sums", frameworkArticle)
	put(t, filepath.Join(dir, "benchbook.yaml"), "title: T\nengine: local\n")
	mustRun(t, w, "-C", dir, "check") // names of benchmarks are not known yet
	mustRun(t, w, "-C", dir, "run", "--yes")
	records, _, err := record.Dir(folder + "/records").Read()
	if err != nil || len(records) != 9 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	wantSaid(t, mustRun(t, w, "-C", dir, "show", "--format", "csv"), `"old, BenchmarkSum/words=10"`, "new, BenchmarkLen", `"a ""b"" <c>"`)
	wantSaid(t, mustRun(t, w, "-C", dir, "show"), "supported", `no cell has benchmark="BenchmarkLan"`)
	wantSaid(t, mustRun(t, w, "-C", dir, "show", "sums#sums"), "not measured: the output has no benchmark BenchmarkNew", "hits")
	wantSaid(t, mustRun(t, w, "-C", dir, "plan"), "sums#sums   2 ") // not one for each benchmark
	mustRun(t, w, "-C", dir, "render")
	wantSaid(t, read(t, filepath.Join(dir, "_site", "sums", "index.html")), "BenchmarkNew", "hits", "0 of 6\u00a0repetitions")
}
