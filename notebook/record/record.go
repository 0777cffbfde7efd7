// Package record saves and reads what a repetition measured.
//
// A Record has everything that a page says about the repetition: what was run (definition and inputs, digested into a
// key), where and when, every sample with its unit, and the facts found out at run time, which are not part of the key.
// Nothing else passes from measuring to rendering, so that a page can be rebuilt years later without an engine.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"benchbook/internal/files"
	"benchbook/internal/slice"
)

// SchemaVersion is the number of the layout below; a reader refuses what it does not know.
const SchemaVersion = 1

// These are the numbers of what our samples mean, of commands and of loads. That of a trial enters its key, and is
// raised when a change to how its samples are taken, as by the load generator, may change results, so that old and new
// are not mixed.
const (
	CommandSemantics = 1
	LoadSemantics    = 2
)

// OriginSemantics and LinkSemantics are the numbers of what our origin and our link do. They enter the keys of trials
// that have one, and are raised when the same definition comes to mean something else.
const (
	OriginSemantics = 1
	LinkSemantics   = 1
)

// Record is one repetition of one trial, or one search before its repetitions.
type Record struct {
	SchemaVersion int    `json:"schema_version" range:"any"`
	Article       string `json:"article"`    // slug
	Experiment    string `json:"experiment"` // name
	Trial         string `json:"trial"`      // its identifying values, shortened
	Key           string `json:"key"`        // digest of the trial's inputs, in hexadecimal
	// start in UTC and four letters, the same for all experiments that were measured in one go
	Run  string `json:"run"`
	Plan string `json:"plan"` // digest of the experiment as it was planned
	// Plans are such digests of all experiments that the run was to measure, by their names. Older records have none.
	Plans      map[string]string `json:"plans,omitempty"`
	Profile    string            `json:"profile"`
	Host       string            `json:"host"`                   // class and digest, never a name
	Repetition int               `json:"repetition" range:"0.."` // from 1; 0 for a search
	Planned    int               `json:"planned" range:"0.."`    // repetitions of the plan, at most
	// Looks are the rounds after which the run was planned to judge its claims, rising; the last is Planned. Older
	// records have none: they were planned with one look.
	Looks []int `json:"looks,omitempty" range:"0.."`
	// Calibration says that this is the second half of the A/A pair: the trial under another name.
	Calibration bool        `json:"calibration,omitempty"`
	Parameters  []Parameter `json:"parameters"` // identifying, in the order of the axes
	Labels      []Parameter `json:"labels,omitempty"`

	Order   Order     `json:"order"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Parts is how the time between Started and Ended was spent, in seconds: "settle", "start" of services and of a load
	// that stands by beside them, "prepare", "warmup", "measure", "load" around these two, such as the start of a
	// container that does not stand by and late answers, "conclude", and "stop". Older records have "load" in "start".
	Parts map[string]float64 `json:"parts,omitempty" range:"any"`

	// Failure says, in one sentence, why there are no samples. A failed benchmark is a result.
	Failure string `json:"failure,omitempty"`
	// Log is the end of what the services and the load generator wrote, kept when there is a Failure.
	Log string `json:"log,omitempty"`

	// Output is what another tool than ours printed, whole up to MaxOutput bytes. Of more the middle is left out, and a
	// line says how much.
	Output string `json:"output,omitempty"`
	// Search is what a search tried and found; nil for a repetition.
	Search *Search `json:"search,omitempty"`

	Samples []Sample `json:"samples,omitempty"`
	// why metrics that the experiment looks for are not among Samples, by their names
	Missing map[string]string `json:"missing,omitempty"`
	// "latency", "latency.failed", its parts "latency.connect", "latency.tls", "latency.first_byte"; of an open loop
	// "lag", "service"; "latency.cut" is how long requests were under way that were cut
	Histograms map[string]Histogram `json:"histograms,omitempty"`
	Load       *Load                `json:"load,omitempty"`
	Command    *Command             `json:"command,omitempty"`
	Machine    *Machine             `json:"machine,omitempty"`
	Before     *Before              `json:"before,omitempty"`

	Definition json.RawMessage   `json:"definition"` // the trial as it was resolved
	Inputs     []Input           `json:"inputs"`
	Facts      map[string]string `json:"facts"`
	// Lists are long facts by their digests, which replace them: see Condense. Reading a folder puts them back.
	Lists map[string]string `json:"lists,omitempty"`

	Doubts *Doubts `json:"-"` // nil for a record that was not checked
}

// Doubts are contradictions within a record, see Check.
type Doubts struct {
	Invalid []string
}

// Parameter is one setting of a trial.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"` // as written
}

