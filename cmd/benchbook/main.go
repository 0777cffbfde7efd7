// Benchbook runs the experiments of articles and renders the articles with their results.
package main

import (
	"os"

	"benchbook/cmd/cli"
)

func main() { os.Exit(cli.Main(nil)) }
