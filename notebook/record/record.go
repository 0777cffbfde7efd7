// Package record saves and reads measured repetitions.
//
// A Record is all that a page can show of a repetition: definition and inputs, digested into a key; place and time;
// samples with units; and facts found at run time, which are not part of the key. Records are the only link between
// measuring and rendering, so a page can be rebuilt years later without an engine.
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

// SchemaVersion is the version of the layout below. Readers reject others.
const SchemaVersion = 1

// Versions of how commands and loads are sampled, and of what benchbook's origin and link do. They are part of the
// keys of trials that use them. Raise one when a change of how samples are taken may change results, such as a change
// of the load generator: old and new results are then not mixed.
const (
	CommandSemantics = 1
	LoadSemantics    = 2
	OriginSemantics  = 1
	LinkSemantics    = 1
)

// Record is one repetition of a trial, or one search before its repetitions.
type Record struct {
	SchemaVersion int    `json:"schema_version" range:"any"`
	Article       string `json:"article"`    // slug
	Experiment    string `json:"experiment"` // name
	Trial         string `json:"trial"`      // its parameter values, shortened
	Key           string `json:"key"`        // digest of the trial's inputs, in hexadecimal
	// start in UTC and four letters, the same for all experiments of the run
	Run  string `json:"run"`
	Plan string `json:"plan"` // digest of the experiment as planned
	// Plans are the digests of all planned experiments of the run, by name. Older records have none.
	Plans      map[string]string `json:"plans,omitempty"`
	Profile    string            `json:"profile"`
	Host       string            `json:"host"`                   // class and distinguishing suffix, never a host name
	Repetition int               `json:"repetition" range:"0.."` // from 1; 0 for a search
	Planned    int               `json:"planned" range:"0.."`    // most repetitions in the plan
	// Looks are the rounds after which the run judges its claims, ascending; the last is Planned. Older records have
	// none: they have one look.
	Looks []int `json:"looks,omitempty" range:"0.."`
	// Calibration marks the second half of an A/A pair: the trial under another name.
	Calibration bool        `json:"calibration,omitempty"`
	Parameters  []Parameter `json:"parameters"` // identifying, in the order of the axes
	Labels      []Parameter `json:"labels,omitempty"`

	Order   Order     `json:"order"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Parts divides the time from Started to Ended, in seconds: "settle"; "start" of services and of a waiting load
	// generator; "prepare"; "warmup"; "measure"; "load", the rest of the load, such as the start of its container and
	// late answers; "stop". In older records "load" is part of "start".
	Parts map[string]float64 `json:"parts,omitempty" range:"any"`

	// Failure says in one sentence why there are no samples. A failed benchmark is a result.
	Failure string `json:"failure,omitempty"`
	// Log is the end of the logs of services and load generator, kept with a Failure.
	Log string `json:"log,omitempty"`

	// Output is what a tool printed, see KeepOutput.
	Output string `json:"output,omitempty"`
	// Search is nil for a repetition.
	Search *Search `json:"search,omitempty"`

	Samples []Sample `json:"samples,omitempty"`
	// by metric of the experiment, why it has no sample
	Missing map[string]string `json:"missing,omitempty"`
	// "latency" with its parts "latency.connect", "latency.tls" and "latency.first_byte"; "latency.failed";
	// "latency.cut", the ages of cut requests; for an open loop "lag", "service", and "lag.generator", the part of
	// the lag for which a connection was free
	Histograms map[string]Histogram `json:"histograms,omitempty"`
	Load       *Load                `json:"load,omitempty"`
	Command    *Command             `json:"command,omitempty"`
	Machine    *Machine             `json:"machine,omitempty"`
	Before     *Before              `json:"before,omitempty"`

	Definition json.RawMessage   `json:"definition"` // the resolved trial
	Inputs     []Input           `json:"inputs"`
	Facts      map[string]string `json:"facts"`
	// Lists has long facts by digest, see Condense. Dir.Read puts them back.
	Lists map[string]string `json:"lists,omitempty"`

	Checked        bool   `json:"-"` // Check was called
	Contradictions Faults `json:"-"` // within the record
}

// Parameter is one setting of a trial.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"` // as written
}

