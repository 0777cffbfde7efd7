// Package origin is an HTTP/1.1 server whose answers come after a time that is drawn from a distribution, to measure a
// client, a proxy or a load generator against.
//
// The latency of a request is the time from its last byte, body included, to its answer. The answer has a status and a
// body of a given size; a share of all requests is answered with 500 instead. Draws are seeded and assigned in the
// order in which requests arrive, see Config, so that every repetition of a trial meets the same ones.
//
// Any valid request will do. Connections are kept unless the client says otherwise. Requests that are sent ahead are
// answered one after another.
//
// A connection is a goroutine, and the clock of package delay wakes it. Run it with GOMAXPROCS 1: it then takes about as
// much processor time as an event loop. How late answers were is written to the log.
package origin

// Semantics is the version of the meaning of a Config. It enters the key of every trial with an origin, and is raised
// when a change could change what is measured against one.
const Semantics = 1
