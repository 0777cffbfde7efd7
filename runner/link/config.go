package link

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"benchbook/runner/config"
)

// maxTime is far above anything sensible, so that a slip of the pen ends in a message.
const maxTime = time.Hour

// Config says what is relayed, and how slow the link is. Nothing in it has a default beyond what is written here.
type Config struct {
	// Semantics has to be the Semantics of this package, so that a program of another version does not pass for this one.
	Semantics int `json:"semantics"`

	// Routes are the ports that are relayed. All of them share the link.
	Routes []Route `json:"routes"`

	// RTT is the round-trip time.
	RTT time.Duration `json:"rtt_ns,omitempty"`

	// Jitter is by how much a trip may be longer or shorter than half of RTT, of which it is no more than.
	Jitter time.Duration `json:"jitter_ns,omitempty"`

	// Rate is in bytes per second, in each direction; 0: bytes go as they come.
	Rate float64 `json:"rate,omitempty"`

	// Seed begins the draws of jitter.
	Seed uint64 `json:"seed,omitempty"`
}

// Route leads from an address that the relay listens at, such as ":5432", to that of the service: "db.behind:5432". The
// name is looked up once, before the first connection.
type Route struct {
	Listen string `json:"listen"`
	Target string `json:"target"`
}

// ReadConfig reads one Config in JSON and validates it. Unknown fields and anything after it are errors.
func ReadConfig(r io.Reader) (Config, error) { return config.Read[Config](r) }

// Validate reports the first thing in the config that rules out a link, in words that name the field.
func (c *Config) Validate() error {
	if c.Semantics != Semantics {
		return fmt.Errorf("semantics is %d, and this program's is %d: build both with make build", c.Semantics, Semantics)
	}
	if len(c.Routes) == 0 {
		return errors.New("routes is empty; there is nothing to relay")
	}
	for i, r := range c.Routes {
		if _, _, err := net.SplitHostPort(r.Listen); err != nil {
			return fmt.Errorf("routes[%d]: listen: %w", i, err)
		}
		if host, _, err := net.SplitHostPort(r.Target); err != nil || host == "" {
			return fmt.Errorf("routes[%d]: target %q is not a host and a port", i, r.Target)
		}
	}
	if c.RTT < 0 || c.RTT > maxTime {
		return fmt.Errorf("rtt is %v; it must lie between 0 and %v", c.RTT, maxTime)
	}
	if c.Jitter < 0 || c.Jitter > c.RTT/2 {
		return fmt.Errorf("jitter is %v; it must lie between 0 and half of rtt, which is %v", c.Jitter, c.RTT/2)
	}
	if !(c.Rate >= 0 && c.Rate <= 1e15) {
		return fmt.Errorf("rate is %v bytes per second; it must lie between 0 and 1e15", c.Rate)
	}
	return nil
}
