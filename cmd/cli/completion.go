package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/notebook/article"

	"benchbook/notebook/record"
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
		Long: `Print a completion script for a shell. It completes verbs and flags, and the articles, experiments, profiles, hosts,
runs and trials of the project. To have it in every new shell:

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

// complete teaches the shells, by way of the scripts of completion, the names of this project: articles and their
// experiments as arguments, profiles, hosts, runs, trials, templates and engines as values of flags. Completion
// never fails: where there is no project, nothing is offered.
func (a *app) complete(root *cobra.Command) {
	flags := map[string]cobra.CompletionFunc{
		"profile":  a.completeProfiles,
		"host":     a.completeHosts,
		"template": cobra.FixedCompletions(templateNames(), cobra.ShellCompDirectiveNoFileComp),
		"run":      a.completeField(lab.RecordRun),
		"trial":    a.completeField(func(r *record.Record) string { return r.Trial }),
		"engine": cobra.FixedCompletions(append(a.Config.EngineNames(), measure.EngineNone),
			cobra.ShellCompDirectiveNoFileComp),
	}
	for _, cmd := range root.Commands() {
		if strings.Contains(cmd.Use, "[ARTICLE") {
			cmd.ValidArgsFunction = a.completeArticles
		}
		if cmd.Name() == "compare" {
			cmd.ValidArgsFunction = a.completeCompare
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

// documents reads the articles of the project.
func (a *app) documents() (*article.Project, []*article.Document) {
	project, err := article.OpenProject(a.Dir)
	if err != nil {
		return nil, nil
	}
	slugs, err := project.Slugs()
	if err != nil {
		return nil, nil
	}
	var docs []*article.Document
	for _, slug := range slugs {
		if doc, err := project.Article(slug); err == nil {
			docs = append(docs, doc)
		}
	}
	return project, docs
}

// completeArticles offers slugs with their titles, and the experiments of an article once a # is there.
func (a *app) completeArticles(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion,
	cobra.ShellCompDirective) {
	var out []cobra.Completion
	_, docs := a.documents()
	for _, doc := range docs {
		if !strings.Contains(word, "#") {
			out = append(out, cobra.CompletionWithDesc(doc.Slug, doc.Front.Title.Value))
			continue
		}
		for _, e := range doc.Experiments {
			out = append(out, doc.Slug+"#"+e.Name.Value)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeProfiles offers the profiles that are built in, and those of the project and of the articles.
func (a *app) completeProfiles(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion,
	cobra.ShellCompDirective) {
	project, docs := a.documents()
	return lab.ProfileNames(project, docs), cobra.ShellCompDirectiveNoFileComp
}

// completeCompare offers runs, hosts and profiles that there are records of for the first two arguments, beside which
// folders and git revisions can stand, and articles for the others.
func (a *app) completeCompare(cmd *cobra.Command, args []string, word string) ([]cobra.Completion,
	cobra.ShellCompDirective) {
	if len(args) >= 2 {
		return a.completeArticles(cmd, args, word)
	}
	return append(a.measured(cmd, lab.RecordRun), slices.Concat(a.measured(cmd, lab.RecordHost),
		a.measured(cmd, lab.RecordProfile))...), cobra.ShellCompDirectiveDefault
}

// completeField offers the values of a field that there are records of.
func (a *app) completeField(field func(*record.Record) string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.measured(cmd, field), cobra.ShellCompDirectiveNoFileComp
	}
}

// measured lists the values of a field in all records of the project.
func (a *app) measured(cmd *cobra.Command, field func(*record.Record) string) []string {
	var out []string
	project, docs := a.documents()
	for _, doc := range docs {
		records, _, err := record.Dir(project.RecordsDir(doc.Slug)).Read()
		for _, r := range records {
			if err == nil {
				out = append(out, field(r))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (a *app) completeHosts(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var hosts []string
	project, docs := a.documents()
	for _, doc := range docs {
		entries, err := os.ReadDir(project.RecordsDir(doc.Slug)) // a folder for each host: docs/records.md
		for _, e := range entries {
			if err == nil && e.IsDir() {
				hosts = append(hosts, e.Name())
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), cobra.ShellCompDirectiveNoFileComp
}
