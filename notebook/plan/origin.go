package plan

import (
	"fmt"
	"slices"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// maxSigma bounds sigma: with more, most times are too short to be timed, or longer than a day.
const maxSigma = 20

// checkOrigin reports keys that only the container of an image uses.
func checkOrigin(name source.Text, s *article.Service, problems *source.Problems) {
	refuse := func(key string, at source.Pos) {
		if at.Source != nil {
			problems.Add("contradiction", at, "service %q is an origin, so %s has no effect", name.Value, key).
				Hint = "remove " + key + ", or give it an image or a build instead of origin"
		}
	}
	if s.Command != nil {
		refuse("command", s.Command.Pos)
	}
	if s.Entrypoint != nil {
		refuse("entrypoint", s.Entrypoint.Pos)
	}
	refuse("environment", firstName(s.Environment))
	if len(s.Configs) > 0 {
		refuse("configs", s.Configs[0].Source.Pos)
	}
	if len(s.Volumes) > 0 {
		refuse("volumes", s.Volumes[0].Pos)
	}
	if len(s.EnvFile) > 0 {
		refuse("env_file", s.EnvFile[0].Pos)
	}
	if len(s.Tmpfs) > 0 {
		refuse("tmpfs", s.Tmpfs[0].Pos)
	}
	refuse("working_dir", s.WorkingDir.Pos)
	refuse("user", s.User.Pos)
	ours := []string{"HTTP", "PORT", "LOG"}
	if h := s.Healthcheck; h != nil && len(h.Test) > 0 && !slices.Contains(ours, h.Test[0].Value) {
		refuse("a healthcheck that is a command", h.Test[0].Pos)
	}
}

// checkOriginPort reports other ports of an origin than its own.
func checkOriginPort(name source.Text, s *article.Service, problems *source.Problems) {
	for _, e := range s.Expose {
		if e.Known() && e.V != 80 {
			problems.Add("contradiction", e.Text.Pos, "service %q is an origin, which listens on port 80 only",
				name.Value).Hint = "remove expose"
		}
	}
}

// firstName is the place of the first name of a mapping, if there is one.
func firstName(list article.Environment) source.Pos {
	if len(list) == 0 {
		return source.Pos{}
	}
	return list[0].Name.Pos
}

// origin reads an origin, which answers 200 at once unless it says otherwise.
func origin(o *article.Origin, problems *source.Problems) *spec.HTTPOrigin {
	out := &spec.HTTPOrigin{Body: int64(o.Body.V), Status: 200, Errors: float64(o.Errors.V)}
	if o.Status.Set() {
		out.Status = o.Status.V
	}
	checkStatus(o.Status, problems)
	if o.Status.Known() && o.Status.V >= 100 && o.Status.V < 200 {
		problems.Add("wrong-value", o.Status.Text.Pos, "an answer cannot have status %d", o.Status.V).
			Hint = "they go from 200 to 599"
	}
	if (out.Status == 204 || out.Status == 304) && out.Body > 0 {
		problems.Add("contradiction", o.Body.Text.Pos, "an answer of status %d has no body", out.Status).
			Hint = "remove body, or write another status"
	}
	share(o.Errors, "errors must be a share of the answers", problems)
	if o.Body.Known() && o.Body.V < 0 {
		problems.Add("wrong-value", o.Body.Text.Pos, "body must be a size")
	}
	if o.Latency != nil {
		latency(o.Latency, out, problems)
	}
	return out
}

func latency(l *article.Latency, out *spec.HTTPOrigin, problems *source.Problems) {
	out.Distribution = string(l.Distribution.V)
	out.Value, out.From, out.To, out.Median, out.Sigma = l.Value.V, l.From.V, l.To.V, l.Median.V, l.Sigma.V
	for _, v := range append([]article.Value[time.Duration]{l.Value, l.From, l.To, l.Median}, l.Values...) {
		if v.Known() && v.V < 0 {
			problems.Add("wrong-value", v.Text.Pos, "a latency cannot be negative")
		}
	}
	if l.Sigma.Known() && !(l.Sigma.V > 0 && l.Sigma.V <= maxSigma) {
		problems.Add("wrong-value", l.Sigma.Text.Pos, "sigma must be more than 0, and %d at most", maxSigma).
			Hint = "0.5 is usual for times on the web"
	}
	for _, v := range l.Values {
		out.Values = append(out.Values, v.V)
	}
}

func checkStatus(v article.Value[int], problems *source.Problems) {
	if v.Known() && (v.V < 100 || v.V > 599) {
		problems.Add("wrong-value", v.Text.Pos, "invalid HTTP status %d", v.V).Hint = "they go from 100 to 599"
	}
}

// link reads a link, and reports invalid times and rates.
func linkSpec(l *article.Link, problems *source.Problems) *spec.Link {
	for _, v := range []article.Value[time.Duration]{l.RTT, l.Jitter} {
		if v.Known() && v.V < 0 {
			problems.Add("wrong-value", v.Text.Pos, "a delay cannot be negative")
		}
	}
	positive(l.Rate, "rate", "leave it out for no limit", problems)
	if j := l.Jitter; j.Known() && l.RTT.Known() && j.V > l.RTT.V/2 && l.RTT.V >= 0 {
		problems.Add("wrong-value", j.Text.Pos, "jitter is more than half of rtt: some delays would be negative").
			Hint = fmt.Sprintf("write %v at most, or a longer rtt", l.RTT.V/2)
	} else if j.Known() && j.V > 0 && !l.RTT.Set() {
		problems.Add("missing-key", j.Text.Pos, "a link has jitter but no rtt").
			Hint = "add rtt: with twice the jitter or more"
	}
	return &spec.Link{RTT: l.RTT.V, Jitter: l.Jitter.V, Rate: float64(l.Rate.V)}
}
