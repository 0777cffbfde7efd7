package dockerfile

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/slice"
)

// Exposed are the TCP ports that the last stage exposes, or the stages that it is made from. Those of an image from
// elsewhere are not known, and ranges are left out: seldom does anything listen on all of one.
//
// Source: Dockerfile reference, "EXPOSE", "Environment replacement".
func (d File) Exposed() (ports []string) {
	stage, stages, values := "", make(map[string][]string), make(map[string]string)
	for _, step := range d.Steps {
		words := strings.Fields(step.Text)
		_, rest := splitFlags(words[1:])
		switch strings.ToUpper(words[0]) {
		case "FROM":
			ports = slices.Clone(stages[strings.ToLower(expandArgs(unquote(rest[0]), values))])
			if stage = ""; len(rest) == 3 { // image AS stage
				stage = strings.ToLower(rest[2])
			}
		case "ENV", "ARG":
			setAll(values, rest)
		case "EXPOSE":
			for _, word := range rest {
				if m := tcpPort.FindStringSubmatch(expandArgs(unquote(word), values)); m != nil {
					ports = slice.Add(ports, m[1])
				}
			}
		}
		stages[stage] = ports
	}
	return ports
}

// tcpPort is a port as EXPOSE has it.
var tcpPort = regexp.MustCompile(`^([1-9]\d{0,4})(?i:/tcp)?$`)

// setAll gives variables the values in the words of ENV and ARG: NAME=value, or NAME value.
func setAll(values map[string]string, words []string) {
	if len(words) == 2 && !strings.Contains(words[0], "=") {
		words = []string{words[0] + "=" + words[1]}
	}
	for _, word := range words {
		if name, value, ok := strings.Cut(word, "="); ok {
			values[name] = expandArgs(unquote(value), values)
		}
	}
}
