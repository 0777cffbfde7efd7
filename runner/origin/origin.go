// Package origin is an HTTP/1.1 server whose answers come after a time that is drawn from a distribution: something to
// measure a client, a proxy or a load generator against.
//
// The latency of a request is the time from its last byte, body included, to its answer. The answer has a status and a
// body of a given size; a share of all requests is answered with 500 instead. Draws are seeded and assigned in the
// order in which requests arrive, see Config, so that every repetition of a trial meets the same ones.
//
// Any method, path and body will do. Connections are kept unless the client says otherwise. A connection has one
// request at a time: those sent ahead are looked at when the answer before them is written.
//
// One thread does it all, by package eventloop: waiting costs nothing, however many requests are in flight, and answers
// leave some ten microseconds after their time, unless the machine gives the thread no processor. How late they were is
// written to the log.
package origin

// Semantics numbers the meaning of a Config. It is raised when the same Config could mean something else to whoever is
// measured against it, and enters the key of every trial with an origin.
const Semantics = 1
