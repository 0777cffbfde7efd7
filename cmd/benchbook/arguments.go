package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/notebook/article"
)

// arguments allows from least to most words after a verb, which its usage names.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := strings.TrimSuffix(cmd.UseLine(), " [flags]")
		switch {
		case len(args) < least:
			return fmt.Errorf("%s needs one more word: write %s", cmd.Name(), usage)
		case len(args) > most:
			return fmt.Errorf("%s does not know what to do with %q: write %s", cmd.Name(), args[most], usage)
		}
		return nil
	}
}

// flagError says of an unknown flag which was meant.
func flagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	if len(unknown.GetSpecifiedName()) == 1 {
		return fmt.Errorf("unknown flag -%s: %s --help lists all", unknown.GetSpecifiedName(), cmd.CommandPath())
	}
	return fmt.Errorf("unknown flag --%s: %s", unknown.GetSpecifiedName(), article.Suggest("--"+unknown.GetSpecifiedName(), names))
}
