package cli

import (
	"math"

	"github.com/spf13/cobra"

	"benchbook/lab/pages"
)

func (a *app) weaveCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "weave FILE ...",
		Short: "Fill a README with tables, values and figures of articles",
		Long: `Fill Markdown files, such as a README, with parts of articles, as their pages show them. Comments say what goes
where; the rest of a file stays as it is:

  <!-- benchbook: table tbl-levels of hello --> ... <!-- /benchbook -->
  <!-- benchbook: figure fig-gzip of hello --> ... <!-- /benchbook -->
  <!-- benchbook: value time.real{level="9"} | round 1 of hello --> ... <!-- /benchbook -->
  <!-- benchbook: claim harder-is-slower of hello --> ... <!-- /benchbook -->

The text between the two comments is replaced. Figures, in light and dark, go into the folder woven next to the file. With
--check nothing is written: the status is 1 if the text and the records differ.`,
		Args: arguments(1, math.MaxInt),
		RunE: func(_ *cobra.Command, names []string) error { return pages.Weave(a.Session, names, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, and report what differs from the records")
	return cmd
}
