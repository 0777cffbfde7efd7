package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"

	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
)

// A Report is what doctor prints with --json.
type Report struct {
	Host    string    `json:"host"`    // class and digest, as in records
	Measure bool      `json:"measure"` // measuring is possible here
	Checks  []finding `json:"checks"`
}

// A finding is the result of one check.
type finding struct {
	Name  string `json:"name"`
	Level string `json:"level"` // ok, warn or missing
	Words string `json:"words"`
	// Remedy says what to do where the level is not ok.
	Remedy string `json:"remedy,omitempty"`
	// Vital says that nothing can be measured while it is missing.
	Vital bool `json:"vital"`
}

// warnIf returns the finding as a warning with a remedy if bad is true.
func (f finding) warnIf(bad bool, remedy string) finding {
	if bad {
		f.Level, f.Remedy = warn, remedy
	}
	return f
}

// The levels of findings.
const (
	fine    = "ok"
	warn    = "warn"
	missing = "missing"
)

// Examine runs all checks of doctor, the most important first.
func Examine(ctx context.Context, a *Session) (*Report, error) {
	m := a.Config.Machine
	host, err := machine.Here()
	if m.Root != "/" {
		host, err = machine.Below(m.Root)
	}
	if err != nil {
		return nil, err
	}
	project, err := article.OpenProject(a.Dir)
	if err != nil { // doctor works without a project
		project = &article.Project{}
	}
	checks := examineEngine(ctx, a, project)
	look := machine.ReadState(ctx, m.Root, m.Noise)
	checks = append(checks, examineProgram(a), examineMachine(host), examineCores(host), examineGovernor(host),
		examineMemory(host, look))
	checks = append(checks, examineNoise(look)...)
	checks = append(checks, examineSteal(look), examineDisk(a, "disk of records", projectFolder(a), enoughForRecords), examineLock(ctx, a, host))
	x := &Report{Host: host.ID, Measure: true, Checks: checks}
	for _, c := range checks {
		x.Measure = x.Measure && !(c.Vital && c.Level == missing)
	}
	return x, ctx.Err()
}

// debian is the image that doctor asks the registry for.
const debian = "debian:bookworm-slim"

// examineEngine checks the engine, its registry and its disk.
func examineEngine(ctx context.Context, a *Session, project *article.Project) []finding {
	found := finding{Name: "engine", Level: missing, Vital: true}
	e, err := a.Config.EngineOf(ctx, project)
	if err != nil {
		found.Words, found.Remedy, _ = strings.Cut(err.Error(), ": ") // as errors of engines have it
		if !strings.Contains(found.Remedy, "--engine local") {
			found.Remedy += otherEngine(ctx, a, project.Engine.V)
		}
		return []finding{found}
	}
	defer e.Close()
	facts, err := e.Facts(ctx)
	if err != nil {
		found.Words, found.Remedy = err.Error(), "start it again"
		return []finding{found}
	}
	found.Level = fine
	found.Words = strings.TrimSpace(e.Name() + " " + facts["engine.version"])
	daemon, isDaemon := e.(inspected)
	if isDaemon {
		found.Words += " at " + daemon.Endpoint()
	}
	var about []string
	for _, fact := range []struct{ name, what string }{{"engine.storage", "storage"},
		{"engine.cgroup.version", "control groups of version"},
		{"engine.cgroup.driver", "made by"}, {"engine.runtime", "runtime"}, {"engine.api", "API"}, {"engine.os", "on"},
		{"engine.context", "context"}, {"engine.namespace", "namespace"}} {
		if v := facts[fact.name]; v != "" {
			about = append(about, fact.what+" "+v)
		}
	}
	if len(about) > 0 {
		found.Words += " (" + strings.Join(about, ", ") + ")"
	}
	if facts["engine.rootless"] == "true" {
		found.Level = warn
		found.Words += " runs without the rights of root"
		found.Remedy = "use the system's engine: a rootless one may not pin services to CPUs, and routes outside traffic " +
			"through a user-space program"
	}
	if facts["engine.local"] == "false" {
		found.Level = missing
		found.Words += " runs containers elsewhere or in a virtual machine"
		found.Remedy = "run benchbook on the engine's machine, or use an engine of this one"
	}
	checks := []finding{found}
	if isDaemon {
		checks = append(checks, examineRegistry(ctx, daemon))
		if folder := daemon.Storage(); folder != "" {
			checks = append(checks, examineDisk(a, "disk of the engine", folder, enoughForImages))
		}
	}
	return append(checks, examineLeftovers(ctx, e))
}

// otherEngine returns a hint that names an engine that is available, if there is one.
func otherEngine(ctx context.Context, a *Session, name spec.Engine) string {
	for _, wired := range a.Config.Engines {
		if wired.Name == cmp.Or(name, spec.DefaultEngine) {
			continue
		}
		if e, err := wired.Connect(ctx); err == nil {
			_ = e.Close() // nothing was started in it
			return fmt.Sprintf(". What needs no image can be measured with --engine %s", wired.Name)
		}
	}
	return ""
}

