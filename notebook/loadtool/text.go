package loadtool

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// percentileMetric is the metric of a percentile as a tool writes it, "50" or "99.900": that of 100 is the maximum. It
// is false for what is none, and empty for 0, of which nothing can be told.
func percentileMetric(share string) (metric string, ok bool) {
	if _, err := number(share); err != nil {
		return "", false
	}
	whole, digits, _ := strings.Cut(share, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if digits = strings.TrimRight(digits, "0"); digits != "" {
		whole += "." + digits
	}
	switch {
	case whole == "0":
		return "", true
	case whole == "100":
		return "latency.max", true
	}
	return "latency.p" + whole, isPercentage(whole)
}

// Patterns that find percentiles in what tools print, in their first group. They are looser than those that read them,
// so that none is lost unseen where a tool writes them in another way than we know.
var (
	// ab, hey, wrk
	shareLines = regexp.MustCompile(`(?m)^[ \t]*([0-9]+(?:[.,][0-9]+)*)[ \t]*%+[ \t:=]+(?:in[ \t]+)?[^0-9\n]{0,3}[0-9].*$`)
	// oha, k6
	shareNames = regexp.MustCompile(`"p\(?([0-9]+(?:[.,][0-9]+)*)\)?"\s*:\s*-?[0-9]`)
	// fortio
	shareList = regexp.MustCompile(`"Percentile"\s*:\s*([0-9]+(?:[.,][0-9]+)*)`)
	// vegeta
	shareRanks = regexp.MustCompile(`"([0-9]+(?:[.,][0-9]+)*)(?:st|nd|rd|th)"\s*:\s*-?[0-9]`)
)

// How tools write percentiles.
var (
	inLines = matching(shareLines)
	inNames = matching(shareNames)
	inList  = matching(shareList)
	inRanks = matching(shareRanks)
)

// matching gives what a pattern finds.
func matching(pattern *regexp.Regexp) func(string) []string {
	return func(text string) []string {
		return slice.Map(pattern.FindAllStringSubmatch(text, -1), func(m []string) string { return m[1] })
	}
}

// checkPercentiles makes sure that each percentile which stands in a text came into its output. A tool that tells no times at
// all may say why.
func (t Tool) checkPercentiles(text string, o *Output) error {
	if o.noTimes || t.shares == nil {
		return nil
	}
	for _, share := range t.shares(text) {
		metric, ok := percentileMetric(share)
		if !ok || metric != "" && !slices.ContainsFunc(o.Samples, func(s record.Sample) bool { return s.Metric == metric }) {
			return noSamples(t.Name, "it reports the percentile %s in an unknown format", share)
		}
	}
	return nil
}
