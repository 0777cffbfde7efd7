package measure

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"
)

// Lines of images that are built at once name their image; an image that exists has no lines.
func TestLinesOfSeveralBuilds(t *testing.T) {
	const all = `  preparing the image of pair a
    pair a: Step 1/2
  preparing the image of pair b
    pair b: Step 1/1 : FROM x
    pair a: Step 2/2
  preparing the image of pair d
    pair d: no
  preparing the image of pair d stopped after TIME
  prepared the image of pair b in TIME
  prepared the image of pair a in TIME
`
	for _, verbose := range []bool{true, false} {
		want := all
		if !verbose {
			want = regexp.MustCompile(`(?m)^    .*\n`).ReplaceAllString(all, "")
		}
		if got := linesOfBuilds(verbose); got != want {
			t.Errorf("verbose %v: it says\n%s\nwant\n%s", verbose, got, want)
		}
	}
}

// linesOfBuilds returns the lines of the builds of four images, one of which exists.
func linesOfBuilds(verbose bool) string {
	var out bytes.Buffer
	p := &progress{w: &out, verbose: verbose}
	one, other, there, broken := p.Preparing("pair a"), p.Preparing("pair b"), p.Preparing("pair c"), p.Preparing("pair d")
	fmt.Fprint(one, "Step 1/2\nSte")
	fmt.Fprint(other, "Step 1/1 : FROM x\r\n\n")
	fmt.Fprint(one, "p 2/2\n")
	fmt.Fprint(broken, "no\n")
	broken.End(false)
	other.End(true)
	there.End(true)
	one.End(true)
	return regexp.MustCompile(`(in|after) .*s\n`).ReplaceAllString(out.String(), "$1 TIME\n")
}
