package cli

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// sshTo starts an SSH server on this machine and returns the address of an engine behind it. The ssh command that is
// found first knows the server by the name elsewhere.
func sshTo(t *testing.T, socket string) string {
	t.Helper()
	server := "/usr/sbin/sshd"
	if _, err := os.Stat(server); err != nil {
		if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "engine") {
			t.Fatalf("an engine behind ssh needs sshd, and BENCHBOOK_TEST_REQUIRE asks for it: %v", err)
		}
		t.Skip("an engine behind ssh needs sshd")
	}
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where it gives up its rights
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	host, err := os.ReadFile(at("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, at("known"), "elsewhere "+string(host))
	put(t, at("sshd"), fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\n"+
		"StrictModes no\nUsePAM no\n", port, at("host"), at("user.pub")))
	put(t, at("config"), fmt.Sprintf("Host elsewhere\n HostName 127.0.0.1\n HostKeyAlias elsewhere\n Port %d\n"+
		" IdentityFile %s\n UserKnownHostsFile %s\n", port, at("user"), at("known")))
	put(t, at("bin/ssh"), fmt.Sprintf("#!/bin/sh\nexec %s -F %s \"$@\"\n", ssh, at("config")))
	if err := os.Chmod(at("bin/ssh"), 0o755); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(server, "-D", "-e", "-f", at("sshd"))
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	t.Setenv("PATH", at("bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		out, err := exec.Command("ssh", "-o", "BatchMode=yes", "elsewhere", "true").CombinedOutput()
		if err == nil {
			return "ssh://elsewhere" + socket
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not answer: %v: %s", err, out)
		}
	}
}

// What an engine behind ssh measures is recorded as of its machine, with the usage of services and of others there.
func TestEngineElsewhere(t *testing.T) {
	program := installed(t)
	d := ownEngine(t, "base=10.213.80.0/20,size=26")
	d.start(t)
	c := engineClient(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(client.EnvOverrideHost, sshTo(t, d.path("sock")))
	dir, folder := project(t, "mortal", strings.NewReplacer("200ms", "1s", "repetitions: 2", "repetitions: 1").Replace(mortal(1)))
	saved := &archive{folder: filepath.Join(folder, "records")}
	l := begin(t, program, t.TempDir(), "-C", dir, "run")
	if status := l.end(t); !wasMeasured(status, l.stderr.String()) {
		t.Fatalf("status %d:\n%s", status, &l.stderr)
	}
	wantSaid(t, l.stderr.String(), "host ssh://elsewhere"+d.path("sock")+": c")
	records := saved.look(t)
	wantNoFailures(t, records)
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	r := records[0]
	for _, fact := range []string{"host.cpu", "host.memory", "engine.clock.ahead", "placement.load"} {
		if r.Facts[fact] == "" {
			t.Errorf("the record has no fact %s", fact)
		}
	}
	if r.Facts["engine.local"] != "false" {
		t.Errorf("the engine is said to be local: %v", r.Facts)
	}
	for _, metric := range []string{"cpu.server", "memory.server", "cpu.store"} {
		if s, ok := r.Sample(metric); !ok || s.Value <= 0 {
			t.Errorf("%s is %v", metric, s)
		}
	}
	if r.Load.ForeignCPU < 0 || r.Machine == nil || r.Machine.Steal < 0 || r.Before != nil && r.Before.Foreign < 0 {
		t.Errorf("what the machine did is not known: load %+v, machine %+v, before %+v", r.Load, r.Machine, r.Before)
	}
	if left := leftBy(t, c, l.owner); len(left) > 0 {
		t.Errorf("in the end there are still %v", left)
	}
	again := begin(t, program, t.TempDir(), "-C", dir, "run")
	if status := again.end(t); !wasMeasured(status, again.stderr.String()) {
		t.Errorf("again: status %d", status)
	}
	wantSaid(t, again.stderr.String(), "everything is measured")
	show := exec.Command(program, "-C", dir, "show", "mortal")
	show.Env = append(os.Environ(), "PATH=") // what was measured on it is known without it
	if out, err := show.CombinedOutput(); err != nil || !strings.Contains(string(out), r.Host) {
		t.Errorf("show: %v: %s", err, out)
	}
}
