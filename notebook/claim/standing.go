package claim

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Standing is what an article's measurements say about its headline claims.
type Standing struct {
	Is     stats.Standing
	Count  string // of the headline claims that are supported, where Is rests on them: "2 of 3"
	Reason string // in a sentence; may be empty
	// Supported and Mostly are what Count counts.
	Supported, Mostly int
	// Published says how far published numbers and measured ones agree: a sentence for each block and metric. It is no
	// part of the standing.
	Published []string
}

// String is the standing with its count: "partly reproduced, 2 of 3".
func (s Standing) String() string {
	if s.Count == "" {
		return string(s.Is)
	}
	return string(s.Is) + ", " + s.Count
}

// StandingOf returns what an article's measurements say about its headline claims. Claims that the author did not mark
// as headlines have no say in it, nor have published numbers.
//
// Source: docs/claims.md#standing.
func StandingOf(d *dataset.Dataset) Standing {
	good, failed := outcomes(d)
	headlines := headlinesOf(d)
	switch {
	case failed > 0 && good == 0:
		return Standing{Is: stats.StandingFailed, Reason: allFailed(failed)}
	case d.Profile == plan.Quick && good > 0:
		return Standing{Is: stats.QuickOnly, Reason: "only quick records", Published: publishedWords(d, headlines)}
	case len(headlines) == 0 && good == 0:
		return Standing{Is: stats.StandingNotMeasured, Reason: "there are no results"}
	case len(headlines) == 0:
		return Standing{Is: stats.StandingMeasured, Reason: "the article has no headline claim",
			Published: publishedWords(d, headlines)}
	}
	s := Standing{Is: stats.StandingOf(slice.Map(headlines, func(h headline) stats.Headline { return h.Headline }),
		len(d.Doc.Published) > 0 || headlines.published() > 0), Reason: headlines.reason(),
		Published: publishedWords(d, headlines)}
	switch {
	case s.Is != stats.StandingNotMeasured:
		s.Count, s.Supported, s.Mostly = headlines.count(), headlines.supported(), headlines.mostly()
	case good > 0: // of other claims, or of none
		s.Is = stats.StandingMeasured
	}
	return s
}

// A headline is a headline claim.
type headline struct {
	stats.Headline
	metrics []string // that it is about
	// The claim has a published number of its own, and the measured one is within 25 % of it.
	isPublished, isNearby bool
}

type headlines []headline

func headlinesOf(d *dataset.Dataset) (out headlines) {
	for _, j := range Judgements(d) {
		if j.Claim.Headline.V {
			h := headline{Headline: stats.Headline{Verdict: j.Verdict, Mostly: j.Mostly}, metrics: metricsOf(d, j.Claim)}
			h.isPublished, h.isNearby = j.comparePublished()
			out = append(out, h)
		}
	}
	return out
}

// comparePublished says whether a claim that was measured has a published number of its own, and is within 25 % of it.
func (j *Judgement) comparePublished() (isPublished, isNearby bool) {
	published, ok := j.Published()
	if !ok || j.Verdict == stats.NotMeasured || j.Effect == nil && len(j.Parts) == 0 {
		return false, false
	}
	here := float64(len(slice.Filter(j.Parts, func(p Judgement) bool { return p.Verdict == stats.Supported })))
	if j.Effect != nil {
		if here = j.Effect.Number; j.IsRatio && j.Effect.Share {
			here++
		}
	}
	const near = 1.25
	isNearby = here*published > 0 && math.Abs(math.Log(here/published)) <= math.Log(near)
	return true, isNearby || here == published
}

func (list headlines) with(is func(headline) bool) int { return len(slice.Filter(list, is)) }

func (list headlines) supported() int {
	return list.with(func(h headline) bool { return h.Verdict == stats.Supported })
}

func (list headlines) published() int {
	return list.with(func(h headline) bool { return h.isPublished })
}

func (list headlines) mostly() int { return list.with(func(h headline) bool { return h.Mostly }) }

