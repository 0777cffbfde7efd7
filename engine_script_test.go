package benchbook

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// scripts/engine finds an engine at an address also where there is no docker command.
func TestEngineScriptWithoutDocker(t *testing.T) {
	runAgainIfChanged(t)
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	path := t.TempDir()
	if err := os.Symlink(curl, filepath.Join(path, "curl")); err != nil {
		t.Fatal(err)
	}
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_ping" {
			http.NotFound(w, r)
		}
	}))
	defer engine.Close()
	find := func(host string, args ...string) (string, error) {
		cmd := exec.Command(sh, append([]string{"scripts/engine"}, args...)...)
		cmd.Env = []string{"PATH=" + path, "DOCKER_HOST=" + host}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	host := "tcp://" + engine.Listener.Addr().String()
	if out, err := find(host); err != nil || !strings.Contains(out, "a Docker engine answers at "+host) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := find(host, "--find"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	engine.Close()
	if out, err := find(host, "--find"); err == nil || out != "" {
		t.Errorf("without an engine it only ends with a status: %v: %q", err, out)
	}
	if out, err := find(host); err == nil || !strings.Contains(out, "no Docker engine answers at DOCKER_HOST="+host) {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.Remove(filepath.Join(path, "curl")); err != nil {
		t.Fatal(err)
	}
	if out, err := find(host); err == nil || !strings.Contains(out, "install curl or the docker command") {
		t.Errorf("%v: %s", err, out)
	}
}

// runAgainIfChanged reads the script, since go test takes the result of an earlier run unless a file that the test has
// read is another one now.
func runAgainIfChanged(t *testing.T) {
	if _, err := os.ReadFile("scripts/engine"); err != nil {
		t.Fatal(err)
	}
}

// A daemon that scripts/engine starts holds nothing of whoever ran it, such as the lock of "flock FILE make report".
func TestEngineScriptLetsGo(t *testing.T) {
	runAgainIfChanged(t)
	root, programs := t.TempDir(), t.TempDir()
	for _, folder := range []string{"etc", "run", "var/run", "var/log"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(root, "etc/os-release"), "ID=debian\n", 0o644)
	// The daemon of the test answers from when it has said who it is until it is ended.
	write(filepath.Join(programs, "dockerd"), `#!/bin/sh
ps -o sid= -p $$ >"$BENCHBOOK_TEST_ROOT/session"
echo $$ >"$BENCHBOOK_TEST_ROOT/daemon"
exec sleep 1d
`, 0o755)
	write(filepath.Join(programs, "curl"), "#!/bin/sh\n[ -s \"$BENCHBOOK_TEST_ROOT/daemon\" ]\n", 0o755)
	write(filepath.Join(programs, "id"), "#!/bin/sh\necho 0\n", 0o755)
	socket, err := net.Listen("unix", filepath.Join(root, "var/run/docker.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	// The pipes of make have numbers of three digits.
	cmd := exec.Command("bash", "-c", "exec 251>&3; exec scripts/engine")
	cmd.Env = []string{"PATH=" + programs + ":" + os.Getenv("PATH"), "BENCHBOOK_TEST_ROOT=" + root}
	lock, err := os.Create(filepath.Join(root, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &out, &out, []*os.File{lock}
	if err := cmd.Run(); err != nil { // it waits for the ends of output and errors, too
		t.Fatalf("%v: %s", err, &out)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatalf("%v: the script said %s", err, &out)
		}
		return strings.TrimSpace(string(text))
	}
	daemon := read("daemon")
	pid, err := strconv.Atoi(daemon)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("the daemon did not outlive the script: %v", err)
		}
	}()
	if session := read("session"); session != daemon {
		t.Errorf("the daemon is in session %s, want one of its own, %s", session, daemon)
	}
	held, err := os.ReadDir("/proc/" + daemon + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	var descriptors []string
	for _, entry := range held {
		descriptors = append(descriptors, entry.Name())
	}
	if want := []string{"0", "1", "2"}; !slices.Equal(descriptors, want) {
		t.Errorf("the daemon has descriptors %v, want %v: the others are those of whoever ran the script", descriptors, want)
	}
}
