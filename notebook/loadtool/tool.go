// Package loadtool is other people's load generators: how they are had and called, and what they print means.
//
// A Tool's Parse turns what the tool printed into an Output, in base units, by the definitions of
// docs/method.md#definitions. What a tool does not tell is absent from its Output, and never zero. Output that was cut
// off, or that contradicts itself, is an error: half a result is none.
//
// Each tool has a file of its own, with all that there is to know of it, and how it counts. All of them are in one
// list, see Tools.
package loadtool

import (
	"errors"
	"regexp"

	"benchbook/slice"
)

// ErrNoSamples is wrapped by errors that say that an output holds no whole result: it is of another tool, or the tool
// was stopped, or what it wrote was cut off.
var ErrNoSamples = errors.New("no result")

// Tool is a load generator that is not ours.
type Tool struct {
	Name string

	// Note is a sentence about what its numbers are, for pages; empty if they are what they seem.
	Note string

	// parse reads what the tool printed, as Text gives it. The error wraps ErrNoSamples if there is no whole result.
	parse func(text string) (*Output, error)
	// shares find the percentiles that a text has; nil where there are none.
	shares []func(text string) []string

	// Saved says that output which somebody saved can be imported; then wrote tells it from that of other tools.
	Saved bool
	wrote func(text string) bool
	// once is what every output has one time, so that several in a file are told apart; nil where parse sees them.
	once *regexp.Regexp
	// pick leaves one of several programs that a text is of; nil where it is of one.
	pick func(text []byte, name string, likely []string) ([]byte, error)

	// Load says that an article's load can name it.
	Load bool
	// Program is how the tool is run; nil where benchbook only reads its output.
	Program *Program
}

// Tools lists every tool that benchbook knows, in the order in which articles are told of them.
func Tools() []Tool {
	return []Tool{ab, wrk, hey, oha, vegeta, k6, fortio, h2load, ghz, pgbench, sysbench, redisBenchmark, hyperfine, wrk2}
}

// Names are those of the tools that a condition holds for.
func Names(holds func(Tool) bool) []string {
	return slice.Map(slice.Filter(Tools(), holds), func(t Tool) string { return t.Name })
}

// Find gives the tool of a name; false if there is none.
func Find(name string) (Tool, bool) {
	return slice.Find(Tools(), func(t Tool) bool { return t.Name == name })
}

// Parse reads what the tool printed, or somebody saved of that. Nothing is assumed of how it was called: what only its
// command line tells is absent from the Output. The error wraps ErrNoSamples if there is no whole result; a percentile
// that is told and cannot be read makes it none.
func (t Tool) Parse(printed []byte) (*Output, error) { return t.ParseOne(printed, "") }

// ParseOne is Parse for output that may be of several programs: it is read of the one of that name, or, if that is
// empty, of the one that has one of the likely names.
func (t Tool) ParseOne(printed []byte, program string, likely ...string) (*Output, error) {
	text, err := Text(printed)
	if err != nil {
		return nil, noSamples(t.Name, "%v", err)
	}
	switch {
	case t.pick != nil:
		if text, err = t.pick(text, program, likely); err != nil {
			return nil, err
		}
	case program != "":
		return nil, noSamples(t.Name, "it is not of programs: leave --program out")
	}
	if t.once != nil {
		if n := len(t.once.FindAllIndex(text, -1)); n > 1 {
			return nil, noSamples(t.Name, "the file holds %d outputs, one after the other: save each in a file of its own", n)
		}
	}
	o, err := t.parse(string(text))
	if err == nil {
		err = t.losesNone(string(text), o)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}
