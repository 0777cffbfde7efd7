package loadtool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

var hyperfine = Tool{
	Name:  "hyperfine",
	Note:  "times are means over the runs of one session",
	parse: parseHyperfine,
	Saved: true,
	wrote: wroteHyperfine,
	pick:  pickHyperfine,
}

// hyperfine times a program, many times, and saves what it found with --export-json. All runs of a program together are one
// repetition here: they were made in one session and follow each other, so they do not tell how much repetitions differ.
//
// Processor times it tells as means only, so the elapsed time is the mean too.
//
// Source: sharkdp/hyperfine src/benchmark/benchmark_result.rs.
func parseHyperfine(printed []byte) (*Output, error) {
	const tool = "hyperfine"
	var saved struct {
		Results []struct {
			Command            string
			Mean, User, System *float64
			Times              []float64
			ExitCodes          []*int `json:"exit_codes"`
		}
	}
	if err := parseJSON(tool, printed, &saved, "save what hyperfine --export-json FILE writes"); err != nil {
		return nil, err
	}
	if n := len(saved.Results); n != 1 {
		return nil, noSamples(tool, "it has %d programs and not one", n)
	}
	r := saved.Results[0]
	if r.Mean == nil || r.User == nil || r.System == nil {
		return nil, noSamples(tool, "it has no mean times")
	}
	o := empty(tool)
	o.Commands = []int{}
	for i, code := range r.ExitCodes {
		if code == nil {
			return nil, noSamples(tool, "run %d was ended by a signal", i+1)
		}
		o.Commands = append(o.Commands, *code)
	}
	sum := 0.0
	for _, t := range r.Times {
		sum += t
	}
	if n := float64(len(r.Times)); n > 0 && (sum/n < *r.Mean*(1-1e-6) || sum/n > *r.Mean*(1+1e-6)) {
		return nil, noSamples(tool, "the mean is %v s, and that of its times %v s", *r.Mean, sum/n)
	}
	o.add("time.real", *r.Mean, 0, "s")
	o.add("time.user", *r.User, 0, "s")
	o.add("time.sys", *r.System, 0, "s")
	return o.whole()
}

// pickHyperfine leaves one of several programs: the one of that name, or, if that is empty, the one that has one of the likely names. Where two have
// the same name, as those that were run with other parameters, nothing tells them apart.
func pickHyperfine(text []byte, name string, likely []string) ([]byte, error) {
	const tool = "hyperfine"
	var saved struct{ Results []json.RawMessage }
	if json.Unmarshal(text, &saved) != nil || len(saved.Results) < 2 && name == "" {
		return text, nil
	}
	if name != "" {
		likely = []string{name}
	}
	var names []string
	var picked []json.RawMessage
	for i, r := range saved.Results {
		var program struct{ Command string }
		if err := json.Unmarshal(r, &program); err != nil {
			return nil, noSamples(tool, "its program %d has no command", i+1)
		}
		if slices.Contains(likely, program.Command) {
			picked = append(picked, r)
		}
		if i < 5 {
			names = append(names, fmt.Sprintf("%.60q", program.Command))
		}
	}
	all := strings.Join(names, ", ")
	switch {
	case len(picked) > 1:
		return nil, noSamples(tool, "it has %d programs of the same name, of %s: save each in a file of its own", len(picked), all)
	case len(picked) == 0 && name != "":
		return nil, noSamples(tool, "it has no program %q, but %s", name, all)
	case len(picked) == 0:
		return nil, noSamples(tool, "it has %d programs, %s: name the one that it is of with --program", len(saved.Results), all)
	}
	return json.Marshal(map[string]any{"results": picked})
}

func wroteHyperfine(printed []byte) bool {
	if bytes.HasPrefix(printed, []byte("Benchmark 1: ")) {
		return true // which cannot be read, but whose way out we know
	}
	var saved struct{ Results []struct{ Command *string } }
	return looksLike(printed, "results") && json.Unmarshal(printed, &saved) == nil && len(saved.Results) > 0 && saved.Results[0].Command != nil
}
