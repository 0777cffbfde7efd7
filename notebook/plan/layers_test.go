package plan_test

import (
	"fmt"
	"testing"

	"benchbook/internal/test/assert"
)

// Values come from the project, the front matter, the experiment and a profile, in this order; null removes them.
func TestLayers(t *testing.T) {
	const (
		load    = "name: e\nservices: {s: {image: x}}\nload: {target: http://s/"
		project = "-- ../../benchbook.yaml --\n"
		front   = "-- front --\n"
		quick   = "-- profile --\nquick\n"
		three   = project + "profiles: {quick: {repetitions: 3}}\n" + quick
		skipped = "skipped: profile quick leaves this experiment out"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"what is built in", load + "}", "[3 5 10 20] of 10 connections, 10s, 0 requests, rate 0"},
		{"the project", load + "}\n" + project + "defaults: {repetitions: 7, load: {connections: 20}}",
			"[7] of 20 connections, 10s, 0 requests, rate 0"},
		{"the front matter", load + "}\n" + project + "defaults: {repetitions: 7}\n" + front + "defaults: {repetitions: 8}",
			"[8] of 10 connections, 10s, 0 requests, rate 0"},
		{"the experiment", load + ", connections: 9}\n" + front + "defaults: {load: {connections: 8}}",
			"[3 5 10 20] of 9 connections, 10s, 0 requests, rate 0"},
		{"null in the experiment", load + ", connections: null, duration: null}\nrepetitions: null\n" + project +
			"defaults: {repetitions: 7, load: {connections: 20}}", "[3 5 10 20] of 10 connections, 10s, 0 requests, rate 0"},
		{"a profile of the project", load + "}\n" + three, "[3] of 10 connections, 10s, 0 requests, rate 0"},
		{"a load in a profile of the project", load + "}\n" + project + "profiles: {quick: {load: {connections: 3}}}\n" + quick,
			"[3 5 10 20] of 3 connections, 10s, 0 requests, rate 0"},
		{"a profile of the front matter", load + "}\n" + front + "defaults: {profiles: {quick: {repetitions: 1}}}\n" + quick,
			"[1] of 10 connections, 10s, 0 requests, rate 0"},
		{"a profile of the experiment", load + "}\nprofiles: {quick: {load: {duration: 1s}}}\n" + three,
			"[3] of 10 connections, 1s, 0 requests, rate 0"},
		{"profiles of all three", load + "}\nprofiles: {quick: {load: {connections: 5}}}\n" + front +
			"defaults: {profiles: {quick: {repetitions: 1, load: {connections: 4}}}}\n" + three,
			"[1] of 5 connections, 10s, 0 requests, rate 0"},
		{"null in a profile", load + ", connections: 20}\nrepetitions: 7\n" +
			"profiles: {quick: {repetitions: null, load: {connections: null}}}\n" + three,
			"[3 5 10 20] of 10 connections, 10s, 0 requests, rate 0"},
		{"a profile without the experiment", load + "}\nprofiles: {quick: skip}\n" + three, skipped},

		{"requests instead of a time", load + ", requests: 5}", "[3 5 10 20] of 10 connections, 0s, 5 requests, rate 0"},
		{"requests and a time", load + ", requests: 5, duration: 4s}",
			"[3 5 10 20] of 10 connections, 4s, 5 requests, rate 0"},
		{"requests of a profile instead of a time", load + "}\nprofiles: {quick: {load: {requests: 5}}}\n" + three,
			"[3] of 10 connections, 0s, 5 requests, rate 0"},
		{"no requests in a profile", load + ", requests: 5}\nprofiles: {quick: {load: {requests: null}}}\n" + three,
			"[3] of 10 connections, 10s, 0 requests, rate 0"},
		{"a rate instead of requests and think", load + ", rate: 5/s}\n" + project +
			"defaults: {load: {requests: 9, think: 1s}}", "[3 5 10 20] of 10 connections, 10s, 0 requests, rate 5"},
		{"a rate of a profile instead of requests", load + ", requests: 9, think: 1s}\n" +
			"profiles: {quick: {load: {rate: 5/s}}}\n" + quick, "[3 5 10 20] of 10 connections, 10s, 0 requests, rate 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, problems, _ := newCase(tt.text).plan(t)
			assert.None(t, problems.Sorted())
			e := p.Experiments[0]
			got := "skipped: " + e.Skipped
			if e.Skipped == "" {
				l := e.Trials[0].Load
				got = fmt.Sprintf("%v of %d connections, %v, %d requests, rate %v", e.Looks, l.Connections, l.Duration,
					l.Requests, l.Rate)
			}
			assert.Equal(t, got, tt.want)
		})
	}
}