// inspected is an engine that says where it is and what it can reach.
type inspected interface {
	// Endpoint returns where it answers, such as "unix:///var/run/docker.sock".
	Endpoint() string
	// Storage returns the folder of this machine where images and containers are; empty if it is elsewhere.
	Storage() string
	// Reach returns an error if the registry of an image cannot be asked for it. Nothing is downloaded.
	Reach(ctx context.Context, image string) error
}

// examineRegistry checks that the registry answers.
func examineRegistry(ctx context.Context, e inspected) finding {
	s := finding{Name: "registry", Level: fine, Words: "it has " + debian}
	err := e.Reach(ctx, debian)
	if err == nil {
		return s
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "Error response from daemon: "), "\n")
	s.Level, s.Words = warn, "out of reach: "+first
	s.Remedy = "scripts/base makes a substitute of Debian once; bring other images here with docker save and docker load"
	return s
}

func examineLeftovers(ctx context.Context, e engine.Engine) finding {
	left, err := e.Sweep(ctx, true)
	switch {
	case err != nil:
		return finding{Name: "left behind", Level: warn, Words: err.Error(), Remedy: "see whether the engine works"}
	case len(left) > 0:
		return finding{Name: "left behind", Level: warn, Words: Leftovers(left) + " of runs that were killed",
			Remedy: "benchbook clean removes them, and so does the next run"}
	}
	return finding{Name: "left behind", Level: fine, Words: "nothing"}
}

func examineProgram(a *Session) finding {
	s := finding{Name: "programs", Level: fine, Vital: true}
	if _, err := a.Config.Agent(); err != nil {
		s.Level = missing
		s.Words, s.Remedy, _ = strings.Cut(err.Error(), ": ")
		return s
	}
	s.Words = agent.Name
	return s
}

// What disks should have free.
const (
	enoughForImages  = 5 << 30
	enoughForRecords = 100 << 20
)

// projectFolder returns the folder of the project, or the current one without a project.
func projectFolder(a *Session) string {
	if project, err := article.OpenProject(a.Dir); err == nil {
		return project.Dir
	}
	return a.Dir
}

func examineDisk(a *Session, name, folder string, enough uint64) finding {
	s := finding{Name: name, Level: fine}
	path, err := filepath.Abs(folder)
	if err != nil {
		path = folder
	}
	free, err := a.Config.Machine.Free(path)
	if err != nil {
		s.Level, s.Words, s.Remedy = warn, err.Error(), "see whether the folder is there"
		return s
	}
	s.Words = fmt.Sprintf("%s free", units.BytesSize(float64(free)))
	return s.warnIf(free < enough, fmt.Sprintf("free some space: %s should be free; benchbook clean --records removes "+
		"old records", units.BytesSize(float64(enough))))
}

// examineLock checks whether another run measures.
func examineLock(ctx context.Context, a *Session, host machine.Host) finding {
	s := finding{Name: "other runs", Level: fine, Words: "none"}
	if a.Config.LockDir == "" {
		return s
	}
	unlock, err := machine.Lock(ctx, host, a.Config.LockDir, "looking at this machine", nil)
	switch {
	case errors.As(err, new(*engine.BusyError)):
		s.Level, s.Words, s.Remedy = warn, err.Error(), "a run started now waits until it ends"
	case err != nil:
		s.Level, s.Words, s.Remedy = warn, err.Error(), "see who made that file"
	default:
		unlock()
	}
	return s
}

// examinationWidth is the width of the printed lines in characters.
const examinationWidth = 80

// PrintReport prints the findings with their remedies.
func PrintReport(a *Session, x *Report) {
	level, name := len(missing), 0
	for _, c := range x.Checks {
		name = max(name, terminal.Width(c.Name))
	}
	width := examinationWidth - level - name - 4
	var rows [][]string
	for _, c := range x.Checks {
		lines := terminal.Wrap(c.Words, width)
		if c.Remedy != "" && c.Level != fine {
			for i, line := range terminal.Wrap(c.Remedy, width-2) {
				arrow := "→ "
				if i > 0 {
					arrow = "  "
				}
				lines = append(lines, arrow+line)
			}
		}
		for i, line := range lines {
			row := []string{"", "", line}
			if i == 0 {
				row[0], row[1] = c.Level, c.Name
			}
			rows = append(rows, row)
		}
	}
	terminal.PrintColumns(a.Stdout, "", rows)
	if x.Measure {
		fmt.Fprintf(a.Stdout, "\nthis machine, %s, can measure\n", x.Host)
		return
	}
	fmt.Fprintf(a.Stdout, "\nnothing can be measured on this machine, %s;\npages can be rendered from records\n", x.Host)
}
