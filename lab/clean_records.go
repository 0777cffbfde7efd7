package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker/go-units"

	"benchbook/lab/terminal"
	"benchbook/notebook/record"
	"benchbook/runner/machine"
)

// newestRuns is how many runs of each host, profile and experiment CleanRecords keeps.
const newestRuns = 3

// A RemovedRun is a file of records that CleanRecords removes.
type RemovedRun struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// CleanRecords removes old runs of all articles, or only lists them, while nobody measures.
func CleanRecords(ctx context.Context, a *Session, dryRun bool) error {
	project, list, err := a.Select(nil)
	if err != nil {
		return err
	}
	if !dryRun {
		host, err := machine.Here()
		if err != nil {
			return Failure(err)
		}
		unlock, err := a.Lock(ctx, host, "removing old records")
		if err != nil {
			return Interrupted(ctx, err)
		}
		defer unlock()
	}
	removed := []RemovedRun{}
	for _, c := range list {
		dir := record.Dir(project.RecordsDir(c.Slug))
		records, bad, err := dir.Read()
		if err != nil {
			return Failure(err)
		}
		a.WarnBad(bad)
		for _, path := range record.Old(records, newestRuns) {
			name := filepath.Join(string(dir), path)
			info, err := os.Stat(name)
			if err == nil && !dryRun {
				err = os.Remove(name)
			}
			if err != nil {
				return Failure(err)
			}
			removed = append(removed, RemovedRun{terminal.Relative(name), info.Size()})
		}
	}
	return a.Print(removed, func() {
		verb := map[bool]string{true: "would remove", false: "removed"}[dryRun]
		for _, run := range removed {
			fmt.Fprintf(a.Stdout, "%s %s, %s\n", verb, run.Path, units.BytesSize(float64(run.Bytes)))
		}
		if len(removed) == 0 {
			fmt.Fprintf(a.Stdout, "no run is older than the newest %d of its experiments\n", newestRuns)
		}
	})
}
