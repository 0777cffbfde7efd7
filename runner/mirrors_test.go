package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"benchbook/runner/engine"
	"benchbook/runner/engine/fake"
)

func TestMirrorsOf(t *testing.T) {
	root := fstest.MapFS{
		"etc/apt/sources.list": {Data: []byte("deb [arch=amd64] http://apt.corp.example/debian bookworm main\n" +
			"deb http://deb.debian.org/debian bookworm main\n")},
		"etc/apt/sources.list.d/more.sources": {Data: []byte("Types: deb\nURIs: https://mirror.corp.example:8443/debian-security\n")},
		"etc/apt/apt.conf.d/proxy":            {Data: []byte(`Acquire::http::Proxy "http://joe:secret@Cache.corp.example:3142/";` + "\n")},
		"etc/pip.conf": {Data: []byte("[global]\nindex-url = https://10.1.2.3/simple\n" +
			"extra-index-url = https://pypi.corp.example/simple\n")},
		"etc/docker/daemon.json":           {Data: []byte(`{"registry-mirrors": ["https://registry.corp.example"]}`)},
		"etc/apt/sources.list.d/bare.list": {Data: []byte("deb http://packages/debian bookworm main\ndeb http://localhost:3142/debian bookworm main\n")},
		"home/joe/.npmrc":                  {Data: []byte("registry=http://npm-cache:4873/\n//npm.corp.example/:_authToken=x\n")},
		"home/joe/.config/pip/pip.conf":    {Data: []byte("[global]\nindex-url = https://own.corp.example/simple\ntrusted-host = trusted.corp.example:8443 10.1.2.3 pypi.org\n")},
		"home/joe/pip.conf":                {Data: []byte("[global]\nindex-url = https://chosen.corp.example/simple\n")},
		"home/ann/.npmrc":                  {Data: []byte("registry=http://somebody-elses/\n")},
	}
	environment := []string{"HTTPS_PROXY=http://joe:secret@proxy.corp.example:8080", "no_proxy=localhost", "HOME=/home/joe", "PAGER=http://home.corp.example",
		"PIP_CONFIG_FILE=/home/joe/pip.conf", "all_proxy=tunnel:1080",
		"PIP_INDEX_URL=https://pypi.org/simple",
		"GOPROXY=https://go.corp.example,direct"}
	want := []string{"apt.corp.example", "cache.corp.example", "chosen.corp.example", "go.corp.example", "mirror.corp.example", "npm-cache",
		"npm.corp.example", "own.corp.example", "packages", "proxy.corp.example", "pypi.corp.example", "registry.corp.example",
		"trusted.corp.example", "tunnel"}
	if got := mirrorsOf(root, environment); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A program that cannot reach a mirror of this machine says its name, which no record keeps.
func TestRecordsDoNotNameMirrors(t *testing.T) {
	const said = "E: Failed to fetch http://Mirror.corp.example/debian/InRelease  Could not resolve 'mirror.corp.example'\n"
	s := script(t)
	s.Start = func(_ context.Context, service engine.Service) error {
		return &engine.NotReadyError{Service: service.Name, Reason: errors.New("it said " + said), Log: []byte(said)}
	}
	store := &memory{}
	r := newRunner(fake.New(s), &quiet{})
	r.Host.mirrors = []string{"mirror.corp.example"}
	if _, err := r.Run(t.Context(), socketsPlan(t), store, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, rec := range store.records {
		data, err := rec.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(data)), "corp.example") || !strings.Contains(rec.Log, "Could not resolve") {
			t.Errorf("the record has failure %q and log %q", rec.Failure, rec.Log)
		}
	}
}
