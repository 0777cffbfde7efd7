package main

import (
	"bytes"
	"fmt"
	"regexp"
	"testing"

	"benchbook/notebook/record"
)

// A probe without the value that its search asks for says so: there is no time of 0 s.
func TestProbeWithoutValue(t *testing.T) {
	s := &record.Search{Kind: record.SearchCapacity, Metric: "latency.p99", Unit: "s"}
	probe := record.Probe{Candidate: 2500, Samples: []record.Sample{{Metric: "throughput", Value: 2215, Unit: "1/s"}}}
	if got, want := probeWords(s, &probe), "2,500/s: no latency.p99, does not meet the objective"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Of several images that are built at once each line says which it is of, and what is there already has none.
func TestLinesOfSeveralBuilds(t *testing.T) {
	var out bytes.Buffer
	p := &progress{w: &out}
	one, other, there, broken := p.Preparing("pair a"), p.Preparing("pair b"), p.Preparing("pair c"), p.Preparing("pair d")
	fmt.Fprint(one, "Step 1/2\nSte")
	fmt.Fprint(other, "Step 1/1 : FROM x\r\n\n")
	fmt.Fprint(one, "p 2/2\n")
	fmt.Fprint(broken, "no\n")
	broken.End(false)
	other.End(true)
	there.End(true)
	one.End(true)
	const want = `  preparing the image of pair a
    pair a: Step 1/2
  preparing the image of pair b
    pair b: Step 1/1 : FROM x
    pair a: Step 2/2
  preparing the image of pair d
    pair d: no
  preparing the image of pair d failed after TIME
  prepared the image of pair b in TIME
  prepared the image of pair a in TIME
`
	if got := regexp.MustCompile(`(in|after) .*s\n`).ReplaceAllString(out.String(), "$1 TIME\n"); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
}
