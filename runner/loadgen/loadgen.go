// Package loadgen puts HTTP/1.1 load on a server and measures the answers, as docs/method.md#histogram and
// docs/method.md#definitions define it. README.md says how, and how fast.
//
// In a closed loop each client has at most one request under way: it sends the next one after the answer and an
// optional pause. An open loop sends requests on a schedule, whether answers have come or not; a late request counts
// from when it was due.
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

	// Semantics is the version of what results mean. Raise it when a change could give other figures for the same server.
	// It is part of the key of every trial, so that older records are measured again.
	Semantics = 2
)

// Kind says how a request failed.
type Kind string

// Kinds of failures.
const (
	Connect   Kind = "connect"   // no connection: refused, no TLS, or not open before the timeout
	Reset     Kind = "reset"     // the connection broke
	Timeout   Kind = "timeout"   // no complete answer in time or, in an open loop, no free connection in time
	Closed    Kind = "closed"    // the server closed a fresh connection before the first byte of an answer
	Malformed Kind = "malformed" // the answer is not valid HTTP/1
	Short     Kind = "short"     // the server closed the connection in the middle of an answer
	Wrong     Kind = "wrong"     // a complete answer with an unexpected status or length
	Ports     Kind = "ports"     // no local port was free, which says nothing about the server
)

// Kinds lists all kinds.
var Kinds = [...]Kind{Connect, Reset, Timeout, Closed, Malformed, Short, Wrong, Ports}
