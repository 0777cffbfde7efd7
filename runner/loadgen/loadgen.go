// Package loadgen puts HTTP/1.1 load on a server and measures the answers, as docs/method.md#histogram and
// docs/method.md#definitions define it. README.md says how, and how fast.
//
// A closed loop has clients with at most one request under way each, who send the next one when the answer is there,
// after an optional pause. An open loop has requests that are due on a schedule, whether answers are there or not; a
// late one counts from when it was due.
//
// Invariants of a [Result]:
//
//   - Every request ends as one right answer or as one failure of one [Kind]: Attempted = Answered + Failed.
//   - Requests under way when the window ends are followed to their answer or timeout.
//   - All times come from one monotonic clock, in nanoseconds.
//   - Requests of the warm-up, and of the check before it, count in the warm-up only. Answers that complete in the
//     window count for throughput, whenever they were requested.
//
// A server that fails is a result; an error means that the generator could not measure.
package loadgen

const (
	// SchemaVersion is the version of the JSON form of [Result].
	SchemaVersion = 2

	// Semantics numbers the meaning of results. It is raised when the same server could give other figures, and is part
	// of the key of every trial, so that older records are measured again.
	Semantics = 2
)

// Kind says how a request failed.
type Kind string

// The kinds, by how far a request got.
const (
	Connect   Kind = "connect"   // no connection: refused, no TLS, or not open before the timeout
	Reset     Kind = "reset"     // the connection was broken off
	Timeout   Kind = "timeout"   // no whole answer in time; in an open loop also: no free connection in time
	Closed    Kind = "closed"    // the server closed a fresh connection before the first byte of an answer
	Malformed Kind = "malformed" // not an answer of HTTP/1
	Short     Kind = "short"     // the server closed the connection within an answer
	Wrong     Kind = "wrong"     // a whole answer with another status or length than wanted
	Ports     Kind = "ports"     // no local port was free, which says nothing about the server
)

// Kinds lists all kinds.
var Kinds = [...]Kind{Connect, Reset, Timeout, Closed, Malformed, Short, Wrong, Ports}
