package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

func (a *app) completionCommand() *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
		"zsh":        (*cobra.Command).GenZshCompletion,
	}
	names := slices.Sorted(maps.Keys(shells))
	return &cobra.Command{
		Use:   "completion " + strings.Join(names, "|"),
		Short: "Print a completion script for a shell",
		Long: `Print a completion script for a shell. It completes verbs and flags, and the articles, experiments and profiles of the
project. To have it in every new shell:

  bash        benchbook completion bash > ~/.local/share/bash-completion/completions/benchbook
  fish        benchbook completion fish > ~/.config/fish/completions/benchbook.fish
  powershell  benchbook completion powershell >> $PROFILE
  zsh         benchbook completion zsh > "${fpath[1]}/_benchbook"`,
		Args:      arguments(1, 1),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			generate, ok := shells[args[0]]
			if !ok {
				return fmt.Errorf("no completion for %q: %s", args[0], source.Suggest(args[0], names))
			}
			if err := generate(cmd.Root(), a.Stdout); err != nil {
				return lab.Failure(err)
			}
			return nil
		},
	}
}

// complete makes the completion scripts offer the names of this project: articles and their experiments as arguments,
// profiles, templates and engines as values of flags. Without a project nothing is offered.
func (a *app) complete(root *cobra.Command) {
	flags := map[string]cobra.CompletionFunc{
		"profile":  a.completeProfiles,
		"template": cobra.FixedCompletions(templateNames(), cobra.ShellCompDirectiveNoFileComp),
		"engine": cobra.FixedCompletions(append(a.Config.EngineNames(), measure.EngineNone),
			cobra.ShellCompDirectiveNoFileComp),
	}
	for _, cmd := range root.Commands() {
		if strings.Contains(cmd.Use, "[ARTICLE") {
			cmd.ValidArgsFunction = a.completeArticles
		}
		for flag, f := range flags {
			if cmd.Flags().Lookup(flag) != nil {
				// The only errors are a flag that is not there and one that is completed already.
				_ = cmd.RegisterFlagCompletionFunc(flag, f)
			}
		}
		if cmd.Flags().Lookup("output") != nil {
			_ = cmd.MarkFlagDirname("output")
		}
	}
	_ = root.MarkPersistentFlagDirname("directory")
}

// completeArticles offers slugs with their titles, and the experiments of an article once a # is there.
func (a *app) completeArticles(_ *cobra.Command, _ []string, word string) (out []cobra.Completion,
	_ cobra.ShellCompDirective) {
	_, list, _ := a.Select(nil) // an error leaves nothing to offer
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
