package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/observe"
)

// behindLink is added to the name of a service with a link: that is its name in the engine, because the relay has the
// name of the service, so that requests reach the relay. Names of services have no dots.
const behindLink = ".behind"

// seed returns the seed of an origin. It depends on the service's name alone, so that all repetitions and all cells of an
// experiment meet the same delays.
func seed(service string) uint64 {
	sum := sha256.Sum256([]byte("origin\x00" + service))
	return binary.BigEndian.Uint64(sum[:])
}

func originEnvironment(s *spec.Service) string {
	config, _ := json.Marshal(agent.OriginConfig{Semantics: record.OriginSemantics, Seed: seed(s.Name),
		HTTPOrigin: *s.Origin}) // plain data
	return "BENCHBOOK_ORIGIN=" + string(config)
}

// relay returns the link before a service. It says in its log when it is ready: a request to its ports would reach the
// service.
func (b *bench) relay(s *spec.Service) engine.Service {
	c := agent.LinkConfig{Semantics: record.LinkSemantics, Link: *s.Link}
	for _, port := range s.Expose {
		c.Routes = append(c.Routes, agent.LinkRoute{Listen: fmt.Sprintf(":%d", port),
			Target: fmt.Sprintf("%s%s:%d", s.Name, behindLink, port)})
	}
	config, _ := json.Marshal(c) // plain data
	host := b.experiment.HostOf(s.Name)
	return engine.Service{Image: b.images().Own(), Host: host, Ours: true, Service: spec.Service{
		Name: s.Name, Command: []string{agent.Link}, Environment: []string{"BENCHBOOK_LINK=" + string(config)},
		CPUSet: b.layout().placement(host).Services,
		// One end of a closed connection cannot use its port again for a minute. The relay may be that end, for all clients.
		Sysctls: map[string]string{"net.ipv4.tcp_tw_reuse": "1"},
		Ready:   spec.Ready{Log: agent.LinkReadyLine},
	}}
}

// replica returns the name of the nth container of a scaled service, counted from 1. The first has the service's own
// name, which all of them are reached by.
func replica(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, n)
}

// renameInError puts the name that records and messages have for a container into an error.
func renameInError(err error, engineName, name string) error {
	if notReady := (*engine.NotReadyError)(nil); errors.As(err, &notReady) && notReady.Service == engineName {
		notReady.Service = name
	}
	if rejected := (*engine.RejectedError)(nil); errors.As(err, &rejected) && rejected.Name == engineName {
		rejected.Name = name
	}
	return err
}

// lateness adds the facts that say how late our own programs were: link.late.X for the link before X, origin.late.X for
// an origin X. After a short measurement it waits for their next reports, which would miss much of it otherwise.
func lateness(ctx context.Context, t *plan.Trial, running []engine.Container, length time.Duration,
	facts map[string]string) {
	programs := byName(running)
	add := func(fact, name string, delays bool) {
		program := programs[name]
		if program == nil {
			return
		}
		if delays && length < 20*agent.ReportEvery {
			select {
			case <-ctx.Done():
			case <-time.After(agent.ReportEvery + 50*time.Millisecond): // for the line to get into the log
			}
		}
		if log, err := program.Logs(ctx); err == nil {
			if late, ok := agent.ReadLateness(log); ok {
				facts[fact] = late.String()
			}
		}
	}
	for _, s := range t.Services {
		if s.Origin != nil {
			add("origin.late."+s.Name, s.Name, s.Origin.Distribution != "")
		}
		if s.Link != nil {
			add("link.late."+s.Name, s.Name+observe.LinkSuffix, *s.Link != spec.Link{})
		}
	}
}

// serviceLog returns the log of a container, without the reports of our own programs.
func serviceLog(ctx context.Context, r engine.Container) ([]byte, error) {
	log, err := r.Logs(ctx)
	if err != nil {
		return nil, err
	}
	return agent.WithoutLateness(bytes.Clone(log)), nil
}
