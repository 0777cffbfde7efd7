package outcome

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
)

// A quantity holds the adjectives that compare values of a metric.
type quantity struct{ higher, lower, as string } // "longer", "shorter", "long"

// nouns names metrics whose titles are no nouns.
var nouns = map[string]string{
	"failed":        "the share of failed requests",
	"generator.cpu": "the load of the generator",
	"bytes.in":      "the rate of received bytes",
	"bytes.out":     "the rate of sent bytes",
	"offered":       "the offered rate",
}

// families names the metrics that have percentiles.
var families = map[string]string{"latency": "latency", "latency.connect": "connection time",
	"latency.tls": "TLS handshake time", "latency.first_byte": "time to first byte", "service": "service time",
	"lag": "lag"}

var quantities = map[string]quantity{"s": {"longer", "shorter", "long"}, "B": {"larger", "smaller", "large"}}

func quantityOf(m record.Metric) quantity {
	return cmp.Or(quantities[m.Unit], quantity{"higher", "lower", "high"})
}

func nounOf(m record.Metric) string {
	if noun, ok := nouns[m.Name]; ok {
		return noun
	}
	if i := strings.LastIndex(m.Name, ".p"); i >= 0 && families[m.Name[:i]] != "" {
		family, percentile := families[m.Name[:i]], m.Name[i+len(".p"):]
		if percentile == "50" {
			return "median " + family
		}
		return "the " + ordinal(percentile) + " percentile of " + family
	}
	words := m.InWords()
	if search, ok := strings.CutPrefix(m.Name, "tune."); ok {
		return "the chosen number of " + search
	}
	if kind, ok := strings.CutPrefix(m.Name, "errors."); ok {
		return "the number of failures of kind " + kind
	}
	_, isOurs := record.LookupMetric(m.Name)
	if isOurs && m.Counted || !isOurs && (m.Unit == "" || m.Unit == "1") && isPlural(words) {
		return "the number of " + words
	}
	return words
}

func isPlural(words string) bool {
	return strings.HasSuffix(words, "s") && !slices.ContainsFunc([]string{"ss", "us", "is"},
		func(end string) bool { return strings.HasSuffix(words, end) })
}

// ordinal writes a number as an ordinal: "99th", "99.9th", "1st".
func ordinal(number string) string {
	before, last := number[:len(number)-1], number[len(number)-1]
	end, ok := map[byte]string{'1': "st", '2': "nd", '3': "rd"}[last]
	if !ok || strings.HasSuffix(before, "1") {
		end = "th"
	}
	return number + end
}

// A comparison names two sides.
type comparison struct {
	within string // what both have in common, as the start of a sentence: "with guest late, "
	noun   string
	a, b   string // "for async", "over the 5 cells with kind async"
	other  string // the noun of the second side, if it differs
}

// first returns, for example, "throughput for async".
func (c comparison) first() string { return strings.TrimSpace(c.noun + " " + c.a) }

// second returns, for example, "that for sync".
func (c comparison) second() string { return strings.TrimSpace(cmp.Or(c.other, "that") + " " + c.b) }

// compare returns, for example, "throughput was VALUE for a than for b".
func (c comparison) compare(value, than string) string {
	if c.other != "" {
		return fmt.Sprintf("%s was %s %s %s", c.first(), value, than, c.second())
	}
	return fmt.Sprintf("%s was %s %s %s %s", c.noun, value, c.a, than, c.b)
}

// comparisonOf names two sides of a claim.
func comparisonOf(a, b claim.Side) comparison {
	c := comparison{noun: nounOf(a.Metric)}
	if other := nounOf(b.Metric); other != c.noun {
		c.other = other
	}
	if a.Geomean {
		c.noun, c.a, c.b = "the geometric mean of "+c.noun, ofList(a), ofList(b)
		if c.other != "" {
			c.other = "that of " + c.other
		}
		return c
	}
	x, y := a.Cells[0], b.Cells[0]
	if x.Experiment != y.Experiment {
		c.a, c.b = "for "+dataset.NameOf(x, y), "for "+dataset.NameOf(y, x)
		return c
	}
	apart, common := split(x, y, variedOf(x.Experiment))
	if len(apart) == 0 { // two metrics of one cell
		apart, common = common, nil
	}
	c.within, c.a, c.b = within(x, common), "for "+nameBy(x, apart), "for "+nameBy(y, apart)
	return c
}

// gapBetween names two ratios: by their difference if both compare the same two things, else in full.
func gapBetween(j *claim.Judgement) comparison {
	over, under := comparisonOf(j.Sides[0], j.Sides[1]), comparisonOf(j.Sides[2], j.Sides[3])
	a, b := j.Sides[0].Cells[0], j.Sides[2].Cells[0]
	if over.first() != under.first() || over.second() != under.second() || a.Experiment != b.Experiment {
		return comparison{noun: "the ratio of " + ratioOf(j.Sides[0], j.Sides[1]),
			other: "that of " + ratioOf(j.Sides[2], j.Sides[3])}
	}
	own, _ := split(a, j.Sides[1].Cells[0], variedOf(a.Experiment))
	others := slice.Filter(variedOf(a.Experiment), func(name string) bool { return !slices.Contains(own, name) })
	apart, common := split(a, b, others)
	return comparison{within: within(a, common), noun: "the ratio of " + over.first() + " to " + over.second(),
		a: "for " + nameBy(a, apart), b: "for " + nameBy(b, apart)}
}

