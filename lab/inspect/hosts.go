package inspect

import (
	"context"
	"fmt"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/runner/engine"
	"benchbook/slice"
)

// examineHosts connects to every host of the project, and says what answers.
func examineHosts(ctx context.Context, a *lab.Session, project *projects.Project) []finding {
	return slice.Map(reachableHosts(project), func(h article.Named[projects.ProjectHost]) finding {
		return examineHost(ctx, a, project, h)
	})
}

func examineHost(ctx context.Context, a *lab.Session, project *projects.Project,
	h article.Named[projects.ProjectHost]) finding {
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
	s.Level, s.Words = fine, fmt.Sprintf("%s %s at %s, %s CPUs", e.Name(), facts["engine.version"], h.Value.Docker.Value,
		facts["engine.cpus"])
	if h.Value.Kubernetes != nil {
		s.Words = fmt.Sprintf("%s %s, namespace %s of context %s", e.Name(), facts["engine.version"],
			facts["engine.namespace"], facts["engine.context"])
	}
	if clocked, ok := e.(engine.Clocked); ok {
		if ahead, uncertain, err := clocked.Clock(ctx); err == nil {
			s.Words += fmt.Sprintf(", clock ahead by %v ± %v", ahead.Round(100*time.Microsecond),
				uncertain.Round(100*time.Microsecond))
		}
	}
	return s
}
