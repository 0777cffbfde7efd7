package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func commands(t *test) {
	large := strings.Repeat("0123456789abcde\n", 1<<16) // a mebibyte
	tests := []struct {
		name   string
		steps  []string
		stdin  string
		code   int
		stdout string
		stderr string
	}{
		{"standard output and error", []string{"out=o", "err=e", "out=p"}, "", 0, "o\np\n", "e\n"},
		{"a status", []string{"out=o", "exit=3"}, "", 3, "o\n", ""},
		{"standard input", []string{"copy="}, "in\nput", 0, "in\nput", ""},
		{"no standard input", []string{"copy=", "out=end"}, "", 0, "end\n", ""},
		{"much input and output", []string{"copy="}, large, 0, large, ""},
		{"input that is not read", []string{"out=o"}, large, 0, "o\n", ""},
	}
	box := t.start(t.open(), t.idle("box"))
	for _, tt := range tests {
		exit, err := box.Exec(t.ctx, engine.Command{Args: append([]string{"/puppet"}, tt.steps...), Stdin: []byte(tt.stdin)})
		if err != nil || exit.Code != tt.code || string(exit.Stdout) != tt.stdout || string(exit.Stderr) != tt.stderr {
			t.Errorf("%s: got %v, %d, %.100q (%d bytes), %.100q; want %d, %.100q (%d bytes), %.100q", tt.name, err, exit.Code,
				exit.Stdout, len(exit.Stdout), exit.Stderr, tt.code, tt.stdout, len(tt.stdout), tt.stderr)
		}
	}
	exit, err := box.Exec(t.ctx, engine.Command{Args: []string{"/nothing"}})
	if said := string(exit.Stdout) + string(exit.Stderr); err == nil && (exit.Code == 0 || !strings.Contains(said, "/nothing")) {
		t.Errorf("a program that is not there: got status %d, %q", exit.Code, said)
	}
	// The container still runs, and its log has no output of commands.
	if state, err := box.State(t.ctx); err != nil || state.Ended {
		t.Errorf("State() = %+v, %v; want one that runs", state, err)
	}
	t.wantLog(box, "")
}

// commandInside runs a command with the environment, folder, files and CPUs of its container, and with its own.
func commandInside(t *test) {
	box := t.idle("box")
	box.Environment = []string{"NAME=box", "OTHER=other", "WORD=a=b c", "EMPTY="}
	box.WorkingDir = "/proc"
	box.Configs = []spec.File{{Path: "/srv/data.txt", Data: []byte("data\n")}}
	steps := []string{"/puppet", "env=NAME", "env=OTHER", "env=WORD", "env=EMPTY", "pwd=", "cat=/srv/data.txt"}
	if !t.lacks(spec.NamedCPUs) {
		box.CPUSet = "0"
	}
	container := t.start(t.open(), box)
	for _, tt := range []struct {
		command engine.Command
		want    string
	}{
		{engine.Command{}, "box\nother\na=b c\n\n/proc\ndata\n"},
		{engine.Command{Environment: []string{"NAME=own"}, WorkingDir: "/sys"}, "own\nother\na=b c\n\n/sys\ndata\n"},
	} {
		tt.command.Args = steps
		exit := must.Get(container.Exec(t.ctx, tt.command))
		t.want(exit, tt.want)
	}
	state, err := container.State(t.ctx)
	exit := t.exec(container, "status=Cpus_allowed_list")
	if box.CPUSet != "" && (err != nil || state.CPUs != "" && state.CPUs != "0" ||
		!strings.HasSuffix(string(exit.Stdout), "\n0\n")) {
		t.Errorf("not bound to CPU 0: State() = %+v, %v, the first process and a command have %q", state, err, exit.Stdout)
	}
}

// bounds writes more to each stream than is kept.
func bounds(t *test) {
	box := t.start(t.open(), t.idle("box"))
	full := 0
	exit, err := box.Exec(t.ctx, engine.Command{Full: func() { full++ },
		Args: []string{"/puppet", "fill=67108864", "out=more", "fillerr=2097152", "err=the end"}})
	if err != nil || exit.Code != 0 {
		t.Fatalf("got status %d, %v", exit.Code, err)
	}
	if full != 1 || len(exit.Stdout) != engine.MaxStdout || bytes.Count(exit.Stdout, []byte("x")) != engine.MaxStdout {
		t.Errorf("full %d times with %d bytes of output, want once with the first 64 MiB", full, len(exit.Stdout))
	}
	if len(exit.Stderr) != engine.MaxStderr || !bytes.HasSuffix(exit.Stderr, []byte("xthe end\n")) {
		t.Errorf("%d bytes of errors are kept, and end with %q; want the last mebibyte", len(exit.Stderr),
			exit.Stderr[max(0, len(exit.Stderr)-20):])
	}
}

func cancelledCommand(t *test) {
	box := t.start(t.open(), t.idle("box"))
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.ctx)
	began := time.Now()
	time.AfterFunc(200*time.Millisecond, func() { cancel(reason) })
	if _, err := box.Exec(ctx, engine.Command{Args: []string{"/puppet", "sleep=1h"}}); !errors.Is(err, reason) {
		t.Errorf("got %v, want the cause", err)
	}
	if took := time.Since(began); took > prompt {
		t.Errorf("that took %v", took)
	}
}

