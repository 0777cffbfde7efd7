// Package golden compares the output of tests with golden files. The flag -update rewrites them.
package golden

import (
	"flag"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

// Update is the flag -update.
var Update = flag.Bool("update", false, "write the golden files anew")

// Equal fails the test unless got equals the text of a file. It shows both from the first different line.
func Equal(t testing.TB, file, got string) {
	t.Helper()
	if *Update {
		must.Write(file, got)
	}
	want := must.Read(file)
	if got == want {
		return
	}
	is, was, n := strings.Split(got, "\n"), strings.Split(want, "\n"), 0
	for n < min(len(is), len(was)) && is[n] == was[n] {
		n++
	}
	from := func(lines []string) string { return strings.Join(lines[n:min(n+12, len(lines))], "\n") }
	t.Errorf("%s differs from line %d on: got\n%s\nwant\n%s", file, n+1, from(is), from(was))
}
