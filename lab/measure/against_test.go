package measure

import (
	"fmt"
	"strings"
	"testing"
)

func TestDecodeSaved(t *testing.T) {
	own := func(metric, values string) string {
		return fmt.Sprintf(`[{"experiments": [{"cells": [{"trial": "a", "metrics": [{"metric": %q, "values": %s}]},
			{"trial": "a again", "calibration": true, "metrics": [{"metric": %q, "values": [1]}]}]}]}]`, metric, values, metric)
	}
	for _, test := range []struct{ name, metric, text, want string }{
		{"hyperfine", "time.real", `{"results": [{"command": "a", "times": [1, 2]}, {"command": "b", "times": [3]}]}`,
			"[{a [1 2]} {b [3]}]"},
		{"benchbook", "throughput", own("throughput", "[100, 120]"), "[{a [100 120]}]"},
		{"times for a load", "throughput", `{"results": [{"command": "a", "times": [1]}]}`, "throughput is compared"},
		{"another metric", "time.real", own("throughput", "[1]"), "no result of time.real"},
		{"no results", "time.real", `{}`, "no result of time.real"},
		{"zero", "time.real", own("time.real", "[0]"), "the value 0, which cannot be compared"},
		{"negative", "time.real", `{"results": [{"command": "a", "times": [-1]}]}`, "the value -1"},
		{"too large a number", "time.real", own("time.real", "[1e999]"), "not a result in JSON"},
		{"text", "time.real", "hello", "not a result in JSON"},
		{"empty", "time.real", "", "not a result in JSON"},
	} {
		got, err := (&oneLine{metric: test.metric}).decodeSaved([]byte(test.text))
		words := fmt.Sprint(got)
		if err != nil {
			words = err.Error()
		}
		if !strings.Contains(words, test.want) {
			t.Errorf("%s: %s, want %s", test.name, words, test.want)
		}
	}
}
