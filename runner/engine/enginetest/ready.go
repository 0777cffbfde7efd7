package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// readiness starts services that become ready 200 ms after their start, and services that never do.
func readiness(t *test) {
	const while = 200 * time.Millisecond
	late := "out=twice sleep=200ms listen=8080 out=tw out=twice sleep=1h"
	alive := "out=last_words listen=8080 sleep=1h"
	space := t.open()
	for i, tt := range []struct {
		name, steps string
		ready       spec.Ready
		want        string // in the error; empty: it becomes ready
	}{
		{"the exposed port accepts", late, spec.Ready{}, ""},
		{"a port accepts", late, spec.Ready{Port: 8080}, ""},
		{"a path is answered", late, spec.Ready{HTTP: "/204"}, ""},
		{"a path is redirected", late, spec.Ready{HTTP: "/302"}, ""},
		{"a text is in the log", "sleep=200ms out=twice listen=8080 sleep=1h", spec.Ready{Log: "twice"}, ""},
		{"a text is in the log again", late, spec.Ready{Log: "twice", Times: 2}, ""},
		{"a command succeeds", late, spec.Ready{Command: []string{"/puppet", "dial=127.0.0.1:8080"}}, ""},
		{"it ends", "out=last_words exit=3", spec.Ready{}, "status 3"},
		{"it ends, waited for by its log", "out=last_words exit=3", spec.Ready{Log: "never"}, "status 3"},
		{"it ends after a while", "sleep=200ms out=last_words exit=4", spec.Ready{Port: 1}, "status 4"},
		{"its port does not accept", alive, spec.Ready{Port: 9}, "port 9"},
		{"its path fails", alive, spec.Ready{HTTP: "/503"}, "503"},
		{"its log lacks the text", alive, spec.Ready{Log: "words", Times: 2}, "1 of 2"},
		{"its command fails", alive, spec.Ready{Command: []string{"/puppet", "err=oh", "exit=5"}}, "oh"},
	} {
		t.run(t.T, tt.name, func(t *test) {
			if !t.lacks(spec.Containers) { // without containers, services share ports
				t.Parallel()
			}
			group, service, began := t.group(space), t.server(fmt.Sprint("server-", i)), time.Now()
			defer t.close(group)
			service.Command, service.Ready = strings.Fields(tt.steps), tt.ready
			if tt.want == "" {
				server := t.start(group, service)
				if took := time.Since(began); took < while || took > prompt {
					t.Errorf("ready after %v", took)
				}
				if tt.ready.Log != "twice" || tt.ready.Times == 2 { // the next request is answered
					t.want(t.exec(server, "get=http://127.0.0.1:8080/"), "hello from "+service.Name+"\n")
				}
				return
			}
			var notReady *engine.NotReadyError
			for service.Within = time.Second; service.Within < time.Minute; service.Within *= 4 { // on a busy machine
				_, err := group.Start(t.ctx, service)
				if !errors.As(err, &notReady) {
					t.Fatalf("got %v, want a NotReadyError", err)
				}
				if strings.Contains(err.Error(), strconv.Quote(service.Name)) && strings.Contains(err.Error(), tt.want) &&
					strings.Contains(string(notReady.Log), "last_words") && time.Since(began) < prompt {
					if tt.ready.Port > 0 {
						t.start(group, t.server(service.Name)) // the first is gone, and its name free
					}
					return
				}
			}
			t.Errorf("got %q with log %q, want %q", notReady, notReady.Log, tt.want)
		})
	}
}

// muchLog writes more than any engine keeps, faster than it can be read back. Every text counts for readiness.
func muchLog(t *test) {
	const times = 4
	service := t.server("server")
	service.Command = append(slices.Repeat([]string{"out=the word", "fill=33554432", "out=."}, times-1), "out=the word",
		"sleep=1h")
	service.Ready = spec.Ready{Log: "the word", Times: times, StartPeriod: 4 * time.Minute}
	server := t.start(t.open(), service)
	for deadline := time.Now().Add(prompt); ; time.Sleep(20 * time.Millisecond) {
		log, err := server.Logs(t.ctx)
		if err != nil || len(log) > engine.MaxLog {
			t.Fatalf("%d bytes of its log are kept, %v; want a mebibyte at most", len(log), err)
		}
		if strings.HasSuffix(string(log), "xx.\nthe word\n") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("its log ends with %q", log[max(0, len(log)-20):])
		}
	}
}

