package plan

import (
	"fmt"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// checkOrigin reports keys that only the container of an image uses.
func (r *reader) checkOrigin(name source.Text, s *article.Service) {
	refuse := func(key string, at source.Pos) {
		r.problems.Add("contradiction", at, "service %q is an origin, so %s has no effect", name.Value, key).
			Hint = "remove " + key + ", or give it an image or a build instead of origin"
	}
	n := r.node.Get("services").Get(name.Value)
	for _, key := range []string{"command", "entrypoint", "environment", "configs", "volumes", "env_file", "tmpfs",
		"working_dir", "user"} {
		if n.Get(key) != nil {
			refuse(key, n.Place(key))
		}
	}
	ours := []string{"HTTP", "PORT", "LOG"}
	if h := s.Healthcheck; h != nil && len(h.Test) > 0 && !slices.Contains(ours, h.Test[0].Value) {
		refuse("a healthcheck that is a command", h.Test[0].Pos)
	}
	for _, e := range s.Expose {
		if e.Known() && e.V != 80 {
			r.problems.Add("contradiction", e.Text.Pos, "service %q is an origin, which listens on port 80 only",
				name.Value).Hint = "remove expose"
		}
	}
}

// origin reads an origin, which answers 200 at once unless it says otherwise.
func origin(o *article.Origin, problems *source.Problems) *spec.HTTPOrigin {
	out := &spec.HTTPOrigin{Body: int64(o.Body.V), Status: 200, Errors: float64(o.Errors.V)}
	if o.Status.Set() {
		out.Status = o.Status.V
	}
	if (out.Status == 204 || out.Status == 304) && out.Body > 0 {
		problems.Add("contradiction", o.Body.Text.Pos, "an answer of status %d has no body", out.Status).
			Hint = "remove body, or write another status"
	}
	if o.Latency != nil {
		latency(o.Latency, out)
	}
	return out
}

func latency(l *article.Latency, out *spec.HTTPOrigin) {
	out.Distribution = string(l.Distribution.V)
	out.Value, out.From, out.To, out.Median, out.Sigma = l.Value.V, l.From.V, l.To.V, l.Median.V, l.Sigma.V
	for _, v := range l.Values {
		out.Values = append(out.Values, v.V)
	}
}

// link reads a link, and reports invalid times and rates.
func linkSpec(l *article.Link, problems *source.Problems) *spec.Link {
	if j := l.Jitter; j.Known() && l.RTT.Known() && j.V > l.RTT.V/2 && l.RTT.V >= 0 {
		problems.Add("wrong-value", j.Text.Pos, "jitter is more than half of rtt: some delays would be negative").
			Hint = fmt.Sprintf("write %v at most, or a longer rtt", l.RTT.V/2)
	} else if j.Known() && j.V > 0 && !l.RTT.Set() {
		problems.Add("missing-key", j.Text.Pos, "a link has jitter but no rtt").
			Hint = "add rtt: with twice the jitter or more"
	}
	return &spec.Link{RTT: l.RTT.V, Jitter: l.Jitter.V, Rate: float64(l.Rate.V)}
}
