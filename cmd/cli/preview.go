package cli

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/site/preview"
)

func (a *app) previewCommand() *cobra.Command {
	var flags pages.Options
	var port int
	cmd := &cobra.Command{
		Use:   "preview [FILE.md]",
		Short: "Serve the site on loopback, and reload it at every change",
		Long: `Serve the site on loopback, and reload open pages at every change of an article or a record. Pages also show problems.
Nothing is measured or written. Ctrl-C ends it.`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if port < 0 || port > math.MaxUint16 {
				return fmt.Errorf("--port must be from 0 to %d, not %d", math.MaxUint16, port)
			}
			project, _, err := a.OpenSite(args)
			if err != nil {
				return err
			}
			p, err := pages.NewPreviewer(a.Session, project, flags)
			if err != nil {
				return lab.Failure(err)
			}
			served := preview.Preview{Roots: pages.Watched(project), Port: port, Build: p.Build}
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
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on (default a free one)")
	return cmd
}