// count is how many are supported: "2 of 3"; those that hold mostly are counted apart.
func (list headlines) count() string {
	supported, mostly := list.supported(), list.mostly()
	switch {
	case mostly == 0:
		return fmt.Sprintf("%d of %d", supported, len(list))
	case supported == 0:
		return fmt.Sprintf("%d of %d mostly", mostly, len(list))
	}
	return fmt.Sprintf("%d of %d, and %d mostly", supported, len(list), mostly)
}

// reason counts the verdicts.
func (list headlines) reason() string {
	counts := map[stats.Verdict]int{}
	for _, h := range list {
		counts[h.Verdict]++
	}
	words := fmt.Sprintf("of %s: %s", phrase.Plural(len(list), "headline claim"),
		strings.Join(stats.VerdictsInWords(counts), ", "))
	if n := list.mostly(); n > 0 {
		words += fmt.Sprintf("; %d %s for most of its pairs", n, phrase.Verb(n, "holds", "hold"))
	}
	return words
}

// publishedWords says of each published block how far it agrees with what was measured: for the metrics of headlines
// that it publishes, else for its first one. Published numbers of claims themselves go together.
//
// Source: docs/method.md#published-against-measured.
func publishedWords(d *dataset.Dataset, headlines headlines) (out []string) {
	for _, b := range d.Doc.Published {
		for _, metric := range headlines.metricsIn(b) {
			words := metric // of one that a program prints, whose name is all that is known
			if m, ok := record.LookupMetric(metric); ok {
				words = m.InWords()
			}
			out = append(out, fmt.Sprintf("%s, against %s: %s", words, b.Source.Value, agreementWords(d.AgreementWith(b,
				metric))))
		}
	}
	if n := headlines.published(); n > 0 {
		near := headlines.with(func(h headline) bool { return h.isNearby })
		out = append(out, fmt.Sprintf("%d of %s within 25 %% of the published number that the claim names", near,
			phrase.Plural(n, "headline claim")))
	}
	return out
}

func agreementWords(a dataset.BlockAgreement) string {
	switch {
	case a.Err != nil:
		return a.Err.Error()
	case a.Measured < 2:
		return fmt.Sprintf("%d of %d rows measured", a.Measured, len(a.Rows))
	}
	order := "no two numbers were published far enough apart to have an order"
	if n := a.Pairs(); n > 0 {
		order = fmt.Sprintf("%d of %s in the published order", a.Agreeing, phrase.Plural(n, "pair"))
		if a.Disagreeing > 0 {
			order += fmt.Sprintf(", %d not", a.Disagreeing)
		}
		if a.Undecided > 0 {
			order += fmt.Sprintf(", %d undecided", a.Undecided)
		}
	}
	return fmt.Sprintf("%s; %d of %s within 25 %% of one common factor", order, a.Near, phrase.Plural(a.Measured, "row"))
}

// metricsIn are the metrics of headlines that a block publishes, else the first that it has.
func (list headlines) metricsIn(b *article.Published) (metrics []string) {
	for _, h := range list {
		for _, m := range h.metrics {
			if dataset.Publishes(b, m) && !slices.Contains(metrics, m) {
				metrics = append(metrics, m)
			}
		}
	}
	if first := firstMetric(b); len(metrics) == 0 && first != "" {
		return []string{first}
	}
	return metrics
}

// outcomes counts the repetitions that are shown, the A/A pair among them: those that could be run, and those that
// failed.
func outcomes(d *dataset.Dataset) (good, failed int) {
	for _, e := range d.Experiments {
		for _, c := range e.AllCells() {
			for _, r := range c.Records {
				if r.Failure == "" {
					good++
				} else {
					failed++
				}
			}
		}
	}
	return good, failed
}

func allFailed(n int) string {
	if n == 1 {
		return "its only repetition failed"
	}
	return fmt.Sprintf("all %d repetitions failed", n)
}

// metricsOf lists the metrics that a claim is about.
func metricsOf(d *dataset.Dataset, c *article.Claim) []string {
	if c.Expect.Node == nil {
		return nil
	}
	n, err := d.Expand(c.Expect.Node)
	if err != nil {
		return nil
	}
	return expr.Names(n)
}

func firstMetric(b *article.Published) string {
	for _, row := range b.Rows {
		if len(row.Metrics) > 0 {
			return row.Metrics[0].Name.Value
		}
	}
	return ""
}
