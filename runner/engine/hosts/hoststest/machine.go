// Package hoststest makes a second machine for tests of engines over several hosts: a Docker engine in a network of its
// own, which is connected to that of this machine by a cable.
//
// It takes root, dockerd and ip, and for ssh an sshd. The engine has folders, control groups and firewall rules of its
// own; it is ended by its process, and network, cable and rules go with the namespace. Both machines are of one kernel,
// so that nothing that is measured on two of them says what two real machines would do.
package hoststest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Machine is the second machine.
type Machine struct {
	Address string // of the machine, as this one reaches it
	Here    string // address of this machine, as the second one reaches it
	TCP     string // endpoint of its engine over TLS
	TLS     string // folder of certificates for that
	Socket  string // endpoint of its engine as only this test can reach it
	folder  string
	space   string // its network namespace
}

// Start starts a second machine, and ends it with the test. It skips the test where that takes what is not there,
// unless the variable BENCHBOOK_TEST_REQUIRE names hosts.
func Start(t testing.TB) *Machine {
	t.Helper()
	if testing.Short() {
		t.Skip("needs root and a second Docker engine: run without -short")
	}
	require(t, "dockerd", "ip", "nsenter", "iptables")
	if os.Getuid() != 0 {
		lack(t, "a second machine takes root")
	}
	SparesDocker0(t)
	m := &Machine{folder: t.TempDir()}
	number := m.takeNumber(t)
	cable := fmt.Sprintf("bbtest%d", number)
	t.Cleanup(func() { ip(t, "netns", "del", m.space) }) // with its end of the cable, and so with both
	ip(t, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", m.space)
	ip(t, "address", "add", m.Here+"/24", "dev", cable)
	ip(t, "link", "set", cable, "up")
	ip(t, "-netns", m.space, "link", "set", "lo", "up")
	ip(t, "-netns", m.space, "address", "add", m.Address+"/24", "dev", "eth0")
	ip(t, "-netns", m.space, "link", "set", "eth0", "up")
	ip(t, "-netns", m.space, "route", "add", "default", "via", m.Here)
	m.TLS = filepath.Join(m.folder, "tls")
	server := Certificates(t, m.TLS, m.Address)
	m.TCP, m.Socket = "tcp://"+net.JoinHostPort(m.Address, "2376"), "unix://"+filepath.Join(m.folder, "docker.sock")
	m.startEngine(t, server)
	return m
}

// takeNumber gives the machine a network namespace, a number and addresses that no other test has, and returns the
// number. Tests of several packages run at the same time: whoever makes the namespace of a number has it.
func (m *Machine) takeNumber(t testing.TB) int {
	t.Helper()
	var said []byte
	for _, n := range mathrand.Perm(250) {
		number := n + 1
		m.space = fmt.Sprintf("benchbook-test-%d", number)
		var err error
		if said, err = exec.Command("ip", "netns", "add", m.space).CombinedOutput(); err == nil {
			m.Here, m.Address = fmt.Sprintf("10.213.%d.1", number), fmt.Sprintf("10.213.%d.2", number)
			return number
		}
		if !strings.Contains(string(said), "File exists") {
			break
		}
	}
	t.Fatalf("making a network namespace: %s", said)
	return 0
}

// SparesDocker0 fails a test that is about to start a second engine if the bridge of this machine's own one is another
// after it, or none: an engine in the same network namespace puts its own in that one's place, or removes it if it is
// to have none.
func SparesDocker0(t testing.TB) {
	t.Helper()
	const bridge = "docker0"
	before, err := net.InterfaceByName(bridge)
	if err != nil {
		return // it has none
	}
	t.Cleanup(func() {
		if after, err := net.InterfaceByName(bridge); err != nil || after.Index != before.Index {
			t.Errorf("%s of this machine was interface %d and is %v (%v): restart its engine", bridge, before.Index, after, err)
		}
	})
}

// lack skips the test, or fails it if it is required.
func lack(t testing.TB, why string) {
	t.Helper()
	if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "hosts") {
		t.Fatal(why)
	}
	t.Skip(why)
}

func require(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			lack(t, err.Error())
		}
	}
}

func ip(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// untilUnattended runs a program until standard input ends, which it does with the test, also if that is killed. The
// signal that a kernel sends at the death of a parent is none for Go: it comes when the thread ends that happened to
// start the program.
const untilUnattended = `"$@" & program=$!; cat >/dev/null; kill $program; wait $program`

// within is a command in the network of the machine.
func (m *Machine) within(name string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/var/run/netns/" + m.space, "sh", "-c", untilUnattended, "sh",
		name}, args...)...)
}

