package loadtool

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
)

// parseJSON reads a document that has to be whole; how says how to get one.
func (o *Output) parseJSON(printed string, into any, how string) {
	if err := json.Unmarshal([]byte(printed), into); err != nil {
		o.fail("it is no JSON of %s (%w): %s", o.Tool, err, how)
	}
}

// looksLike says whether something is a JSON object with all of these keys.
func looksLike(printed string, keys ...string) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(printed), &fields) != nil {
		return false
	}
	return !slices.ContainsFunc(keys, func(k string) bool { return fields[k] == nil })
}

// whole64 is a count, which stands in JSON as any number may.
func (o *Output) whole64(x float64) int64 {
	if !finite(x) || x != math.Trunc(x) || x >= maxCount {
		o.fail("%v is no number of requests", x)
		return 0
	}
	return int64(x)
}

// answers counts by status, and takes a distribution over.
func (o *Output) answers(byStatus map[string]int64) (all, right int64) {
	o.Statuses = map[string]int64{}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		n := byStatus[status]
		if n < 0 || n > maxCount-all {
			o.fail("%d is no number of answers", n)
			return 0, 0
		}
		all += n
		if isRight(status) {
			right += n
		}
		if len(status) == 3 && status[0] >= '1' && status[0] <= '9' {
			o.Statuses[status] = n // others stand for requests without an answer
		}
	}
	return all, right
}
