package enginetest

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
)

func names(t *test) {
	space := t.open()
	all := []string{"one", "two", "three"}
	for i, name := range all {
		service := t.server(name)
		if service.Aliases = []string{name + "-alias"}; !t.lacks(spec.OneName) {
			service.Aliases = append(service.Aliases, "pool")
		}
		assert.Equal(t, t.start(space, service).Name(), all[i])
	}
	t.want(t.do(space, "get=http://one:8080/", "get=http://two-alias:8080/"), "hello from one\nhello from two\n")
	if t.lacks(spec.OneName) {
		return
	}
	t.want(t.do(space, "count=pool", "count=two"), "3\n1\n")
	exit := t.do(space, slices.Repeat([]string{"get=http://pool:8080/"}, 60)...)
	for _, name := range all {
		assert.Contains(t, string(exit.Stdout), "hello from "+name+"\n")
	}
}

// groups checks that names are unique in a space and its group until it is closed, and that each can be closed twice.
func groups(t *test) {
	space := t.open()
	t.start(space, t.idle("shared"))
	closed := func(space engine.Space) {
		t.close(space)
		t.close(space)
		_, err := space.Start(t.ctx, t.idle("late"))
		wantError[error](t, err, "closed")
	}
	for range 2 {
		group := t.group(space)
		t.start(group, t.idle("fresh"))
		for _, name := range []string{"shared", "fresh"} {
			_, err := group.Start(t.ctx, t.idle(name))
			wantError[error](t, err, `"`+name+`"`)
		}
		closed(group)
	}
	closed(space)
	_, err := space.Group(t.ctx)
	wantError[error](t, err, "closed")
}

func groupReach(t *test) {
	space := t.open()
	shared := t.start(space, t.server("shared"))
	group := t.group(space)
	t.start(group, t.server("fresh"))
	t.want(t.do(group, "get=http://shared:8080/", "get=http://fresh:8080/"), "hello from shared\nhello from fresh\n")
	t.want(t.exec(shared, "get=http://fresh:8080/"), "hello from fresh\n")
	t.close(group)
	t.fails(t.exec(shared, "get=http://fresh:8080/"), "a service of a group that is closed is reached")
	next := t.group(space)
	fresh := t.start(next, t.server("fresh"))
	t.want(t.exec(shared, "get=http://shared:8080/", "get=http://fresh:8080/"), "hello from shared\nhello from fresh\n")
	t.close(space) // with what is open in it
	_, err := next.Start(t.ctx, t.server("late"))
	wantError[error](t, err, "closed")
	if exit, err := fresh.Exec(t.ctx, engine.Command{Args: []string{"/puppet", "out=x"}}); err == nil && exit.Code == 0 {
		t.Error("a service of a group outlives the space")
	}
}

// isolation tries to reach names and addresses of another space and of other machines.
func isolation(t *test) {
	twoSpaces(t)
	space := t.open()
	// Waiting for a name server that does not answer takes ten seconds every time; a busy machine is slow only sometimes.
	quick := slices.ContainsFunc(make([]bool, 3), func(bool) bool {
		began := time.Now()
		t.fails(t.do(space, "resolve=example.com"), "a name of outside is resolved")
		return time.Since(began) <= 5*time.Second
	})
	assert.Equal(t, quick, true, "in 5 s it is found that a name is not known, three times")
	// A name server on another machine can be reached from here, but not from a space.
	config, _ := os.ReadFile("/etc/resolv.conf")
	server := regexp.MustCompile(`(?m)^nameserver\s+(\S+)`).FindSubmatch(config)
	if server == nil {
		t.Skip("this machine has no name server")
	}
	outside := net.JoinHostPort(string(server[1]), "53")
	conn, err := net.DialTimeout("tcp", outside, time.Second)
	if err != nil || net.ParseIP(string(server[1])).IsLoopback() {
		t.Skipf("no other machine is a name server: %s, %v", outside, err)
	}
	conn.Close()
	t.fails(t.do(space, "dial="+outside), "a machine of outside is reached")
}