// startEngine starts the engine and waits until it answers.
func (m *Machine) startEngine(t testing.TB, server string) {
	t.Helper()
	in := func(name string) string { return filepath.Join(m.folder, name) }
	log, err := os.Create(in("dockerd.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := m.within("dockerd", "--data-root", in("data"), "--exec-root", in("exec"), "--pidfile", in("pid"),
		"--config-file", in("none.json"),
		"--host", m.Socket, "--host", m.TCP, "--tlsverify", "--tlscacert", filepath.Join(server, "ca.pem"),
		"--tlscert", filepath.Join(server, "cert.pem"), "--tlskey", filepath.Join(server, "key.pem"),
		// A containerd of the system would serve both engines.
		"--containerd-namespace", m.space, "--containerd-plugins-namespace", m.space+"-plugins")
	if err := os.WriteFile(in("none.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	m.run(t, cmd)
	// It listens at its socket before it listens at its port, and at both before it answers: whoever connects next is to
	// be answered at once.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _,
		_ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(m.Socket, "unix://"))
	}}}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
			err = errors.New(answer.Status)
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("the second engine does not answer: %v\n%s", err, said[max(0, len(said)-4000):])
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// run starts a program that is ended with the test, by its process.
func (m *Machine) run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	attended, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = attended.Close() // it may have ended
		_ = cmd.Wait()       // by a signal
	})
}

// SSH starts an sshd on the machine, and gives the endpoint by which the engine is reached through it. Keys and
// settings are the test's own: the folder of the ssh that it returns has to come first in PATH.
func (m *Machine) SSH(t *testing.T) (endpoint, path string) {
	t.Helper()
	require(t, "sshd", "ssh", "ssh-keygen", "docker")
	in := func(name string) string { return filepath.Join(m.folder, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
			in(key)).CombinedOutput(); err != nil {
			t.Fatalf("making a key: %v: %s", err, out)
		}
	}
	public, err := os.ReadFile(in("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		t.Fatal(err)
	}
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal(err)
	}
	path = in("bin")
	if err := errors.Join(
		os.MkdirAll(path, 0o755), os.MkdirAll("/run/sshd", 0o755), // which sshd insists on
		os.WriteFile(in("known"), []byte(m.Address+" "+string(public)), 0o600),
		os.WriteFile(in("sshd_config"), fmt.Appendf(nil,
			"ListenAddress %s:22\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\n"+
				"PasswordAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\nUsePAM no\n", m.Address, in("host"),
			in("user.pub")), 0o600),
		os.WriteFile(filepath.Join(path, "ssh"),
			fmt.Appendf(nil, "#!/bin/sh\nexec %s -F none -i %s -o UserKnownHostsFile=%s \"$@\"\n", ssh, in("user"), in("known")),
			0o755),
	); err != nil {
		t.Fatal(err)
	}
	cmd := m.within(sshd, "-D", "-e", "-f", in("sshd_config"))
	m.run(t, cmd)
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(m.Address, "22"), time.Second)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("sshd does not answer: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "ssh://root@" + m.Address + strings.TrimPrefix(m.Socket, "unix://"), path
}

// Leftovers lists what is left of the machine's network on this one: rules of the firewall that name its addresses.
func Leftovers(ctx context.Context, m *Machine) ([]string, error) {
	out, err := exec.CommandContext(ctx, "iptables-save").Output()
	if err != nil {
		return nil, fmt.Errorf("listing the rules of the firewall: %w", err)
	}
	prefix := strings.TrimSuffix(m.Here, "1")
	return slices.DeleteFunc(strings.Split(string(out), "\n"),
		func(line string) bool { return !strings.Contains(line, prefix) }), nil
}

// Certificates makes an authority, and what a server at an address and its clients need of it: in the folder for
// clients, and in one beside it, which is returned, for the server.
func Certificates(t testing.TB, folder, address string) (server string) {
	t.Helper()
	server = folder + "-server"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := template(1, "a test")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	for i, to := range []string{folder, server} {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		leaf := template(int64(i)+2, filepath.Base(to))
		leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		leaf.IPAddresses = []net.IP{net.ParseIP(address)}
		secret, err := x509.MarshalECPrivateKey(own)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(to, 0o700), writeCertificate(filepath.Join(to, "ca.pem"), ca, ca, key, key),
			writeCertificate(filepath.Join(to, "cert.pem"), leaf, ca, own, key), writePEM(filepath.Join(to, "key.pem"),
				"EC PRIVATE KEY", secret)); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

func template(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
}

func writeCertificate(file string, certificate, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) error {
	data, err := x509.CreateCertificate(rand.Reader, certificate, parent, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	return writePEM(file, "CERTIFICATE", data)
}

func writePEM(file, kind string, data []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}
