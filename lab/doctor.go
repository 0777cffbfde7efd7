package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/shirou/gopsutil/v4/disk"

	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/machine"
	"benchbook/runner/observe"
)

// A Report is what doctor prints with --json.
type Report struct {
	Host    string    `json:"host"`    // class and digest, as in records
	Measure bool      `json:"measure"` // this machine can measure
	Checks  []finding `json:"checks"`
}

// A finding is the result of one check.
type finding struct {
	Name   string `json:"name"`
	Level  string `json:"level"` // ok, warn or missing
	Words  string `json:"words"`
	Remedy string `json:"remedy,omitempty"` // unless Level is ok
	Vital  bool   `json:"vital"`            // if missing, nothing can be measured
}

// Levels of a finding.
const (
	fine    = "ok"
	warn    = "warn"
	missing = "missing"
)

func ok(name, words string) finding { return finding{Name: name, Level: fine, Words: words} }

func warning(name, words, remedy string) finding {
	return finding{Name: name, Level: warn, Words: words, Remedy: remedy}
}

// warnIf turns the finding into a warning with a remedy if bad.
func (f finding) warnIf(bad bool, remedy string) finding {
	if bad {
		f.Level, f.Remedy = warn, remedy
	}
	return f
}

// ThisMachine returns the machine that doctor checks.
func ThisMachine() Machine {
	return Machine{Root: "/", Noise: machine.MeasureNoise, Hog: observe.Hog, Disk: disk.Usage}
}

// Examine runs the checks of doctor and lists the most important first.
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
		project = &article.Project{Dir: a.Dir}
	}
	checks := append(examineEngine(ctx, a, project), examineProgram(a))
	checks = append(checks, examineMachine(host, machine.ReadState(ctx, m.Root, m.Noise), m.Hog)...)
	checks = append(checks, examineDisk(a, "disk of records", project.Dir, enoughForRecords), examineLock(ctx, a, host))
	x := &Report{Host: host.ID, Measure: true, Checks: checks}
	for _, c := range checks {
		x.Measure = x.Measure && !(c.Vital && c.Level == missing)
	}
	return x, ctx.Err()
}

// debian is the image that doctor looks up to test the registry.
const debian = "debian:bookworm-slim"

// inspected is an engine that reports its address, its storage and whether it reaches a registry.
type inspected interface {
	// Endpoint returns the address of the engine, such as "unix:///var/run/docker.sock".
	Endpoint() string
	// Storage returns the folder of images and containers; empty if it is on another machine.
	Storage() string
	// Reach looks an image up in its registry without downloading it. It returns an error if that fails.
	Reach(ctx context.Context, image string) error
}

