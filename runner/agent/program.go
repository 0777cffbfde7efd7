package agent

// Name is the name of the program.
const Name = "benchbook-agent"

// Parts of the program, which are its first argument.
const (
	Load   = "load"
	Time   = "time"
	Origin = "origin"
	Link   = "link"
	Idle   = "idle"
	Host   = "host"
)

// ErrorPrefix begins the line with the error of a part.
func ErrorPrefix(part string) string { return "benchbook-" + part + ": " }

// Probe is the argument of Host to probe a service. Its address, name, port and path follow.
const Probe = "probe"

// Program reads the program, which is for Linux and the architecture of this machine.
type Program func() ([]byte, error)
