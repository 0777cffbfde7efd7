package article

// Figure draws results.
type Figure struct {
	Label      Text          `yaml:"label"`
	Experiment Text          `yaml:"experiment"`
	Kind       Text          `yaml:"kind"`
	Title      Text          `yaml:"title"`
	X          Text          `yaml:"x"`
	Y          []Text        `yaml:"y"`
	Colour     Text          `yaml:"colour"`
	Facet      Text          `yaml:"facet"` // a parameter or label with a drawing for each of its values
	Where      Expression    `yaml:"where"`
	Sort       Text          `yaml:"sort"`
	Log        []Value[Axis] `yaml:"log"`       // axes in equal ratios
	Zero       Value[bool]   `yaml:"zero"`      // the metric's axis begins at zero
	Reference  Expression    `yaml:"reference"` // a line at this value
	Caption    Text          `yaml:"caption"`
	Alt        Text          `yaml:"alt"`
	Published  PublishedRef  `yaml:"published"`
	Claim      Text          `yaml:"claim"`
	Pos        Pos           `yaml:"-"`
	Tried      Tried         `yaml:"-"`
}

// Axis is one of the two of a figure.
type Axis string

// The axes of a figure.
const (
	XAxis Axis = "x"
	YAxis Axis = "y"
)

// Words is part of Word.
func (Axis) Words() []string { return []string{string(XAxis), string(YAxis)} }

// figureNeeds are the kinds of FORMAT.md section 7 with the keys that each cannot do without.
var figureNeeds = map[string]struct {
	keys []string
	hint string
}{
	"dots":         {[]string{"x", "y"}, "add x: with a metric, and y: with a parameter"},
	"bars":         {[]string{"x", "y"}, "add x: with a metric, and y: with a parameter"},
	"lines":        {[]string{"x", "y"}, "add x: with a parameter whose values are numbers, and y: with a metric"},
	"latency":      {nil, ""},
	"distribution": {[]string{"x"}, "add x: with a metric"},
	"scatter":      {[]string{"x", "y"}, "add x: and y: with a metric each"},
	"tuning":       {[]string{"x", "y"}, "add x: with tune.NAME, and y: with a metric"},
	"capacity":     {nil, ""},
	"timeline":     {[]string{"y"}, "add y: with a metric"},
	"topology":     {nil, ""},
	"agreement":    {[]string{"x"}, "add x: with a metric that was published"},
	"multiverse":   {[]string{"claim"}, "add claim: with the name of a claim"},
}