// Order is the position of the repetition in its run.
type Order struct {
	Seed     int64 `json:"seed" range:"any"`
	Round    int   `json:"round" range:"0.."`    // from 1
	Position int   `json:"position" range:"0.."` // in the experiment, from 1; above Of for an additional repetition
	Of       int   `json:"of" range:"0.."`
	// Replaces is the number of the disturbed repetition that this one replaces, after all planned ones.
	Replaces int `json:"replaces,omitempty" range:"0.."`
}

// Sample is one measured number, unrounded.
type Sample struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value" range:"any"`
	Unit   string  `json:"unit"`
	// resolution of the tool in Unit; 0 for a fine one
	Step float64 `json:"step,omitempty" range:"0.."`
	// the benchmark in a framework's output; empty for the repetition as a whole
	Benchmark string `json:"benchmark,omitempty"`
}

// Histogram is the distribution of times of one repetition.
type Histogram struct {
	HDR   string `json:"hdr"` // V2 compressed, base64, in nanoseconds, three digits
	Count int64  `json:"count" range:"0.."`
	// values above the histogram's highest, part of Count
	Overflow int64   `json:"overflow,omitempty" range:"0.."`
	Min      float64 `json:"min" range:"0.."` // exact, in seconds, as are Max and Sum
	Max      float64 `json:"max" range:"0.."`
	Sum      float64 `json:"sum" range:"0.."`
	// resolution of the tool in seconds; 0 if the histogram is coarser
	Step float64 `json:"step,omitempty" range:"0.."`
}

// Load describes a load for validity checks and percentiles.
type Load struct {
	WindowStart time.Time        `json:"window_start"`
	Window      float64          `json:"window" range:"0.."`      // length in seconds
	Connections int              `json:"connections" range:"0.."` // clients of the closed loop
	Think       float64          `json:"think" range:"0.."`       // seconds
	Attempted   int64            `json:"attempted" range:"-1.."`  // requests begun in the window
	Failed      int64            `json:"failed" range:"-1.."`     // of these, without a right answer
	Failures    map[string]int64 `json:"failures" range:"0.."`    // by kind
	Statuses    map[string]int64 `json:"statuses" range:"0.."`    // answers by status code
	Completed   int64            `json:"completed" range:"-1.."`  // right answers that arrived in the window
	Completions []int64          `json:"completions" range:"0.."` // by second of the window, right or failed
	// Overlap is nil for open loops, generators without times of single requests, and older records.
	Overlap *Overlap `json:"overlap,omitempty"`
	// mean share of the connections with a request under way; -1 unknown
	InFlight     float64 `json:"in_flight" range:"-1.."`
	InFlightOver float64 `json:"in_flight_over" range:"0.."` // seconds of that mean
	// share of time that the generator's busiest thread worked; -1 unknown
	Busy float64 `json:"busy" range:"-1.."`
	// share of failures that the article expects; 1 for any
	FailuresMax float64 `json:"failures_max" range:"0.."`
	// share of the host's CPU time used by others; -1 unknown
	ForeignCPU   float64 `json:"foreign_cpu" range:"-1.."`
	StaleRetries int64   `json:"stale_retries,omitempty" range:"0.."`

	// Health is nil for generators that do not report it, and in older records.
	Health *Health `json:"health,omitempty"`

	// Tool is the load generator if it is not benchbook's. Attempted, Failed and Completed are -1 if it does not report
	// them; Failures has the kinds that it distinguishes; Statuses is nil unless it reports all of them.
	Tool string `json:"tool,omitempty"`

	// Driver is the image and command of the article's own load generator. If it reports each request, Tool is empty;
	// else Tool is DriverTool.
	Driver string `json:"driver,omitempty"`

	// Open is the schedule of an open loop; nil for a closed one.
	Open *OpenLoop `json:"open,omitempty"`
	// Answers and Latencies are, by second of the window, the right answers and the sum of their latencies in seconds.
	// Older records have none.
	Answers   []int64   `json:"answers,omitempty" range:"0.."`
	Latencies []float64 `json:"latencies,omitempty" range:"0.."`
}

