package cli

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/lab/terminal"
	"benchbook/site/preview"
)

func (a *app) previewCommand() *cobra.Command {
	var flags pages.Options
	var port int
	var open bool
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
			folders, files := pages.Watched(project)
			served := preview.Preview{Roots: folders, Files: files, Port: port, Build: p.Build}
			defer a.AwaitOnInterrupt(cmd.Context())()
			err = served.Serve(cmd.Context(), func(url string) {
				_ = a.Print(map[string]string{"url": url}, func() { // the command reports lost output
					fmt.Fprintf(a.Stdout, "the preview is at %s; Ctrl-C ends it\n", url)
				})
				if open {
					if err := openBrowser(url); err != nil {
						fmt.Fprintf(a.Stderr, "%s: open %s yourself\n", terminal.ErrorText(err), url)
					}
				}
			})
			if err != nil {
				return lab.Failure(err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&flags.Drafts, "drafts", false, "include drafts")
	addHostFlag(cmd, &flags)
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on (default a free one)")
	cmd.Flags().BoolVar(&open, "open", false, "open it in the browser")
	return cmd
}

// openBrowser opens an address in the browser of the user: $BROWSER, or what the system has for it.
func openBrowser(url string) error {
	opener := cmp.Or(map[string]string{"darwin": "open"}[runtime.GOOS], "xdg-open")
	if browser := os.Getenv("BROWSER"); browser != "" {
		opener = browser
	}
	cmd := exec.Command(opener, url)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("no browser can be opened (%w)", err)
	}
	go func() { _ = cmd.Wait() }() // it goes its own way
	return nil
}
