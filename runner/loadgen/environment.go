package loadgen

import (
	"fmt"
	"strings"
)

// CheckArgument makes "benchbook-agent load" check answers only.
const CheckArgument = "check"

// configVariable has the config of a generator. What is too long for one variable continues in configVariable_2 and so
// on.
const configVariable = "BENCHBOOK_LOAD"

// longestVariable is less than Linux takes, which is 128 KiB with the name.
const longestVariable = 100 << 10

func variableName(n int) string {
	if n == 1 {
		return configVariable
	}
	return fmt.Sprintf("%s_%d", configVariable, n)
}

// Environment returns the variables of a generator with a config.
func Environment(config string) (variables []string) {
	for n := 1; n == 1 || config != ""; n++ {
		length := min(len(config), longestVariable)
		variables = append(variables, variableName(n)+"="+config[:length])
		config = config[length:]
	}
	return variables
}

// FromEnvironment returns the config in the variables that get finds; empty without any.
func FromEnvironment(get func(name string) string) string {
	var text strings.Builder
	for n := 1; n == 1 || get(variableName(n)) != ""; n++ {
		text.WriteString(get(variableName(n)))
	}
	return text.String()
}
