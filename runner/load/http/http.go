// Package http says what HTTP load to put on a target and what came of it, as docs/method.md#histogram and
// docs/method.md#definitions define it.
//
// The load is a closed loop, in which each client has at most one request on its way and sends the next when the answer
// is there, after an optional pause; or an open one, in which requests are due on a schedule, whether answers are there
// or not, and a late one counts from when it was due.
//
// What always holds:
//
//   - Every request that was started ends as exactly one of a right answer or a failure of one [Kind], so
//     Attempted = Answered + Failed, and the failures by kind add up to Failed.
//   - No request is left out: those on their way when the window ends are followed to their timeout.
//   - All times come from one monotonic clock, in whole nanoseconds.
//   - What was started during warm-up, or for the check before it, is in no figure but that of the warm-up,
//     save that an answer completed in the window counts for throughput, as docs/method.md#definitions has it.
//
// [Config] and [Result] are the contract with the rest of benchbook; both travel as JSON, because package generator,
// which puts the load on, runs in "benchbook-agent load" beside the server.
package http

const (
	// SchemaVersion is the version of the JSON form of [Result].
	SchemaVersion = 2

	// Semantics numbers the meaning of the results. It is raised whenever the same server could give other
	// figures, and enters the key of every trial, so that older records no longer pass for fresh ones.
	Semantics = 2
)

// Kind names what became of a request that got no right answer.
type Kind string

// The kinds partition the failures by how far a request got.
const (
	// Connect: no connection was opened, because it was refused, because TLS could not be set up on it, or because none
	// came about before the timeout.
	Connect Kind = "connect"
	// Reset: the server, or something on the way, broke the connection off.
	Reset Kind = "reset"
	// Timeout: the connection was open, and no whole answer came over it before the timeout; or, in an open loop, none
	// of the connections was free until then.
	Timeout Kind = "timeout"
	// Closed: the server closed a fresh connection before the first byte of an answer.
	Closed Kind = "closed"
	// Malformed: what came was not an answer of the protocol.
	Malformed Kind = "malformed"
	// Short: the server closed the connection in the middle of an answer.
	Short Kind = "short"
	// Wrong: a whole answer came, but not with the status or length that was asked for.
	Wrong Kind = "wrong"
	// Ports: no local port was free for a connection, which says nothing about the server.
	Ports Kind = "ports"
)

var Kinds = [...]Kind{Connect, Reset, Timeout, Closed, Malformed, Short, Wrong, Ports}
