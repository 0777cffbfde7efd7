package article

import (
	"benchbook/notebook/loadtool"
	"benchbook/notebook/source"
)

// Load is requests over HTTP, or what another tool makes of these keys.
type Load struct {
	Target      Targets         `yaml:"target"`
	Method      source.Text     `yaml:"method"`
	Headers     Environment     `yaml:"headers"`
	Body        source.Text     `yaml:"body"`
	Connections Value[int]      `yaml:"connections"`
	Threads     Value[int]      `yaml:"threads"`
	Duration    Value[Duration] `yaml:"duration"`
	Requests    Value[int]      `yaml:"requests"`
	Drain       Value[bool]     `yaml:"drain"` // no more than that are sent, and all are waited for
	Warmup      Value[Duration] `yaml:"warmup"`
	Think       Value[Duration] `yaml:"think"`
	Timeout     Value[Duration] `yaml:"timeout"`
	Keepalive   Value[bool]     `yaml:"keepalive"`
	Rate        Rate            `yaml:"rate"`
	Arrivals    Value[Arrivals] `yaml:"arrivals"`
	Verify      *Verify         `yaml:"verify"`
	Failures    Value[Failures] `yaml:"failures"`
	Outside     Value[bool]     `yaml:"outside"` // the target runs already
	CPUSet      source.Text     `yaml:"cpuset"`
	Priority    Value[Priority] `yaml:"priority"`
	Tool        Value[Tool]     `yaml:"tool"`
	Args        Args            `yaml:"args"`
	Script      source.Text     `yaml:"script"` // a file for the tool
	Driver      *Driver         `yaml:"driver"`
	Tried       source.Tried    `yaml:"-"`
}

// Targets are the URLs of requests, in proportion to their weights.
type Targets []Target

// Target is one kind of request. Keys that it leaves out have the values of the load.
type Target struct {
	URL     source.Text    `yaml:"url" alone:"yes" need:"write {url: http://SERVICE:PORT/, weight: 1}"`
	Method  source.Text    `yaml:"method"`
	Headers Environment    `yaml:"headers"`
	Body    source.Text    `yaml:"body"`
	Weight  Value[float64] `yaml:"weight"` // 1 if nothing is written
	Pos     source.Pos     `yaml:"-"`
}

// Priority is how a load shares CPUs with services.
type Priority string

// Words implements Word. A high priority puts the load before the services.
func (Priority) Words() []string { return []string{"high"} }

// Arrivals is how the requests of an open loop are spaced.
type Arrivals string

// The ways to space requests.
const ConstantArrivals, PoissonArrivals Arrivals = "constant", "poisson"

func (Arrivals) Words() []string { return []string{string(ConstantArrivals), string(PoissonArrivals)} }

// Tool is the program that puts the load on.
type Tool string

// OwnTool is the load generator of benchbook.
const OwnTool Tool = "benchbook"

func (Tool) Words() []string { return append([]string{string(OwnTool)}, loadtool.Names()...) }

// Driver is a program of the article that puts the load on, instead of a tool.
type Driver struct {
	Image       source.Text   `yaml:"image"`
	Build       *Build        `yaml:"build"`
	Command     *CommandLine  `yaml:"command"`
	Environment Environment   `yaml:"environment"`
	Configs     []Config      `yaml:"configs"`
	Prints      Value[Prints] `yaml:"prints"`
	Tried       source.Tried  `yaml:"-"`
}

// Prints is what a driver prints about its load: a line for each request, or a summary.
type Prints string

// The forms of output.
const PrintsRequests, PrintsSummary Prints = "requests", "summary"

func (Prints) Words() []string { return []string{string(PrintsRequests), string(PrintsSummary)} }

// Args are words for the command line of a tool: the same for all, or by tool.
type Args struct {
	All    []source.Text
	ByTool Map[[]source.Text]
}

func (a *Args) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind != source.Map {
		d.Decode(n, what, &a.All)
		return
	}
	d.Decode(n, what, &a.ByTool)
	for _, f := range n.Fields {
		if _, hint, err := readScalar[Tool](f.Key.Value); err != nil {
			d.Problems.Add("wrong-value", f.Key.Pos, "unknown tool %q", f.Key.Value).Hint = hint
		}
	}
}

