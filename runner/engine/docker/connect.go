package docker

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/connhelper"
	"github.com/moby/moby/client"
)

// The certificates in a folder of them, as the docker command has them.
const (
	caFile   = "ca.pem"
	certFile = "cert.pem"
	keyFile  = "key.pem"
)

// errNoTLS is an endpoint that anybody could use.
var errNoTLS = errors.New("an endpoint over tcp:// needs TLS")

// dial makes a client of an endpoint, without asking it anything. The folder of certificates is for tcp://, and may be
// empty. Over ssh:// the engine is reached as the docker command does it, by a docker system dial-stdio on the other
// machine.
func dial(host, tls string) (*client.Client, error) {
	options := []client.Opt{client.FromEnv}
	switch scheme, _, _ := strings.Cut(host, "://"); scheme {
	case "ssh":
		// A question for a password or for the key of a host that is not known could not be answered, nor seen.
		helper, err := connhelper.GetConnectionHelperWithSSHOpts(host, []string{"-o BatchMode=yes", "-o ConnectTimeout=10"})
		if err != nil {
			return nil, err
		}
		return client.New(client.WithHost(helper.Host), client.WithDialContext(helper.Dialer), client.WithAPIVersionFromEnv())
	case "tcp":
		switch {
		case tls != "":
			options = []client.Opt{client.WithHost(host), client.WithTLSClientConfig(filepath.Join(tls, caFile),
				filepath.Join(tls, certFile), filepath.Join(tls, keyFile)), client.WithAPIVersionFromEnv()}
			return client.New(options...)
		case !loopbackEndpoint(host) && (os.Getenv(client.EnvOverrideCertPath) == "" || os.Getenv(client.EnvTLSVerify) == ""):
			return nil, errNoTLS
		}
	}
	return client.New(append(options, client.WithHost(host))...)
}

// loopbackEndpoint says of an endpoint over tcp:// that only this machine gets there.
func loopbackEndpoint(host string) bool {
	u, err := url.Parse(host)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && address.IsLoopback()
}

// standIn is an endpoint for the library to look at before it is given our own connection: it asks the first one that
// the process uses what it is, in a way that knows neither ssh nor our certificates, and never forgets an error. done
// ends it.
func standIn(host string) (endpoint string, done func(), err error) {
	if strings.HasPrefix(host, "unix://") {
		return host, func() {}, nil
	}
	folder, err := os.MkdirTemp("", "benchbook-")
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(folder, "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return "", nil, errors.Join(err, os.Remove(folder))
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}")) // whoever asked has it or not
	})}
	go func() { _ = server.Serve(listener) }()
	return "unix://" + socket, func() {
		_ = server.Close() // with its listener, which removes the socket
		_ = os.Remove(folder)
	}, nil
}

// environment makes the docker command use an endpoint, and the certificates in a folder, which may be empty.
func environment(host, tls string) []string {
	variables := []string{client.EnvOverrideHost + "=" + host}
	if tls != "" {
		variables = append(variables, client.EnvTLSVerify+"=1", client.EnvOverrideCertPath+"="+tls)
	}
	return variables
}

// command is how a person calls the docker command for the engine, where that would not find it by itself.
func (e *Engine) command() []string {
	if e.endpoint == endpoint(Options{}) {
		return []string{"docker"}
	}
	words := []string{"docker", "--host", e.endpoint}
	if e.certificates != "" {
		in := func(file string) string { return filepath.Join(e.certificates, file) }
		words = append(words, "--tlsverify", "--tlscacert", in(caFile), "--tlscert", in(certFile), "--tlskey", in(keyFile))
	}
	return words
}
