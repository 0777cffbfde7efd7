package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/loadgen"
)

// TestMain lets scripts call the command, with a scripted engine in place of Docker, and tests of processes with a real
// one.
func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){
		"benchbook": func() {
			status := run(os.Args[1:], os.Stdout, os.Stderr, scripted())
			tellPeak(os.Getenv(peakFile))
			os.Exit(status)
		},
		onEngineProgram: func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, onEngineWiring())) },
	})
}

// peakFile is the environment variable that names a file for the command's peak memory, on Linux.
const peakFile = "BENCHBOOK_TEST_PEAK"

// tellPeak writes the kernel's line about this process's peak memory to the file that peakFile names, if any.
func tellPeak(file string) {
	status, err := os.ReadFile("/proc/self/status")
	if file == "" || err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			_ = os.WriteFile(file, []byte(line), 0o600) // whoever wants it sees that it is missing
		}
	}
}

// scripted returns a configuration with a scripted engine. The variable ENGINE selects what it does, see script: with
// "" every load and command has the same good result; "down" means no engine, "no-docker" only local, "connecting" one
// that does not answer. BLOCK_AT is the number of the load that runs until it is cancelled.
func scripted() lab.Config {
	mode := os.Getenv("ENGINE")
	connect := func(ctx context.Context) (engine.Engine, error) {
		switch mode {
		case "connecting":
			fmt.Fprintln(os.Stderr, "connecting")
			if err := os.WriteFile("connecting", nil, 0o644); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, fmt.Errorf("connecting to the engine at unix:///x: %w", ctx.Err())
		case "down", "no-docker":
			return nil, fmt.Errorf("%w: start Docker, or set DOCKER_HOST", engine.ErrUnavailable)
		}
		return fake.New(script(mode)), nil
	}
	var consent *lab.Consent
	if policy := os.Getenv(policyVariable); policy != "" {
		consent = &lab.Consent{Policy: policy, Named: true}
	}
	return lab.Config{
		Scripted: true,
		Consent:  consent,
		Agent:    func() ([]byte, error) { return []byte("program"), nil },
		LockDir:  os.Getenv("WORK"), // scripts have one
		Ask:      func(string) (yes, asked bool) { return false, false },
		Machine:  lab.ThisMachine(),
		Cluster: func(_ context.Context, o engine.Cluster) (engine.Engine, error) {
			return nil, fmt.Errorf("%w answers in namespace %s of context %s, whose nodes %v pull from %s for a load on %v: "+
				"log in", engine.ErrUnavailable, o.Namespace, o.Context, o.ServiceNodes, o.Registry, o.LoadNodes)
		},
		Engines: []lab.Engine{{Name: spec.Docker, Connect: connect},
			{Name: spec.Local, Connect: func(context.Context) (engine.Engine, error) {
				if mode != "" && mode != "no-docker" {
					return nil, fmt.Errorf("%w: it needs root", engine.ErrUnavailable)
				}
				return fake.New(script("local")), nil
			}}},
	}
}