// completes starts services that are ready once they have exited with status 0.
func completes(t *test) {
	space := t.open()
	service := t.server("migration")
	service.Command, service.Completes = []string{"sleep=300ms", "out=done", "exit=0"}, true
	begun := make(chan time.Time, 1)
	service.Begun = func() { begun <- time.Now() }
	migration := t.start(space, service)
	if took := time.Since(<-begun); took < 250*time.Millisecond { // it may have started slightly earlier
		t.Errorf("it was ready %v after it had begun, and takes 300 ms to complete", took)
	}
	if state, err := migration.State(t.ctx); err != nil || !state.Ended || state.Exit.Code != 0 {
		t.Errorf("State() = %+v, %v", state, err)
	}
	t.wantLog(migration, "done\n")
	service.Name, service.Command = "broken", []string{"out=last words", "exit=3"}
	_, err := space.Start(t.ctx, service)
	if failed := wantError[*engine.NotReadyError](t, err, "status 3"); failed != nil && string(failed.Log) != "last words\n" {
		t.Errorf("its log is %q", failed.Log)
	}
}

func listening(t *test) {
	space := t.open()
	service := t.server("server")
	service.Command = []string{"listen=8080", "listen=127.0.0.1:9000", "out=up", "sleep=1h"}
	service.Ready = spec.Ready{Log: "up"}
	usage, err := t.start(space, service).Usage(t.ctx, engine.Detail{Listeners: true})
	var words []string
	for _, o := range usage.Listeners {
		words = append(words, strings.Replace(o.String(), "[::]", "0.0.0.0", 1)) // with IPv6, one socket is for both
	}
	slices.Sort(words)
	if want := []string{"0.0.0.0:8080", "127.0.0.1:9000"}; err != nil || !slices.Equal(words, want) {
		t.Errorf("listeners are %q, %v; want %q", words, err, want)
	}
	if t.lacks(spec.Containers) {
		return // there, services are reached on the loopback
	}
	service.Name, service.Command, service.Ready = "loop", []string{"listen=127.0.0.1:8080", "sleep=1h"}, spec.Ready{}
	began := time.Now()
	_, err = space.Start(t.ctx, service)
	const want = "nothing listens on port 8080 (it listens on 127.0.0.1:8080 only: bind to 0.0.0.0)"
	if wantError[error](t, err, want); time.Since(began) > prompt {
		t.Errorf("that took %v", time.Since(began))
	}
}

// rejected asks for things that the image or the engine lacks.
func rejected(t *test) {
	for _, tt := range []struct {
		want     string // in the error
		rejected bool
		set      func(*engine.Service)
	}{
		{"/nothing", true, func(s *engine.Service) { s.Entrypoint = []string{"/nothing"} }},
		{"4000", true, func(s *engine.Service) { s.CPUSet = "4000" }},
		{"NONSENSE", true, func(s *engine.Service) { s.StopSignal = "NONSENSE" }},
		{"relative.txt", false, func(s *engine.Service) { s.Configs = []spec.File{{Path: "relative.txt"}} }},
	} {
		service := t.server("server")
		if tt.set(&service); service.CPUSet != "" && t.lacks(spec.NamedCPUs) {
			continue
		}
		_, err := t.open().Start(t.ctx, service)
		if wantError[error](t, err, tt.want); tt.rejected {
			wantError[*engine.RejectedError](t, err)
		}
	}
}

func cancelledStart(t *test) {
	space := t.open()
	service := t.server("server")
	service.Ready = spec.Ready{Log: "never"}
	// Early, in the middle, and while it waits.
	for _, after := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 400 * time.Millisecond} {
		cancelled, cancel := context.WithTimeout(t.ctx, after)
		_, err := space.Start(cancelled, service)
		cancel()
		if err == nil || errors.As(err, new(*engine.NotReadyError)) {
			t.Errorf("cancelled after %v: got %v, want the error of the context", after, err)
		}
	}
	t.start(space, t.server("server")) // the others are gone, and their name free
}
