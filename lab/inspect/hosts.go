package inspect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

// examineHosts connects to every host of the project, and says what answers.
func examineHosts(ctx context.Context, a *lab.Session, project *projects.Project) []finding {
	var out []finding
	for _, h := range project.Hosts {
		if !h.Value.Docker.IsZero() || h.Value.Kubernetes != nil { // check says what is wrong with others
			out = append(out, examineHost(ctx, a, project, h))
		}
	}
	return out
}

func examineHost(ctx context.Context, a *lab.Session, project *projects.Project, h article.Named[projects.ProjectHost]) finding {
	s := finding{Name: "host " + h.Name.Value, Level: missing}
	e, err := a.Config.ConnectHost(ctx, project, h.Value)
	if err != nil {
		s.Words, s.Remedy, _ = strings.Cut(err.Error(), ": ") // as errors of engines have it
		return s
	}
	defer e.Close()
	facts, err := e.Facts(ctx)
	if err != nil {
		s.Words, s.Remedy = err.Error(), "start its engine again"
		return s
	}
	s.Level, s.Words = fine, fmt.Sprintf("%s %s at %s, %s CPUs", e.Name(), facts["engine.version"], h.Value.Docker.Value, facts["engine.cpus"])
	if h.Value.Kubernetes != nil {
		s.Words = fmt.Sprintf("%s %s, namespace %s of context %s", e.Name(), facts["engine.version"], facts["engine.namespace"], facts["engine.context"])
	}
	if clocked, ok := e.(engine.Clocked); ok {
		if ahead, uncertain, err := clocked.Clock(ctx); err == nil {
			s.Words += fmt.Sprintf(", clock ahead by %v ± %v", ahead.Round(100*time.Microsecond), uncertain.Round(100*time.Microsecond))
		}
	}
	return s
}

// cleanCluster sweeps the namespace of a project's cluster, if it has one.
func cleanCluster(ctx context.Context, a *lab.Session, dryRun bool) (asked, found int, failed error) {
	project, err := projects.Open(a.Dir)
	if err != nil || !project.Engine.V.Can(spec.Nodes) && project.Cluster == nil || a.Config.Cluster == nil {
		return 0, 0, nil
	}
	found, err = cleanEngine(ctx, a, "", func(ctx context.Context) (engine.Engine, error) {
		return a.Config.Cluster(ctx, lab.OptionsOf(project, project.Cluster))
	}, dryRun)
	switch {
	case err == nil:
		asked++
	case errors.Is(err, engine.ErrUnavailable):
		fmt.Fprintf(a.Stderr, "not asked: %s\n", terminal.ErrorText(err))
	default:
		failed = lab.Failure(err)
	}
	return asked, found, failed
}
