// Command comparetest compares the load generator with others, or with an older one, in turn.
//
//	make bench-load                       on one core, against a server on another
//	make bench-load BASE=PATH             with the benchbook-agent at PATH as well
//
// A round measures all of them, one right after the other, and gives one ratio for each; the median of the rounds
// counts. The exit status is 0 if every ratio is within its bound, 1 if one is not, 2 if nothing could be measured.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"benchbook/internal/test/must"
	"benchbook/runner/loadgen"
)

// settings apply to all comparisons.
type settings struct {
	ours, base string // programs; base may be empty
	rounds     int
	length     time.Duration
	only       string
	cores      []int // the first is for the server, the last for the generators
	missed     bool  // a bound
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "respond" {
		respond(os.Args[2:])
	}
	s := &settings{}
	flag.StringVar(&s.ours, "ours", "bin/benchbook-agent", "the program to compare")
	flag.StringVar(&s.base, "base", "", "an older one to compare it with")
	flag.IntVar(&s.rounds, "rounds", 7, "rounds for each ratio")
	flag.DurationVar(&s.length, "length", 2*time.Second, "length of one measurement, in whole seconds")
	flag.StringVar(&s.only, "only", "", "measure only the rows whose name begins like this, such as \"16 connections\"")
	flag.Parse()
	for _, program := range []*string{&s.ours, &s.base} {
		if *program != "" {
			*program, _ = filepath.Abs(*program)
		}
	}
	if err := s.compareAll(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if s.missed {
		os.Exit(1)
	}
}

// compareAll runs all comparisons.
func (s *settings) compareAll() error {
	var mask unix.CPUSet
	must.Do(unix.SchedGetaffinity(0, &mask))
	for cpu := range 1024 {
		if mask.IsSet(cpu) {
			s.cores = append(s.cores, cpu)
		}
	}
	if len(s.cores) < 2 {
		return errors.New("there is one core; the server and the generators need one each")
	}
	fmt.Printf("server on core %d, generators on core %d, %d rounds of %v\n", s.cores[0], s.cores[len(s.cores)-1], s.rounds,
		s.length)
	for _, closing := range []bool{false, true} {
		for _, connections := range []int{1, 16, 64, 150, 256} {
			if err := s.compare(connections, closing); err != nil {
				return err
			}
		}
	}
	for _, rate := range []int{1000, 10_000} {
		if err := s.lag(rate); err != nil {
			return err
		}
	}
	return nil
}

// bounds returns the least ratio of requests per second, and the most of processor time per request; 0 means no bound.
func bounds(other string, connections int, closing bool) (rate, cpu float64) {
	switch {
	case other == "wrk" && !closing && connections == 1:
		return 1.02, 0.92
	case other == "wrk" && !closing:
		return 1.20, 0.82
	case other == "ab" && closing:
		return 1.00, 1.00
	case other == "base":
		return 0.97, 1.03
	}
	return 0, 0
}

// compare measures a closed loop with all generators in turn.
func (s *settings) compare(connections int, closing bool) error {
	name := fmt.Sprintf("%d connections", connections)
	if closing {
		name = fmt.Sprintf("closing, %d clients", connections)
	}
	if !strings.HasPrefix(name, s.only) {
		return nil
	}
	all := s.generators(closing)
	rate, cpu := make(map[string][]float64), make(map[string][]float64)
	for round := range s.rounds {
		results := make(map[string]result)
		for i := range all {
			g := all[i]
			if round%2 == 1 { // or a machine that becomes quieter would favour the same one
				g = all[len(all)-1-i]
			}
			r, err := s.measure(g, connections, closing)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", name, g.name, err)
			}
			results[g.name] = r
		}
		for other, r := range results {
			rate[other] = append(rate[other], results["ours"].perSecond/r.perSecond)
			cpu[other] = append(cpu[other], results["ours"].cpuEach/r.cpuEach)
		}
	}
	for _, g := range all[1:] {
		least, most := bounds(g.name, connections, closing)
		s.print(name+": requests/s, ratio to "+g.name, rate[g.name], least, 0)
		s.print(name+": CPU per request, ratio to "+g.name, cpu[g.name], 0, most)
	}
	return nil
}

// lag measures how late scheduled requests leave, in µs.
func (s *settings) lag(rate int) error {
	name := fmt.Sprintf("%d/s", rate)
	if !strings.HasPrefix(name, s.only) {
		return nil
	}
	var p50, p99 []float64
	for range s.rounds {
		err := s.serve(false, func(url string) error {
			out, _, err := s.run(s.ours, "load", "-json", "-t", "1", "-c", "64", "-R", fmt.Sprint(rate), "-warmup", "200ms", "-d",
				s.length.String(), url)
			if err != nil {
				return err
			}
			var r loadgen.Result
			must.Do(json.Unmarshal(out, &r))
			h := must.Get(r.Lag.Histogram())
			p50 = append(p50, float64(h.ValueAtPercentile(50))/1e3)
			p99 = append(p99, float64(h.ValueAtPercentile(99))/1e3)
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	s.print(name+": lag p50 in µs", p50, 0, 1)
	s.print(name+": lag p99 in µs", p99, 0, 25)
	return nil
}

// print prints the median and range of values, and whether it is within bounds; 0 means none.
func (s *settings) print(name string, values []float64, least, most float64) {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	median := (sorted[(n-1)/2] + sorted[n/2]) / 2
	want := ""
	switch {
	case least > 0:
		want = fmt.Sprintf("≥ %.2f", least)
	case most > 0:
		want = fmt.Sprintf("≤ %.2f", most)
	}
	if want != "" && (median < least || most > 0 && median > most) {
		want += " MISSED"
		s.missed = true
	}
	fmt.Printf("%-58s %8.3f [%.3f, %.3f] %s\n", name, median, sorted[0], sorted[n-1], want)
}
