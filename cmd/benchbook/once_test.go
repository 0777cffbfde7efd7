package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/lab"
)

// Every flag of one value refuses a second one, and those of lists and switches take it.
func TestFlagsGivenTwice(t *testing.T) {
	flags := 0
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			flags++
			_, isList := f.Value.(pflag.SliceValue)
			if _, isOnce := f.Value.(*once); isOnce == (isList || f.Value.Type() == "bool") {
				t.Errorf("%s --%s: it can be given once: %t", cmd.CommandPath(), f.Name, isOnce)
			}
		})
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look((&app{&lab.Session{Stdout: io.Discard, Stderr: io.Discard, Config: scripted()}}).root())
	if flags < 50 {
		t.Errorf("only %d flags were found", flags)
	}
	status, _, stderr := benchbook(t.TempDir(), "show", "--run", "a", "--run", "b")
	if want := "--run is given twice: give it once, or run the command once for each"; status != lab.StatusUsage ||
		!strings.Contains(string(stderr), want) {
		t.Errorf("status %d, %q; want %q", status, stderr, want)
	}
}