// block writes the file blocked, so that scripts can interrupt a load on any machine. It waits for another file, or
// without a name until it is cancelled.
func block(ctx context.Context, until string) error {
	if err := os.WriteFile("blocked", nil, 0o644); err != nil {
		return err
	}
	for until == "" || glob(until) == 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// A scene records what the engine has done so far.
type scene struct {
	mode    string
	loads   int
	workers int // of the service
}

func (s *scene) load(ctx context.Context, p fake.Program) (engine.Exit, error) {
	if slices.Contains(p.Command, loadgen.CheckArgument) {
		failure := map[string]string{"wrong": "wanted a status of 200 to 299, got 500"}[s.mode]
		return engine.Exit{Stdout: labtest.Answers(p.Stdin, failure)}, nil
	}
	s.loads++
	isSlow := s.loads > 2 && (s.mode == "slow" || s.mode == "stuck")
	switch {
	case s.mode == "fails" && s.loads == 2:
		return engine.Exit{Code: 1, Stderr: []byte("the check before timing failed\n")}, nil
	case isSlow || strconv.Itoa(s.loads) == os.Getenv("BLOCK_AT"):
		return engine.Exit{}, block(ctx, "")
	case s.mode == "gate" && s.loads > 1:
		if err := block(ctx, "go"); err != nil {
			return engine.Exit{}, err
		}
	}
	if noise, ok := map[string]float64{"pool": 0, "uneven": 0.1, "crash": 0.1, "built": 0.005}[s.mode]; ok {
		return engine.Exit{Stdout: pooled(p, s.workers, noise*math.Sin(2.4*float64(s.loads)))}, nil
	}
	return engine.Exit{Stdout: labtest.Requests()}, nil
}

// failing is an engine whose services end before they are ready.
func failing(reason, log string) func(context.Context, engine.Service) error {
	return func(_ context.Context, service engine.Service) error {
		return &engine.NotReadyError{Service: service.Name, Reason: errors.New(reason), Log: []byte(log)}
	}
}

// fileOf returns the content of a file in an image's build context; empty if it is missing.
func fileOf(i engine.Image, path string) string {
	if i.Build != nil {
		for _, f := range i.Build.Files {
			if f.Path == path {
				return strings.TrimSpace(string(f.Data))
			}
		}
	}
	return ""
}

func script(mode string) fake.Script {
	now := &scene{mode: mode}
	s := fake.Script{Run: func(ctx context.Context, p fake.Program) (engine.Exit, error) {
		switch p.Name {
		case "load":
			return now.load(ctx, p)
		case "command":
			settings, err := agent.FindTimerSettings(p.Environment)
			if err != nil {
				return engine.Exit{}, err
			}
			var out bytes.Buffer
			err = settings.Write(&out, agent.TimerReport{Real: 120 * time.Millisecond, User: 90 * time.Millisecond})
			return engine.Exit{Stdout: out.Bytes()}, err
		}
		return engine.Exit{Code: 127}, nil
	}}
	some := engine.Prepared{Reference: "x", ID: "y"}
	switch mode {
	case "broken-build": // images with RUN false cannot be built
		s.Prepare = func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
			if !strings.Contains(fileOf(i, "Dockerfile"), "RUN false") {
				return some, nil
			}
			return engine.Prepared{}, &engine.BuildError{For: i.Build.For, Line: 2,
				Tail: "Step 2/2 : RUN false\nGet http://mirror.internal.example/x failed",
				Err:  errors.New("the command '/bin/sh -c false' returned a non-zero code: 1")}
		}
	case "crash": // services end, after as many loads as CRASH_AFTER
		after, _ := strconv.Atoi(os.Getenv("CRASH_AFTER"))
		s.Start = func(ctx context.Context, service engine.Service) error {
			if now.loads < after {
				now.workers = 5
				return nil
			}
			return failing("it ended with status 1", "Traceback (most recent call last)")(ctx, service)
		}
	case "built": // services are as fast as the number in the file speed that they were built with
		s.Prepare = func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
			if speed := fileOf(i, "speed"); speed != "" {
				return engine.Prepared{Reference: speed, ID: "built with " + speed}, nil
			}
			return some, nil
		}
		s.Start = func(_ context.Context, service engine.Service) (err error) {
			now.workers, err = strconv.Atoi(service.Image.Reference)
			return err
		}
	case "pool", "uneven": // services are as fast as the number at the end of their command allows; uneven varies by 10 %
		s.Start = func(_ context.Context, service engine.Service) error {
			now.workers = 0
			if n := len(service.Command); n > 0 {
				now.workers, _ = strconv.Atoi(service.Command[n-1])
			}
			return nil
		}
	case "stuck": // what slow loads were put on is not removed
		s.Close = func(context.Context, string) error {
			if now.loads > 2 {
				return errors.New("the engine hangs")
			}
			return nil
		}
	case "picky": // there is no image nosuchimage:1 and no user nosuchuser
		s.Prepare = func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
			if i.Name == "nosuchimage:1" {
				return engine.Prepared{}, &engine.ImageError{Reference: i.Name, Err: errors.New("image nosuchimage:1 is not here")}
			}
			return some, nil
		}
		s.Start = func(_ context.Context, service engine.Service) error {
			if service.User == "nosuchuser" {
				return &engine.RejectedError{Name: service.Name, Err: errors.New("unable to find user nosuchuser")}
			}
			return nil
		}
	case "tagged": // named images have the id in the file id.txt
		s.Find = func(string) string {
			id, _ := os.ReadFile("id.txt") // without it the image is not there
			return strings.TrimSpace(string(id))
		}
		s.Prepare = func(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
			if i.Name == "" {
				return some, nil
			}
			id := s.Find(i.Name)
			return engine.Prepared{Reference: i.Name, ID: id, Bases: []engine.Base{{Reference: i.Name, ID: id}}}, nil
		}
	case "used-network": // a network of a killed run cannot be removed
		s.Leftovers = []engine.Leftover{{Kind: "network", Name: "net-1", Run: "20261120T101500Z-abcd",
			Problem: "network net-1 has active endpoints"}}
	case "leftovers": // of a killed run
		s.Leftovers = []engine.Leftover{{Kind: "container", Name: "server-1", Run: "20261120T101500Z-abcd"},
			{Kind: "network", Name: "net-1", Run: "20261120T101500Z-abcd"}}
	}
	return s
}