func twoSpaces(t *test) {
	first, second := t.open(), t.open()
	server := t.start(first, t.server("server"))
	t.start(first, t.server("only"))
	other := t.server("server")
	other.Environment = []string{"NAME=the other server"}
	t.start(second, other)
	t.want(t.do(first, "get=http://server:8080/", "get=http://only:8080"), "hello from server\nhello from only\n")
	t.want(t.do(second, "get=http://server:8080/"), "hello from the other server\n")
	t.fails(t.do(second, "resolve=only"), "the service of another space is found")
	addresses := strings.Fields(string(t.exec(server, "addresses=").Stdout))
	if len(addresses) == 0 {
		t.Fatal("the server has no address")
	}
	for _, ip := range addresses {
		address := net.JoinHostPort(ip, "8080")
		t.want(t.do(first, "dial="+address), "")
		t.fails(t.do(second, "dial="+address), "the address of a service is reached from another space")
	}
}

// orphanVariable, set in the environment, names a run that Run must leave behind. orphanRun waits to be killed.
const (
	orphanVariable = "BENCHBOOK_ENGINETEST_ORPHAN"
	orphanRun      = "enginetest-orphan"
	keptRun        = "enginetest-kept"
)

// becomeOrphan starts a service, and keeps it or waits to be killed.
func becomeOrphan(t *test) {
	run := os.Getenv(orphanVariable)
	outer := must.Get(t.engine.Open(t.ctx, run))
	service := t.server("server")
	if t.lacks(spec.Containers) { // port 8080 is in use
		service.Command, service.Expose = []string{"listen=8081", "sleep=1h"}, []int{8081}
	} else {
		service.Volumes = []spec.Volume{{Target: "/data", Source: "data"}, {Target: "/own"}}
	}
	group := t.group(outer)
	t.start(group, service)
	os.Stdout.WriteString("\n" + run + " is ready\n")
	if run == orphanRun {
		time.Sleep(timeout)
	}
	for i, space := range []engine.Space{group, outer} {
		kept, err := space.Keep(t.ctx)
		if err != nil {
			t.Fatalf("Keep: %v", err)
		}
		if i == 0 && (len(kept) != 1 || kept[0].Service != "server" || len(kept[0].Enter) == 0) || i == 1 && len(kept) > 0 {
			t.Errorf("kept %v", kept)
		}
		t.close(space)
		_, err = space.Start(t.ctx, t.server("late"))
		wantError[error](t, err, "closed")
	}
}

// abandon runs this test in a child process until that has started its service.
func (t *test) abandon(run string) *exec.Cmd {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	child := exec.CommandContext(t.ctx, os.Args[0], "-test.run=^"+regexp.QuoteMeta(name)+"$", "-test.v")
	child.Env = append(os.Environ(), orphanVariable+"="+run)
	output := must.Get(child.StdoutPipe())
	must.Do(child.Start())
	var said []string
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if said = append(said, lines.Text()); lines.Text() == run+" is ready" {
			go io.Copy(io.Discard, output) // keep its output from blocking it
			return child
		}
	}
	t.Fatalf("the process that was to leave something behind said:\n%s", strings.Join(said, "\n"))
	return nil
}

