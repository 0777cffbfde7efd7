package loadgen

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run found. Unless a field says otherwise it is about the requests that were started in the
// window, each followed to its answer or timeout, whichever side of the window's end that was on, but for those that
// were cut. In an open loop a request is started when it is due, whether it leaves then or later.
//
// Source: docs/method.md#histogram, docs/validity.md#checks and docs/method.md#definitions.
type Result struct {
	SchemaVersion int `json:"schema_version"`
	Semantics     int `json:"semantics"`

	// Addresses are those the load went to, Unreachable those that the target's name has as well, but that
	// accepted no connection before the run. Addresses of a family that was not needed are in neither.
	Addresses   []netip.AddrPort `json:"addresses"`
	Unreachable []netip.AddrPort `json:"unreachable,omitempty"`

	// Start is the wall clock at the start of the window, Length the window's length by the monotonic clock.
	Start  time.Time     `json:"start"`
	Length time.Duration `json:"length_ns"`

	// EndedBy says what ended the window.
	EndedBy Ending `json:"ended_by"`

	// Attempted counts the requests started and not cut; Answered those of them with a right answer by their timeout,
	// Failed the others: Attempted = Answered + Failed.
	Attempted int64 `json:"attempted"`
	Answered  int64 `json:"answered"`
	Failed    int64 `json:"failed"`

	// Failures counts the failed requests by kind; every kind is present.
	Failures map[Kind]int64 `json:"failures"`

	// Status counts the whole answers, right or wrong, by status.
	Status map[int]int64 `json:"status"`

	// Completed counts what ended in the window, whenever it was started.
	Completed Completed `json:"completed"`

	// Overlap is how much of the requests lay in the window, whenever they were started and ended. The throughput of a
	// closed loop is Overlap.Right over Length; Little's law takes right answers and failures together.
	Overlap *Overlap `json:"overlap,omitempty"`

	// BytesIn and BytesOut went over connections in the window, heads and bodies, of whichever request.
	BytesIn  int64 `json:"bytes_in"`
	BytesOut int64 `json:"bytes_out"`

	// Connects counts the connections opened.
	Connects int64 `json:"connects"`

	// Due counts the requests that the schedule of an open loop has in the window, which are those attempted. Sent of
	// them left, with their first byte or with an attempt to connect; the others waited in vain for one of the
	// connections to be free. Blocked of them found none free when they were due. All are 0 in a closed loop.
	Due     int64 `json:"due,omitempty"`
	Sent    int64 `json:"sent,omitempty"`
	Blocked int64 `json:"blocked,omitempty"`

	// Offered is Due over Length, per second.
	Offered float64 `json:"offered,omitempty"`

	// Stale counts the requests whose kept-alive connection the server had closed before the first byte of an
	// answer came. They went over a fresh connection once more, with their start time kept, and are failures
	// only if that failed too.
	Stale int64 `json:"stale"`

	// Unrequested counts the connections given up because bytes came that nobody had asked for, after a whole
	// answer or between requests.
	Unrequested int64 `json:"unrequested"`

	// Latency is the time from the start of a request to the last byte of its right answer; FailedLatency that
	// to its failure. The start is the first byte sent or, if the request had to open its connection, the
	// connection attempt.
	Latency       Distribution `json:"latency"`
	FailedLatency Distribution `json:"failed_latency"`

	// Connect is the time it took to open a connection, for those that opened; FirstByte that from the start of
	// a request to the first byte of its right answer.
	Connect   Distribution `json:"connect"`
	FirstByte Distribution `json:"first_byte"`

	// TLSSetup is the time from the open connection to the end of the handshake, for those that came to it; nil if no
	// target is an https URL.
	TLSSetup *Distribution `json:"tls_setup,omitempty"`

	// Lag is how much later than due the requests of an open loop left, for all that were sent; Service the time from
	// when a request really left to the last byte of its right answer. Both are nil in a closed loop, where the one
	// would be 0 and the other the latency.
	Lag     *Distribution `json:"lag,omitempty"`
	Service *Distribution `json:"service,omitempty"`

	// Cut is how long the requests were under way that were so when Config.Requests others had ended; nil unless
	// Config.Cut.
	Cut *Distribution `json:"cut,omitempty"`

	// TLS has each way in which connections were encrypted, as a rule one.
	TLS []TLS `json:"tls,omitempty"`

	// Seconds has what was started and completed in each second of the window. The last one is shorter than a second
	// unless Length is a whole number of them.
	Seconds []Second `json:"seconds"`

	// InFlight is how busy the clients were, if the window was ended by the number of requests and nothing was cut; nil
	// otherwise, when Overlap tells.
	InFlight *InFlight `json:"in_flight,omitempty"`

	// CPU is what the generator itself used, nil where the system does not tell.
	CPU *CPU `json:"cpu,omitempty"`

	// Health is what kept the generator from its work, nil if its window has never started.
	Health *Health `json:"health,omitempty"`

	// Warmup counts the requests started before the window.
	Warmup Warmup `json:"warmup"`
}

// Ending says what ended a window.
type Ending string

