package loadgen

// add adds what another engine has counted.
func (r *Result) add(p *Result) {
	for kind, n := range p.Failures {
		r.Failures[kind] += n
	}
	for status, n := range p.Status {
		r.Status[status] += n
	}
	for _, n := range []struct{ to, from *int64 }{
		{&r.Answered, &p.Answered},
		{&r.Completed.Right, &p.Completed.Right}, {&r.Completed.Failed, &p.Completed.Failed},
		{&r.BytesIn, &p.BytesIn}, {&r.BytesOut, &p.BytesOut}, {&r.Connects, &p.Connects},
		{&r.Sent, &p.Sent}, {&r.Blocked, &p.Blocked}, {&r.Stale, &p.Stale},
		{&r.Unrequested, &p.Unrequested},
		{&r.Warmup.Attempted, &p.Warmup.Attempted}, {&r.Warmup.Answered, &p.Warmup.Answered},
		{&r.Warmup.Failed, &p.Warmup.Failed},
	} {
		*n.to += *n.from
	}
	r.Overlap.Right += p.Overlap.Right
	r.Overlap.Failed += p.Overlap.Failed
	r.Overlap.Time += p.Overlap.Time
	r.addSeconds(p.Seconds)
}

// addSeconds adds seconds to those of a result, and those behind the last one to that.
func (r *Result) addSeconds(seconds []Second) {
	for i, s := range seconds {
		r.Seconds[min(i, len(r.Seconds)-1)].add(s)
	}
}

func (s *Second) add(from Second) {
	s.Attempted += from.Attempted
	s.Right += from.Right
	s.Failed += from.Failed
	s.LatencySum += from.LatencySum
	for kind, n := range from.Failures {
		if s.Failures == nil {
			s.Failures = make(map[Kind]int64)
		}
		s.Failures[kind] += n
	}
}

// distributions are those of a result, by name; nil are those that its load does not have.
func (r *Result) distributions() map[string]*Distribution {
	return map[string]*Distribution{
		"latency": &r.Latency, "failed latency": &r.FailedLatency, "connect": &r.Connect, "first byte": &r.FirstByte,
		"TLS setup": r.TLSSetup, "lag": r.Lag, "service": r.Service, "cut": r.Cut,
	}
}
