package plan

import (
	"strconv"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// readiness completes a healthcheck; the forms HTTP, PORT and LOG of its test are ours, the others Compose's.
func (d *draft) readiness(out *spec.Ready, n *source.Node, s *spec.Service) {
	at := func(key string) source.Pos { return n.TextAt(key).Pos }
	if n.Under("start_interval") != nil && n.Under("start_period") == nil {
		d.problems.Add("missing-key", at("start_interval"), "start_interval needs a start_period").
			Hint = "add start_period: with the time that the service may take to start"
	}
	test := out.Test
	if s.NoImageHealthcheck = out.Disable || len(test) == 1 && test[0] == "NONE"; s.NoImageHealthcheck {
		*out = spec.Ready{}
		return
	}
	if out.Test = nil; len(test) == 0 {
		return
	}
	kind := n.Get("test").List()[0].Text.Pos
	if hint, ok := readTest(out, test[0], test[1:]); !ok {
		d.problems.Add("wrong-value", kind, "the healthcheck of service %q cannot be read", s.Name).Hint = hint
	}
	if out.HTTP != "" && len(s.Expose) == 0 {
		d.problems.Add("missing-key", kind, "service %q exposes no port that could answer over HTTP", s.Name).
			Hint = "add expose: with the port"
	}
	for _, key := range []string{"timeout", "start_interval"} {
		if out.Log != "" && n.Under(key) != nil {
			d.contradiction(at(key), "a log is read continuously, so this time has no effect",
				"remove it; start_period is the time that the service may take to start")
		}
	}
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