// Order is the place of the repetition in its run.
type Order struct {
	Seed     int64 `json:"seed" range:"any"`
	Round    int   `json:"round" range:"0.."`    // from 1
	Position int   `json:"position" range:"0.."` // in the whole experiment, from 1; beyond Of for one that was not planned
	Of       int   `json:"of" range:"0.."`
	// Replaces is the repetition that the machine disturbed and this one replaces, after all planned ones.
	Replaces int `json:"replaces,omitempty" range:"0.."`
}

// Sample is one number that was measured, unrounded.
type Sample struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value" range:"any"`
	Unit   string  `json:"unit"`
	// resolution of the tool in Unit; 0 for a fine one
	Step float64 `json:"step,omitempty" range:"0.."`
}

// Histogram is the distribution of times of one repetition.
type Histogram struct {
	HDR   string `json:"hdr"` // V2 compressed, base64, in nanoseconds, three digits
	Count int64  `json:"count" range:"0.."`
	// above the highest value the histogram can hold; counted in Count
	Overflow int64   `json:"overflow,omitempty" range:"0.."`
	Min      float64 `json:"min" range:"0.."` // exact, in seconds, as are Max and Sum
	Max      float64 `json:"max" range:"0.."`
	Sum      float64 `json:"sum" range:"0.."`
	// the tool's own step, in seconds; 0 where the digits of the histogram are coarser
	Step float64 `json:"step,omitempty" range:"0.."`
}

// Load is what validity checks and percentiles need to know about a load that was put on.
type Load struct {
	WindowStart time.Time        `json:"window_start"`
	Window      float64          `json:"window" range:"0.."`      // length in seconds
	Connections int              `json:"connections" range:"0.."` // clients of the closed loop
	Think       float64          `json:"think" range:"0.."`       // seconds
	Attempted   int64            `json:"attempted" range:"-1.."`  // requests started in the window
	Failed      int64            `json:"failed" range:"-1.."`     // of them, without a right answer
	Failures    map[string]int64 `json:"failures" range:"0.."`    // by kind
	Statuses    map[string]int64 `json:"statuses" range:"0.."`    // answers by status code
	Completed   int64            `json:"completed" range:"-1.."`  // right answers that came in the window
	Completions []int64          `json:"completions" range:"0.."` // by second of the window, right or failed
	// Overlap is how much of the requests of a closed loop lay in the window, if the generator tells when each began and
	// ended. Older records have none, and of open loops there is none.
	Overlap *Overlap `json:"overlap,omitempty"`
	// mean share of the connections with a request under way; -1 unknown
	InFlight     float64 `json:"in_flight" range:"-1.."`
	InFlightOver float64 `json:"in_flight_over" range:"0.."` // the seconds that it was taken over
	// share of the generator's busiest thread, of several the largest; -1 unknown
	Busy float64 `json:"busy" range:"-1.."`
	// share of failures that the article expects; 1 for any
	FailuresMax float64 `json:"failures_max" range:"0.."`
	// share of the host's CPU time used by others; -1 unknown
	ForeignCPU   float64 `json:"foreign_cpu" range:"-1.."`
	StaleRetries int64   `json:"stale_retries,omitempty" range:"0.."`

	// Health is what kept the generator from its work, of several the worst; nil where nothing tells. Older records have
	// none.
	Health *Health `json:"health,omitempty"`

	// Tool is the program that put the load on, if it is another than ours. Then Attempted, Failed and Completed are -1
	// where it does not tell them, Failures has only the kinds that it tells from others, and Statuses is null if it does
	// not tell those of all answers.
	Tool string `json:"tool,omitempty"`

	// Driver is the program of the article that put the load on, if it was one: its image and command. Where it told of
	// each request there is no Tool, and everything is as from our own but what it cannot tell; else Tool is DriverTool.
	Driver string `json:"driver,omitempty"`

	// Open is the schedule of an open loop; nil for a closed one.
	Open *OpenLoop `json:"open,omitempty"`
	// Answers and Latencies are the right answers of each second of the window and the sum of their latencies in seconds.
	// Older records have none.
	Answers   []int64   `json:"answers,omitempty" range:"0.."`
	Latencies []float64 `json:"latencies,omitempty" range:"0.."`
}