// DriverTool is the Tool of a Driver that does not report each request.
const DriverTool = "the driver"

// Throughput returns the right answers per second; false if they were not counted, or the window has no length.
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

// CompletionsBySecond returns the number of answers in each second of the window, right or failed.
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

// Cores returns the number of logical CPUs; 0 if it is unknown, or if there were several machines.
func (r *Record) Cores() int {
	count, _, _ := strings.Cut(r.Facts["host.cores"], " ")
	n, err := strconv.Atoi(count)
	if err != nil || strings.Contains(r.Host, "+") {
		return 0
	}
	return n
}

// Least returns how many repetitions a complete run has at least: those of its first look. Later ones are missing if
// all claims about the trial were decided.
//
// Source: docs/method.md#number-of-looks.
func (r *Record) Least() int {
	if len(r.Looks) > 0 {
		return r.Looks[0]
	}
	return r.Planned
}

// Gapless counts the repetitions of a trial from 1 up to the first missing one.
func Gapless[V any](repetitions map[int]V) (n int) {
	for {
		if _, ok := repetitions[n+1]; !ok {
			return n
		}
		n++
	}
}

// IsOpenLoop reports whether a load followed a schedule.
func (r *Record) IsOpenLoop() bool { return r.Load != nil && r.Load.Open != nil }

// Overlap sums the requests of a closed loop, each weighted by the share of its time inside the window.
type Overlap struct {
	Right  float64 `json:"right" range:"0.."`
	Failed float64 `json:"failed" range:"0.."`
	Time   float64 `json:"time" range:"0.."` // of these requests inside the window, in seconds
}

// Health describes interruptions of the load generator, or of the timer of a command, which make its times too long.
// With several generators, it has the worst values.
type Health struct {
	// longest interruption of one of its threads, in seconds; -1 unknown
	Standstill float64 `json:"standstill" range:"-1.."`
	// largest share of the window that one of its threads waited for a core; -1 unknown
	Waiting float64 `json:"waiting" range:"-1.."`
}

// OpenLoop compares the load in the window with its schedule.
type OpenLoop struct {
	Rate     float64 `json:"rate" range:"0.."`    // requests per second on schedule; 0 if stages change it
	Arrivals string  `json:"arrivals"`            // "constant" or "poisson"
	Due      int64   `json:"due" range:"0.."`     // requests on schedule
	Sent     int64   `json:"sent" range:"0.."`    // of Due
	Blocked  int64   `json:"blocked" range:"0.."` // of Due, without a free connection in time
}

// Command describes a timed command, for validity checks. Older records have none.
type Command struct {
	Start      time.Time `json:"start"`
	Real       float64   `json:"real" range:"0.."`         // seconds
	ForeignCPU float64   `json:"foreign_cpu" range:"-1.."` // share of the host's CPU time used by others; -1 unknown
	Health     *Health   `json:"health,omitempty"`
}

// ClockError bounds how far another machine's clock may be ahead of ours, so that new runs are named after its runs.
const ClockError = time.Minute

