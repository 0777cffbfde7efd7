//go:build linux

package main

import (
	"errors"
	"math"
	"testing"
)

const printed = `Running 2s test @ http://127.0.0.1:9000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   440.93us   58.72us   2.02ms   90.51%
    Req/Sec   144.90k     7.44k  153.99k    85.00%
  Latency Distribution
     50%  432.00us
     75%  456.00us
     90%  489.00us
     99%    0.97ms
  288339 requests in 2.00s, 41.80MB read
Requests/sec: 143944.59
Transfer/sec:     20.87MB
`

func TestParseWrk(t *testing.T) {
	r, answers, err := parseWrk(printed)
	if err != nil || answers != 288339 || r.perSecond != 143944.59 || r.p50 != 432e-6 || r.p99 != 970e-6 {
		t.Errorf("got %+v, %v answers, %v", r, answers, err)
	}
	for _, broken := range []string{"", "Running", printed + "  Socket errors: connect 0, read 5, write 0, timeout 0\n"} {
		if _, _, err := parseWrk(broken); err == nil {
			t.Errorf("%q is accepted", broken)
		}
	}
}

func TestRow(t *testing.T) {
	s := settings{pairs: 3, tries: 9}
	tests := []struct {
		name          string
		values        []float64
		want          limit
		kept, missing bool
	}{
		{"enough", []float64{1.1, 1.3, 1.2}, atLeast(1.2), true, false},
		{"too little", []float64{1.1, 1.3, 1.15}, atLeast(1.2), false, false},
		{"little enough", []float64{0.7, 0.9, 0.8}, atMost(0.8), true, false},
		{"too much", []float64{0.7, 0.9, 0.81}, atMost(0.8), false, false},
		{"too few rounds", []float64{9, 9}, atLeast(1), false, true},
		{"nothing promised", []float64{9, 9}, limit{}, false, false},
	}
	for _, tt := range tests {
		if r := s.row("x", tt.values, tt.want, ""); r.missing != tt.missing || r.want != "" && r.kept != tt.kept {
			t.Errorf("%s: got %+v", tt.name, r)
		}
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("the median is %v, want 2.5", m)
	}
}

// What others use of the machine is what nobody of ours does, and never below nothing.
func TestForeign(t *testing.T) {
	before := machine{busy: 10, all: 20, ours: 5}
	if f := (machine{busy: 13, all: 24, ours: 7}).foreign(before); math.Abs(f-0.25) > 1e-12 {
		t.Errorf("foreign is %v, want 0.25", f)
	}
	if f := (machine{busy: 11, all: 24, ours: 7}).foreign(before); f != 0 {
		t.Errorf("foreign is %v, want 0", f)
	}
	if _, err := readMachine(); err != nil {
		t.Error(err)
	}
}

// Rounds that others have disturbed leave nothing behind.
func TestRounds(t *testing.T) {
	broken := errors.New("broken")
	s := settings{pairs: 4, tries: 12, foreign: 2} // more than all of the machine
	var list []float64
	left, tried, err := s.rounds(func(bool) error { list = append(list, 1); return nil }, &list)
	if err != nil || left != 4 || tried != 4 || len(list) != 4 {
		t.Errorf("%d rounds of %d are left with %d values, %v; want 4", left, tried, len(list), err)
	}
	s.foreign, list = -1, nil // less than nothing
	left, tried, err = s.rounds(func(bool) error { list = append(list, 1); return nil }, &list)
	if err != nil || left != 0 || tried != 12 || len(list) != 0 {
		t.Errorf("%d rounds of %d are left with %d values, %v; want none", left, tried, len(list), err)
	}
	if _, _, err := s.rounds(func(bool) error { return broken }); err != nil {
		t.Errorf("a disturbed round is to blame for %v", err)
	}
	s.foreign = 2
	if _, _, err := s.rounds(func(bool) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
