package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab/measure"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
)

// helpWidth is the width of help texts, in characters.
const helpWidth = 80

// usage changes cobra's usage template: it removes the examples, which helpTemplate prints first, and wraps flags.
var usage = strings.NewReplacer("{{if .HasExample}}\n\nExamples:\n{{.Example}}{{end}}", "",
	".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", helpWidth))

// helpTemplate puts the examples before the description.
const helpTemplate = `{{with .Example}}{{.}}

{{end}}{{with paragraphs (or .Long .Short)}}{{.}}

{{end}}{{.UsageString}}`

// Cobra's global settings are set only once, because tests run several commands at the same time.
func init() {
	cobra.EnableCommandSorting = false // verbs are listed in the order of their use
	cobra.AddTemplateFunc("paragraphs", paragraphs)
}

// addVerbs adds verbs to root, as a group in its help.
func addVerbs(root *cobra.Command, group string, verbs ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: group, Title: group + ":"})
	for _, verb := range verbs {
		verb.GroupID = group
		root.AddCommand(verb)
	}
}

// addHelp adds the verb help to a group, and sets the templates of help and usage. The verb refuses unknown verbs.
func addHelp(root *cobra.Command, group string) {
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usage.Replace(root.UsageTemplate()))
	root.SetHelpCommandGroupID(group)
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"}) // added just above
	help.Short, help.Long = "Print help for a command", ""
	help.Args = func(_ *cobra.Command, args []string) error {
		if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
			return unknownVerb(root, args)
		}
		return nil
	}
}

// paragraphs wraps the paragraphs of a text, except those with an indented line.
func paragraphs(text string) string {
	parts := strings.Split(text, "\n\n")
	for i, part := range parts {
		if lines := "\n" + part; !strings.Contains(lines, "\n ") && !strings.Contains(lines, "\n\t") {
			parts[i] = strings.Join(terminal.Wrap(part, helpWidth), "\n")
		}
	}
	return strings.Join(parts, "\n\n")
}

// addCompletion adds cobra's verb completion to a group. It refuses unknown shells.
func (a *app) addCompletion(root *cobra.Command, group string) {
	root.SetOut(a.Stdout) // for the scripts
	root.CompletionOptions.DisableNoDescFlag = true
	root.SetCompletionCommandGroupID(group)
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"}) // added just above
	completion.Short, completion.Args = "Print a completion script for a shell", unknownVerb
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// complete makes completion scripts offer articles and experiments of this project as arguments, and profiles,
// templates and engines as values of flags.
func (a *app) complete(root *cobra.Command) {
	flags := map[string]cobra.CompletionFunc{
		"profile":  a.completeProfiles,
		"template": cobra.FixedCompletions(templateNames(), cobra.ShellCompDirectiveNoFileComp),
		"engine": cobra.FixedCompletions(append(a.Config.EngineNames(), measure.EngineNone),
			cobra.ShellCompDirectiveNoFileComp),
	}
	for _, cmd := range root.Commands() {
		if strings.Contains(cmd.Use, "[ARTICLE") || strings.HasSuffix(cmd.Use, " ARTICLE") {
			cmd.ValidArgsFunction = a.completeArticles
		}
		for flag, f := range flags {
			if cmd.Flags().Lookup(flag) != nil {
				// Errors are impossible: the flag exists, and has no completion yet.
				_ = cmd.RegisterFlagCompletionFunc(flag, f)
			}
		}
	}
	_ = root.MarkPersistentFlagDirname("directory")
}

// completeArticles offers slugs with titles, or ARTICLE#EXPERIMENT once the word has a #.
func (a *app) completeArticles(_ *cobra.Command, _ []string, word string) (out []cobra.Completion,
	_ cobra.ShellCompDirective) {
	_, list, _ := a.Select(nil) // on an error, there is nothing to offer
	for _, c := range list {
		if !strings.Contains(word, "#") {
			out = append(out, cobra.CompletionWithDesc(c.Slug, c.Doc.Front.Title.Value))
			continue
		}
		for _, e := range c.Doc.Experiments {
			out = append(out, c.Slug+"#"+e.Name.Value)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeProfiles offers the built-in profile and the project's.
func (a *app) completeProfiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names := []string{plan.Full}
	if project, err := article.OpenProject(a.Dir); err == nil {
		names = slices.AppendSeq(names, maps.Keys(project.Profiles))
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}
