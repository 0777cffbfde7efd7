package runner

import (
	"context"
	"time"

	"benchbook/notebook/plan"
	"benchbook/runner/engine"
	"benchbook/runner/load"
)

// apart is what a sampler has to know of an experiment on several machines: what does not run on this one, and what the others did in
// the window of a measurement.
type apart struct {
	services map[string]bool // those that run elsewhere, and links before them
	load     bool            // it is put on from elsewhere
	all      bool            // nothing of the experiment runs here
	others   []otherUsage
}

// otherUsage is what another machine did in the window: shares of its processor time, -1 where its readings do not cover the window.
type otherUsage struct{ foreign, steal float64 }

// readOthers completes what a sampler knows with what the other machines did in the window of a measurement.
func (r *run) readOthers(ctx context.Context, s *sampler, t *plan.Trial, m *load.Measurement) error {
	if len(r.experiment.Hosts) == 0 {
		return nil
	}
	s.apart = apart{services: map[string]bool{}, load: r.experiment.LoadHost(t) != "", all: !r.here()}
	on := map[string][]string{}
	for _, service := range t.Services {
		if host := r.experiment.HostOf(service.Name); host != "" {
			s.apart.services[service.Name], s.apart.services[service.Name+linkSuffix] = true, true
			on[host] = append(on[host], service.Name, service.Name+linkSuffix)
		}
	}
	if m.Length <= 0 {
		return nil
	}
	begin, end := m.Start, m.Start.Add(m.Length)
	if err := untilRead(ctx, end); err != nil {
		return err
	}
	for _, machine := range r.machinesOf(t) {
		readings, err := machine.readings(ctx, begin.Add(-time.Second))
		if err != nil {
			return err
		}
		there := &sampler{host: readings}
		ours := 0.0
		for _, name := range on[machine.Name] {
			if usage := s.often(name); len(usage) > 1 {
				ours += there.asHost(usage, begin, end)
			}
		}
		if m.HostCPU != nil {
			ours += m.HostCPU[machine.Name].Seconds()
		} else if machine.Name == r.experiment.LoadHost(t) && m.GeneratorCPU > 0 {
			ours += m.GeneratorCPU.Seconds()
		}
		other := otherUsage{there.foreign(begin, end, ours), -1}
		if used, ok := there.hostIn(begin, end); ok {
			other.steal = max(0, used.steal/used.total)
		}
		s.apart.others = append(s.apart.others, other)
	}
	return nil
}

// longestUntilRead is how long readings of the end of a window are waited for: it is over when they are asked for, by any clock that was not
// set meanwhile.
const longestUntilRead = time.Second

// untilRead waits until machines have been read behind the end of a window. The error is the context's.
func untilRead(ctx context.Context, end time.Time) error {
	wait := min(time.Until(end.Add(2*readingEvery)), longestUntilRead)
	if wait <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

// often are the readings of the processor time of a service that lie closest together.
func (s *sampler) often(name string) []engine.Usage {
	if often := s.cpu[name]; len(often) > 1 {
		return often
	}
	return s.services[name]
}
