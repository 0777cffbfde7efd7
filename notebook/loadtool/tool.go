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

	"benchbook/internal/slice"
)

// ErrNoSamples is wrapped by errors that say that an output holds no whole result: it is of another tool, or the tool
// was stopped, or what it wrote was cut off.
var ErrNoSamples = errors.New("no result")

// Tool is a load generator that is not ours.
type Tool struct {
	Name string

	// Note is a sentence about what its numbers are, for pages; empty if they are what they seem.
	Note string

	// parse reads what the tool printed. The error wraps ErrNoSamples if there is no whole result.
	parse func(text string) (*Output, error)
	// shares find the percentiles that a text has; nil where there are none.
	shares func(text string) []string

	// Program is how the tool is run.
	Program *Program
}

// Tools lists every tool that benchbook knows, in the order in which articles are told of them.
func Tools() []Tool {
	return []Tool{ab, wrk, hey, oha, vegeta, k6, fortio, h2load, pgbench}
}

// Names are those of all tools.
func Names() []string { return slice.Map(Tools(), func(t Tool) string { return t.Name }) }

// Find gives the tool of a name; false if there is none.
func Find(name string) (Tool, bool) {
	return slice.Find(Tools(), func(t Tool) bool { return t.Name == name })
}

// Parse reads the output of the tool, without its command line: what only that tells is absent from the Output. The
// error wraps ErrNoSamples if the output is incomplete or a percentile in it cannot be read.
func (t Tool) Parse(printed []byte) (*Output, error) {
	text := string(printed)
	o, err := t.parse(text)
	if err == nil {
		err = t.losesNone(text, o)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}
