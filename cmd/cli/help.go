package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab/terminal"
)

// helpWidth is how wide help may be.
const helpWidth = 80

// usage makes a template of cobra's, without the examples, which stand first, and with flags that are wrapped.
var usage = strings.NewReplacer("{{if .HasExample}}\n\nExamples:\n{{.Example}}{{end}}", "",
	".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", helpWidth))

// helpTemplate begins with the examples.
const helpTemplate = `{{with .Example}}{{.}}

{{end}}{{with paragraphs (or .Long .Short)}}{{.}}

{{end}}{{.UsageString}}`

// What cobra keeps for all commands is set once, as tests run several at a time.
func init() {
	cobra.EnableCommandSorting = false // verbs are listed in the order of their use
	cobra.AddTemplateFunc("paragraphs", paragraphs)
}

// addVerbs adds verbs as a group of the help of root.
func addVerbs(root *cobra.Command, group string, verbs ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: group, Title: group + ":"})
	for _, verb := range verbs {
		verb.GroupID = group
		root.AddCommand(verb)
	}
}

// addHelp adds the verb help to a group. It refuses unknown verbs, and wraps what it prints.
func addHelp(root *cobra.Command, group string) {
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	root.SetHelpCommandGroupID(group)
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"}) // it is there
	help.Short, help.Long = "Print help for a command", ""
	help.Args = func(_ *cobra.Command, args []string) error {
		if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
			return unknownVerb(root, args)
		}
		return nil
	}
}

// paragraphs wraps each paragraph of a text; one with an indented line stays as it is.
func paragraphs(text string) string {
	parts := strings.Split(text, "\n\n")
	for i, part := range parts {
		if lines := "\n" + part; !strings.Contains(lines, "\n ") && !strings.Contains(lines, "\n\t") {
			parts[i] = strings.Join(terminal.Wrap(part, helpWidth), "\n")
		}
	}
	return strings.Join(parts, "\n\n")
}
