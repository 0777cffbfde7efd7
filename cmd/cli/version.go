package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"benchbook/notebook/record"
)

// version is the version of this program, which records and pages name.
const version = "0.4.0"

type versions struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Records  int    `json:"records"` // version of the schema of records
	Commands int    `json:"semantics_commands"`
	Loads    int    `json:"semantics_loads"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version information",
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			v := versions{version, revision(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, record.SchemaVersion,
				record.CommandSemantics, record.LoadSemantics}
			return a.Print(v, func() {
				fmt.Fprintf(a.Stdout, "benchbook %s (revision %s, %s, %s)\n"+
					"records of version %d, samples of semantics %d for commands and %d for loads\n",
					v.Version, v.Revision, v.Go, v.Platform, v.Records, v.Commands, v.Loads)
			})
		},
	}
}

// revision returns the commit that the program was built from, with "+changes" if the tree had uncommitted changes.
func revision() string {
	settings := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	text := fmt.Sprintf("%.12s", cmp.Or(settings["vcs.revision"], "unknown"))
	if settings["vcs.modified"] == "true" {
		text += "+changes"
	}
	return text
}
