package plan

import (
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Bounds of values of a trial.
const (
	MaxConnections = 60_000 // ports of one address, about
	maxThreads     = 1024
	maxRequests    = 1_000_000_000
	maxRate        = 10e6           // per second; the limit of package loadgen
	MaxTime        = 24 * time.Hour // of any time of a load
	maxSigma       = 20             // with more, most times are too short to be timed, or longer than a day
	memoryLeast    = 6 << 20        // bytes; the smallest limit that Docker accepts
	memoryMost     = 64 << 40       // bytes; more than any machine has
)

// A rule is a condition on a single value of a trial. KEY and VALUE in its message are replaced.
type rule struct {
	isRight       func(value string) bool
	message, hint string
}

// rules are keyed by paths of keys; * matches any name. Items of lists have the path of the list.
var rules = map[string]rule{}

func init() {
	const number = "write a number, such as "
	const aTime = "write a time, such as 30s"
	absolute := rule{path.IsAbs, "KEY must be a path in the container, not \"VALUE\"", "begin it with /"}
	capability := rule{regexp.MustCompile(`^(CAP_)?[A-Z][A-Z_]*$`).MatchString, "invalid capability \"VALUE\"",
		"write it as Linux does, such as NET_ADMIN"}
	method := rule{regexp.MustCompile(`^([A-Z]+)?$`).MatchString, "invalid HTTP method \"VALUE\"",
		"methods are words in capitals, such as GET or POST"}
	for paths, r := range map[string]rule{
		"services.*.cpus": {moreThan0, "KEY must be more than 0", number + "1.5"},
		"services.*.pids_limit": {func(v string) bool { return v == "-1" || moreThan0(v) }, "KEY must be more than 0",
			"write how many processes and threads there may be, or -1 for no limit"},
		"services.*.mem_limit": {memory(memoryLeast, memoryMost), "KEY must be between 6m and 64t, not VALUE",
			"write a number with a unit, such as 256m"},
		"services.*.volumes.tmpfs.size": {memory(1, math.MaxInt64), "KEY must be more than 0",
			"write a number with a unit, such as 64m"},
		"services.*.scale":       {between(1, 100), "KEY must be between 1 and 100, not VALUE", ""},
		"services.*.stop_signal": {isSignal, "invalid signal \"VALUE\"", "write it as Linux does, such as SIGTERM"},
		"services.*.expose":      {between(1, 65535), "invalid port VALUE", "ports go from 1 to 65535"},
		"services.*.tmpfs services.*.working_dir command.working_dir": absolute,
		"services.*.cap_add services.*.cap_drop":                      capability,
		"services.*.cpuset load.cpuset command.cpuset": {isCPUSet, "invalid CPU set \"VALUE\"",
			"write numbers and ranges, such as 0-2,5"},
		"services.*.healthcheck.interval services.*.healthcheck.timeout services.*.healthcheck.start_interval": {moreThan0,
			"KEY must be more than 0", aTime},
		"services.*.healthcheck.start_period": {atLeast0, "KEY cannot be less than 0", aTime},
		"services.*.healthcheck.retries": {moreThan0, "KEY must be 1 or more",
			"write how many probes in a row may fail, such as 3"},
		"services.*.origin.body": {atLeast0, "KEY must be a size", ""},
		"services.*.origin.latency.value services.*.origin.latency.median": {atLeast0, "a latency cannot be negative", ""},
		"services.*.origin.latency.sigma": {func(v string) bool { return moreThan0(v) && between(0, maxSigma)(v) },
			"KEY must be more than 0, and 20 at most", "0.5 is usual for times on the web"},
		"services.*.link.rtt":        {atLeast0, "a delay cannot be negative", ""},
		"load.connections":           {between(1, MaxConnections), "KEY must be between 1 and 60000, not VALUE", ""},
		"load.threads":               {between(1, maxThreads), "KEY must be between 1 and 1024, not VALUE", ""},
		"load.requests":              {between(1, maxRequests), "KEY must be between 1 and 1000000000, not VALUE", ""},
		"load.duration load.timeout": {upTo(MaxTime.Seconds()), "KEY must be above 0 and at most 24h", aTime},
		"load.warmup load.think":     {between(0, MaxTime.Seconds()), "KEY must be between 0s and 24h, not VALUE", aTime},
		"load.rate": {upTo(maxRate), "KEY must be above 0 and at most 10000000/s",
			"write a number per second, such as 500/s"},
		"load.rate.share":                {moreThan0, "KEY must be more than 0", "write a percentage, such as 80%"},
		"load.method load.target.method": method,
		"load.target.weight":             {moreThan0, "KEY must be more than 0", "remove a target that is not used"},
		"load.verify.status":             {between(100, 599), "invalid HTTP status VALUE", "they go from 100 to 599"},
		"load.verify.length":             {atLeast0, "KEY must be 0 or more bytes", ""},
		"command.timeout":                {moreThan0, "KEY must be more than 0", "write a time, such as 1m"},
		"command.warmup":                 {between(1, 1000), "KEY must be between 1 and 1000, not VALUE", ""},
		"tune.*.from tune.*.to":          {between(1, 1_000_000), "a search tries numbers from 1 to 1000000, not VALUE", ""},
		"tune.*.budget":                  {moreThan0, "KEY must be more than 0", "write a time, such as 3m"},
		"capacity.from capacity.to":      {moreThan0, "a rate must be more than 0", ""},
	} {
		for _, path := range strings.Fields(paths) {
			rules[path] = r
		}
	}
}

// checkValues reports the values of a trial that break a rule. Values with templates are skipped.
func checkValues(trial *source.Node, problems *source.Problems) {
	trial.Visit("", func(at string, t source.Text) {
		if strings.Contains(at, "[") {
			at = index.ReplaceAllString(at, "")
		}
		keys := strings.Split(at, ".")
		if len(keys) > 1 && (keys[0] == "services" || keys[0] == "tune") {
			keys[1] = "*"
		}
		r, ok := rules[strings.Join(keys, ".")]
		if ok && !isTemplate(t) && !r.isRight(t.Value) {
			message := strings.NewReplacer("KEY", keys[len(keys)-1], "VALUE", t.Value).Replace(r.message)
			problems.Add("wrong-value", t.Pos, "%s", message).Hint = r.hint
		}
	})
}

// index matches the number of an item in a path of keys.
var index = regexp.MustCompile(`\[\d+\]`)

// numeric makes a test of numbers with any unit. Other text passes: it was reported when it was read.
func numeric(test func(n float64) bool) func(string) bool {
	return func(value string) bool {
		q, err := expr.ParseQuantity(value)
		return err != nil || test(q.Value)
	}
}

var (
	moreThan0 = numeric(func(n float64) bool { return n > 0 })
	atLeast0  = numeric(func(n float64) bool { return n >= 0 })
)

// upTo makes a test of numbers above 0 and up to most.
func upTo(most float64) func(string) bool {
	return numeric(func(n float64) bool { return n > 0 && n <= most })
}

func between(least, most float64) func(string) bool {
	return numeric(func(n float64) bool { return n >= least && n <= most })
}

// memory makes a test of sizes in the syntax of Compose.
func memory(least, most int64) func(string) bool {
	return func(value string) bool {
		n, err := units.RAMInBytes(value)
		return err != nil || n >= least && n <= most
	}
}

func isCPUSet(value string) bool {
	_, ok := spec.ParseCPUSet(value)
	return ok || value == "" || value == asLoad
}

// isSignal reports whether engines know a signal: a name, with or without SIG, or a number. Real-time signals are
// SIGRTMIN+N and SIGRTMAX-N.
func isSignal(value string) bool {
	if n, err := strconv.Atoi(value); err == nil {
		return n >= 1 && n <= 64
	}
	name := "SIG" + strings.TrimPrefix(strings.ToUpper(value), "SIG")
	base, offset, _ := strings.Cut(strings.Replace(name, "-", "+", 1), "+")
	if n, err := strconv.Atoi(offset); offset != "" && (err != nil || n < 1 || n > 30) {
		return false
	}
	return unix.SignalNum(name) != 0 || slices.Contains([]string{"SIGRTMIN", "SIGRTMAX"}, base)
}

// isTemplate reports whether a value contains a template.
func isTemplate(t source.Text) bool { return strings.Contains(t.Value, "${{") }
