package article

import (
	"benchbook/notebook/source"
)

// Tune is the values to search for before the repetitions of a trial, by name.
type Tune []Named[Search]

func (t *Tune) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Map) {
		return
	}
	for _, f := range n.Fields {
		checkParameterName(d, f.Key)
	}
	*t = DecodeNamed[Search](d, n, what, "search")
}

// Search looks for the value from which on more does not help, or takes what another experiment has found.
type Search struct {
	From     Value[int]      `yaml:"from"`
	To       Value[int]      `yaml:"to"`
	Maximize source.Text     `yaml:"maximize"` // a metric; of one where less is better, the least is wanted
	Budget   Value[Duration] `yaml:"budget"`
	Of       source.Text     `yaml:"of"` // an experiment of the article
}

// Capacity is a search for the highest rate that still meets an objective.
type Capacity struct {
	SLO   Expression       `yaml:"slo"`
	From  Value[PerSecond] `yaml:"from"`
	To    Value[PerSecond] `yaml:"to"`
	Pos   source.Pos       `yaml:"-"`
	Tried source.Tried     `yaml:"-"`
}

// Rate is how many requests leave in a second: a number, or a share of what another experiment was measured to bear.
type Rate struct {
	PerSecond Value[PerSecond]
	Share     Value[Share]
	Of        source.Text // an experiment of the article
	Own       Value[bool] // of its cell of the same parameters, instead of the slowest
	Text      source.Text
}

// IsZero says that no rate was written.
func (r *Rate) IsZero() bool { return r.Text.Pos.Source == nil }

func (r *Rate) DecodeNode(d source.Decoder, n *source.Node, what string) {
	r.Text = n.Text
	if n.Kind != source.Map {
		r.PerSecond.DecodeNode(d, n, what)
		return
	}
	var relative struct {
		Share Value[Share] `yaml:"share"`
		Of    source.Text  `yaml:"of"`
		Own   Value[bool]  `yaml:"own"`
	}
	d.Decode(n, what, &relative)
	r.Share, r.Of, r.Own = relative.Share, relative.Of, relative.Own
	if d.Whole && (n.Get("share") == nil || n.Get("of") == nil) {
		d.Problems.Add("missing-key", n.Text.Pos, "a relative rate needs share and of").
			Hint = "write rate: {share: 80%, of: EXPERIMENT}"
	}
	if s := r.Share; s.Known() && s.V <= 0 {
		d.Problems.Add("wrong-value", s.Text.Pos, "share must be more than 0").
			Hint = "write a percentage, such as 80%"
	}
}
