package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"benchbook/notebook/source"
)

// arguments allows from least to most words after a verb, which its usage names.
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

// verbsElsewhere are verbs of other tools, with what benchbook has for them.
var verbsElsewhere = map[string]string{
	"build":    "benchbook render makes the site",
	"delete":   "benchbook clean --records removes old records",
	"diff":     "benchbook compare A B compares two runs, revisions or hosts",
	"lint":     "benchbook check finds errors in articles",
	"ls":       "benchbook show lists articles",
	"measure":  "benchbook run measures",
	"serve":    "benchbook preview serves the site",
	"server":   "benchbook preview serves the site",
	"start":    "benchbook run measures, and benchbook preview serves the site",
	"stop":     "benchbook clean removes containers of killed or --keep runs",
	"test":     "benchbook check finds errors in articles, and benchbook check --services checks the answers of services",
	"validate": "benchbook check finds errors in articles",
	"watch":    "benchbook preview serves the site, and updates it at every change",
}

// flagsElsewhere are flags that users of other tools expect, with what benchbook has for them. Where a verb has such a
// flag, they are not asked.
var flagsElsewhere = map[string]string{
	"dry-run": "benchbook plan shows what a run would do",
	"port":    "benchbook preview serves the site",
	"serve":   "benchbook preview serves the site",
	"version": "write benchbook version",
	"watch":   "benchbook preview updates the site at every change",
}

// unknownVerb says which verb was meant.
func unknownVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if way, ok := verbsElsewhere[args[0]]; ok {
		return fmt.Errorf("unknown command %q: %s", args[0], way)
	}
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return fmt.Errorf("unknown command %q: %s", args[0], source.Suggest(args[0], names))
}

// flagError says of an unknown flag which was meant, and of a value what is wrong with it.
func flagError(cmd *cobra.Command, err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if errors.Is(err, errTwice) {
			return fmt.Errorf("--%s is given twice: give it once, or run the command once for each", invalid.GetFlag().Name)
		}
		return invalidValue(invalid.GetFlag(), invalid.GetValue(), "")
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
	if way, ok := flagsElsewhere[name]; ok {
		return fmt.Errorf("unknown flag --%s: %s", name, way)
	}
	if name == "quick" && cmd.Flags().Lookup("profile") != nil {
		return errors.New("unknown flag --quick: write --profile quick")
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("unknown flag --%s: %s", name, source.Suggest("--"+name, names))
}

// invalidValue says what a flag wants in place of a value that it cannot have; variable is where it was given, if that
// was a variable.
func invalidValue(f *pflag.Flag, value, variable string) error {
	wants := map[string]string{"bool": "true or false", "int": "a whole number", "int64": "a whole number",
		"duration": "a time, such as 20m", "stringSlice": "words with commas between them"}[f.Value.Type()]
	given := "--" + f.Name
	if variable != "" {
		given = "environment variable " + variable
	}
	return fmt.Errorf("invalid value %q for %s: give %s", value, given, wants)
}

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
