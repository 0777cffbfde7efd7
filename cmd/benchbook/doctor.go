package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"

	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/runner"
	"benchbook/runner/engine"
)

// examination is what doctor prints with --json. Fields are added to it in later versions, none are renamed or removed.
type examination struct {
	Host    string    `json:"host"`    // class and digest, as in records
	Measure bool      `json:"measure"` // measuring is possible here
	Checks  []symptom `json:"checks"`
}

// A symptom is what doctor found of one thing.
type symptom struct {
	Name  string `json:"name"`
	Level string `json:"level"` // ok, warn or missing
	Words string `json:"words"`
	// Remedy says what to do about what is not ok.
	Remedy string `json:"remedy,omitempty"`
	// Vital says that without it nothing can be measured.
	Vital bool `json:"vital"`
}

// The levels of symptoms.
const (
	fine    = "ok"
	warn    = "warn"
	missing = "missing"
)

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine has and lacks for measuring, and how to get it",
		Long: `Look at everything that measuring needs: the engine, images and registry, the containerd of nodes on
this machine, our own programs, cores, clock, noise, disks, ports, swap, other runs and what killed runs
have left. Each is ok, a warning, or missing, with what to do. Nothing is changed. The status is 1 if nothing can be measured here.`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer a.waits(cmd.Context())()
			x, err := a.examine(cmd.Context())
			if err != nil {
				return stopped(cmd.Context(), err)
			}
			if asJSON {
				if err := printJSON(a.stdout, x); err != nil {
					return err
				}
			} else {
				a.printExamination(x)
			}
			if !x.Measure {
				return &statusError{status: statusFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// examine looks at everything, in the order in which it matters.
func (a *app) examine(ctx context.Context) (*examination, error) {
	host, err := runner.ThisHost()
	if err != nil {
		return nil, err
	}
	project, err := article.OpenProject(a.dir)
	if err != nil { // doctor is for those, too, who have none yet
		project = &article.Project{}
	}
	checks := append(a.examineEngine(ctx, project), a.examineHosts(ctx, project)...)
	checks = append(checks, examineContainerds(ctx, project)...)
	checks = append(checks, a.examinePrograms(), examineCores(host), examineGovernor(host), examineClock(host))
	checks = append(checks, examineNoise(ctx, host)...)
	checks = append(checks, a.examineDisks()...)
	checks = append(checks, examinePorts(host), examineSwap(), a.examineLock(ctx, host))
	x := &examination{Host: host.ID, Measure: true, Checks: checks}
	for _, c := range checks {
		x.Measure = x.Measure && !(c.Vital && c.Level == missing)
	}
	return x, ctx.Err()
}

// debian is an image that articles begin with, to ask a registry for.
const debian = "debian:bookworm-slim"

// examineEngine looks at the engine, and at what only an engine can tell.
func (a *app) examineEngine(ctx context.Context, project *article.Project) []symptom {
	found := symptom{Name: "engine", Level: missing, Vital: true}
	e, err := a.wiring.engineOf(ctx, project)
	if err != nil {
		found.Words, found.Remedy, _ = strings.Cut(err.Error(), ": ") // as errors of engines have it
		found.Remedy += a.otherEngine(ctx, project.Engine.V)
		return []symptom{found}
	}
	defer e.Close()
	facts, err := e.Facts(ctx)
	if err != nil {
		found.Words, found.Remedy = err.Error(), "start it again"
		return []symptom{found}
	}
	found.Level = fine
	found.Words = strings.TrimSpace(e.Name() + " " + facts["engine.version"])
	inspected, isInspected := e.(engine.Inspected)
	if isInspected {
		found.Words += " at " + inspected.Endpoint()
	}
	var about []string
	for _, fact := range []struct{ name, what string }{{"engine.storage", "storage"}, {"engine.cgroup.version", "control groups of version"},
		{"engine.context", "context"}, {"engine.namespace", "namespace"}} {
		if v := facts[fact.name]; v != "" {
			about = append(about, fact.what+" "+v)
		}
	}
	if len(about) > 0 {
		found.Words += " (" + strings.Join(about, ", ") + ")"
	}
	if facts["engine.local"] == "false" {
		found.Level = missing
		found.Words += " runs containers elsewhere or in a virtual machine"
		found.Remedy = "run benchbook on the engine's machine, or use an engine of this one"
	}
	checks := []symptom{found}
	if isInspected {
		checks = append(checks, examineRegistry(ctx, inspected))
		if folder := inspected.Storage(); folder != "" {
			checks = append(checks, examineDisk("disk of the engine", folder, enoughForImages))
		}
	}
	if store, ok := e.(engine.ImageStore); ok {
		checks = append(checks, examineImages(ctx, store))
	}
	return append(checks, examineLeftovers(ctx, e))
}

// otherEngine names an engine that can be had in the place of one that cannot.
func (a *app) otherEngine(ctx context.Context, name article.EngineName) string {
	for _, wired := range a.wiring.engines {
		if wired.name == cmp.Or(name, article.Docker) {
			continue
		}
		if e, err := wired.connect(ctx); err == nil {
			_ = e.Close() // nothing was started in it
			return fmt.Sprintf(". What needs no image can be measured with --engine %s", wired.name)
		}
	}
	return ""
}

// examineRegistry asks whether images can be had, or what stands in for them.
func examineRegistry(ctx context.Context, e engine.Inspected) symptom {
	s := symptom{Name: "registry", Level: fine, Words: "it has " + debian}
	err := e.Reach(ctx, debian)
	if err == nil {
		return s
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "Error response from daemon: "), "\n")
	s.Level, s.Words = warn, "out of reach: "+first
	_, lookErr := exec.LookPath("debootstrap")
	switch {
	case lookErr == nil && os.Getuid() == 0:
		s.Remedy = "none is needed for Debian: a substitute is made by debootstrap. Bring other images here with docker save and docker load"
	case lookErr == nil:
		s.Remedy = "run once as root, so that a substitute of Debian can be made by debootstrap; bring other images here with docker save and docker load"
	default:
		s.Remedy = "install debootstrap, which makes a substitute of Debian; bring other images here with docker save and docker load"
	}
	return s
}

func examineImages(ctx context.Context, store engine.ImageStore) symptom {
	kept, err := store.Built(ctx)
	if err != nil {
		return symptom{Name: "images", Level: warn, Words: err.Error(), Remedy: "see whether the engine works"}
	}
	sum := int64(0)
	for _, k := range kept {
		sum += k.Own
	}
	words := fmt.Sprintf("%s of ours, %s", count(len(kept), "image"), units.BytesSize(float64(sum)))
	return symptom{Name: "images", Level: fine, Words: words}
}

func examineLeftovers(ctx context.Context, e engine.Engine) symptom {
	left, err := e.Sweep(ctx, true)
	switch {
	case err != nil:
		return symptom{Name: "left behind", Level: warn, Words: err.Error(), Remedy: "see whether the engine works"}
	case len(left) > 0:
		return symptom{Name: "left behind", Level: warn, Words: leftovers(left) + " of runs that were killed", Remedy: "benchbook clean removes them, and so does the next run"}
	}
	return symptom{Name: "left behind", Level: fine, Words: "nothing"}
}

// examinePrograms looks for the programs that go into containers.
func (a *app) examinePrograms() symptom {
	s := symptom{Name: "programs", Level: fine, Vital: true}
	var there []string
	for _, name := range runner.Programs() {
		if _, err := a.wiring.tool(name); err != nil {
			s.Level = missing
			s.Words, s.Remedy, _ = strings.Cut(err.Error(), ": ")
			return s
		}
		there = append(there, name)
	}
	s.Words = strings.Join(there, ", ")
	return s
}

func examineCores(host runner.Host) symptom {
	at := plan.Place(host.Cores)
	s := symptom{Name: "cores", Level: fine, Words: fmt.Sprintf("%s; services on %s, load on %s", host.Facts["host.cores"], at.Services, at.Load)}
	switch {
	case len(host.Cores) < 2:
		s.Level, s.Remedy = warn, "services and load share one core, and what is measured is of both: use a machine with two cores or more"
	case host.Facts["host.siblings"] != "none":
		s.Words += "; threads of one core: " + host.Facts["host.siblings"]
	}
	return s
}

func examineGovernor(host runner.Host) symptom {
	governor := host.Facts["host.governor"]
	switch governor {
	case "":
		return symptom{Name: "governor", Level: fine, Words: "frequencies are not up to this system"}
	case "performance":
		return symptom{Name: "governor", Level: fine, Words: governor}
	}
	return symptom{Name: "governor", Level: warn, Words: governor + ": frequencies follow the load",
		Remedy: "as root: echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"}
}

// quickClocks are those that programs can read without asking the kernel.
//
// Source: Linux, Documentation/virt/kvm/x86/timekeeping.rst, clocksource.
var quickClocks = []string{"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"}

func examineClock(host runner.Host) symptom {
	clock := host.Facts["host.clock"]
	s := symptom{Name: "clock", Level: fine, Words: cmp.Or(clock, "this system does not tell")}
	if clock != "" && !slices.Contains(quickClocks, clock) {
		s.Level, s.Words = warn, clock+": to read it takes a call of the kernel, in programs under test as well"
		s.Remedy = "see /sys/devices/system/clocksource/clocksource0/available_clocksource for tsc or kvm-clock"
	}
	return s
}

// Bounds of noise above which numbers are likely to scatter by more than the 5 % that articles care about.
const (
	muchJitter  = 2 * time.Millisecond
	muchSpin    = 0.05
	muchForeign = 0.05 // METHOD.md 7 warns above this
)

func examineNoise(ctx context.Context, host runner.Host) []symptom {
	noise := runner.MeasureNoise(ctx)
	cpus := len(slices.Concat(host.Cores...))
	even := symptom{Name: "noise", Level: fine,
		Words: fmt.Sprintf("a timer was late by %v at most, equal computations differed by %.1f %%", noise.Jitter.Round(time.Microsecond), 100*noise.Spin)}
	if noise.Jitter > muchJitter || noise.Spin > muchSpin {
		even.Level, even.Remedy = warn, "end what else runs on this machine; on a virtual one ask for cores of its own"
	}
	others := symptom{Name: "other programs", Level: fine, Words: "this system does not tell"}
	if noise.Runnable >= 0 && cpus > 0 {
		share := min(1, noise.Runnable/float64(cpus))
		others.Words = fmt.Sprintf("want %.0f %% of the CPUs", 100*share)
		if share > muchForeign {
			others.Level, others.Remedy = warn, "end them: a repetition beside which others use more than 12 % of the CPUs is not valid"
		}
	}
	return []symptom{even, others}
}

// What disks should have free.
const (
	enoughForImages  = 5 << 30
	enoughForRecords = 100 << 20
)

func (a *app) examineDisks() []symptom {
	dir := a.dir
	if project, err := article.OpenProject(a.dir); err == nil {
		dir = project.Dir
	}
	return []symptom{examineDisk("disk of records", dir, enoughForRecords)}
}

func examineDisk(name, folder string, enough uint64) symptom {
	s := symptom{Name: name, Level: fine}
	path, err := filepath.Abs(folder)
	if err != nil {
		path = folder
	}
	usage, err := disk.Usage(path)
	if err != nil {
		s.Level, s.Words, s.Remedy = warn, err.Error(), "see whether the folder is there"
		return s
	}
	s.Words = fmt.Sprintf("%s free", units.BytesSize(float64(usage.Free)))
	if usage.Free < enough {
		s.Level = warn
		s.Remedy = fmt.Sprintf("make room: %s should be free. benchbook gc removes what is not needed any more", units.BytesSize(float64(enough)))
	}
	return s
}

func examinePorts(host runner.Host) symptom {
	ports := host.LocalPorts()
	if ports == 0 {
		return symptom{Name: "local ports", Level: fine, Words: "this system does not tell; containers have ports of their own"}
	}
	return symptom{Name: "local ports", Level: fine, Words: fmt.Sprintf("%d here, which containers do not share: each has 64512 of its own", ports)}
}

func examineSwap() symptom {
	s := symptom{Name: "swap", Level: fine, Words: "none"}
	swap, err := mem.SwapMemory()
	if err != nil {
		s.Words = "this system does not tell"
		return s
	}
	if swap.Total > 0 {
		s.Words = fmt.Sprintf("%s of %s in use", units.BytesSize(float64(swap.Used)), units.BytesSize(float64(swap.Total)))
	}
	if memory, err := mem.VirtualMemory(); err == nil && swap.Used > 0 && memory.Available < memory.Total/10 {
		s.Level, s.Remedy = warn, "end programs until memory is free: what services have to read back from swap is measured as theirs"
	}
	return s
}

// examineLock asks whether another run measures.
func (a *app) examineLock(ctx context.Context, host runner.Host) symptom {
	s := symptom{Name: "other runs", Level: fine, Words: "none measures now"}
	if a.wiring.lockDir == "" {
		return s
	}
	unlock, err := host.Lock(ctx, a.wiring.lockDir, "looks at this machine", nil)
	switch {
	case errors.As(err, new(*runner.BusyError)):
		s.Level, s.Words, s.Remedy = warn, err.Error(), "a run that is started now is refused, or with --wait waits until that has ended"
	case err != nil:
		s.Level, s.Words, s.Remedy = warn, err.Error(), "see who made that file"
	default:
		unlock()
	}
	return s
}

func (a *app) printExamination(x *examination) {
	var rows [][]string
	for _, c := range x.Checks {
		rows = append(rows, []string{c.Level, c.Name, c.Words})
		if c.Remedy != "" && c.Level != fine {
			rows = append(rows, []string{"", "", "→ " + c.Remedy})
		}
	}
	printColumns(a.stdout, "", rows)
	if x.Measure {
		fmt.Fprintf(a.stdout, "\nthis machine, %s, can measure\n", x.Host)
		return
	}
	fmt.Fprintf(a.stdout, "\nnothing can be measured on this machine, %s; pages can be rendered from records\n", x.Host)
}