const (
	// FactOthers names the other programs that used most CPU time, each with its share of all CPUs. Only records with
	// more foreign CPU than the ok limit of docs/validity.md#checks have it.
	FactOthers = "cpu.others"
	// FactTarget is the kind of a target that benchbook did not start.
	FactTarget    = "load.target"
	RunningTarget = "running already"
	// FactLeftOut says that samples were left out because the clock was set during the repetition.
	FactLeftOut = "usage.left_out"
	// FactRevision is the git revision of the measured article: twelve digits of the commit, followed by "+changes" if
	// there were uncommitted changes; or NoRevision with the reason.
	FactRevision = "article.revision"
	NoRevision   = "none: "
	// FactClaims is what the article claimed when the repetition was measured, as JSON. It is a list like those of
	// packages: one record of a run has it, the others its digest.
	FactClaims = "article.claims"

	// FactImage is the id of an image. This and the prefixes below are followed by the name of a service.
	FactImage = "image."
	// FactBase is the image, or its base images: "REFERENCE ID", separated by semicolons.
	FactBase = "base."
	// FactProgram is a file of the engine's machine, with its digest and package; for a script, also its files.
	FactProgram = "program."
	// ReplacedBy separates, in FactBase, a reference from its substitute, which was built on the engine's machine.
	ReplacedBy = " replaced by "
)

// MachineClass returns the class of a machine, from its processor model, logical CPUs and memory in GiB: "c2-1f3a9b".
func MachineClass(model string, cores, gib int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%d", model, cores, gib))
	return fmt.Sprintf("c%d-%s", cores, hex.EncodeToString(sum[:3]))
}

// ClassOf returns the class of a host. In older records it is the whole host.
func ClassOf(host string) string {
	class, _, _ := strings.Cut(host, ".")
	return class
}

// conditionFacts are what can change on a machine and may change results. The first of each group is always known if
// its machine or engine is.
var conditionFacts = [][]string{
	{"host.kernel", "host.mitigations", "host.microcode", "host.virtual", "host.governor"},
	{"engine.name", "engine.version"},
}

// OtherConditions returns the facts in which two conditions of a host differ, such as "host.kernel": measurements under
// them belong to different sessions. Facts of an engine that one of them lacks are not compared.
//
// Source: docs/method.md#hosts.
func OtherConditions(a, b map[string]string) (differ []string) {
	for _, group := range conditionFacts {
		if a[group[0]] == "" || b[group[0]] == "" {
			continue
		}
		differ = append(differ, slice.Filter(group, func(fact string) bool { return a[fact] != b[fact] })...)
	}
	return differ
}

// ConditionName words a fact from OtherConditions: "kernel", "engine version".
func ConditionName(fact string) string {
	if fact == "engine.name" {
		return "engine"
	}
	return strings.ReplaceAll(strings.TrimPrefix(fact, "host."), ".", " ")
}

// IsCommitted reports whether a FactRevision is a commit without changes.
func IsCommitted(revision string) bool {
	return revision != "" && !strings.HasPrefix(revision, NoRevision) && !strings.HasSuffix(revision, "+changes")
}

// Machine describes the machine during the window of a load, or during a command. Older records have none.
type Machine struct {
	// share of the CPU time of all cores that other virtual machines took; -1 unknown
	Steal     float64 `json:"steal" range:"-1.."`
	SwappedIn int64   `json:"swapped_in" range:"-1.."` // bytes read from swap; -1 unknown
	// by service, if the engine reports it
	Throttled map[string]Throttling `json:"throttled"`
	// Threads is the share of time that the busiest thread was running, by service, if the engine reports it.
	Threads  map[string]float64 `json:"threads,omitempty" range:"0.."`
	Sampling *Sampling          `json:"sampling,omitempty"`
}

// Throttling counts the periods in which a CPU limit held back a service.
type Throttling struct {
	Periods   int64 `json:"periods" range:"0.."` // with a limit in force
	Throttled int64 `json:"throttled" range:"0.."`
	Limited   bool  `json:"limited"` // the article set the limit
}

// Input is one of the things digested into a trial's key.
type Input struct {
	Name   string `json:"name"` // such as "config /srv/server.py" or "definition"
	Digest string `json:"digest"`
}

