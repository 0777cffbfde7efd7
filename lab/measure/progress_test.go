package measure

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"

	"benchbook/internal/test/assert"
)

// Lines of images that are built at once name their image; an image that exists has no lines.
func TestLinesOfSeveralBuilds(t *testing.T) {
	const want = `  preparing the image of pair a
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
	var out bytes.Buffer
	p := &progress{w: &out, verbose: true}
	one, other, there, broken := p.Preparing("pair a"), p.Preparing("pair b"), p.Preparing("pair c"), p.Preparing("pair d")
	fmt.Fprint(one, "Step 1/2\nSte")
	fmt.Fprint(other, "Step 1/1 : FROM x\r\n\n")
	fmt.Fprint(one, "p 2/2\n")
	fmt.Fprint(broken, "no\n")
	broken.End(false)
	other.End(true)
	there.End(true)
	one.End(true)
	assert.Equal(t, regexp.MustCompile(`(in|after) .*s\n`).ReplaceAllString(out.String(), "$1 TIME\n"), want)
}
