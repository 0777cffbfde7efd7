package loadgen

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run measured. Unless a field says otherwise it is about the requests that were started in the window
// and not cut, each followed to its answer or timeout. In an open loop a request starts when it is due.
//
// Source: docs/method.md#histogram, docs/validity.md#checks and docs/method.md#definitions.
type Result struct {
	SchemaVersion int `json:"schema_version"`
	Semantics     int `json:"semantics"`

	// The load went to Addresses; Unreachable are others of the same family that accepted no connection before it.
	Addresses   []netip.AddrPort `json:"addresses"`
	Unreachable []netip.AddrPort `json:"unreachable,omitempty"`

	// Start is the wall clock at the start of the window, Length the window's length by the monotonic clock.
	Start   time.Time     `json:"start"`
	Length  time.Duration `json:"length_ns"`
	EndedBy Ending        `json:"ended_by"`

	// Attempted = Answered + Failed. Answered counts right answers before the timeout.
	Attempted int64 `json:"attempted"`
	Answered  int64 `json:"answered"`
	Failed    int64 `json:"failed"`

	// Failures counts failed requests by kind, with all kinds; Status complete answers, right or wrong, by status.
	Failures map[Kind]int64 `json:"failures"`
	Status   map[int]int64  `json:"status"`

	// Completed counts requests that ended in the window, whenever they started.
	Completed Completed `json:"completed"`

	// Overlap is how much of all requests lay in the window. The throughput of a closed loop is Overlap.Right over Length.
	Overlap *Overlap `json:"overlap,omitempty"`

	// BytesIn and BytesOut count the bytes received and sent over connections in the window, for any request.
	BytesIn  int64 `json:"bytes_in"`
	BytesOut int64 `json:"bytes_out"`

	// Connects counts the connections opened.
	Connects int64 `json:"connects"`

	// Due = Attempted. Sent counts those that left before their timeout, by their first byte or an attempt to connect.
	// Blocked counts those that found no free connection when due. A closed loop has none of them.
	Due     int64 `json:"due,omitempty"`
	Sent    int64 `json:"sent,omitempty"`
	Blocked int64 `json:"blocked,omitempty"`

	// Offered is Due over Length, per second.
	Offered float64 `json:"offered,omitempty"`

	// Stale counts requests whose kept connection the server had closed before the first byte of an answer. They were sent
	// again over a new connection, with their original start.
	Stale int64 `json:"stale"`

	// Unrequested counts connections that were closed because of bytes after a whole answer or between requests.
	Unrequested int64 `json:"unrequested"`

	// Latency is the time from the start of a request to the last byte of its right answer, FailedLatency to its failure.
	// A request starts with its first byte or with the attempt to open its connection.
	Latency       Distribution `json:"latency"`
	FailedLatency Distribution `json:"failed_latency"`

	// Connect is the time to open a connection, FirstByte from the start of a request to the first byte of its right
	// answer, TLSSetup from the open connection to the end of the handshake; nil without https.
	Connect   Distribution  `json:"connect"`
	FirstByte Distribution  `json:"first_byte"`
	TLSSetup  *Distribution `json:"tls_setup,omitempty"`

	// Lag is how much later than due requests left, Service the time from then to the last byte of the right answer. Both
	// are nil in a closed loop.
	Lag     *Distribution `json:"lag,omitempty"`
	Service *Distribution `json:"service,omitempty"`

	// Late is how long each request due was held up by the generator: it was due, not sent, and a connection was free. It is
	// nil in a closed loop, and for samples of another generator.
	Late *Distribution `json:"late,omitempty"`

	// Cut is how long requests were under way when they were cut; nil unless Config.Cut.
	Cut *Distribution `json:"cut,omitempty"`

	// TLS lists the ways in which connections were encrypted.
	TLS []TLS `json:"tls,omitempty"`

	// Seconds has an entry for each second of the window; the last may be shorter.
	Seconds []Second `json:"seconds"`

	// InFlight is nil unless the number of requests ended the window and nothing was cut.
	InFlight *InFlight `json:"in_flight,omitempty"`

	// CPU and Health are nil for samples of another generator, Health also if the window never started.
	CPU    *CPU    `json:"cpu,omitempty"`
	Health *Health `json:"health,omitempty"`

	// Warmup counts the requests started before the window.
	Warmup Warmup `json:"warmup"`
}

// Ending says what ended a window.
type Ending string

const (
	EndedByDuration Ending = "duration"
	EndedByRequests Ending = "requests" // the last of the wanted requests
)