// Parse parses a record. The error is for data that is not a record, or for its first impossible value.
func Parse(data []byte) (*Record, error) {
	var r Record
	err := json.Unmarshal(data, &r)
	if r.SchemaVersion != SchemaVersion && (err == nil || r.SchemaVersion != 0) { // another version may have other types
		return nil, fmt.Errorf("record of version %d; this benchbook reads version %d", r.SchemaVersion, SchemaVersion)
	}
	switch {
	case err != nil:
		err = InvalidJSON(err)
	case r.Experiment == "" || r.Trial == "" || r.Key == "" || r.Run == "" || r.Repetition < 1 && r.Search == nil:
		err = errors.New("it does not say of what")
	case r.Search != nil && r.Repetition != 0:
		err = errors.New("it is of a repetition and of a search")
	default:
		err = r.checkNames()
	}
	if err != nil {
		return nil, fmt.Errorf("not a record: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return &r, nil
}

// checkNames checks that names can be part of a path.
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

// MaxOutput is the most output of a tool in a record, in bytes: records go into git.
const MaxOutput = 256 << 10

// KeepOutput returns output up to MaxOutput bytes. In a longer one, a note of the size replaces the middle.
func KeepOutput(printed []byte) string {
	if len(printed) <= MaxOutput {
		return strings.ToValidUTF8(string(printed), "\uFFFD")
	}
	head, tail := printed[:MaxOutput/2], printed[len(printed)-MaxOutput/2:]
	left := len(printed) - len(head) - len(tail)
	return strings.ToValidUTF8(string(head), "") + fmt.Sprintf("\n[benchbook left out %d bytes here]\n", left) +
		strings.ToValidUTF8(string(tail), "")
}

// isResourceExhaustion reports whether the machine ran out of files or memory: no file can be read now, all can later.
func isResourceExhaustion(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// unreadable returns the reason why a file or folder is left out, without its path.
func unreadable(err error) error {
	if errors.Is(err, files.ErrNotRegular) || errors.Is(err, files.ErrTooLarge) {
		return fmt.Errorf("not a record: %w", err)
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return fmt.Errorf("it cannot be read: %w", err)
}

// largeRecord is the size in bytes of a record with histograms, series and a list of packages.
const largeRecord = 64 << 10

// Writable creates the folder, and checks that it has room for a record.
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

// Benchmarks returns the names of the benchmarks in a framework's output, in order.
func (r *Record) Benchmarks() (names []string) {
	last := ""
	for _, s := range r.Samples { // all samples of a benchmark follow each other
		if s.Benchmark != "" && s.Benchmark != last {
			names, last = append(names, s.Benchmark), s.Benchmark
		}
	}
	return names
}

// Of returns a copy of the record with the samples of one benchmark, and those of the repetition as a whole.
func (r *Record) Of(benchmark string) *Record {
	out := *r
	out.Samples = slice.Filter(r.Samples, func(s Sample) bool {
		return s.Benchmark == benchmark || s.Benchmark == ""
	})
	return &out
}

// Before is the state of the machine right before a repetition. Older records have none, or more fields.
type Before struct {
	Waited  float64 `json:"waited" range:"0.."` // seconds until it was at rest, or the wait ended
	Settled bool    `json:"settled"`            // it was at rest

	Jitter  float64 `json:"jitter" range:"-1.."`  // largest delay of several 1 ms timers, in seconds
	Foreign float64 `json:"foreign" range:"-1.."` // share of the CPUs that other programs wanted; -1 unknown
}

// Sampling is the cost of reading the usage of services. Older records have none.
type Sampling struct {
	// CPU time of the readings over the time of the window, in cores; -1 unknown
	Cost float64 `json:"cost" range:"-1.."`
	Gap  float64 `json:"gap" range:"0.."` // longest time between two readings, in seconds
}

// InvalidJSON rewrites errors of package json without the names of Go types, and returns other errors unchanged.
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
