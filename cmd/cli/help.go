package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab/terminal"
)

// helpWidth is how wide help may be, as in usageTemplate.
const helpWidth = 80

// The verbs in groups.
var verbGroups = []struct {
	title string
	verbs []string
}{
	{"Start", []string{"init", "load", "time"}},
	{"Measure", []string{"check", "plan", "run", "report", "bench"}},
	{"Look", []string{"show", "compare", "render", "preview"}},
	{"Share", []string{"publish", "weave", "bundle", "repro"}},
	{"Keep", []string{"doctor", "clean", "schema", "completion", "version", "help"}},
}

// usageTemplate is cobra's, without the examples, which stand first, and with flags that are wrapped.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}:{{range $cmds}}{{if and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global Flags:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Use "{{.CommandPath}} [command] --help" for more information about a command.{{end}}
`

// helpTemplate begins with the examples.
const helpTemplate = `{{with .Example}}{{.}}

{{end}}{{with paragraphs (or .Long .Short)}}{{.}}

{{end}}{{.UsageString}}`

// What cobra keeps for all commands is set once, as tests run several at a time.
func init() {
	cobra.EnableCommandSorting = false // verbs are listed in the order of their use
	cobra.AddTemplateFunc("paragraphs", paragraphs)
}

// addHelp adds the verb help, which refuses unknown verbs, groups the verbs, and wraps what help prints.
func addHelp(root *cobra.Command) {
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.InitDefaultHelpCmd()
	byName := map[string]*cobra.Command{}
	for _, verb := range root.Commands() {
		byName[verb.Name()] = verb
	}
	for _, group := range verbGroups {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, name := range group.verbs {
			byName[name].GroupID = group.title
		}
	}
	root.SetHelpCommandGroupID(byName["help"].GroupID)
	root.SetCompletionCommandGroupID(byName["completion"].GroupID)
	help := byName["help"]
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
		if !strings.Contains("\n"+part, "\n ") {
			parts[i] = strings.Join(terminal.Wrap(part, helpWidth), "\n")
		}
	}
	return strings.Join(parts, "\n\n")
}