// leftovers returns the sorted kinds of a run's leftovers.
func (t *test) leftovers(run string, dryRun bool) (kinds []string) {
	t.Helper()
	all, err := t.engine.Sweep(t.ctx, dryRun)
	if err != nil {
		t.Fatalf("Sweep: %v", err)
	}
	for _, l := range all {
		if l.Run == run {
			kinds = append(kinds, l.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// swept kills a process that has started a service, and sweeps its leftovers.
func swept(t *test) {
	live := t.open()
	t.start(live, t.server("server"))
	child := t.abandon(orphanRun)
	assert.None(t, t.leftovers(orphanRun, true))
	must.Do(child.Process.Kill())
	_ = child.Wait() // it was killed
	t.wantSwept(orphanRun)
	t.want(t.do(live, "get=http://server:8080/"), "hello from server\n")
}

// kept sweeps what a process kept before it exited.
func kept(t *test) {
	if err := t.abandon(keptRun).Wait(); err != nil {
		t.Errorf("the process that keeps something: %v", err)
	}
	t.wantSwept(keptRun)
}

// wantSwept fails the test unless all leftovers of a run are found, removed, and not found again.
func (t *test) wantSwept(run string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) &&
		!slices.Equal(t.leftovers(run, true), t.leaves); { // child processes end slightly after the killed one
		time.Sleep(10 * time.Millisecond)
	}
	dry, found, again := t.leftovers(run, true), t.leftovers(run, false), t.leftovers(run, false)
	if !slices.Equal(dry, t.leaves) || !slices.Equal(found, t.leaves) || len(again) > 0 {
		t.Errorf("found %v, swept %v, then %v; want %v, then nothing", dry, found, again, t.leaves)
	}
}

// refused asks for a capability that the engine does not declare.
func refused(t *test, c spec.Capability) {
	asks := map[spec.Capability][]spec.Service{
		spec.Containers: {{User: "65534"}, {Memory: 1 << 30}, {CPUs: 0.5}, {ReadOnly: true},
			{Volumes: []spec.Volume{{Target: "/data"}}}, {Hostname: "other"}, {CapDrop: []string{"ALL"}},
			{Ulimits: map[string]spec.Ulimit{"nofile": {Soft: 9, Hard: 9}}}},
		spec.PIDLimit:         {{PIDs: 30}},
		spec.MountOptions:     {{Tmpfs: []string{"/run/memory:noexec"}}},
		spec.SecurityProfiles: {{SecurityOpt: []string{"seccomp=unconfined"}}},
		spec.KernelSettings:   {{Sysctls: map[string]string{"kernel.shm_rmid_forced": "1"}}},
	}
	images := map[spec.Capability][]engine.Image{
		spec.Builds:  {{Name: base}, build("FROM " + base)},
		spec.Machine: {{Machine: true}},
	}
	for _, image := range images[c] {
		_, err := t.engine.Prepare(t.ctx, image, io.Discard)
		refused := wantError[*engine.ImageError](t, err, t.engine.Name())
		if refused != nil && (refused.Reference == "" || refused.WayOut == "") {
			t.Errorf("Prepare(%+v): %+v lacks a reference or a way out", image, refused)
		}
	}
	for _, service := range asks[c] {
		service.Name, service.Command = "server", []string{"sleep=1h"}
		_, err := t.open().Start(t.ctx, engine.Service{Service: service, Image: t.puppet})
		wantError[*engine.RejectedError](t, err)
	}
	space := t.open()
	switch c {
	case spec.OneName:
		one, two := t.server("one"), t.server("two")
		one.Aliases, two.Aliases = []string{"pool"}, []string{"pool"}
		t.start(space, one)
		_, err := space.Start(t.ctx, two)
		wantError[*engine.RejectedError](t, err, `"pool"`)
	case spec.Keeping:
		t.start(space, t.server("server"))
		_, err := space.Keep(t.ctx)
		wantError[error](t, err, t.engine.Name())
		t.want(t.do(space, "get=http://server:8080/"), "hello from server\n") // it still runs
	case spec.NamedCPUs:
		if state, err := t.start(space, t.server("server")).State(t.ctx); err != nil || state.CPUs == "" {
			t.Errorf("State() = %+v, %v; want the CPUs that the engine chose", state, err)
		}
	case spec.Priorities, spec.Listening, spec.Threads:
		t.Skip("plans refuse it, or the engine may do it for some services")
	default:
		if len(asks[c])+len(images[c]) == 0 {
			t.Fatalf("there is no test of how %s is refused", c)
		}
	}
}
