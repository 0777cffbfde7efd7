package loadtool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"benchbook/slice"
)

var hyperfine = Tool{
	Name:  "hyperfine",
	Note:  "times are means over the runs of one session",
	parse: parseHyperfine,
	Saved: true,
	wrote: wroteHyperfine,
	pick:  pickHyperfine,
}

// hyperfine times a program, many times, and saves what it found with --export-json. All runs of a program together are
// one repetition here: they were made in one session and follow each other, so they do not tell how much repetitions
// differ.
//
// Processor times it tells as means only, so the elapsed time is the mean too.
//
// Source: sharkdp/hyperfine src/benchmark/benchmark_result.rs.
func parseHyperfine(printed string) (*Output, error) {
	o := empty("hyperfine")
	var saved struct {
		Results []struct {
			Command            string
			Mean, User, System *float64
			Times              []float64
			ExitCodes          []*int `json:"exit_codes"`
		}
	}
	o.parseJSON(printed, &saved, "save what hyperfine --export-json FILE writes")
	if n := len(saved.Results); n != 1 {
		return o.fail("it has %d programs and not one", n)
	}
	r := saved.Results[0]
	if r.Mean == nil || r.User == nil || r.System == nil {
		return o.fail("it has no mean times")
	}
	o.Commands = []int{}
	for i, code := range r.ExitCodes {
		if code == nil {
			return o.fail("run %d was ended by a signal", i+1)
		}
		o.Commands = append(o.Commands, *code)
	}
	if mean := stat.Mean(r.Times, nil); mean < *r.Mean*(1-1e-6) || mean > *r.Mean*(1+1e-6) { // not a number of none
		return o.fail("the mean is %v s, and that of its times %v s", *r.Mean, mean)
	}
	o.add("time.real", *r.Mean, 0, "s")
	o.add("time.user", *r.User, 0, "s")
	o.add("time.sys", *r.System, 0, "s")
	return o.whole()
}

// pickHyperfine leaves one of several programs: the one of that name, or, if that is empty, the one that has one of the
// likely names. Where two have the same name, as those that were run with other parameters, nothing tells them apart.
func pickHyperfine(text []byte, name string, likely []string) ([]byte, error) {
	const tool = "hyperfine"
	results, programs, err := resultsOf(text)
	if err != nil || len(results) < 2 && name == "" {
		return text, nil // which parse refuses, if it has to
	}
	if name != "" {
		likely = []string{name}
	}
	var picked []json.RawMessage
	for i, program := range programs {
		if slices.Contains(likely, program) {
			picked = append(picked, results[i])
		}
	}
	names := slice.Map(programs[:min(len(programs), 5)], func(p string) string { return fmt.Sprintf("%.60q", p) })
	all := strings.Join(names, ", ")
	switch {
	case len(picked) > 1:
		return nil, noSamples(tool, "it has %d programs of the same name, of %s: save each in a file of its own", len(picked),
			all)
	case len(picked) == 0 && name != "":
		return nil, noSamples(tool, "it has no program %q, but %s", name, all)
	case len(picked) == 0:
		return nil, noSamples(tool, "it has %d programs, %s: name the one that it is of with --program", len(results),
			all)
	}
	return json.Marshal(map[string]any{"results": picked})
}

// resultsOf are what a file has of each program, and the commands of the programs.
func resultsOf(text []byte) (results []json.RawMessage, programs []string, err error) {
	var saved struct{ Results []json.RawMessage }
	err = json.Unmarshal(text, &saved)
	for _, r := range saved.Results {
		var program struct{ Command string }
		err = cmp.Or(err, json.Unmarshal(r, &program))
		programs = append(programs, program.Command)
	}
	return saved.Results, programs, err
}

func wroteHyperfine(printed string) bool {
	if strings.HasPrefix(printed, "Benchmark 1: ") || strings.HasPrefix(printed, "Benchmark #1: ") { // before 1.12
		return true // which cannot be read, but whose way out we know
	}
	var saved struct{ Results []struct{ Command *string } }
	return looksLike(printed, "results") && json.Unmarshal([]byte(printed), &saved) == nil && len(saved.Results) > 0 &&
		saved.Results[0].Command != nil
}