// ratioOf returns, for example, "throughput for a to that for b".
func ratioOf(a, b claim.Side) string {
	c := comparison{noun: nounOf(a.Metric), a: "for " + nameOf(a.Cells[0]), b: "for " + nameOf(b.Cells[0])}
	if other := nounOf(b.Metric); other != c.noun {
		c.other = other
	}
	return c.first() + " to " + c.second()
}

// split divides parameters into those in which two cells differ and those they have in common.
func split(x, y *dataset.Cell, parameters []string) (apart, common []string) {
	for _, name := range parameters {
		if valueOf(x, name) == valueOf(y, name) {
			common = append(common, name)
		} else {
			apart = append(apart, name)
		}
	}
	return apart, common
}

// within names common parameters of cells: "with guest late and size 1 MB, ".
func within(c *dataset.Cell, common []string) string {
	words := slice.Map(common, func(name string) string { return dataset.Setting(name, quoted(valueOf(c, name))) })
	if len(words) == 0 {
		return ""
	}
	return "with " + phrase.List(words) + ", "
}

// nameOf names a cell by all parameters that vary in its experiment.
func nameOf(c *dataset.Cell) string { return nameBy(c, variedOf(c.Experiment)) }

// variedOf returns the parameters that differ between cells of an experiment.
func variedOf(e *dataset.Experiment) []string {
	return slice.Filter(e.Plan.Parameters, func(name string) bool {
		return slices.ContainsFunc(e.Cells, func(c *dataset.Cell) bool {
			return valueOf(c, name) != valueOf(e.Cells[0], name)
		})
	})
}

func valueOf(c *dataset.Cell, name string) string {
	text, _ := c.Setting(name)
	return text
}

// nameBy names a cell by some of its parameters: "async", "pool 10", "uvicorn + Starlette with workers 1".
func nameBy(c *dataset.Cell, parameters []string) string {
	var words []string
	for _, name := range parameters {
		text := valueOf(c, name)
		switch {
		case text == "":
		case len(words) > 0 || !dataset.IsName(text):
			words = append(words, dataset.Setting(name, quoted(text)))
		default:
			words = append(words, quoted(text))
		}
	}
	return cmp.Or(headed(words), quoted(c.Trial.Name))
}

// headed joins the words a, b and c as "a with b and c".
func headed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return words[0] + " with " + phrase.List(words[1:])
}

// quoted quotes a value that would run into the words around it. "10 threads" and "gunicorn + Flask" need no quotes.
func quoted(text string) string {
	isNumbered := strings.Trim(text[:min(1, len(text))], "0123456789") == ""
	if strings.Contains(text, ",") || strings.Contains(text, " ") && !isNumbered && !strings.Contains(text, " + ") {
		return "“" + text + "”"
	}
	return text
}

// ofList names the cells of a side by the conditions of its selector: "over the 5 cells with kind async".
func ofList(s claim.Side) string {
	cells := fmt.Sprintf("the %d cells", len(s.Cells))
	if len(s.Cells) == 1 {
		cells = "the cell"
	}
	if words := conditions(matchesOf(s)); words != "" {
		cells += " with " + words
	}
	return "over " + cells
}

func matchesOf(s claim.Side) []expr.Match {
	if s.Written == nil {
		return nil
	}
	return s.Written.Matches
}

// ofPairs names the two lists of a claim over pairs, and their common conditions: "for sync", "for async",
// "with share 60%, ".
func ofPairs(a, b claim.Side) (first, second, common string) {
	own, others := matchesOf(a), matchesOf(b)
	if len(a.Cells) > 1 && len(b.Cells) > 1 {
		isIn := func(list []expr.Match) func(expr.Match) bool {
			return func(m expr.Match) bool {
				return slices.ContainsFunc(list, func(o expr.Match) bool {
					return o.Name == m.Name && o.Op == m.Op && o.Value == m.Value
				})
			}
		}
		shared := slice.Filter(own, isIn(others))
		own, others = slices.DeleteFunc(slices.Clone(own), isIn(shared)), slices.DeleteFunc(slices.Clone(others), isIn(shared))
		if words := conditions(shared); words != "" {
			common = "with " + words + ", "
		}
	}
	return "for " + ofEach(a, own), "for " + ofEach(b, others), common
}

// ofEach names a list by conditions of its selector; without conditions it is "each".
func ofEach(s claim.Side, picked []expr.Match) string {
	if len(s.Cells) == 1 {
		return nameOf(s.Cells[0])
	}
	return cmp.Or(conditions(picked), "each")
}

// relations words the conditions other than equality.
var relations = map[expr.Op]string{expr.Differs: "other than ", expr.Less: "below ", expr.LessEqual: "up to ",
	expr.Greater: "above ", expr.GreaterEqual: "from "}

// conditions puts the conditions of a selector in words: "async with webserver other than daphne".
func conditions(picked []expr.Match) string {
	var words []string
	for _, m := range picked {
		switch relation := relations[m.Op]; {
		case m.Name == dataset.ExperimentMatch:
		case relation != "":
			words = append(words, m.Name+" "+relation+quoted(m.Value))
		case len(words) == 0 && dataset.IsName(m.Value):
			words = append(words, quoted(m.Value))
		default:
			words = append(words, dataset.Setting(m.Name, quoted(m.Value)))
		}
	}
	return headed(words)
}
