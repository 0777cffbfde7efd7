package claim

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// Standing returns what the article's measurements say about what it reproduces, or about its own headline claims, with
// the reason in a sentence.
//
// Headline claims are about the metrics that stand in their tests. A block is asked about those of them that it
// publishes; about its first metric if it publishes none of them. A claim about nothing that any block publishes counts
// beside the blocks: nothing is reproduced if it is contradicted, and the direction at most if it is not decided.
//
// Source: docs/method.md#published-against-measured.
func Standing(d *dataset.Dataset) (stats.Standing, string) {
	good, failed := outcomes(d)
	if failed > 0 && good == 0 {
		return stats.StandingFailed, allFailed(failed)
	}
	quickOnly := d.Profile == plan.Quick
	headlines := headlinesOf(d)
	if len(d.Doc.Published) == 0 {
		verdicts := slice.Map(headlines, func(h headline) stats.Verdict { return h.verdict })
		return stats.ClaimStanding(verdicts, quickOnly, good > 0), claimReason(verdicts, quickOnly, good > 0)
	}
	var standings []stats.Standing
	var reasons []string
	add := func(standing stats.Standing, reason string) {
		standings, reasons = append(standings, standing), append(reasons, reason)
	}
	for _, b := range d.Doc.Published {
		for _, metric := range headlines.metricsIn(b) {
			standing, reason := reproduction(d, b, metric, headlines.about(metric), quickOnly)
			words := metric // of one that a program prints, whose name is all that is known
			if m, ok := record.LookupMetric(metric); ok {
				words = m.InWords()
			}
			add(standing, fmt.Sprintf("%s, against %s: %s", words, b.Source.Value, reason))
		}
	}
	for _, h := range headlines {
		if quickOnly || h.verdict == stats.Supported || h.isPublishedIn(d.Doc.Published) {
			continue
		}
		standing := stats.DirectionOnly
		if h.verdict == stats.Contradicted {
			standing = stats.NotReproduced
		}
		add(standing, fmt.Sprintf("headline claim %s, which no published number covers, is %s", h.name, h.verdict))
	}
	worst := stats.WorstStanding(standings...)
	if i := slices.Index(standings, worst); i >= 0 {
		return worst, reasons[i]
	}
	return stats.ClaimStanding(nil, quickOnly, good > 0), "no published number has a metric"
}

// reproduction is how far a metric of a block is reproduced, with the reason.
func reproduction(d *dataset.Dataset, b *article.Published, metric string, verdicts []stats.Verdict,
	quickOnly bool) (stats.Standing, string) {
	a := d.AgreementWith(b, metric)
	if a.Err != nil {
		return stats.StandingNotMeasured, a.Err.Error()
	}
	return a.Standing(verdicts, quickOnly)
}

// A headline is a headline claim.
type headline struct {
	name    string
	verdict stats.Verdict
	metrics []string // that it is about
}

type headlines []headline

func headlinesOf(d *dataset.Dataset) (out headlines) {
	for _, j := range Judgements(d) {
		if j.Claim.Headline.V {
			out = append(out, headline{j.Claim.Name.Value, j.Verdict, metricsOf(d, j.Claim)})
		}
	}
	return out
}

// about are the verdicts on the headlines that are about a metric.
func (list headlines) about(metric string) (verdicts []stats.Verdict) {
	for _, h := range list {
		if slices.Contains(h.metrics, metric) {
			verdicts = append(verdicts, h.verdict)
		}
	}
	return verdicts
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

// isPublishedIn reports whether one of the blocks publishes a metric of the headline.
func (h headline) isPublishedIn(blocks []*article.Published) bool {
	return slices.ContainsFunc(blocks, func(b *article.Published) bool {
		return slices.ContainsFunc(h.metrics, func(m string) bool { return dataset.Publishes(b, m) })
	})
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

// claimReason counts the headline claims of an article that reproduces nothing.
func claimReason(verdicts []stats.Verdict, quickOnly, hasResults bool) string {
	switch {
	case quickOnly:
		return "only quick records"
	case len(verdicts) == 0 && !hasResults:
		return "there are no results"
	case len(verdicts) == 0:
		return "the article has no headline claim"
	}
	counts := map[stats.Verdict]int{}
	for _, v := range verdicts {
		counts[v]++
	}
	return fmt.Sprintf("of %s: %s", phrase.Plural(len(verdicts), "headline claim"),
		strings.Join(stats.VerdictsInWords(counts), ", "))
}

func firstMetric(b *article.Published) string {
	for _, row := range b.Rows {
		if len(row.Metrics) > 0 {
			return row.Metrics[0].Name.Value
		}
	}
	return ""
}
