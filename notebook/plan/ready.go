package plan

import (
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// readiness reads a healthcheck; the forms HTTP, PORT and LOG of its test are ours, the others Compose's.
func (r *reader) readiness(h *article.Healthcheck, service source.Text, exposes bool) spec.Ready {
	if h.StartInterval.Set() && !h.StartPeriod.Set() {
		r.problems.Add("missing-key", h.StartInterval.Text.Pos, "start_interval needs a start_period").
			Hint = "add start_period: with the time that the service may take to start"
	}
	if isDisabled(h) {
		return spec.Ready{}
	}
	out := spec.Ready{Interval: h.Interval.V, Timeout: h.Timeout.V, Retries: h.Retries.V, StartPeriod: h.StartPeriod.V,
		StartInterval: h.StartInterval.V}
	if len(h.Test) == 0 {
		return out
	}
	kind := h.Test[0]
	if hint, ok := readTest(&out, kind.Value, article.Texts(h.Test[1:])); !ok {
		r.problems.Add("wrong-value", kind.Pos, "the healthcheck of service %q cannot be read", service.Value).Hint = hint
	}
	if out.HTTP != "" && !exposes {
		r.problems.Add("missing-key", kind.Pos, "service %q exposes no port that could answer over HTTP", service.Value).
			Hint = "add expose: with the port"
	}
	for _, v := range []article.Value[time.Duration]{h.Timeout, h.StartInterval} {
		if out.Log != "" && v.Set() {
			r.contradiction(v.Text.Pos, "a log is read continuously, so this time has no effect",
				"remove it; start_period is the time that the service may take to start")
		}
	}
	return out
}

func isDisabled(h *article.Healthcheck) bool {
	return h != nil && (h.Disable.V || len(h.Test) == 1 && h.Test[0].Value == "NONE")
}

// readTest reads the test of a healthcheck. It returns a hint how to write it, and whether it is right.
func readTest(out *spec.Ready, kind string, words []string) (hint string, ok bool) {
	var err error
	first := append(words, "")[0]
	switch kind {
	case "HTTP":
		out.HTTP = first
		return "write [HTTP, /path]", len(words) == 1 && strings.HasPrefix(first, "/")
	case "PORT":
		out.Port, err = strconv.Atoi(first)
		return `write [PORT, "5432"]`, len(words) == 1 && err == nil && out.Port >= 1 && out.Port <= 65535
	case "LOG":
		out.Log, out.Times = first, 1
		if len(words) == 2 {
			out.Times, err = strconv.Atoi(words[1])
		}
		return "write [LOG, text] or [LOG, text, times]", first != "" && len(words) <= 2 && err == nil && out.Times >= 1
	case "CMD":
		out.Command = words
		return "write [CMD, program, argument]", len(words) > 0
	case "CMD-SHELL":
		out.Command = []string{"/bin/sh", "-c", first}
		return "write [CMD-SHELL, command]", len(words) == 1
	case "NONE":
		return "write NONE alone", false
	}
	out.Command = []string{"/bin/sh", "-c", kind}
	return "begin with CMD, CMD-SHELL, NONE, HTTP, PORT or LOG", len(words) == 0
}