// pooled is a result of services with so many workers in half a second, in which nobody looks for foreign processes:
// the curve of docs/method.md#tuned-values.
func pooled(p fake.Program, workers int, noise float64) []byte {
	var config loadgen.Config
	var r loadgen.Result
	if err := errors.Join(json.Unmarshal(p.Stdin, &config),
		json.Unmarshal(labtest.Requests(), &r)); err != nil {
		panic(err)
	}
	r.Length, r.CPU = 500*time.Millisecond, nil
	r.InFlight, r.Overlap = new(loadgen.InFlight), nil // its times are not those of so many connections
	if n, ok := map[int]int64{1: 100, 2: 190, 3: 260, 5: 305, 8: 308, 12: 290}[workers]; ok {
		r.Completed.Right = int64(float64(n) * (1 + noise))
	}
	if config.Rate > 0 {
		none := loadgen.Distribution{Highest: 60e9}
		r.Lag, r.Service, r.InFlight, r.Due, r.Sent = &none, &none, nil, 1000, 1000
		if r.Completed.Right = 1000; config.Rate > 730 {
			r.Completed.Right = 500
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return data
}

// glob counts the files that match a pattern.
func glob(pattern string) int {
	names, _ := filepath.Glob(pattern) // a bad pattern matches nothing
	return len(names)
}

// searches is the argument of the command records that selects the records of searches.
const searches = "search"

// recorded counts the records of an article that fit the arguments: a profile, then if they are given an experiment,
// and a trial or searches.
func recorded(folder string, args []string) (n int, err error) {
	records, _, err := record.Dir(folder).Read()
	for _, r := range records {
		of := []string{r.Profile, r.Experiment, r.Trial}
		if len(args) == len(of) && args[2] == searches && r.Search != nil {
			of[2] = searches
		}
		if slices.Equal(of[:len(args)], args) {
			n++
		}
	}
	return n, err
}

// withoutProcesses makes a folder with links to everything in /proc except processes, and returns its path.
func withoutProcesses(t *testing.T) (dir string) {
	t.Helper()
	names, err := os.ReadDir("/proc")
	if err != nil {
		return "/proc" // another operating system than Linux
	}
	dir = t.TempDir()
	for _, e := range names {
		if e.Name()[0] > '9' {
			must.Do(os.Symlink(filepath.Join("/proc", e.Name()), filepath.Join(dir, e.Name())))
		}
	}
	return dir
}

// Slow scripts are in a folder of their own.
func TestScripts(t *testing.T) {
	processes := withoutProcesses(t)
	root := must.Get(filepath.Abs("../.."))
	scripts := must.Get(filepath.Glob("testdata/script/*.txtar"))
	if slowtest.Run() {
		scripts = append(scripts, must.Get(filepath.Glob("testdata/script/slow/*.txtar"))...)
	}
	testscript.Run(t, testscript.Params{
		Files: scripts,
		Setup: func(e *testscript.Env) error {
			// Commands are short: their start is most of their time. The memory of many at a time is limited all the same.
			e.Setenv("GOGC", "off")
			e.Setenv("GOMEMLIMIT", "256MiB")
			e.Setenv("HOST_PROC", processes) // testcontainers-go reads all processes as soon as it is loaded
			e.Setenv("GOARCH", runtime.GOARCH)
			e.Setenv("REPOSITORY", root)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else the race detector sleeps a second at the end of every command
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"count": scriptCommand("count N GLOB: so many files match", 2, 2, func(ts *testscript.TestScript, args []string) {
				if n := glob(ts.MkAbs(args[1])); fmt.Sprint(n) != args[0] {
					ts.Fatalf("%d files match %s, want %s", n, args[1], args[0])
				}
			}),
			"article": scriptCommand("article FIXTURE [NAME]: an article of testdata/articles, in a project", 1, 2,
				func(ts *testscript.TestScript, args []string) {
					text, err := os.ReadFile(filepath.Join(root, "cmd/cli/testdata/articles", args[0]+".md"))
					ts.Check(err)
					folder := ts.MkAbs(filepath.Join("experiments", args[len(args)-1]))
					ts.Check(os.MkdirAll(folder, 0o755))
					ts.Check(os.WriteFile(filepath.Join(folder, article.FileName), text, 0o644))
					if project := ts.MkAbs(article.ProjectFile); glob(project) == 0 {
						ts.Check(os.WriteFile(project, []byte("profiles: {quick: {repetitions: 3}}\n"), 0o644))
					}
				}),
			"status": scriptCommand("status N ARGUMENT ...: benchbook ends with this status", 2, 99,
				func(ts *testscript.TestScript, args []string) {
					got := 0
					if exit, ok := errors.AsType[*exec.ExitError](ts.Exec("benchbook", args[1:]...)); ok {
						got = exit.ExitCode()
					}
					if fmt.Sprint(got) != args[0] {
						ts.Fatalf("status %d, want %s", got, args[0])
					}
				}),
			"records": scriptCommand("records N ARTICLE PROFILE [EXPERIMENT [TRIAL|search]]: there are so many records", 3, 5,
				func(ts *testscript.TestScript, args []string) {
					n, err := recorded(ts.MkAbs(filepath.Join("experiments", args[1], "records")), args[2:])
					ts.Check(err)
					if fmt.Sprint(n) != args[0] {
						ts.Fatalf("%d records fit %q, want %s", n, args[1:], args[0])
					}
				}),
			"waitsaid": scriptCommand("waitsaid FILE TEXT: until a text stands in a file that somebody writes", 2, 2,
				func(ts *testscript.TestScript, args []string) {
					await(ts, args, func() bool {
						said, _ := os.ReadFile(ts.MkAbs(args[0])) // it may not be there yet
						return strings.Contains(string(said), args[1])
					})
				}),
			"waitfor": scriptCommand("waitfor N GLOB: until so many files match, or more", 2, 2,
				func(ts *testscript.TestScript, args []string) {
					n, err := strconv.Atoi(args[0])
					ts.Check(err)
					await(ts, args, func() bool { return glob(ts.MkAbs(args[1])) >= n })
				}),
			"replace": scriptCommand("replace OLD NEW FILE: every occurrence", 3, 3,
				func(ts *testscript.TestScript, args []string) {
					old := ts.ReadFile(args[2])
					changed := strings.ReplaceAll(old, args[0], args[1])
					if changed == old {
						ts.Fatalf("%s does not contain %q", args[2], args[0])
					}
					ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(changed), 0o644))
				}),
		},
	})
}

// scriptCommand returns a script command with a given number of arguments.
func scriptCommand(usage string, least, most int,
	do func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least || len(args) > most {
			ts.Fatalf("usage: %s", usage)
		}
		do(ts, args)
	}
}

// await waits until a condition holds, for at most a minute.
func await(ts *testscript.TestScript, what []string, is func() bool) {
	for begin := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			ts.Fatalf("waited in vain for %q", what)
		}
	}
}
