package wording

import (
	"fmt"
	"math"
	"strings"
	"time"

	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// Some joins the first few names and counts the others.
func Some(names []string) string {
	const most = 4
	if len(names) > most+1 {
		return strings.Join(names[:most], "; ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, "; ")
}

// ShortDate writes a day in UTC, such as 14 Nov 2026.
func ShortDate(t time.Time) string { return t.UTC().Format("2\u00a0Jan\u00a02006") }

// LongDate writes a day in UTC with the whole name of its month.
func LongDate(t time.Time) string { return t.UTC().Format("2\u00a0January\u00a02006") }

// Lasting writes a duration: "4 h 10 min", "48 s".
func Lasting(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d\u00a0s", d/time.Second)
	case d.Round(time.Minute) < time.Hour:
		return fmt.Sprintf("%d\u00a0min", d.Round(time.Minute)/time.Minute)
	}
	d = d.Round(time.Minute)
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d\u00a0h", d/time.Hour)
	}
	return fmt.Sprintf("%d\u00a0h\u00a0%d\u00a0min", d/time.Hour, d%time.Hour/time.Minute)
}

// Lower writes a title in the middle of a sentence.
func Lower(title string) string {
	if len(title) > 1 && title[1] >= 'A' && title[1] <= 'Z' {
		return title // an abbreviation, such as CPU
	}
	for i, r := range title {
		return strings.ToLower(string(r)) + title[i+len(string(r)):]
	}
	return title
}

// WithUnsure writes a value that is not valid, and why.
func WithUnsure(r dataset.Result) string {
	unsure := Unsure(r)
	if unsure == "" {
		return r.Missing
	}
	why, more, _ := strings.Cut(r.Missing, "; ")
	if more != "" { // tables have all of it
		why += "; and more"
	}
	return unsure + ", " + why
}

// InvalidReason begins the reason of a result that is missing because the cell is not valid.
const InvalidReason = "invalid: "

// Unsure writes the median of values that are not valid, with ≥ where it is a lower bound; empty if there are none.
func Unsure(r dataset.Result) string {
	if len(r.Unsure) == 0 {
		return ""
	}
	v, bound := stats.Median(r.Unsure), ""
	if r.AtLeast {
		bound = "≥\u00a0"
	}
	return bound + UnitFor(r.Metric.Unit, r.Metric.Share, v).Alone(v)
}

// NotMeasured replaces a missing number.
const NotMeasured = "not measured"

// Sentence begins words with a capital and ends them with a full stop.
func Sentence(words string) string {
	words = strings.TrimSuffix(strings.TrimSpace(words), ",")
	if words == "" {
		return ""
	}
	if !strings.ContainsAny(words[len(words)-1:], ".!?") {
		words += "."
	}
	return Capital(words)
}

// Capital begins words with a capital letter, unless they begin with a name, such as per_call or cpu.db.
func Capital(words string) string {
	first, _, _ := strings.Cut(words, " ")
	if strings.ContainsAny(strings.TrimRight(first, ".,;:"), "_.") {
		return words
	}
	for i, r := range words {
		return strings.ToUpper(string(r)) + words[i+len(string(r)):]
	}
	return words
}

// Percent writes a share, such as a noise floor, with two significant digits.
func Percent(f float64) string {
	return PercentUnit.Quantity(f, PercentUnit.Decimals(Figure{Value: f, Hi: f}))
}

// Confidence writes how sure an interval at a level alpha is: "95 %", "99.38 %".
func Confidence(alpha float64) string {
	const step = 1e4 // a hundredth of a per cent
	return PercentUnit.Exact(math.Round((1-alpha)*step) / step)
}
