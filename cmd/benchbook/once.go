package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// onceOnly lets every flag of a command and of those below it that takes one value be given once: of two the first
// would be forgotten without a word. Lists and switches can be given again.
func onceOnly(cmd *cobra.Command) {
	wrap := func(f *pflag.Flag) {
		_, isList := f.Value.(pflag.SliceValue)
		_, isWrapped := f.Value.(*once)
		if !isList && !isWrapped && f.Value.Type() != "bool" {
			f.Value = &once{Value: f.Value}
		}
	}
	cmd.Flags().VisitAll(wrap)
	cmd.PersistentFlags().VisitAll(wrap)
	for _, c := range cmd.Commands() {
		onceOnly(c)
	}
}

// errTwice is the cause of the error of a flag that is given again.
var errTwice = errors.New("it is given twice")

// once is the value of a flag that can be given once.
type once struct {
	pflag.Value
	given bool
}

func (o *once) Set(text string) error {
	if o.given {
		return errTwice
	}
	o.given = true
	return o.Value.Set(text)
}
