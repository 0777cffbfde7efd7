package article

import (
	"benchbook/notebook/source"
)

// Claim is the test of a sentence.
type Claim struct {
	Name           source.Text  `yaml:"name"`
	Experiment     source.Text  `yaml:"experiment"`
	Expect         Expression   `yaml:"expect"`
	SmallestEffect Value[Share] `yaml:"smallest_effect"`
	Headline       Value[bool]  `yaml:"headline"`
	Text           source.Text  `yaml:"text"`
	Says           Says         `yaml:"says"`
	Published      Expression   `yaml:"published"` // what the original found, as the effect is: 1.26, 26%, 130ms
	Pos            source.Pos   `yaml:"-"`
	Tried          source.Tried `yaml:"-"`
}

// Says has a sentence for each outcome of a claim; missing ones are made.
type Says struct {
	Supported    source.Text `yaml:"supported"`
	Contradicted source.Text `yaml:"contradicted"`
	Inconclusive source.Text `yaml:"inconclusive"`
}

// All are the sentences, that for the claim as it was made first; missing ones are empty.
func (s *Says) All() []*source.Text {
	return []*source.Text{&s.Supported, &s.Contradicted, &s.Inconclusive}
}