// For returns the words for one tool.
func (a Args) For(tool Tool) []source.Text {
	if words, ok := Get(a.ByTool, string(tool)); ok {
		return words
	}
	return a.All
}

// Verify is what a right answer looks like.
type Verify struct {
	Status   []Value[int] `yaml:"status"`
	Contains source.Text  `yaml:"contains"`
	Match    source.Text  `yaml:"match"`
	Length   Value[int]   `yaml:"length"`
	Before   Value[bool]  `yaml:"before"`
}

// Failures says that failed requests are a result rather than a fault.
type Failures string

func (Failures) Words() []string { return []string{"expected"} }

// Rate is the number of requests in a second: a number, or a share of the rate that another experiment can bear.
type Rate struct {
	PerSecond Value[PerSecond]
	Share     Value[Share]
	Of        source.Text // an experiment of the article
	Own       Value[bool] // of its cell of the same parameters, instead of the slowest
	Text      source.Text
}

// IsZero reports whether no rate was written.
func (r *Rate) IsZero() bool { return r.Text.Pos.Source == nil }

func (r *Rate) DecodeNode(d source.Decoder, n *source.Node, what string) {
	r.Text = n.Text
	if n.Kind != source.Map {
		r.PerSecond.DecodeNode(d, n, what)
		return
	}
	var relative struct {
		Share Value[Share] `yaml:"share" need:"write rate: {share: 80%, of: EXPERIMENT}"`
		Of    source.Text  `yaml:"of" need:"write rate: {share: 80%, of: EXPERIMENT}"`
		Own   Value[bool]  `yaml:"own"`
	}
	d.Decode(n, what, &relative)
	r.Share, r.Of, r.Own = relative.Share, relative.Of, relative.Own
	if s := r.Share; s.Known() && s.V <= 0 {
		d.Problems.Add("wrong-value", s.Text.Pos, "share must be more than 0").Hint = "write a percentage, such as 80%"
	}
}

// Origin is an HTTP server of ours, on port 80, that answers after a time: the peer of a load generator, a proxy or a
// client library that is measured.
type Origin struct {
	Latency *Latency    `yaml:"latency"`
	Body    Value[Size] `yaml:"body"`
	Pos     source.Pos  `yaml:"-"`
}

// Distribution is how the times of an origin are spread.
type Distribution string

// The distributions of an origin.
const (
	Constant  Distribution = "constant"
	Lognormal Distribution = "lognormal"
)

// distributionKeys are the keys that each distribution needs, and the only ones that it has.
var distributionKeys = map[Distribution][]string{
	Constant: {"value"}, Lognormal: {"median", "sigma"},
}

func (Distribution) Words() []string {
	return []string{string(Constant), string(Lognormal)}
}

// Latency is the time that an origin takes for an answer.
type Latency struct {
	Distribution Value[Distribution] `yaml:"distribution" need:"write latency: {distribution: constant, value: 5ms}"`
	Value        Value[Duration]     `yaml:"value"`
	Median       Value[Duration]     `yaml:"median"`
	Sigma        Value[float64]      `yaml:"sigma"` // standard deviation of the logarithm, without unit
}

func (l *Latency) DecodeNode(d source.Decoder, n *source.Node, what string) {
	d.Plain(n, what, l)
	if !d.Whole || l.Distribution.V == "" {
		return
	}
	for other, keys := range distributionKeys {
		for _, key := range keys {
			switch isOwn := other == l.Distribution.V; {
			case isOwn && n.Get(key) == nil:
				d.Problems.Add("missing-key", n.Text.Pos, "a %s latency has no %s", l.Distribution.V, key).
					Hint = "add " + key + ":"
			case !isOwn && n.Get(key) != nil:
				d.Problems.Add("contradiction", n.Place(key), "a %s latency has no use for %s", l.Distribution.V, key).
					Hint = "remove it, or write distribution: " + string(other)
			}
		}
	}
}

// Link is a relay of ours before a service that makes the network between slower than it is.
type Link struct {
	RTT Value[Duration] `yaml:"rtt"`
	Pos source.Pos      `yaml:"-"`
}
