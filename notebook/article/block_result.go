package article

import (
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
)

// Claim is the test of a sentence.
type Claim struct {
	Name           Text         `yaml:"name"`
	Experiment     Text         `yaml:"experiment"`
	Expect         Expression   `yaml:"expect"`
	SmallestEffect Value[Share] `yaml:"smallest_effect"`
	Headline       Value[bool]  `yaml:"headline"`
	Text           Text         `yaml:"text"`
	Pos            Pos          `yaml:"-"`
}

// Table shows results in rows and columns.
type Table struct {
	Label      Text         `yaml:"label"`
	Experiment Text         `yaml:"experiment"`
	Title      Text         `yaml:"title"`
	Rows       []Text       `yaml:"rows"`
	Columns    []Text       `yaml:"columns"`
	Where      Expression   `yaml:"where"`
	Sort       Text         `yaml:"sort"`
	Caption    Text         `yaml:"caption"`
	Published  PublishedRef `yaml:"published"`
	Claim      Text         `yaml:"claim"`
	Pos        Pos          `yaml:"-"`

	Group  later `yaml:"group"`
	Format later `yaml:"format"`
	Notes  later `yaml:"notes"`
}

// Figure draws results.
type Figure struct {
	Label      Text         `yaml:"label"`
	Experiment Text         `yaml:"experiment"`
	Kind       Text         `yaml:"kind"`
	Title      Text         `yaml:"title"`
	X          Text         `yaml:"x"`
	Y          []Text       `yaml:"y"`
	Colour     Text         `yaml:"colour"`
	Where      Expression   `yaml:"where"`
	Sort       Text         `yaml:"sort"`
	Caption    Text         `yaml:"caption"`
	Alt        Text         `yaml:"alt"`
	Published  PublishedRef `yaml:"published"`
	Claim      Text         `yaml:"claim"`
	Pos        Pos          `yaml:"-"`

	Facet     later `yaml:"facet"`
	Log       later `yaml:"log"`
	Zero      later `yaml:"zero"`
	Reference later `yaml:"reference"`
}

// figureKinds are the kinds of FORMAT.md section 7; false means that this version cannot draw it.
var figureKinds = map[string]bool{
	"dots": true, "bars": false, "lines": false, "latency": false, "distribution": false, "scatter": false, "tuning": false,
	"capacity": false, "timeline": false, "topology": false, "agreement": false, "multiverse": false,
}

// PublishedRef says whether published numbers stand beside ours, and which where there are several.
type PublishedRef struct {
	Shown bool
	Name  Text // empty: the only block that fits
}

func (p *PublishedRef) decodeNode(d decoder, n *Node, what string) {
	if !d.kind(n, what, Scalar) {
		return
	}
	if err := parseScalar(n.Text.Value, &p.Shown); err != nil {
		p.Shown, p.Name = true, n.Text
	}
}

// Published is numbers that somebody else published.
type Published struct {
	Name       Text           `yaml:"name"`
	Experiment Text           `yaml:"experiment"`
	Source     Text           `yaml:"source"`
	URL        Text           `yaml:"url"`
	Rows       []PublishedRow `yaml:"rows"`
	Pos        Pos            `yaml:"-"`

	File    later `yaml:"file"`
	Where   later `yaml:"where"`
	With    later `yaml:"with"`
	Metrics later `yaml:"metrics"`
}

// PublishedRow carries parameters of a cell and metrics that were published of it.
type PublishedRow struct {
	Fields  []Named[Text]        // parameters, and notes that are neither parameter nor metric
	Metrics []Named[PublishedAt] // in base units
	Pos     Pos
}

// PublishedAt is one published number in the metric's base unit, with its text.
type PublishedAt struct {
	Number float64
	Text   Text
}

func (r *PublishedRow) decodeNode(d decoder, n *Node, what string) {
	r.Pos = n.Text.Pos
	if !d.kind(n, "a row of "+what, Map) {
		return
	}
	for _, f := range n.Fields {
		if !d.kind(f.Value, f.Key.Value, Scalar) {
			continue
		}
		metric, ok := record.LookupMetric(f.Key.Value)
		if !ok {
			r.Fields = append(r.Fields, Named[Text]{f.Key, f.Value.Text})
			continue
		}
		q, err := expr.ParseQuantity(f.Value.Text.Value)
		if err != nil || q.Unit.Dimension.Base() != metric.Unit {
			d.problems.Add("wrong-unit", f.Value.Text.Pos, "%s is measured in %s, and %q is not", metric.Name, unitWord(metric.Unit), f.Value.Text.Value).
				Hint = "write the number with its unit, such as " + unitExample(metric.Unit)
			continue
		}
		if q.Value < 0 || q.Value == 0 && metric.Better == "higher" {
			d.problems.Add("wrong-value", f.Value.Text.Pos, "a published %s has to be more than 0", metric.Name)
			continue
		}
		r.Metrics = append(r.Metrics, Named[PublishedAt]{f.Key, PublishedAt{q.Value, f.Value.Text}})
	}
}

func unitWord(unit string) string {
	switch unit {
	case "1":
		return "plain numbers"
	case "1/s":
		return "times per second (/s)"
	case "s":
		return "time"
	case "B":
		return "bytes"
	}
	return unit
}

func unitExample(unit string) string {
	switch unit {
	case "1/s":
		return "529.13/s"
	case "s":
		return "12.5ms"
	case "B":
		return "64MiB"
	case "B/s":
		return "47.35kB/s"
	}
	return "130"
}
