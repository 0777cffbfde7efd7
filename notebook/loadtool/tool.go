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
	"strings"
	"time"

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

	// parse reads what the tool printed, and the rows of its log, into an output. The error wraps ErrNoSamples if there is
	// no whole result.
	parse func(o *Output, printed, log string) (*Output, error)
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

// Parse reads what the tool printed. What only its command line tells is absent from the Output. The error wraps
// ErrNoSamples if the output is incomplete or has a percentile that cannot be read.
func (t Tool) Parse(printed []byte) (*Output, error) {
	summary, log, logged := strings.Cut(string(printed), logMark)
	o := empty(t.Name)
	moment, rows, whole := strings.Cut(log, "\n")
	if logged {
		summary += "\n"
	}
	out, err := t.parse(o, summary, rows)
	if err == nil {
		err = t.losesNone(summary, out)
	}
	if err == nil && logged {
		err = out.setStarted(moment, whole)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// logMark separates what a tool printed from the lines that its Shell adds. The first of these is "began" or "ended"
// with the Unix time at which the tool's window did; rows of the tool's own log may follow.
const logMark = "\n-- log --\n"

// setStarted sets when the window began by the first line of a log.
func (o *Output) setStarted(line string, whole bool) error {
	what, text, _ := strings.Cut(line, " ")
	at, err := number(text)
	if err != nil || !whole || what != "began" && what != "ended" {
		return noSamples(o.Tool, "its log begins with %q, which is no moment", line)
	}
	if o.Started = time.Unix(0, int64(long(at))); at == 0 { // nothing was sent
		o.Started = time.Time{}
	}
	if what == "ended" {
		o.Started = o.Started.Add(-o.Window)
	}
	return nil
}
