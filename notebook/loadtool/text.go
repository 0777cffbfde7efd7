package loadtool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"benchbook/internal/slice"
	"benchbook/notebook/record"
)

// Text is what a tool printed as text in UTF-8 whose lines end with a line feed. Shells save it otherwise: PowerShell
// in UTF-16, and on Windows lines end with a carriage return too. The error says that half of a character is missing.
func Text(printed []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(printed, []byte("\xff\xfe")), len(printed) > 3 && printed[0] != 0 && printed[1] == 0 &&
		printed[3] == 0:
		order = binary.LittleEndian
	case bytes.HasPrefix(printed, []byte("\xfe\xff")), len(printed) > 3 && printed[0] == 0 && printed[1] != 0 &&
		printed[2] == 0:
		order = binary.BigEndian
	}
	if order != nil {
		if len(printed)%2 != 0 {
			return nil, errors.New("it ends within a character of UTF-16")
		}
		units := make([]uint16, len(printed)/2)
		for i := range units {
			units[i] = order.Uint16(printed[2*i:])
		}
		printed = []byte(string(utf16.Decode(units)))
	}
	printed = bytes.TrimPrefix(printed, []byte("\ufeff"))
	if !bytes.Contains(printed, []byte("\r\n")) {
		return printed, nil
	}
	return bytes.ReplaceAll(printed, []byte("\r\n"), []byte("\n")), nil
}

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
	// k6
	shareWords = regexp.MustCompile(`(?m)^.*\bhttp_req_duration\b.*$`)
	shareWord  = regexp.MustCompile(`\bp\(([0-9]+(?:[.,][0-9]+)*)\)=`)
	shareHead  = regexp.MustCompile(`(?m)^Latencies\s+\[(.*)\]`) // vegeta
	shareItem  = regexp.MustCompile(`\b([0-9]+(?:[.][0-9]+)*)\b`)
)

// How tools write percentiles.
var (
	inLines  = []func(string) []string{matching(shareLines)}
	inNames  = []func(string) []string{matching(shareNames)}
	inList   = []func(string) []string{matching(shareList)}
	inK6     = []func(string) []string{matching(shareNames), within(shareWords, shareWord)}
	inVegeta = []func(string) []string{matching(shareRanks), within(shareHead, shareItem)}
)

// matching gives what a pattern finds.
func matching(pattern *regexp.Regexp) func(string) []string {
	return func(text string) []string {
		return slice.Map(pattern.FindAllStringSubmatch(text, -1), func(m []string) string { return m[1] })
	}
}

// within gives what one pattern finds in the places that another one does.
func within(places, pattern *regexp.Regexp) func(string) []string {
	return func(text string) []string {
		var out []string
		for _, place := range places.FindAllString(text, -1) {
			out = append(out, matching(pattern)(place)...)
		}
		return out
	}
}

// losesNone makes sure that each percentile which stands in a text came into its output. A tool that tells no times at
// all may say why.
func (t Tool) losesNone(text string, o *Output) error {
	if o.untold {
		return nil
	}
	for _, find := range t.shares {
		for _, share := range find(text) {
			metric, ok := percentileMetric(share)
			if !ok || metric != "" && !slices.ContainsFunc(o.Samples, func(s record.Sample) bool { return s.Metric == metric }) {
				return noSamples(t.Name, "it reports the percentile %s in an unknown format", share)
			}
		}
	}
	return nil
}
