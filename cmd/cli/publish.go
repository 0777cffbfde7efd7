package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"benchbook/internal/phrase"
	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/site"
)

// Defaults of the place where a site is published.
const (
	defaultRemote = "origin"
	defaultBranch = "gh-pages"
)

func (a *app) publishCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Publish the rendered site to a git branch",
		Long: `Publish the rendered site to a git branch, gh-pages of origin unless the project file names another. Files that others
added to the branch stay, and nothing is pushed by force. The working tree, index and branches of this repository do not
change. Render first; benchbook render -o FOLDER makes a site in another folder.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			project, err := article.OpenProject(a.Dir)
			if err != nil {
				return lab.UsageError(err)
			}
			if !project.Problems.Empty() {
				lab.PrintProblems(a.Stderr, project.Problems.Sorted())
				return lab.Failure(errors.New("nothing was published"))
			}
			branch := site.Branch{Repository: project.Dir, Remote: cmp.Or(project.Publish.Remote.Value, defaultRemote),
				Name: cmp.Or(project.Publish.Branch.Value, defaultBranch)}
			title := pages.Options{}.Site(a.Session, project, &source.Problems{}).Title
			defer a.AwaitOnInterrupt(cmd.Context())() // a checkout is in a temporary folder
			done, err := branch.Publish(cmd.Context(), pages.Options{}.Dir(project), title, dryRun)
			if err != nil {
				if text := err.Error(); withoutUser(text) != text {
					err = errors.New(withoutUser(text))
				}
				return lab.Interrupted(cmd.Context(), err)
			}
			done.To = withoutUser(done.To)
			return a.Print(done, func() { printPublished(a.Session, done, dryRun) })
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be published, and publish nothing")
	return cmd
}

// address matches a URL with a scheme.
var address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s'"]+`)

// withoutUser removes users and passwords from URLs in text: the URL of a git remote may hold a token.
func withoutUser(text string) string {
	return address.ReplaceAllStringFunc(text, func(written string) string {
		u, err := url.Parse(written)
		switch {
		case err != nil:
			scheme, _, _ := strings.Cut(written, "://")
			return scheme + "://" + record.Redacted
		case u.User == nil:
			return written
		}
		u.User = nil
		return u.String()
	})
}

func printPublished(a *lab.Session, p site.Published, dryRun bool) {
	if len(p.Written)+len(p.Removed) == 0 {
		fmt.Fprintf(a.Stdout, "nothing to publish: %s has this site already\n", p.To)
		return
	}
	if !dryRun {
		fmt.Fprintf(a.Stdout, "published to %s, commit %.12s: %s, %d new or changed, %d removed\n", p.To, p.Commit,
			phrase.Count(p.Files, "file"), len(p.Written), len(p.Removed))
		return
	}
	for _, name := range p.Written {
		fmt.Fprintf(a.Stdout, "+ %s\n", name)
	}
	for _, name := range p.Removed {
		fmt.Fprintf(a.Stdout, "- %s\n", name)
	}
	fmt.Fprintf(a.Stdout, "nothing was published: this is what would change in %s\n", p.To)
}
