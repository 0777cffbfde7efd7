package runner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/load"
	"benchbook/runner/loadgen"
)

// checking is a driver whose targets answer.
type checking struct {
	load.Driver
	answer loadgen.Answer
}

func (c checking) Check(context.Context, load.Place, *plan.Trial) ([]loadgen.Answer, error) {
	return []loadgen.Answer{c.answer}, nil
}

// Services are started and asked once for each trial, and nothing is measured or saved.
func TestVerify(t *testing.T) {
	command := []string{`load: {target: "http://server:8080/", requests: 100}`, "command: {service: server, run: [\"true\"]}"}
	for _, tt := range []struct {
		name    string
		replace []string
		answer  loadgen.Answer
		start   error
		only    string
		want    string // trial and failure, or note, of each
	}{
		{name: "the targets answer", answer: loadgen.Answer{Method: "GET", Status: 200}, want: "sync 1 answer, async 1 answer"},
		{name: "one trial", answer: loadgen.Answer{Method: "GET", Status: 200}, only: "async", want: "async 1 answer"},
		{name: "they answer wrong", answer: loadgen.Answer{Method: "GET", URL: "http://server/", Failure: "status 500"},
			want: "sync 1 answer failed: GET http://server/: status 500, async 1 answer failed: GET http://server/: status 500"},
		{name: "a service is not ready", start: &engine.NotReadyError{Service: "server", Reason: errors.New("it ended")},
			only: "sync", want: `sync 0 answer failed: service "server" was not ready: it ended`},
		{name: "a command", replace: command, only: "sync",
			want: "sync 0 answer note: its services are ready; its command is timed and not checked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := script()
			s.Start = func(context.Context, engine.Service) error { return tt.start }
			e := fake.New(s)
			r := newRunner(e, &quiet{})
			r.Requests = checking{r.Requests, tt.answer}
			var got []string
			o := Options{Only: func(_ *plan.Experiment, t *plan.Trial) bool { return tt.only == "" || t.Name == tt.only }}
			sum, err := r.Verify(t.Context(), socketsPlan(t, tt.replace...), o, func(v Verification) {
				words := v.Trial + map[int]string{0: " 0 answer", 1: " 1 answer"}[len(v.Answers)]
				if v.Failure != "" {
					words += " failed: " + v.Failure
				}
				if v.Note != "" {
					words += " note: " + v.Note
				}
				got = append(got, words)
			})
			if all := strings.Join(got, ", "); err != nil || all != tt.want || sum.Measured != 0 {
				t.Errorf("got  %s\nwant %s (%v, %+v)", all, tt.want, err, sum)
			}
		})
	}
}
