package loadgen

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// CheckArgument makes "benchbook-agent load" check answers only.
const CheckArgument = "check"

// configVariable is the environment variable that a generator finds its config in. What is longer than the system lets
// one be goes on in others, which are numbered from 2.
const configVariable = "BENCHBOOK_LOAD"

// longestVariable is less than Linux takes, which is 128 KiB with the name.
const longestVariable = 100 << 10

// Environment is that of a generator with a config.
func Environment(config string) []string {
	out := []string{configVariable + "=" + config[:min(len(config), longestVariable)]}
	for rest := config[min(len(config), longestVariable):]; rest != ""; rest = rest[min(len(rest), longestVariable):] {
		name := configVariable + "_" + strconv.Itoa(len(out)+1)
		out = append(out, name+"="+rest[:min(len(rest), longestVariable)])
	}
	return out
}

// FromEnvironment puts a config together from the variables that get finds; empty without any.
func FromEnvironment(get func(name string) string) string {
	var text strings.Builder
	text.WriteString(get(configVariable))
	for n := 2; ; n++ {
		more := get(configVariable + "_" + strconv.Itoa(n))
		if more == "" {
			return text.String()
		}
		text.WriteString(more)
	}
}

// Answer is what one target of a config answered at one address when it was asked once.
type Answer struct {
	Method  string         `json:"method"`
	URL     string         `json:"url"`
	Address netip.AddrPort `json:"address,omitzero"` // none where the name has none
	Status  int            `json:"status,omitempty"` // 0 where no whole answer came
	Length  int64          `json:"length"`           // of the body, in bytes
	Took    time.Duration  `json:"took_ns"`          // with opening a connection
	Failure string         `json:"failure,omitempty"`
}
