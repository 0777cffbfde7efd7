// Package labtest provides output of load generators for tests of the command.
package labtest

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/runner/loadgen"
)

// Answers returns the answers of a load's targets to the check before the load: right ones, or the given failure.
func Answers(config []byte, failure string) []byte {
	var read loadgen.Config
	if err := json.Unmarshal(config, &read); err != nil {
		panic(err)
	}
	var out []loadgen.Answer
	for _, t := range read.Targets {
		a := loadgen.Answer{Method: t.Method, URL: t.URL, Address: netip.MustParseAddrPort("172.18.0.2:8080"), Status: 200,
			Length: 13, Took: 1500 * time.Microsecond}
		if failure != "" {
			a.Status, a.Failure = 500, failure
		}
		out = append(out, a)
	}
	return encoded(out)
}

// Requests returns a result of the load generator: a thousand right answers in one second.
func Requests() []byte {
	h := hdrhistogram.New(1, 60e9, 3)
	for i := range int64(1000) {
		_ = h.RecordValue(4e6 + 2e3*i) // within the bounds
	}
	histogram, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err)
	}
	d := loadgen.Distribution{Encoded: string(histogram), Highest: 60e9, Count: 1000, Min: 4e6, Max: 6e6, Sum: 5e9}
	none := loadgen.Distribution{Highest: 60e9}
	return encoded(loadgen.Result{SchemaVersion: loadgen.SchemaVersion, Semantics: loadgen.Semantics, Start: time.Now(),
		Length:  time.Second,
		EndedBy: loadgen.EndedByDuration, Attempted: 1000, Answered: 1000, Failures: map[loadgen.Kind]int64{},
		Status:    map[int]int64{200: 1000},
		Completed: loadgen.Completed{Right: 1000},
		Overlap:   &loadgen.Overlap{Right: 1000 * loadgen.WholeRequest, Time: 5 * time.Second},
		Connects:  5, Latency: d, FailedLatency: none, Connect: d, FirstByte: d,
		Seconds: []loadgen.Second{{Completed: loadgen.Completed{Right: 1000}}}})
}

// encoded returns v as JSON.
func encoded(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