// examineEngine checks the engine, its registry and its disk.
func examineEngine(ctx context.Context, a *Session, project *article.Project) []finding {
	found := finding{Name: "engine", Level: missing, Vital: true}
	e, err := a.Config.EngineOf(ctx, project, nil)
	if err != nil {
		found.Words, found.Remedy, _ = strings.Cut(err.Error(), ": ") // as errors of engines have it
		if !strings.Contains(found.Remedy, "--engine local") {
			found.Remedy += otherEngine(ctx, a, project.EngineName())
		}
		return []finding{found}
	}
	defer e.Close()
	facts, err := e.Facts(ctx)
	if err != nil {
		found.Words, found.Remedy = err.Error(), "start it again"
		return []finding{found}
	}
	found.Level, found.Words = fine, strings.TrimSpace(e.Name()+" "+facts["engine.version"])
	daemon, isDaemon := e.(inspected)
	if isDaemon {
		found.Words += " at " + daemon.Endpoint()
	}
	found.Words += engineFacts(facts)
	if facts["engine.rootless"] == "true" {
		found.Words += " runs without the rights of root"
		found = found.warnIf(true, "use the system's engine: a rootless one may not pin services to CPUs, and routes outside "+
			"traffic through a user-space program")
	}
	switch {
	case facts["engine.remote"] == "true":
		found.Words += " runs containers on another machine"
		found = found.warnIf(true, "run benchbook doctor there too: the checks below describe this machine")
	case facts["engine.local"] == "false":
		found.Level = missing
		found.Words += " runs containers in a virtual machine"
		found.Remedy = "run benchbook in that machine, or use an engine of this one"
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

// engineFacts lists the known facts about an engine, in brackets after a space; empty if there are none.
func engineFacts(facts map[string]string) string {
	var known []string
	for _, fact := range []struct{ name, what string }{{"engine.storage", "storage"},
		{"engine.cgroup.version", "control groups of version"}, {"engine.cgroup.driver", "made by"},
		{"engine.runtime", "runtime"}, {"engine.api", "API"}, {"engine.os", "on"}, {"engine.context", "context"},
		{"engine.namespace", "namespace"}} {
		if v := facts[fact.name]; v != "" {
			known = append(known, fact.what+" "+v)
		}
	}
	if known == nil {
		return ""
	}
	return " (" + strings.Join(known, ", ") + ")"
}

// otherEngine suggests another engine that is available; empty if none answers.
func otherEngine(ctx context.Context, a *Session, name spec.Engine) string {
	for _, other := range a.Config.Engines {
		if other.Name == cmp.Or(name, spec.DefaultEngine) {
			continue
		}
		if e, err := other.Connect(ctx); err == nil {
			_ = e.Close() // it has started nothing
			return fmt.Sprintf(". What needs no image can be measured with --engine %s", other.Name)
		}
	}
	return ""
}

func examineRegistry(ctx context.Context, e inspected) finding {
	err := e.Reach(ctx, debian)
	if err == nil {
		return ok("registry", "it has "+debian)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "Error response from daemon: "), "\n")
	return warning("registry", "out of reach: "+first,
		"scripts/base makes a substitute of Debian once; bring other images here with docker save and docker load")
}

func examineLeftovers(ctx context.Context, e engine.Engine) finding {
	left, err := e.Sweep(ctx, true)
	switch {
	case err != nil:
		return warning("left behind", err.Error(), "see whether the engine works")
	case len(left) > 0:
		return warning("left behind", Leftovers(left)+" of runs that were killed",
			"benchbook clean removes them, and so does the next run")
	}
	return ok("left behind", "nothing")
}

func examineProgram(a *Session) finding {
	if _, err := a.Config.Agent(); err != nil {
		words, remedy, _ := strings.Cut(err.Error(), ": ")
		return finding{Name: "programs", Level: missing, Words: words, Remedy: remedy, Vital: true}
	}
	return finding{Name: "programs", Level: fine, Words: agent.Name, Vital: true}
}

// Free disk space that doctor asks for, in bytes.
const (
	enoughForImages  = 5 << 30
	enoughForRecords = 100 << 20
)

func examineDisk(a *Session, name, folder string, enough uint64) finding {
	usage, err := a.Config.Machine.Disk(folder)
	if err != nil {
		return warning(name, err.Error(), "see whether the folder is there")
	}
	return ok(name, units.BytesSize(float64(usage.Free))+" free").warnIf(usage.Free < enough, fmt.Sprintf("free some space: %s should "+
		"be free; benchbook clean --records removes old records", units.BytesSize(float64(enough))))
}

// examineLock checks whether another run is measuring.
func examineLock(ctx context.Context, a *Session, host machine.Host) finding {
	const name = "other runs"
	if a.Config.LockDir == "" {
		return ok(name, "none")
	}
	unlock, err := machine.Lock(ctx, host, a.Config.LockDir, "looking at this machine", nil)
	switch {
	case errors.As(err, new(*engine.BusyError)):
		return warning(name, err.Error(), "a run started now waits until it ends")
	case err != nil:
		return warning(name, err.Error(), "see who made that file")
	}
	unlock()
	return ok(name, "none")
}

// Noise above these limits makes results likely to vary by more than 5 %.
const (
	muchJitter  = 2 * time.Millisecond
	muchForeign = 0.05 // CPU share of other programs; the limit of docs/validity.md#checks
	muchSteal   = 0.01 // CPU share of other virtual machines; also from docs/validity.md#checks
)

// notReported replaces a fact that the system does not report.
const notReported = "this system does not report it"

func examineMachine(host machine.Host, now machine.State, hog func() string) []finding {
	fact := func(name string) string { return host.Facts["host."+name] }
	kind := fmt.Sprintf("%s, %s, kernel %s", cmp.Or(fact("cpu"), notReported), fact("architecture"),
		cmp.Or(fact("kernel"), "unknown"))
	if virtual := fact("virtual"); virtual != "" {
		kind += ", in a virtual machine (" + virtual + ")"
	}
	at := plan.Place(host.Cores)
	cores := fmt.Sprintf("%s; services on %s, load on %s", fact("cores"), at.Services, at.Load)
	if len(host.Cores) > 1 && fact("siblings") != "none" {
		cores += "; threads of one core: " + fact("siblings")
	}
	governor := ok("governor", cmp.Or(fact("governor"), "frequencies are not controlled by this system"))
	if fact("governor") != "" && fact("governor") != "performance" {
		governor = warning("governor", fact("governor")+": frequencies follow the load",
			"write performance into /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor, as root")
	}
	memory := fact("memory")
	if now.Available > 0 {
		memory += ", " + units.BytesSize(float64(now.Available)) + " available"
	}
	if pages := fact("hugepages"); pages != "" {
		memory += ", huge pages " + pages
	}
	others, steal, remedy := notReported, notReported, "end them"
	if now.Foreign >= 0 {
		others = fmt.Sprintf("want %.0f %% of the CPUs", 100*now.Foreign)
	}
	if now.Foreign > muchForeign && hog != nil {
		remedy = cmp.Or(hog(), remedy)
	}
	if now.Steal >= 0 {
		steal = fmt.Sprintf("other virtual machines took %.1f %% of the CPUs since this one was started", 100*now.Steal)
	}
	return []finding{
		ok("machine", kind),
		ok("cores", cores).warnIf(len(host.Cores) < 2,
			"services and load share one core, so both are measured together: use a machine with two cores or more"),
		governor,
		ok("memory", memory).warnIf(now.Available > 0 && now.Available < now.Memory/10,
			"end programs until a tenth of the memory is available: without free memory, services are killed or swapped"),
		ok("noise", fmt.Sprintf("a timer of 1 ms was late by %v at most", now.Jitter.Round(time.Microsecond))).
			warnIf(now.Jitter > muchJitter, "end other programs on this machine; for a virtual machine, get dedicated cores"),
		ok("other programs", others).warnIf(now.Foreign > muchForeign,
			remedy+": a repetition is not valid if others use more than 12 % of the CPUs"),
		ok("steal", steal).warnIf(now.Steal > muchSteal,
			"get dedicated CPUs: a repetition in which more than 5 % are stolen is not valid"),
	}
}

// reportWidth is the width of the column with findings, in characters: it keeps lines within 80.
const reportWidth = 51

// PrintReport prints the findings with their remedies.
func PrintReport(a *Session, x *Report) {
	var rows [][]string
	for _, c := range x.Checks {
		rows = append(rows, []string{c.Level, c.Name, c.Words})
		if c.Level != fine {
			rows = append(rows, []string{"", "", "→ " + c.Remedy})
		}
	}
	terminal.PrintColumns(a.Stdout, "", terminal.WrapLast(rows, reportWidth))
	if x.Measure {
		fmt.Fprintf(a.Stdout, "\nthis machine, %s, can measure\n", x.Host)
		return
	}
	fmt.Fprintf(a.Stdout, "\nnothing can be measured on this machine, %s;\npages can be rendered from records\n", x.Host)
}
