// Benchbook-time runs the program that its arguments name and prints what it took, as JSON, to standard output. Its status
// is 0 if the program could be run, whatever that one's status was, and 1 with a line on standard error if it could not.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"benchbook/runner/load/timing"
)

func main() {
	report, err := timing.Run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
