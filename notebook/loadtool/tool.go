// Package loadtool is other people's load generators: how they are built and called, and what their output means.
//
// A Tool's Parse turns its output into an Output, in base units, by the definitions of docs/method.md#definitions. What a
// tool does not print is absent from its Output, and never zero. Output that was cut off, or that contradicts itself, is
// an error.
//
// Each tool has a file of its own, and one form of output.
package loadtool

import (
	"errors"
	"strings"
	"time"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// ErrNoSamples is wrapped by errors about an output without a whole result: it is of another tool, or the tool was
// stopped, or what it wrote was cut off.
var ErrNoSamples = errors.New("no result")

// Tool is a load generator that is not ours.
type Tool struct {
	Name string

	// Note is a sentence about its numbers, for pages; empty if they are what they seem.
	Note string

	// parse reads what the tool printed, and the rows of its log, into an output. The error wraps ErrNoSamples if there is
	// no whole result.
	parse func(o *Output, printed, log string) (*Output, error)
	// shares finds the percentiles in a text; nil if there are none.
	shares func(text string) []string

	Image Image

	// HTTP says that it sends requests over HTTP, so that answers can be checked before anything is timed.
	HTTP bool
	// Schemes are those of the targets that it understands; none for those of http.
	Schemes []string

	// Script is where a script of the author is in its container; empty if it takes none. ScriptSays are the keys that
	// such a script says itself.
	Script     string
	ScriptSays []string

	// Flags has the flag for each key of a load; it is empty for a key that the tool does without one. What has no entry,
	// and is not for us to do, is a problem if an article asks for it.
	Flags map[string]string
	// Seconds are keys with times that the tool takes in whole seconds only.
	Seconds []string
	// Either says that a run ends after a time or after a number of requests, not at whichever comes first.
	Either bool
	// Even says that every connection gets the same number of requests, EvenThreads that every thread gets the same
	// number of connections, both in whole numbers.
	Even, EvenThreads bool

	// Call is its command line for a load.
	Call func(l *spec.Load, cores int) (Call, error)
}

// Tools returns all tools, in the order in which messages list them.
func Tools() []Tool {
	return []Tool{ab, wrk, hey, oha, vegeta, k6, fortio, h2load, pgbench}
}

// Names returns the names of all tools.
func Names() []string { return slice.Map(Tools(), func(t Tool) string { return t.Name }) }

// Find returns the tool of a name; false if there is none.
func Find(name string) (Tool, bool) {
	return slice.Find(Tools(), func(t Tool) bool { return t.Name == name })
}

// Parse reads what the tool printed for a load. The error wraps ErrNoSamples if the output is incomplete or has a
// percentile that cannot be read.
func (t Tool) Parse(printed []byte) (*Output, error) {
	summary, log, logged := strings.Cut(string(printed), logMark)
	o := empty(t.Name)
	moment, rows, whole := strings.Cut(log, "\n")
	if logged {
		summary += "\n"
	}
	out, err := t.parse(o, summary, rows)
	if err == nil {
		err = t.checkPercentiles(summary, out)
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
