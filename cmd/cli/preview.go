package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/site/preview"
)

func (a *app) previewCommand() *cobra.Command {
	var port uint16
	cmd := &cobra.Command{
		Use:   "preview [FILE.md]",
		Short: "Serve the site on loopback, and reload it at every change",
		Long: `Serve the site on loopback, and reload open pages at every change of an article or a record. Pages also show problems.
Nothing is measured or written. Ctrl-C ends it.`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := a.OpenSite(args)
			if err != nil {
				return err
			}
			p, err := pages.NewPreviewer(a.Session, project)
			if err != nil {
				return lab.Failure(err)
			}
			served := preview.Preview{Roots: pages.Watched(project), Port: int(port), Build: p.Build}
			defer a.AwaitOnInterrupt(cmd.Context())()
			err = served.Serve(cmd.Context(), func(url string) {
				_ = a.Print(map[string]string{"url": url}, func() { // the command reports lost output
					fmt.Fprintf(a.Stdout, "the preview is at %s; Ctrl-C ends it\n", url)
				})
			})
			if err != nil {
				return lab.Failure(err)
			}
			return nil
		},
	}
	cmd.Flags().Uint16Var(&port, "port", 0, "port to listen on (default a free one)")
	return cmd
}