// DriverTool is the Tool of a Driver.
const DriverTool = "the driver"

// Throughput returns the right answers per second; false if the load generator did not count them, or the window has no
// length.
//
// Source: docs/method.md#definitions.
func (l *Load) Throughput() (perSecond float64, ok bool) {
	switch {
	case l.Completed < 0 || l.Window <= 0:
		return 0, false
	case l.Overlap != nil:
		return l.Overlap.Right / l.Window, true
	}
	return float64(l.Completed) / l.Window, true
}

// CompletionsBySecond returns the answers of each second of the window, right or failed.
func (l *Load) CompletionsBySecond() []float64 {
	return slice.Map(l.Completions, func(n int64) float64 { return float64(n) })
}

// LatenciesBySecond returns the mean latency of each second of the window, in seconds; NaN without right answers.
func (l *Load) LatenciesBySecond() []float64 {
	var out []float64
	for i, n := range l.Answers {
		mean := math.NaN()
		if n > 0 && i < len(l.Latencies) {
			mean = l.Latencies[i] / float64(n)
		}
		out = append(out, mean)
	}
	return out
}

// Cores returns how many logical CPUs the machine has; 0 if that is unknown, or there were several machines.
func (r *Record) Cores() int {
	count, _, _ := strings.Cut(r.Facts["host.cores"], " ")
	n, err := strconv.Atoi(count)
	if err != nil || strings.Contains(r.Host, "+") {
		return 0
	}
	return n
}

// Least returns how many repetitions of the trial a run has at least: those up to its first look. Later ones may be
// missing, if everything that needs them was decided.
//
// Source: docs/method.md#number-of-looks.
func (r *Record) Least() int {
	if len(r.Looks) > 0 {
		return r.Looks[0]
	}
	return r.Planned
}

// HasLeast reports whether all of the first repetitions of a trial are there, at least so many.
func HasLeast(least int, has func(repetition int) bool) bool {
	for k := 1; k <= least; k++ {
		if !has(k) {
			return false
		}
	}
	return true
}

// IsOpenLoop reports whether a load followed a schedule.
func (r *Record) IsOpenLoop() bool { return r.Load != nil && r.Load.Open != nil }

// Overlap adds up requests, each by the share of its time that lies in the window: those that an end of the window
// cuts count in part.
type Overlap struct {
	Right  float64 `json:"right" range:"0.."`
	Failed float64 `json:"failed" range:"0.."`
	Time   float64 `json:"time" range:"0.."` // seconds that these requests were under way in the window
}

// Health is what kept a load generator or the timer of a command from its work, so that it noted late what had
// happened.
type Health struct {
	// seconds that one of its threads stood still at a stretch, the longest; -1 unknown
	Standstill float64 `json:"standstill" range:"-1.."`
	// share of the window that one of its threads waited for a core, the largest; -1 unknown
	Waiting float64 `json:"waiting" range:"-1.."`
}

// OpenLoop is how far a load kept to its schedule in the window.
type OpenLoop struct {
	Rate     float64 `json:"rate" range:"0.."`    // requests per second that were asked for; 0 where stages change it
	Arrivals string  `json:"arrivals"`            // "constant" or "poisson"
	Due      int64   `json:"due" range:"0.."`     // requests that the schedule has
	Sent     int64   `json:"sent" range:"0.."`    // of them, those that left
	Blocked  int64   `json:"blocked" range:"0.."` // of them, those that found no free connection when they were due
}

// Command is what validity checks need to know about a command that was timed. Older records have none.
type Command struct {
	Start      time.Time `json:"start"`
	Real       float64   `json:"real" range:"0.."`         // seconds that it ran
	ForeignCPU float64   `json:"foreign_cpu" range:"-1.."` // share of the host's CPU time used by others; -1 unknown
	Health     *Health   `json:"health,omitempty"`
}

