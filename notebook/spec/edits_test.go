package spec_test

import (
	"strings"
	"testing"
	"time"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/notebook/spec"
)

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 48 * time.Second: "48s", 90 * time.Second: "1m30s", time.Hour: "1h",
		4*time.Hour + 10*time.Minute: "4h10m", time.Hour - time.Second: "59m59s",
	} {
		assert.Equal(t, spec.FormatDuration(d), want, "FormatDuration(%v)", d)
	}
}

func TestEdits(t *testing.T) {
	const server = `{"services": [{"name": "server", "image": {"name": "app"}, "command": ["run", "a b"]}]}`
	for _, tt := range []struct{ name, now, then, want string }{
		{"nothing", server, server, ""},
		{"a list of words", strings.Replace(server, "a b", "c", 1), server,
			"services.server.command: run c, was run 'a b'"},
		{"a value that is new", `{"load": {"connections": 4, "warmup": 2000000000}}`, `{"load": {"connections": 4}}`,
			"load.warmup: 2s (new)"},
		{"a value that is gone", `{"setup": [{"run": ["a"]}]}`, `{"setup": [{"run": ["a"]}, {"run": ["b"]}]}`,
			"setup[1].run: removed, was b"},
		{"zero, written", `{"load": {"failures_max": 0}}`, `{"load": {"failures_max": 0.5}}`,
			"load.failures_max: 0, was 0.5"},
		{"a size", `{"services": [{"name": "a", "mem_limit": 536870912}]}`, `{"services": [{"name": "a"}]}`,
			"services.a.mem_limit: 512MiB (new)"},
		{"a map", `{"load": {"headers": {"Accept": "b"}}}`, `{"load": {"headers": {"Accept": "a"}}}`,
			"load.headers.Accept: b, was a"},
		{"a file", `{"services": [{"name": "a", "configs": [{"path": "b", "digest": "1"}]}]}`,
			`{"services": [{"name": "a", "configs": [{"path": "b", "digest": "2"}]}]}`, ""},
		{"a key of another version", `{"newer": 1}`, `{}`, ""},
		{"a value of a wrong type", `{"hosts": 3, "load": {"connections": 4}}`, `{"load": {"connections": 3}}`,
			"load.connections: 4, was 3"},
	} {
		got := slice.Map(spec.Edits([]byte(tt.now), []byte(tt.then)), func(e spec.Edit) string { return e.String() })
		assert.Equal(t, strings.Join(got, "; "), tt.want, "%s", tt.name)
	}
}