// commandEnds closes a space while a command runs.
func commandEnds(t *test) {
	space := t.open()
	box := t.start(space, t.idle("box"))
	ended := make(chan engine.Exit, 1)
	go func() {
		exit, err := box.Exec(t.ctx, engine.Command{Args: []string{"/puppet", "sleep=1h"}})
		if err != nil {
			exit.Code = -1
		}
		ended <- exit
	}()
	time.Sleep(300 * time.Millisecond)
	t.close(space)
	select {
	case exit := <-ended:
		t.fails(exit, "a command whose container was removed")
	case <-time.After(prompt):
		t.Error("a command runs on without its container")
	}
}

// usage reads what a command uses, and its threads while it runs.
func usage(t *test) {
	box := t.start(t.open(), t.idle("box"))
	read := func(detail engine.Detail) engine.Usage {
		usage, err := box.Usage(t.ctx, detail)
		if err != nil {
			t.Fatalf("Usage: %v", err)
		}
		return usage
	}
	before := read(engine.Detail{})
	if before.Memory != -1 || before.Retransmits != -1 || before.Threads != nil || before.Listeners != nil {
		t.Errorf("got %+v, want nothing but the processor time", before)
	}
	done := make(chan engine.Exit)
	go func() {
		exit, _ := box.Exec(t.ctx, engine.Command{Args: []string{"/puppet", "burn=400ms"}}) // checked by its status
		done <- exit
	}()
	busy := t.lacks(spec.Threads)
	for deadline := time.Now().Add(prompt); !busy && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, thread := range read(engine.Detail{Threads: true}).Threads {
			busy = busy || thread.CPU > 100*time.Millisecond
		}
	}
	if exit := <-done; !busy || exit.Code != 0 {
		t.Errorf("a thread of the command was busy: %v; its status is %d", busy, exit.Code)
	}
	after := read(engine.Detail{Totals: true})
	if used := after.CPU - before.CPU; used < 350*time.Millisecond || used > 5*time.Second {
		t.Errorf("400 ms were burnt, usage grew by %v", used)
	}
	if !after.At.After(before.At) || after.Memory < 100<<10 || after.Memory > 1<<30 {
		t.Errorf("usage was %+v, then %+v", before, after)
	}
}

func cpuLimit(t *test) {
	service := t.idle("box")
	service.CPUs = 0.2
	box := t.start(t.open(), service)
	began := time.Now()
	t.want(t.exec(box, "burn=200ms"), "")
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("200 ms were burnt in %v with a limit of 0.2", took)
	}
	usage, err := box.Usage(t.ctx, engine.Detail{Totals: true})
	if err != nil || usage.Periods < usage.Throttled || usage.Throttled < 1 {
		t.Errorf("%d of %d periods were throttled, %v; want some", usage.Throttled, usage.Periods, err)
	}
}

// pidLimit limits processes and threads; -1 sets no limit.
func pidLimit(t *test) {
	space := t.open()
	for _, tt := range []struct {
		limit int64
		steps string
		fits  bool
	}{
		{30, "threads=200", false},
		{0, "threads=1500", true},
		{-1, "threads=1500", true},
		{0, fmt.Sprintf("threads=%d", engine.DefaultPIDs+500), false},
	} {
		service := t.idle("box")
		service.PIDs = tt.limit
		group := t.group(space)
		exit := t.exec(t.start(group, service), tt.steps, "out=enough")
		if fits := exit.Code == 0; fits != tt.fits {
			t.Errorf("with limit %d, %s fit: %v, want %v; %.300s", tt.limit, tt.steps, fits, tt.fits, exit.Stderr)
		}
		t.close(group)
	}
}

func ended(t *test) {
	service := t.server("server")
	service.Command = []string{"listen=8080", "asked", "exit=3"}
	space := t.open()
	server := t.start(space, service)
	if state, err := server.State(t.ctx); state.Ended || err != nil {
		t.Fatalf("State() = %+v, %v before it was asked to end", state, err)
	}
	t.do(space, "get=http://server:8080/go")
	if exit := t.untilEnded(server); exit.Code != 3 || exit.OutOfMemory {
		t.Errorf("it ended with %+v, want status 3", exit)
	}
	if exit, err := server.Exec(t.ctx, engine.Command{Args: []string{"/puppet", "out=x"}}); err == nil && exit.Code == 0 {
		t.Error("a command ran in a container that has ended")
	}
}

// outOfMemory runs out of memory in commands, which the container survives, and then in a service.
func outOfMemory(t *test) {
	space := t.open()
	box, service := t.idle("box"), t.server("server")
	box.Memory, service.Memory = 48<<20, 48<<20
	service.Command = []string{"listen=8080", "allocate=1000000", "asked", "allocate=200000000", "sleep=1h"}
	commands := t.start(space, box)
	for range 2 {
		if exit := t.exec(commands, "allocate=1000000"); exit.Code != 0 || exit.OutOfMemory {
			t.Errorf("a command with room: got %d, out of memory %v, %s", exit.Code, exit.OutOfMemory, exit.Stderr)
		}
		if exit := t.exec(commands, "allocate=200000000"); exit.Code != 137 || !exit.OutOfMemory {
			t.Errorf("a command without: got %d, out of memory %v, %s", exit.Code, exit.OutOfMemory, exit.Stderr)
		}
	}
	server := t.start(space, service)
	t.do(space, "get=http://server:8080/go")
	if exit := t.untilEnded(server); exit.Code != 137 || !exit.OutOfMemory {
		t.Errorf("a service ended with %+v, want 137, out of memory", exit)
	}
	t.wantLog(server, "allocated 1000000\n")
}