// FactOthers is the fact with the other programs that used most CPU time, each with its share of all CPUs. It is there if
// others used more than is ok by docs/validity.md#checks.
const FactOthers = "cpu.others"

// FactStart is the fact that numbers the start of services, if several repetitions may have run on it.
const FactStart = "services.start"

// FactTarget is the fact with the kind of a target that benchbook did not start.
const (
	FactTarget    = "load.target"
	RunningTarget = "running already"
)

// FactLeftOut is the fact that the clock was set during a repetition, so that some samples are left out.
const FactLeftOut = "usage.left_out"

// ClockError is how far the clock of another machine may be ahead of ours: new runs are named after its runs.
const ClockError = time.Minute

// Prefixes of facts that say what a service or the command of a trial was run from. Its name follows.
const (
	// FactBase is the image itself, or those that it was built from: "REFERENCE ID", several with semicolons between them.
	FactBase = "base."
	// FactProgram is a file of the engine's machine, with its digest and package; for a script also the files it names.
	FactProgram = "program."
	// ReplacedBy is in FactBase between the reference and a substitute that was built on the engine's machine.
	ReplacedBy = " replaced by "
)

// HostID is the ID of a machine by the model of its processor, the number of its logical CPUs, and its memory: a class
// and a short digest, such as "c2-1f3a9b".
func HostID(model string, cores, gib int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%d", model, cores, gib))
	return fmt.Sprintf("c%d-%s", cores, hex.EncodeToString(sum[:3]))
}

// FactRevision is the fact of which revision of its git repository an article was measured from: twelve digits of the
// commit, followed by "+changes" if the article was not as committed there; or NoRevision with the reason.
const FactRevision = "article.revision"

// NoRevision begins the fact without a revision.
const NoRevision = "none: "

// Machine is what happened on the machine in the window of a load, or while a command ran. Older records have none.
type Machine struct {
	// share of the CPU time of all cores that went to other virtual machines; -1 unknown
	Steal     float64 `json:"steal" range:"-1.."`
	SwappedIn int64   `json:"swapped_in" range:"-1.."` // bytes that were read from swap; -1 unknown
	// by service; those that an engine tells nothing of are absent
	Throttled map[string]Throttling `json:"throttled"`
	// Threads is the share of the time that the busiest thread of a service was running, by service, as Throttled is.
	Threads  map[string]float64 `json:"threads,omitempty" range:"0.."`
	Sampling *Sampling          `json:"sampling,omitempty"`
}

// Throttling is how often a service was held back by a limit of its CPU time.
type Throttling struct {
	Periods   int64 `json:"periods" range:"0.."` // with a limit in force
	Throttled int64 `json:"throttled" range:"0.."`
	Limited   bool  `json:"limited"` // the article set the limit
}

// Input is one thing that went into a trial's key.
type Input struct {
	Name   string `json:"name"` // such as "config /srv/server.py" or "definition"
	Digest string `json:"digest"`
}

