package claim

import (
	"fmt"
	"math"
	"slices"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Standing is what an article's measurements say about its headline claims.
type Standing struct {
	Is        stats.Standing
	Count     string // supported headline claims: "2 of 3"; "" if Is does not count them
	Supported int    // headline claims in Count
	Mostly    int    // headline claims in Count that hold mostly
	After     int    // headline claims not in Supported only because they were not stated before measuring
	Reason    string // in a sentence; may be empty

	// Published has a sentence for each block and metric on how far published numbers agree with measured ones. It does
	// not affect the standing.
	Published []string
}

// String returns the standing with its count: "partly reproduced, 2 of 3".
func (s Standing) String() string {
	if s.Count == "" {
		return string(s.Is)
	}
	return string(s.Is) + ", " + s.Count
}

// Standing returns what the measurements say about the headline claims. In an article that reproduces another, only the
// original's claims count, if there are any. Other claims and published numbers do not affect it.
//
// Source: docs/claims.md#standing.
func (r *Results) Standing() Standing {
	good, failed := r.repetitions()
	list := r.Headlines()
	named, near := comparePublished(list)
	switch {
	case failed == 1 && good == 0:
		return Standing{Is: stats.StandingFailed, Reason: "its only repetition failed"}
	case failed > 0 && good == 0:
		return Standing{Is: stats.StandingFailed, Reason: fmt.Sprintf("all %d repetitions failed", failed)}
	case len(list) == 0 && good == 0:
		return Standing{Is: stats.StandingNotMeasured, Reason: "there are no results"}
	}
	s := Standing{Is: stats.StandingMeasured, Reason: "the article has no headline claim"}
	s.Published = r.publishedWords(list)
	if named > 0 {
		s.Published = append(s.Published, fmt.Sprintf("%d of %s within 25 %% of the published number that the claim names",
			near, phrase.Count(named, "headline claim")))
	}
	switch decided, isMissing := soFar(list); {
	case len(list) == 0:
		return s
	case isMissing && decided > 0:
		s.Reason = fmt.Sprintf("%d of %s decided so far", decided, phrase.Count(len(list), "headline"))
		return s
	}
	return r.countHeadlines(s, list, good > 0, len(r.Data.Doc.Published) > 0 || named > 0)
}

// countHeadlines completes the standing of an article whose headline claims do not wait for more measuring.
func (r *Results) countHeadlines(s Standing, list []Judgement, hasResults, reproduces bool) Standing {
	headlines := slice.Map(list, Judgement.headline)
	if reproduces {
		s.After = r.dropStatedAfter(list, headlines)
	}
	s.Is = stats.StandingOf(headlines, reproduces)
	supported := slice.Count(headlines, func(h stats.Headline) bool { return h.Verdict == stats.Supported })
	mostly := slice.Count(headlines, func(h stats.Headline) bool { return h.Mostly })
	_, words := outcomes(list)
	s.Reason = fmt.Sprintf("of %s: %s", phrase.Count(len(list), "headline claim"), words)
	if mostly > 0 {
		s.Reason += fmt.Sprintf("; %d %s for most of its pairs", mostly, phrase.Verb(mostly, "holds", "hold"))
	}
	switch {
	case s.Is != stats.StandingNotMeasured:
		s.Count, s.Supported, s.Mostly = countOf(supported, mostly, s.After, len(list)), supported, mostly
	case hasResults: // which are invalid, or of other claims
		s.Is = stats.Undecided
	}
	return s
}

// soFar counts the decided claims, and reports whether another one waits for measuring: a cell is missing or
// unfinished, or has looks left.
func soFar(list []Judgement) (decided int, isMissing bool) {
	for _, j := range list {
		if j.isDecided() {
			decided++
			continue
		}
		isMissing = isMissing || slices.ContainsFunc(j.cells(), func(c *dataset.Cell) bool {
			return c.State == dataset.Missing || c.State == dataset.Partial
		}) || slices.ContainsFunc(j.openCells(), func(c *dataset.Cell) bool {
			return c.State == dataset.Fresh && len(c.Records) < c.Experiment.Plan.Most()
		})
	}
	return decided, isMissing
}

// Headlines returns the headline claims that the standing counts.
func (r *Results) Headlines() []Judgement {
	list := slice.Filter(r.Claims, func(j Judgement) bool { return j.Claim.Headline })
	if r.Data.Doc.Front.Reproduces != nil {
		if original := slice.Filter(list, func(j Judgement) bool { return j.Claim.IsOriginal() }); len(original) > 0 {
			return original
		}
	}
	return list
}

// dropStatedAfter makes supported headlines inconclusive if they are known not to be stated before measuring, and
// counts them: a claim made from its result reproduces nothing.
//
// Source: docs/trust.md#stated-before-it-was-measured.
func (r *Results) dropStatedAfter(list []Judgement, headlines []stats.Headline) (dropped int) {
	marks := map[string]Stating{}
	for _, c := range r.Stated() {
		marks[c.Claim] = c.Is
	}
	for i, j := range list {
		is := marks[j.Claim.Name.Value]
		counts := headlines[i].Verdict == stats.Supported || headlines[i].Mostly
		if counts && is != StatedBefore && is != StatingIsNotKnown {
			headlines[i] = stats.Headline{Verdict: stats.Inconclusive}
			dropped++
		}
	}
	return dropped
}

// headline returns a headline claim as the standing counts it: stronger than claimed counts as supported.
func (j Judgement) headline() stats.Headline {
	if j.Outcome() == stats.Stronger {
		return stats.Headline{Verdict: stats.Supported}
	}
	return stats.Headline{Verdict: j.Verdict, Mostly: j.Mostly}
}

// countOf words a count of supported headlines: "2 of 3, and 1 mostly, 1 more not stated before".
func countOf(supported, mostly, after, all int) string {
	words := fmt.Sprintf("%d of %d", supported, all)
	switch {
	case mostly == 0:
	case supported == 0:
		words = fmt.Sprintf("%d of %d mostly", mostly, all)
	default:
		words += fmt.Sprintf(", and %d mostly", mostly)
	}
	if after > 0 {
		words += fmt.Sprintf(", %d more not stated before", after)
	}
	return words
}

// comparePublished counts the measured claims that name a published number, and how many are within 25 % of it.
func comparePublished(list []Judgement) (named, near int) {
	for _, j := range list {
		published, ok := j.Published()
		if !ok || j.Verdict == stats.NotMeasured || j.Effect == nil && len(j.Parts) == 0 {
			continue
		}
		here := float64(slice.Count(j.Parts, func(p Judgement) bool { return p.Verdict == stats.Supported }))
		if j.Effect != nil && len(j.Parts) == 0 {
			here = j.Effect.Number
		}
		named++
		if here == published || here*published > 0 && math.Abs(math.Log(here/published)) <= math.Log1p(stats.DefaultNear) {
			near++
		}
	}
	return named, near
}

// publishedWords returns a sentence for each published block on how far it agrees with what was measured, by its
// metrics that headlines use, else by its first one.
//
// Source: docs/method.md#published-against-measured.
func (r *Results) publishedWords(headlines []Judgement) (out []string) {
	var wanted []string
	for _, j := range headlines {
		for _, s := range j.leafSides() {
			wanted = slice.Add(wanted, s.Metric.Name)
		}
	}
	for _, b := range r.Data.Doc.Published {
		published := dataset.MetricsOf(b)
		metrics := slice.Filter(wanted, func(m string) bool { return slices.Contains(published, m) })
		if len(metrics) == 0 {
			metrics = published[:min(1, len(published))]
		}
		for _, metric := range metrics {
			words := metric // all that is known of a metric that a program prints
			if m, ok := record.LookupMetric(metric); ok {
				words = m.InWords()
			}
			out = append(out, fmt.Sprintf("%s, against %s: %s", words, b.Source.Value,
				agreementWords(r.Data.AgreementWith(b, metric))))
		}
	}
	return out
}

func agreementWords(a dataset.BlockAgreement) string {
	switch {
	case len(a.Rows) == 0: // zeros have no ratio
		return "no published number above 0 to compare with"
	case a.Measured == 0:
		return "no row has a measured number above 0 to compare with"
	case a.Measured == 1:
		return fmt.Sprintf("1 of %s can be compared", phrase.Count(len(a.Rows), "row"))
	}
	order := "no two numbers were published far enough apart to have an order"
	if n := a.Pairs(); n > 0 {
		order = fmt.Sprintf("%d of %s in the published order", a.Agreeing, phrase.Count(n, "pair"))
		if a.Disagreeing > 0 {
			order += fmt.Sprintf(", %d not", a.Disagreeing)
		}
		if a.Undecided > 0 {
			order += fmt.Sprintf(", %d undecided", a.Undecided)
		}
	}
	return fmt.Sprintf("%s; %d of %s within 25 %% of one common factor", order, a.Near, phrase.Count(a.Measured, "row"))
}

// repetitions counts the shown repetitions, including those of A/A copies.
func (r *Results) repetitions() (good, failed int) {
	for _, e := range r.Data.Experiments {
		records := dataset.RecordsOf(e.AllCells())
		bad := slice.Count(records, func(r *record.Record) bool { return r.Failure != "" })
		good, failed = good+len(records)-bad, failed+bad
	}
	return good, failed
}
