package loadtool

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
)

// parseJSON reads a document that has to be whole; how says how to get one.
func parseJSON(tool string, printed []byte, into any, how string) error {
	if err := json.Unmarshal(printed, into); err != nil {
		return noSamples(tool, "it is no JSON of %s (%w): %s", tool, err, how)
	}
	return nil
}

// looksLike says whether something is a JSON object with all of these keys.
func looksLike(printed []byte, keys ...string) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(printed, &fields) != nil {
		return false
	}
	return !slices.ContainsFunc(keys, func(k string) bool { return fields[k] == nil })
}

// whole64 is a whole number that stands in JSON as any number may; false if it is none that can be counted.
func whole64(x float64) (int64, bool) {
	return int64(x), finite(x) && x == math.Trunc(x) && x < maxCount
}

// answers counts by status, and takes a distribution over. It is false if some number cannot be one of answers.
func (o *Output) answers(byStatus map[string]int64) (all, right int64, ok bool) {
	o.Statuses = map[string]int64{}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		n := byStatus[status]
		if n < 0 || n > maxCount {
			return 0, 0, false
		}
		all += n
		if isRight(status) {
			right += n
		}
		if len(status) == 3 && status[0] >= '1' && status[0] <= '9' {
			o.Statuses[status] = n // others stand for requests without an answer
		}
	}
	return all, right, all <= maxCount
}