// Parse reads a record. The error says why data is not a record, or which value is impossible.
func Parse(data []byte) (*Record, error) {
	var r Record
	err := json.Unmarshal(data, &r)
	// a record of another version may have other types, so its version is read alone
	if err != nil || r.SchemaVersion != SchemaVersion {
		var other struct {
			SchemaVersion int `json:"schema_version"`
		}
		if err := json.Unmarshal(data, &other); err != nil {
			return nil, fmt.Errorf("not a record: %w", InvalidJSON(err))
		}
		if other.SchemaVersion != SchemaVersion {
			return nil, fmt.Errorf("record of version %d; this benchbook reads version %d", other.SchemaVersion, SchemaVersion)
		}
		return nil, fmt.Errorf("not a record: %w", InvalidJSON(err))
	}
	if r.Experiment == "" || r.Trial == "" || r.Key == "" || r.Run == "" || r.Repetition < 1 && r.Search == nil {
		return nil, errors.New("not a record: it does not say of what")
	}
	if r.Search != nil && r.Repetition != 0 {
		return nil, errors.New("not a record: it is of a repetition and of a search")
	}
	if err := r.checkNames(); err != nil {
		return nil, fmt.Errorf("not a record: %w", InvalidJSON(err))
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return &r, nil
}

// checkNames checks that the names in a record can be names of files: records are saved and removed there.
func (r *Record) checkNames() error {
	for _, of := range []struct{ what, name string }{{"host", r.Host}, {"profile", r.Profile},
		{"experiment", r.Experiment}, {"run", r.Run}, {"key", r.Key}} {
		if of.name != "" && !files.IsName(of.name) { // an empty one leads nowhere
			return fmt.Errorf("%q cannot be the name of its %s", of.name, of.what)
		}
	}
	return nil
}

// End sets the end of the repetition to now, or to its start and the time passed if the clock was set back.
func (r *Record) End(now time.Time, passed time.Duration) {
	r.Ended = now.UTC().Round(0)
	if least := r.Started.Round(0).Add(passed); r.Ended.Before(least) {
		r.Ended = least
	}
}

// MaxOutput is how much of the output of a tool a record keeps, in bytes: records are committed.
const MaxOutput = 256 << 10

// KeepOutput returns output as a record keeps it, see Record.Output.
func KeepOutput(printed []byte) string {
	if len(printed) <= MaxOutput {
		return strings.ToValidUTF8(string(printed), "\uFFFD")
	}
	head, tail := printed[:MaxOutput/2], printed[len(printed)-MaxOutput/2:]
	left := len(printed) - len(head) - len(tail)
	return strings.ToValidUTF8(string(head), "") + fmt.Sprintf("\n[benchbook left out %d bytes here]\n", left) +
		strings.ToValidUTF8(string(tail), "")
}

// ofMachine reports whether a file could not be read because the machine is out of files or memory: then other files
// cannot be read either, and this one can be read later.
func ofMachine(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// unreadable returns why a file or folder is left out, without its path.
func unreadable(err error) error {
	if errors.Is(err, files.ErrNotRegular) || errors.Is(err, files.ErrTooLarge) {
		return fmt.Errorf("not a record: %w", err)
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return fmt.Errorf("it cannot be read: %w", err)
}

// largeRecord is the size in bytes of a record with histograms and series, and the list of packages of an image.
const largeRecord = 64 << 10

// Writable makes the folder, and checks that a record can be saved in it.
func (d Dir) Writable() error {
	err := os.MkdirAll(string(d), 0o755)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(string(d), ".writable-"); err == nil {
			err = os.Remove(probe.Name()) // first, so that a killed process leaves nothing
			_, failed := probe.Write(make([]byte, largeRecord))
			err = errors.Join(err, failed, probe.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("records cannot be saved: %w", err)
	}
	return nil
}

// Sample returns the sample of a metric.
func (r *Record) Sample(metric string) (Sample, bool) {
	return slice.Find(r.Samples, func(s Sample) bool { return s.Metric == metric })
}

// Before is the state of the machine right before a repetition. Older records have none, or say more.
type Before struct {
	Waited  float64 `json:"waited" range:"0.."` // seconds that it was given to come to rest
	Settled bool    `json:"settled"`            // it came to rest

	Jitter  float64 `json:"jitter" range:"-1.."`  // seconds that the latest of some timers of a millisecond was late
	Foreign float64 `json:"foreign" range:"-1.."` // share of the CPUs that other programs wanted; -1 unknown
}

// Sampling is what it cost to read the usage of services. Older records have none.
type Sampling struct {
	// processor time of the reading over the time of the window, in cores; -1 unknown
	Cost float64 `json:"cost" range:"-1.."`
	Gap  float64 `json:"gap" range:"0.."` // longest time between two readings, in seconds
}

// InvalidJSON says what is wrong with JSON without the names of Go's types. Any other error stays as it is.
func InvalidJSON(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			return errors.New("the JSON ends too early")
		}
		return fmt.Errorf("invalid JSON at byte %d", syntax.Offset)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		value, number, _ := strings.Cut(kind.Value, " ") // "number 1.5"
		article := "a"
		if strings.ContainsAny(value[:min(len(value), 1)], "aeiou") {
			article = "an"
		}
		if kind.Field == "" {
			return fmt.Errorf("the JSON cannot be %s %s", article, value)
		}
		return errors.New(strings.TrimRight(fmt.Sprintf("%q cannot be %s %s %s", kind.Field, article, value, number), " "))
	}
	return err
}
