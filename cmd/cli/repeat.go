package cli

import (
	"github.com/spf13/cobra"

	"benchbook/lab/bundle"
	"benchbook/notebook/plan"
)

func (a *app) bundleCommand() *cobra.Command {
	var o bundle.Options
	cmd := &cobra.Command{
		Use:   "bundle ARTICLE",
		Short: "Pack an article and everything it needs into one file",
		Long: `Write an article to one file, with all that somebody else needs to repeat it: the files that it uses
and the records that its page shows. repro opens it, and measures it there. It is a gzip-compressed tar archive.`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer a.AwaitOnInterrupt(cmd.Context())()
			return bundle.Create(cmd.Context(), a.Session, args, o)
		},
	}
	cmd.Flags().StringVarP(&o.Out, "output", "o", "", "the file to write (default ARTICLE.bundle)")
	cmd.Flags().BoolVar(&o.Images, "images", false, "include the images, so that nothing has to be built or fetched")
	cmd.Flags().BoolVar(&o.Program, "with-program", false, "include this program, so that nobody has to install it")
	cmd.Flags().StringVar(&o.Appendix, "appendix", "",
		"also write an artifact appendix to this file: claims, experiments, minutes (.md or .tex)")
	return cmd
}

func (a *app) reproCommand() *cobra.Command {
	var o bundle.ReproOptions
	cmd := &cobra.Command{
		Use:   "repro FILE|URL",
		Short: "Measure somebody else's article on this machine",
		Long: `Open a bundle and measure its article on this machine. It says what would run, and asks
before anything does. Then it prints each claim there and here, and makes pages with a column for each host. With
--quick it decides the headline claims first, in five minutes unless --budget says otherwise. The same command resumes in that folder.`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return bundle.Repro(cmd.Context(), a.Session, args[0], o)
		},
	}
	o.Profile = plan.Full
	a.addRepeating(cmd, &o.Options)
	addQuick(cmd, &o.Options)
	cmd.Flags().StringVarP(&o.Into, "output", "o", "", "the folder to open it in (default ARTICLE.repro)")
	return cmd
}
