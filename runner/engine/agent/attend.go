package agent

import (
	"encoding/json"
	"time"
)

// Words for an engine whose containers have the program in them, beside whatever they are made from.
const (
	// be the first process of a container: start the program of the Order that follows, and pass signals on to it
	Attend = "attend"
	Signal = "signal" // send the signal that follows to the program that is attended
	End    = "end"    // kill all processes of the container
	Do     = "do"     // become the command of the Deed that follows
	Fill   = "fill"   // fill volumes as the Filling that follows says
	Meter  = "meter"  // answer questions about the container, line by line, until standard input ends
	Answer = "answer" // be the name server of services
	Know   = "know"   // tell that server the Names that come over standard input
)

// Questions to Meter, each of which is answered by a line of JSON: a Reading.
const (
	AskUsage   = "usage"
	AskCPU     = "cpu"
	AskThreads = "threads"
	AskWaits   = "waits" // of threads for a core
	AskCPUs    = "cpus"
)

// An Order is the program of a container.
type Order struct {
	Args    []string // looked up by PATH
	Ulimits []Ulimit
	// Token is that by which Server, the address of a name server, says that it may begin; empty: it begins at once. By
	// then there is a way to that server, and it knows the addresses that the program will ask for.
	Token, Server string
	// Greeting is written as a line to both outputs, again and again until it may begin, for whoever is to read all that
	// it writes and cannot know otherwise that it does; empty: nothing is.
	Greeting string
	// Leave is that by which Server says that the container may end once the program has, and comes behind Farewell;
	// empty: it ends at once. Whoever reads has all by then: what a container has written just before its end is lost by
	// some that run containers, as containerd before 1.6.21.
	Leave string
}

// Farewell is what is written to both outputs when a program has ended that leaves by a token, behind whatever it wrote
// itself.
func Farewell(leave string) string { return "benchbook: ended " + leave + "\n" }

// Ulimit is a limit of resources by its name in Compose; -1 is none.
type Ulimit struct {
	Name       string
	Soft, Hard int64
}

// A Deed is a command beside an attended program.
type Deed struct {
	Args        []string
	Environment []string // KEY=value, beside that of the container
	WorkingDir  string   // empty: that of the container
}

// A Filling is what volumes begin with.
type Filling struct {
	Copies []Copy
	Modes  []Mode
}

// Copy is a volume that begins with what is in a folder of the image, if there is one, and has its owner and mode.
type Copy struct{ From, To string }

// Mode is what a folder is given; -1 leaves owners as they are.
type Mode struct {
	Path     string
	Mode     uint32 // permissions, with the sticky bit as chmod writes it
	UID, GID int
}

// Names are all that a name server knows.
type Names struct {
	Clients map[string]string              // by address: the space that whoever asks from there is in
	Spaces  map[string]map[string][]string // by space and name: addresses
	Tokens  []string                       // of programs that may begin, and of those that may leave
}

// Refused is what Attend leaves as the message of its end where it cannot start the program for a reason that lies in
// the Order.
type Refused struct {
	Refused string `json:"refused"`
}

// RefusedIn reads such a message; it is empty if this is none.
func RefusedIn(message string) string {
	var r Refused
	if json.Unmarshal([]byte(message), &r) != nil {
		return ""
	}
	return r.Refused
}

// Reading is what Meter answers.
type Reading struct {
	Error           string                `json:",omitempty"`
	At              time.Time             // by the clock there
	CPU             time.Duration         `json:",omitempty"`
	Memory          int64                 `json:",omitempty"`
	Periods         int64                 `json:",omitempty"`
	Throttled       int64                 `json:",omitempty"`
	ListenOverflows int64                 `json:",omitempty"`
	Retransmits     int64                 `json:",omitempty"`
	Threads         map[int]time.Duration `json:",omitempty"`
	// those that processes may run on, as the kernel writes them: "0-2,5"
	CPUs    string `json:",omitempty"`
	AllCPUs string `json:",omitempty"` // those of the machine, beside CPUs
}