const (
	EndedByDuration Ending = "duration" // the time was over
	EndedByRequests Ending = "requests" // the last of the wanted requests was completed
)

// Completed counts right answers and failures by when they came about.
type Completed struct {
	Right  int64 `json:"right"`
	Failed int64 `json:"failed"`
}

// WholeRequest is what a request counts that lies in the window from its start to its end.
const WholeRequest = 1e9

// Overlap adds up requests by the share of each that lies in the window, in billionths: so results add up exactly.
//
// Source: docs/method.md#definitions.
type Overlap struct {
	Right  int64 `json:"right_e9"`
	Failed int64 `json:"failed_e9"`

	// Time is how long requests were under way in the window, right, failed or cut.
	Time time.Duration `json:"time_ns"`
}

// Second is one second of the window.
type Second struct {
	// Attempted counts the requests started in this second.
	Attempted int64 `json:"attempted"`

	// Completed counts what ended in it, and Failures by kind what did so without a right answer; kinds without any are
	// left out.
	Completed
	Failures map[Kind]int64 `json:"failures,omitempty"`

	// LatencySum adds up the latencies of the right answers, so that it over Right is their mean.
	LatencySum time.Duration `json:"latency_sum_ns"`
}

// TLS is how connections were encrypted, in the names of Go's crypto/tls.
type TLS struct {
	Version     string `json:"version"`      // such as "TLS 1.3"
	CipherSuite string `json:"cipher_suite"` // such as "TLS_AES_128_GCM_SHA256"
	Protocol    string `json:"protocol"`     // that ALPN agreed on: "http/1.1", or empty
}

func (t TLS) compare(other TLS) int {
	return strings.Compare(t.Version+t.CipherSuite+t.Protocol, other.Version+other.CipherSuite+other.Protocol)
}

// InFlight adds up, over all clients, how long they had a request on its way or were thinking, from the start of
// the window to the start of the last request, which is Length. Time over Length times the number of connections
// is the ρ of docs/method.md#quantities-checked; with a Length of 0 there is none.
type InFlight struct {
	Time   time.Duration `json:"time_ns"`
	Length time.Duration `json:"length_ns"`
}

// CPU is the processor time of the generator's process between two readings at the ends of the window, which are
// Length apart: the window's length but for the delay with which a busy machine lets us read.
type CPU struct {
	User   time.Duration `json:"user_ns"`
	System time.Duration `json:"system_ns"`
	Length time.Duration `json:"length_ns"`

	// Threads are those that put the load on.
	Threads []ThreadCPU `json:"threads,omitempty"`

	// Busiest is the share of Length that the busiest thread of the load was running, in 0 to 1, polling left out, and
	// no less than the mean over them of the whole process, since other threads set up TLS. It is nil where threads
	// cannot be told apart or the window is too short for their clocks.
	Busiest *float64 `json:"busiest,omitempty"`
}

// ThreadCPU is the processor time of one thread. Polling of it went by in waiting for a moment to come, busily since
// a thread that sleeps wakes up late.
type ThreadCPU struct {
	Time    time.Duration `json:"time_ns"`
	Polling time.Duration `json:"polling_ns,omitempty"`
}

// Health is what kept the threads of the load from their work.
type Health struct {
	// Standstill is the longest time, from the start of the window to the last answer, in which one of them saw nothing
	// of its connections, because it was at work, had no core, or was stopped. What happened meanwhile was noted up to
	// that much too late. A stop counts from when the thread wanted to wake up, up to 0.1 s later if it had nothing to
	// do.
	Standstill time.Duration `json:"standstill_ns"`

	// Waiting is the share of the window in which the thread that waited for a core the longest could have run and had
	// none; nil where the system does not tell, or the window is too short for its clocks.
	Waiting *float64 `json:"waiting,omitempty"`
}

// Warmup counts the requests of the warm-up as Result counts those of the window.
type Warmup struct {
	Attempted int64 `json:"attempted"`
	Answered  int64 `json:"answered"`
	Failed    int64 `json:"failed"`
}

// Distribution is many times, as a histogram with about three digits, and exactly in sum. Times are in
// nanoseconds; without any, Min and Max are 0.
type Distribution struct {
	// Encoded is an HDR histogram, V2, compressed, in base64, of the values up to Highest.
	Encoded string `json:"hdr"`
	Highest int64  `json:"highest_ns"`

	// Count, Min, Max and Sum are of all values, Overflow counts those above Highest.
	Count    int64 `json:"count"`
	Min      int64 `json:"min_ns"`
	Max      int64 `json:"max_ns"`
	Sum      int64 `json:"sum_ns"`
	Overflow int64 `json:"overflow"`
}

// Histogram decodes the histogram, which holds Count - Overflow values in nanoseconds.
//
// The error says that it is no HDR histogram, or holds another number of values than it should.
func (d Distribution) Histogram() (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode([]byte(d.Encoded))
	if err != nil {
		return nil, fmt.Errorf("decoding histogram: %w", err)
	}
	if got, want := h.TotalCount(), d.Count-d.Overflow; got != want {
		return nil, fmt.Errorf("decoding histogram: it holds %d values, and the counts beside it say %d", got, want)
	}
	return h, nil
}
