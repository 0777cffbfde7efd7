package plan

import (
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// readiness reads a healthcheck, if there is one; the forms HTTP, PORT and LOG of its test are ours, the others
// Compose's.
func readiness(h *article.Healthcheck, service source.Text, exposes bool, problems *source.Problems) spec.Ready {
	if h == nil {
		return spec.Ready{}
	}
	checkProbes(h, problems)
	if isDisabled(h) {
		return spec.Ready{} // as if there were none
	}
	out := spec.Ready{Interval: h.Interval.V, Timeout: h.Timeout.V, Retries: h.Retries.V, StartPeriod: h.StartPeriod.V,
		StartInterval: h.StartInterval.V}
	if len(h.Test) == 0 {
		return out
	}
	kind := h.Test[0]
	if hint := readTest(&out, kind.Value, article.Texts(h.Test[1:])); hint != "" {
		problems.Add("wrong-value", kind.Pos, "the healthcheck of service %q cannot be read", service.Value).Hint = hint
	}
	if out.HTTP != "" && !exposes {
		problems.Add("missing-key", kind.Pos, "service %q exposes no port that could answer over HTTP", service.Value).
			Hint = "add expose: with the port"
	}
	if out.Log == "" {
		return out
	}
	for _, v := range []article.Value[time.Duration]{h.Timeout, h.StartInterval} {
		if v.Set() {
			problems.Add("contradiction", v.Text.Pos, "a log is read continuously, so this time has no effect").
				Hint = "remove it; start_period is the time that the service may take to start"
		}
	}
	return out
}

// isDisabled says that there is no healthcheck, and none of the image either.
func isDisabled(h *article.Healthcheck) bool {
	return h != nil && (h.Disable.V || len(h.Test) == 1 && h.Test[0].Value == "NONE")
}

// readTest reads the test of a healthcheck. If it cannot be read it gives a hint how to write it.
func readTest(out *spec.Ready, kind string, words []string) (hint string) {
	switch kind {
	case "HTTP":
		if len(words) != 1 || !strings.HasPrefix(words[0], "/") {
			return "write [HTTP, /path]"
		}
		out.HTTP = words[0]
	case "PORT":
		if out.Port = onePort(words); out.Port == 0 {
			return `write [PORT, "5432"]`
		}
	case "LOG":
		if out.Log, out.Times = logText(words); out.Log == "" {
			return "write [LOG, text] or [LOG, text, times]"
		}
	case "CMD":
		if out.Command = words; len(words) == 0 {
			return "write [CMD, program, argument]"
		}
	case "CMD-SHELL":
		if out.Command = append([]string{"/bin/sh", "-c"}, words...); len(words) != 1 {
			return "write [CMD-SHELL, command]"
		}
	case "NONE":
		return "write NONE alone"
	default:
		if len(words) > 0 {
			return "begin with CMD, CMD-SHELL, NONE, HTTP, PORT or LOG"
		}
		out.Command = []string{"/bin/sh", "-c", kind}
	}
	return ""
}

// onePort reads a single port; 0 if it is invalid.
func onePort(words []string) int {
	port, err := strconv.Atoi(strings.Join(words, " "))
	if len(words) != 1 || err != nil || port < 1 || port > 65535 {
		return 0
	}
	return port
}

// logText reads the text to wait for in a log, and how often it has to occur; empty if they are invalid.
func logText(words []string) (text string, times int) {
	times = 1
	if len(words) == 2 {
		times, _ = strconv.Atoi(words[1])
	}
	if len(words) < 1 || len(words) > 2 || words[0] == "" || times < 1 {
		return "", 0
	}
	return words[0], times
}

func checkProbes(h *article.Healthcheck, problems *source.Problems) {
	if h.StartInterval.Set() && !h.StartPeriod.Set() {
		problems.Add("missing-key", h.StartInterval.Text.Pos, "start_interval needs a start_period").
			Hint = "add start_period: with the time that the service may take to start"
	}
}
