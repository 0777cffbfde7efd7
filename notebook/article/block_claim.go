package article

import (
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// Claim is the test of a sentence.
type Claim struct {
	Name           source.Text    `yaml:"name"`
	Experiment     source.Text    `yaml:"experiment"`
	Expect         Expression     `yaml:"expect"`
	SmallestEffect Value[Share]   `yaml:"smallest_effect"`
	Headline       Value[bool]    `yaml:"headline"`
	Text           source.Text    `yaml:"text"`
	Pos            source.Pos     `yaml:"-"`
	Tried          yamltext.Tried `yaml:"-"`
}
