package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker/go-units"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// CleanEngines removes leftovers of earlier runs from all engines and from the project's cluster. With dryRun it only
// lists them. It fails if no engine answers.
func CleanEngines(ctx context.Context, a *Session, dryRun bool) error {
	left := []engine.Leftover{}
	var failed, unavailable error
	answered := 0
	for _, e := range a.enginesToClean() {
		found, err := sweep(ctx, e, dryRun)
		left = append(left, found...)
		switch {
		case err == nil:
			answered++
		case !errors.Is(err, engine.ErrUnavailable):
			failed = a.JoinErrors(failed, Failure(err))
		case e.Name != spec.Local: // local processes end with their run
			unavailable = a.JoinErrors(unavailable, Failure(err))
		}
	}
	if unavailable != nil && answered > 0 {
		fmt.Fprintf(a.Stderr, "not checked: %s\n", terminal.ErrorText(unavailable))
	} else {
		failed = a.JoinErrors(failed, unavailable)
	}
	return a.JoinErrors(failed, a.Print(left, func() {
		for _, l := range left {
			if l.Problem == "" {
				fmt.Fprintf(a.Stdout, "%s %s %s of run %s\n", removed(dryRun), l.Kind, l.Name, l.Run)
			}
		}
		if failed == nil && len(left) == 0 {
			fmt.Fprintln(a.Stdout, "nothing was left behind")
		}
	}))
}

func removed(dryRun bool) string {
	return map[bool]string{true: "would remove", false: "removed"}[dryRun]
}

// enginesToClean returns the engines of this machine, and the project's cluster if it has one.
func (a *Session) enginesToClean() []Engine {
	project, err := article.OpenProject(a.Dir)
	if err != nil || a.Config.Cluster == nil || !project.EngineName().Can(spec.Nodes) && project.Cluster == nil {
		return a.Config.Engines
	}
	return append(a.Config.Engines[:len(a.Config.Engines):len(a.Config.Engines)], Engine{Name: spec.Kubernetes,
		Connect: func(ctx context.Context) (engine.Engine, error) {
			return a.Config.Cluster(ctx, OptionsOf(project))
		}})
}

func sweep(ctx context.Context, from Engine, dryRun bool) ([]engine.Leftover, error) {
	e, err := from.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	left, err := e.Sweep(ctx, dryRun)
	return left, cmp.Or(err, StuckLeftovers(left))
}

// Leftovers counts leftovers by kind, such as "2 containers and 1 network".
func Leftovers(left []engine.Leftover) string {
	var words []string
	for _, kind := range []string{"container", "process", "network", "volume", "folder", "namespace"} {
		n := slice.Count(left, func(l engine.Leftover) bool { return l.Kind == kind })
		if n > 0 {
			words = append(words, phrase.Count(n, kind))
		}
	}
	return phrase.List(words)
}

// StuckLeftovers returns an error that lists leftovers an engine could not remove, with a remedy; nil without any.
func StuckLeftovers(left []engine.Leftover) error {
	stuck := slice.Filter(left, func(l engine.Leftover) bool { return l.Problem != "" })
	if len(stuck) == 0 {
		return nil
	}
	names := slice.Map(stuck, func(l engine.Leftover) string { return l.Kind + " " + l.Name })
	return fmt.Errorf("cannot remove %s of an earlier run (%s): "+
		"restart the container engine, and then run benchbook clean", phrase.List(names), stuck[0].Problem)
}

// newestRuns is how many runs of each host, profile and experiment CleanRecords keeps.
const newestRuns = 3

// A RemovedRun is a file of records that CleanRecords removes.
type RemovedRun struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

// CleanRecords removes old runs of all articles while no other run measures. With dryRun it only lists them.
func CleanRecords(ctx context.Context, a *Session, dryRun bool) error {
	project, list, err := a.Select(nil)
	if err != nil {
		return err
	}
	if !dryRun {
		host, err := a.Here()
		if err != nil {
			return err
		}
		unlock, err := a.Lock(ctx, host, "removing old records")
		if err != nil {
			return Interrupted(ctx, err)
		}
		defer unlock()
	}
	old := []RemovedRun{}
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
			old = append(old, RemovedRun{terminal.Relative(name), info.Size()})
		}
	}
	return a.Print(old, func() {
		for _, run := range old {
			fmt.Fprintf(a.Stdout, "%s %s, %s\n", removed(dryRun), run.Path, units.BytesSize(float64(run.Bytes)))
		}
		if len(old) == 0 {
			fmt.Fprintf(a.Stdout, "no run is older than the newest %d of its experiments\n", newestRuns)
		}
	})
}
