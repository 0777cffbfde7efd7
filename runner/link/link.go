// Package link is a TCP relay that makes the network between its clients and a service slower than it is.
//
// # The model
//
// A link has a round-trip time, and each trip over it, in either direction, takes half of that. Through the relay a
// client and a service see what they would over a network with that round-trip time, though the client's connection
// ends at the relay, and is there at once:
//
//	when   on a network                     through the relay
//	0      the client sends SYN             the client's connection is accepted
//	0.5    the service gets SYN             the relay sends SYN to the service
//	1      the client is connected, and     what the client has sent is let onto the link
//	       sends its first bytes
//	1.5    the service gets ACK and bytes   the service gets ACK and bytes
//	2 + S  the client gets the answer       the client gets the answer
//
// S is the time that the service takes. A request over a new connection takes 2 round trips and S; with TLS 1.3, whose
// handshake is one more, 3 and S; with TLS 1.2, 4 and S; and over a connection that is kept, 1 and S. A service that
// speaks first is heard after 2. One that refuses the connection is felt after 1, as a reset: the client's own
// connection was there already.
//
// Jitter is how much a trip varies: each takes half a round trip and a draw from -jitter to +jitter, all equally
// likely, one for everything that was read at once. Bytes of one connection never overtake each other, so one that
// takes long holds up those behind it. Draws are seeded, and assigned in the order in which bytes are read.
//
// Rate is that of the link, in each direction, for all connections together: n bytes occupy the link for n/rate before
// their trip, in the order in which they arrived. No more than a hundredth of a second waits on the link; then senders
// wait in turn, so that a large transfer does not keep out small ones.
//
// The end of a stream and a reset travel as bytes do.
//
// # What is not in it
//
// There is no loss, and so no retransmission and no congestion control. Windows do not have to grow, so a large answer
// over a new connection comes sooner than over a real network. Acknowledgements do not travel: a service that holds
// back a small second write until the first is acknowledged (Nagle's algorithm) does not wait for a round trip.
// Connecting takes the client no time, since it pays with its first bytes.
//
// # Bounds
//
// What is on its way is kept in memory: up to 4 MiB for each direction of a connection, and for all together up to 256
// MiB and 64 KiB for each direction. Then senders wait. So one connection gets no more than 4 MiB in half a round trip.
//
// One thread does it all, by package eventloop. How late bytes were sent on is written to the log.
package link

// Semantics numbers the meaning of a Config. It is raised when the same Config could mean something else to whoever is
// measured through it, and enters the key of every trial with a link.
const Semantics = 1

// ReadyLine is what the program writes when it accepts connections. Look for it in the log: a connection would go
// through to the service.
const ReadyLine = "benchbook-link: ready"
