package article

import (
	"benchbook/notebook/source"
)

// Origin is an HTTP server of ours, on port 80, that answers after a time: what a load generator, a proxy or a client
// library is measured against.
type Origin struct {
	Latency *Latency     `yaml:"latency"`
	Body    Value[Size]  `yaml:"body"`
	Status  Value[int]   `yaml:"status"`
	Errors  Value[Share] `yaml:"errors"`
	Pos     source.Pos   `yaml:"-"`
}

// Distribution is how the times of an origin are spread.
type Distribution string

// The distributions of an origin, with the keys of Latency that each needs.
const (
	Constant  Distribution = "constant"  // value
	Uniform   Distribution = "uniform"   // from, to
	Lognormal Distribution = "lognormal" // median, sigma
	Empirical Distribution = "empirical" // values
)

// distributionKeys are the keys that each distribution needs, and the only ones that it has.
var distributionKeys = map[Distribution][]string{
	Constant: {"value"}, Uniform: {"from", "to"}, Lognormal: {"median", "sigma"}, Empirical: {"values"},
}

func (Distribution) Words() []string {
	return []string{string(Constant), string(Uniform), string(Lognormal), string(Empirical)}
}

// Latency is the time that an origin takes for an answer.
type Latency struct {
	Distribution Value[Distribution] `yaml:"distribution"`
	Value        Value[Duration]     `yaml:"value"`
	From         Value[Duration]     `yaml:"from"`
	To           Value[Duration]     `yaml:"to"`
	Median       Value[Duration]     `yaml:"median"`
	Sigma        Value[float64]      `yaml:"sigma"` // standard deviation of the logarithm, without unit
	Values       []Value[Duration]   `yaml:"values"`
}

func (l *Latency) DecodeNode(d source.Decoder, n *source.Node, what string) {
	d.FieldsOf(n, what, l)
	if !d.Whole || n.Kind != source.Map {
		return
	}
	if n.Get("distribution") == nil {
		d.Problems.Add("missing-key", n.Text.Pos, "latency has no distribution").
			Hint = "write {distribution: constant, value: 20ms}, or uniform, lognormal or empirical"
		return
	}
	keys, ok := distributionKeys[l.Distribution.V]
	if !ok {
		return
	}
	for _, key := range keys {
		if n.Get(key) == nil {
			d.Problems.Add("missing-key", n.Text.Pos, "a %s latency has no %s", l.Distribution.V, key).
				Hint = "add " + key + ":"
		}
	}
	for other, needs := range distributionKeys {
		for _, key := range needs {
			if v := n.Get(key); v != nil && other != l.Distribution.V {
				d.Problems.Add("contradiction", v.Text.Pos, "a %s latency has no use for %s", l.Distribution.V, key).
					Hint = "remove it, or write distribution: " + string(other)
			}
		}
	}
	if l.From.Known() && l.To.Known() && l.From.V > l.To.V {
		d.Problems.Add("empty-range", l.From.Text.Pos, "the range from %s to %s is empty", l.From.Text.Value,
			l.To.Text.Value).
			Hint = "swap from and to"
	}
}

// Link is a relay of ours before a service that makes the network between slower than it is.
type Link struct {
	RTT    Value[Duration]       `yaml:"rtt"`
	Jitter Value[Duration]       `yaml:"jitter"`
	Rate   Value[BytesPerSecond] `yaml:"rate"`
	Pos    source.Pos            `yaml:"-"`
}
