// Package loadtool calls load generators of other projects and reads what they print.
//
// Call returns the command line of a tool for a load, and Parse reads the output of that command line into an Output,
// in base units, by docs/method.md#definitions. A number that a tool does not print is absent from its Output, never
// zero. Truncated or contradictory output is an error.
//
// Each tool has a file of its own, which begins with how the tool counts.
package loadtool

import (
	"errors"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// ErrNoSamples is wrapped by errors about output that has no complete result.
var ErrNoSamples = errors.New("no result")

// Tool is a load generator of another project.
type Tool struct {
	Name  string
	Note  string // a sentence about its numbers, for pages; may be empty
	Image Image

	// HTTP means that the tool sends HTTP requests, so that our generator can check an answer before.
	HTTP bool
	// Schemes of its targets; nil for http and https.
	Schemes []string

	// Script is the path of the author's script in the container; empty if the tool takes none. ScriptSays are the keys
	// of a load that the script replaces.
	Script     string
	ScriptSays []string

	// Flags are the keys of a load that the tool understands, in the order of its command line. Every tool also
	// understands warmup, and those over HTTP verify.
	Flags []Flag
	// Seconds are the keys whose times the tool takes in whole seconds.
	Seconds []string
	// Either means that a run ends after a time or after a number of requests, not at whichever comes first.
	Either bool
	// Even means that every connection sends the same number of requests.
	Even bool

	shell string                                // see Call.Shell
	adapt func(c *Call, l *spec.Load)           // adds to a call what Flags cannot say; l is a copy and may be changed
	parse func(o *Output, printed, rows string) // reads the output and the rows of the tool's log
}

// Tools returns all tools, in the order in which messages list them.
func Tools() []Tool {
	return []Tool{ab, wrk, hey, oha, vegeta, k6, fortio, h2load, pgbench}
}

// Names returns the names of all tools.
func Names() []string { return slice.Map(Tools(), func(t Tool) string { return t.Name }) }

// Find returns the tool with a name.
func Find(name string) (Tool, bool) {
	return slice.Find(Tools(), func(t Tool) bool { return t.Name == name })
}

// Flag returns the flag for a key of a load, empty if the tool handles the key without one. ok is false if the tool
// does not understand the key.
func (t Tool) Flag(key string) (string, bool) {
	f, ok := slice.Find(t.Flags, func(f Flag) bool { return f.Key == key })
	return f.Words, ok || key == "warmup" || key == "verify" && t.HTTP
}

// Parse reads the standard output of a Call. The error wraps ErrNoSamples if the result is incomplete.
func (t Tool) Parse(printed []byte) (*Output, error) {
	summary, log, hasLog := strings.Cut(string(printed), logMark)
	moment, rows, _ := strings.Cut(log, "\n")
	if hasLog {
		summary += "\n"
	}
	o := newOutput(t.Name)
	if strings.TrimSpace(summary) == "" {
		o.fail("it printed nothing")
	}
	t.parse(o, summary, rows)
	if hasLog {
		o.setStarted(moment, len(log) > len(moment))
	}
	return o.checked()
}

// logMark separates the output of a tool from the lines that the shell of its Call adds. The first of these is "began"
// or "ended" with the Unix time of the start or end of the window; rows of the tool's own log may follow.
const logMark = "\n-- log --\n"

// setStarted sets the start of the window from the first line of a log. The time is 0 if a run sent nothing.
func (o *Output) setStarted(line string, isComplete bool) {
	what, text, _ := strings.Cut(line, " ")
	at, err := number(text)
	if err != nil || !isComplete || what != "began" && what != "ended" {
		o.fail("its log begins with %q instead of a time", line)
		return
	}
	o.Started = UnixTime(at)
	if what == "ended" {
		o.Started = o.Started.Add(-o.Window)
	}
}
