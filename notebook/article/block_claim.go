package article

// Claim is the test of a sentence.
type Claim struct {
	Name           Text         `yaml:"name"`
	Experiment     Text         `yaml:"experiment"`
	Expect         Expression   `yaml:"expect"`
	SmallestEffect Value[Share] `yaml:"smallest_effect"`
	Headline       Value[bool]  `yaml:"headline"`
	Text           Text         `yaml:"text"`
	Pos            Pos          `yaml:"-"`
	Tried          Tried        `yaml:"-"`
}
