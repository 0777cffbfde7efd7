// Package agent has the parts of benchbook-agent that run next to services: an HTTP origin, a link that slows a network
// down, and a timer of commands. The program is one static binary that runs in an empty container without any rights.
package agent

import (
	"fmt"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// Name is the name of the program.
const Name = "benchbook-agent"

// Parts of the program, named by its first argument.
const (
	Load   = "load"
	Time   = "time"
	Origin = "origin"
	Link   = "link"
	Idle   = "idle"
	Host   = "host"
)

// ErrorPrefix returns the start of the line with the error of a part.
func ErrorPrefix(part string) string { return "benchbook-" + part + ": " }

// Probe is the argument of Host to probe a service. The service's address, name, port and path follow.
const Probe = "probe"

// Program reads the program, which is for Linux and the architecture of this machine.
type Program func() ([]byte, error)

// OriginConfig configures an origin: an HTTP/1.1 server that draws the latency of each answer from a distribution. The
// latency of a request is the time from its last byte, body included, to its answer.
//
// Draws are seeded and assigned in the order in which requests arrive, over all connections, so that every repetition
// of a trial meets the same ones.
type OriginConfig struct {
	Semantics int    `json:"semantics"`        // record.OriginSemantics
	Listen    string `json:"listen,omitempty"` // :80 if empty
	Seed      uint64 `json:"seed"`
	spec.HTTPOrigin
}

// Validate returns an error for a config of another version of this program.
func (c *OriginConfig) Validate() error { return checkSemantics(c.Semantics, record.OriginSemantics) }

// LinkReadyLine is the line of the log that says that connections are accepted. Wait for it instead of connecting,
// since a connection would go through to the service.
const LinkReadyLine = "benchbook-link: ready"

// LinkConfig configures a link: a TCP relay that makes the network between clients and a service slower. docs/services.md
// has the model.
type LinkConfig struct {
	Semantics int         `json:"semantics"` // record.LinkSemantics
	Routes    []LinkRoute `json:"routes"`
	spec.Link
}

// LinkRoute leads from an address that the link listens at, such as ":5432", to a service, such as "db.behind:5432".
// The name is looked up once, before the first connection.
type LinkRoute struct {
	Listen string `json:"listen"`
	Target string `json:"target"`
}

// Validate returns an error for a config of another version of this program.
func (c *LinkConfig) Validate() error { return checkSemantics(c.Semantics, record.LinkSemantics) }

// checkSemantics returns an error if a config was written for another version of a part.
func checkSemantics(got, own int) error {
	if got != own {
		return fmt.Errorf("semantics is %d, and this program's is %d: build both with make build", got, own)
	}
	return nil
}
