package machine

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestMirrorsOf(t *testing.T) {
	root := fstest.MapFS{
		"etc/apt/sources.list": {Data: []byte("deb [arch=amd64] http://apt.corp.example/debian bookworm main\n" +
			"deb http://deb.debian.org/debian bookworm main\n")},
		"etc/apt/sources.list.d/more.sources": {Data: []byte(
			"Types: deb\nURIs: https://mirror.corp.example:8443/debian-security\n")},
		"etc/apt/apt.conf.d/proxy": {Data: []byte(
			`Acquire::http::Proxy "http://joe:secret@Cache.corp.example:3142/";` + "\n")},
		"etc/pip.conf": {Data: []byte("[global]\nindex-url = https://10.1.2.3/simple\n" +
			"extra-index-url = https://pypi.corp.example/simple\n")},
		"etc/docker/daemon.json": {Data: []byte(`{"registry-mirrors": ["https://registry.corp.example"]}`)},
		"etc/apt/sources.list.d/bare.list": {Data: []byte("deb http://packages/debian bookworm main\n" +
			"deb http://localhost:3142/debian bookworm main\n")},
		"home/joe/.npmrc": {Data: []byte("registry=http://npm-cache:4873/\n" +
			"//npm.corp.example/:_authToken=x\n")},
		"home/joe/.config/pip/pip.conf": {Data: []byte("[global]\nindex-url = https://own.corp.example/simple\n" +
			"trusted-host = trusted.corp.example:8443 10.1.2.3 pypi.org\n")},
		"home/joe/pip.conf": {Data: []byte("[global]\nindex-url = https://chosen.corp.example/simple\n")},
		"home/ann/.npmrc":   {Data: []byte("registry=http://somebody-elses/\n")},
	}
	environment := []string{"HTTPS_PROXY=http://joe:secret@proxy.corp.example:8080", "no_proxy=localhost",
		"HOME=/home/joe", "PAGER=http://home.corp.example",
		"PIP_CONFIG_FILE=/home/joe/pip.conf", "all_proxy=tunnel:1080",
		"PIP_INDEX_URL=https://pypi.org/simple",
		"GOPROXY=https://go.corp.example,direct"}
	want := []string{"Cache.corp.example", "apt.corp.example", "cache.corp.example", "chosen.corp.example", "go.corp.example",
		"mirror.corp.example",
		"npm.corp.example", "own.corp.example", "proxy.corp.example", "pypi.corp.example",
		"registry.corp.example",
		"secret", "trusted.corp.example"}
	if got := MirrorsOf(root, environment); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
