package article

import (
	"benchbook/notebook/source"
)

// Secrets are values that are given from outside when an experiment is run, by their names.
type Secrets []Named[Secret]

func (s *Secrets) DecodeNode(d source.Decoder, n *source.Node, what string) {
	*s = DecodeNamed[Secret](d, n, what, "secret")
}

// Secret says where a value comes from, with the keys of Compose.
type Secret struct {
	Environment source.Text  `yaml:"environment"` // a variable of the command that runs it
	File        source.Text  `yaml:"file"`        // counted from the article's folder
	Tried       source.Tried `yaml:"-"`
}

// SecretFile is a secret as a file in a container: its name, or a mapping.
type SecretFile struct {
	Source source.Text `yaml:"source"` // the name of the secret
	Target source.Text `yaml:"target"` // below /run/secrets unless it is absolute; empty: the name
}

func (s *SecretFile) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind == source.Scalar {
		s.Source = n.Text
		return
	}
	d.FieldsOf(n, "a secret of a service", s)
	if d.Whole && n.Kind == source.Map && s.Source.IsZero() {
		d.Problems.Add("missing-key", n.Text.Pos, "a secret of a service has no source").
			Hint = "write {source: NAME, target: /PATH/IN/THE/CONTAINER}"
	}
}
