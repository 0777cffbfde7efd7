package article

import (
	"reflect"

	"benchbook/notebook/loadtool"

	"benchbook/notebook/source"
)

// Load is requests over HTTP, or what another tool makes of these keys.
type Load struct {
	Target      Targets                `yaml:"target"`
	Method      source.Text            `yaml:"method"`
	Headers     Environment            `yaml:"headers"`
	Body        source.Text            `yaml:"body"`
	Connections Value[int]             `yaml:"connections"`
	Threads     Value[int]             `yaml:"threads"`
	Duration    Value[Duration]        `yaml:"duration"`
	Requests    Value[int]             `yaml:"requests"`
	Drain       Value[bool]            `yaml:"drain"` // no more than that are sent, and all are waited for
	Start       Value[Start]           `yaml:"start"`
	Warmup      Value[Duration]        `yaml:"warmup"`
	Think       Value[Duration]        `yaml:"think"`
	Timeout     Value[Duration]        `yaml:"timeout"`
	Keepalive   Value[bool]            `yaml:"keepalive"`
	Rate        Rate                   `yaml:"rate"`
	Arrivals    Value[Arrivals]        `yaml:"arrivals"`
	Verify      *Verify                `yaml:"verify"`
	Failures    Failures               `yaml:"failures"`
	Network     Value[source.Network]  `yaml:"network"`
	Outside     Value[bool]            `yaml:"outside"` // the target runs already
	CPUSet      source.Text            `yaml:"cpuset"`
	Priority    Value[source.Priority] `yaml:"priority"`
	Tool        Value[Tool]            `yaml:"tool"`
	Args        Args                   `yaml:"args"`
	Script      source.Text            `yaml:"script"` // a file for the tool
	Driver      *Driver                `yaml:"driver"`
	Tried       source.Tried           `yaml:"-"`
}

// Targets is where requests go: one URL, or several in proportion to their weights.
type Targets []Target

// Target is one kind of request. What it leaves out is as the load says.
type Target struct {
	URL     source.Text    `yaml:"url"`
	Method  source.Text    `yaml:"method"`
	Headers Environment    `yaml:"headers"`
	Body    source.Text    `yaml:"body"`
	Weight  Value[float64] `yaml:"weight"` // 1 if nothing is written
	Pos     source.Pos     `yaml:"-"`
}

func (t *Targets) DecodeNode(d source.Decoder, n *source.Node, what string) {
	items := n.Items
	if n.Kind != source.List {
		items = []*source.Node{n}
	}
	for _, item := range items {
		one := Target{URL: item.Text, Pos: item.Text.Pos}
		if item.Kind == source.Map {
			one.URL = source.Text{}
			d.FieldsOf(item, what, &one)
			if item.Get("url") == nil {
				d.Problems.Add("missing-key", item.Text.Pos, "a target has no url").
					Hint = "write {url: http://SERVICE:PORT/, weight: 1}"
			}
		} else if item.Kind != source.Scalar {
			d.Problems.Add("wrong-shape", item.Text.Pos, "a target must be a URL or a mapping with one, not %s", item.Kind)
			continue
		}
		*t = append(*t, one)
	}
}

// Arrivals is how the requests of an open loop are spaced.
type Arrivals string

// The ways to space requests.
const ConstantArrivals, PoissonArrivals Arrivals = "constant", "poisson"

func (Arrivals) Words() []string { return []string{string(ConstantArrivals), string(PoissonArrivals)} }

// Start is how the clients of a closed loop begin.
type Start string

// The ways to begin.
const StaggeredStart, StartAtOnce Start = "staggered", "at once"

func (Start) Words() []string { return []string{string(StaggeredStart), string(StartAtOnce)} }

// Tool is the program that puts the load on.
type Tool string

// OwnTool is the load generator of benchbook.
const OwnTool Tool = "benchbook"

func (Tool) Words() []string {
	return append([]string{string(OwnTool)}, loadtool.Names()...)
}

// Driver is a program of the article that puts the load on, in the place of our own.
type Driver struct {
	Image       source.Text   `yaml:"image"`
	Build       *Build        `yaml:"build"`
	Command     *CommandLine  `yaml:"command"`
	Environment Environment   `yaml:"environment"`
	Configs     []Config      `yaml:"configs"`
	Prints      Value[Prints] `yaml:"prints"`
	Tried       source.Tried  `yaml:"-"`
}

// Prints is what a driver tells of its load.
type Prints string

// What it can tell.
const (
	PrintsRequests Prints = "requests" // a line for each, unless something else is written
	PrintsSummary  Prints = "summary"
)

func (Prints) Words() []string { return []string{string(PrintsRequests), string(PrintsSummary)} }

// Args are words for the command line of a tool: the same for all, or by tool.
type Args struct {
	All    []source.Text
	ByTool []Named[[]source.Text]
}

func (a *Args) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind != source.Map {
		d.Value(n, what, reflect.ValueOf(&a.All).Elem())
		return
	}
	known := Tool("").Words()
	for _, f := range n.Fields {
		tool := Tool("")
		if err := parseScalar(f.Key.Value, &tool); err != nil {
			d.Problems.Add("wrong-value", f.Key.Pos, "unknown tool %q", f.Key.Value).Hint = source.Suggest(f.Key.Value, known)
			continue
		}
		words := Named[[]source.Text]{Name: f.Key}
		if f.Value.Kind != source.Null {
			d.Value(f.Value, what, reflect.ValueOf(&words.Value).Elem())
		}
		a.ByTool = append(a.ByTool, words)
	}
}

// For gives the words for one tool.
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
	JSON     Environment  `yaml:"json"`
	Headers  Environment  `yaml:"headers"`
	Before   Value[bool]  `yaml:"before"`
}

// Failures says how many failed requests are a result rather than a fault.
type Failures struct {
	Expected bool
	Max      Value[Share]
}

func (f *Failures) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind == source.Scalar && (n.Text.Value == "expected" || d.Templated(n)) {
		f.Expected = n.Text.Value == "expected"
		return
	}
	if n.Kind == source.Map {
		var limit struct {
			Max Value[Share] `yaml:"max"`
		}
		d.Decode(n, what, &limit)
		f.Max = limit.Max
		return
	}
	d.Problems.Add("wrong-value", n.Text.Pos, "failures must be expected, or a mapping with max").
		Hint = "write failures: expected, or failures: {max: 1%}"
}
