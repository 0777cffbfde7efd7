package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/lab/show"
	"benchbook/notebook/source"
)

// arguments accepts from least to most arguments of a verb. The error shows the verb's usage.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := strings.TrimSuffix(cmd.UseLine(), " [flags]")
		switch {
		case len(args) < least:
			return fmt.Errorf("missing argument: write %s", usage)
		case len(args) > most:
			return fmt.Errorf("unexpected argument %q: write %s", args[most], usage)
		}
		return nil
	}
}

func unknownVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return fmt.Errorf("unknown command %q: %s", args[0], source.Suggest(args[0], names))
}

// flagError suggests the flag that was probably meant, or explains a wrong value. Flags that are parsed by a function
// have their own messages.
func flagError(cmd *cobra.Command, err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if kind := invalid.GetFlag().Value.Type(); kind == "func" || kind == "boolfunc" {
			return invalid.Unwrap()
		}
		wants := map[string]string{"bool": "true or false", "int": "a whole number", "uint16": "a number from 0 to 65535",
			"duration": "a time, such as 20m", "stringSlice": "words with commas between them"}[invalid.GetFlag().Value.Type()]
		return fmt.Errorf("invalid value %q for --%s: give %s", invalid.GetValue(), invalid.GetFlag().Name, wants)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("--%s needs a value: %s", missing.GetFlag().Name, missing.GetFlag().Usage)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	name := unknown.GetSpecifiedName()
	if len(name) == 1 {
		return fmt.Errorf("unknown flag -%s: %s --help lists all", name, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("unknown flag --%s: %s", name, source.Suggest("--"+name, names))
}

// flagGroup matches cobra's message about flags that exclude each other.
var flagGroup = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(\S+) (\S+)\] were all set$`)

// flagGroupError rewrites cobra's message about flags that exclude each other. It returns other errors unchanged.
func flagGroupError(err error) error {
	if group := flagGroup.FindStringSubmatch(err.Error()); group != nil {
		return fmt.Errorf("--%s and --%s do not go together: give one of them", group[1], group[2])
	}
	return err
}

// addFormat adds the flag --format with the known formats, which is text by default.
func addFormat(cmd *cobra.Command, format *string, known ...string) {
	*format = show.FormatText
	cmd.Flags().Func("format", "how to print it: "+strings.Join(known, ", ")+" (default text)", func(name string) error {
		if *format = name; !slices.Contains(known, name) {
			return fmt.Errorf("no format %q: %s", name, source.Suggest(name, known))
		}
		return nil
	})
	// Cannot fail: the flag exists. Each verb has its own formats.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
}