// Completed counts right answers and failures by when they came.
type Completed struct {
	Right  int64 `json:"right"`
	Failed int64 `json:"failed"`
}

// WholeRequest is the share of a request that lies wholly in the window, in billionths.
const WholeRequest = 1e9

// Overlap adds up the share of each request that lies in the window, in billionths, so that sums are exact.
//
// Source: docs/method.md#definitions.
type Overlap struct {
	Right  int64 `json:"right_e9"`
	Failed int64 `json:"failed_e9"`

	// Time is how long requests were under way in the window: right, failed or cut.
	Time time.Duration `json:"time_ns"`
}

// Second is one second of the window.
type Second struct {
	// Attempted counts requests started in this second.
	Attempted int64 `json:"attempted"`

	// Completed counts requests that ended in it, Failures by kind; kinds without any are left out.
	Completed
	Failures map[Kind]int64 `json:"failures,omitempty"`

	// LatencySum is the sum of the latencies of the right answers.
	LatencySum time.Duration `json:"latency_sum_ns"`
}

// TLS is how connections were encrypted, in the names of crypto/tls.
type TLS struct {
	Version     string `json:"version"`      // such as "TLS 1.3"
	CipherSuite string `json:"cipher_suite"` // such as "TLS_AES_128_GCM_SHA256"
	Protocol    string `json:"protocol"`     // that ALPN agreed on: "http/1.1", or empty
}

// InFlight is the time that all clients together had a request under way or were thinking, in the Length from the start
// of the window to the start of the last request. Time / (Length · connections) is ρ of
// docs/method.md#quantities-checked.
type InFlight struct {
	Time   time.Duration `json:"time_ns"`
	Length time.Duration `json:"length_ns"`
}

// CPU is the processor time of this process between readings at the ends of the window, Length apart.
type CPU struct {
	User   time.Duration `json:"user_ns"`
	System time.Duration `json:"system_ns"`
	Length time.Duration `json:"length_ns"`

	// Threads has an entry for each thread of the load.
	Threads []ThreadCPU `json:"threads,omitempty"`

	// Busiest is the share of Length, 0 to 1, in which the busiest thread ran, without polling; at least the mean of the
	// process, since other threads set up TLS. It is nil if threads cannot be distinguished or the window is too short.
	Busiest *float64 `json:"busiest,omitempty"`
}

// ThreadCPU is the processor time of one thread, and how much of it was polling.
type ThreadCPU struct {
	Time    time.Duration `json:"time_ns"`
	Polling time.Duration `json:"polling_ns,omitempty"`
}

// Health says how much the threads of the load were kept from their work.
type Health struct {
	// Standstill is the longest time, from the start of the window to the last answer, in which a thread saw no events
	// because it was busy, had no core or was stopped. Events were noted up to that much too late. A stop counts from when
	// the thread wanted to wake up, which is up to 0.1 s later if it had nothing to do.
	Standstill time.Duration `json:"standstill_ns"`

	// Waiting is the largest share of the window in which a thread could have run and had no core; nil if unknown or if
	// the window is too short.
	Waiting *float64 `json:"waiting,omitempty"`
}

// Warmup counts the requests of the warm-up.
type Warmup struct {
	Attempted int64 `json:"attempted"`
	Answered  int64 `json:"answered"`
	Failed    int64 `json:"failed"`
}

// Distribution is a set of times in nanoseconds: exact in sum, min and max, as a histogram with three digits otherwise.
type Distribution struct {
	// Encoded is an HDR histogram (V2, compressed, base64) of the values up to Highest.
	Encoded string `json:"hdr"`
	Highest int64  `json:"highest_ns"`

	// Count, Min, Max and Sum are of all values, Overflow counts those above Highest. Without values, Min and Max are 0.
	Count    int64 `json:"count"`
	Min      int64 `json:"min_ns"`
	Max      int64 `json:"max_ns"`
	Sum      int64 `json:"sum_ns"`
	Overflow int64 `json:"overflow"`
}

// Histogram decodes the values up to Highest, in nanoseconds. It returns an error unless there are Count - Overflow.
func (d Distribution) Histogram() (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode([]byte(d.Encoded))
	if err != nil {
		return nil, fmt.Errorf("decoding histogram: %w", err)
	}
	if got, want := h.TotalCount(), d.Count-d.Overflow; got != want {
		return nil, fmt.Errorf("decoding histogram: it holds %d values, and its counts say %d", got, want)
	}
	return h, nil
}
