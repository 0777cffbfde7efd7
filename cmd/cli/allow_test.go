package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
)

// What the project does not allow its articles is refused before any engine is asked, and what nobody may is refused in
// any case.
func TestAllow(t *testing.T) {
	const article = `---
title: More than is harmless
---

~~~yaml experiment
name: greedy
services: {server: {image: "debian:bookworm-slim", expose: ["80"], KEYS}}
load: {target: "http://server/", duration: 1s}
repetitions: 1
calibrate: false
~~~
`
	tests := []struct{ name, keys, allow string }{
		{"a capability", "cap_add: [SYS_ADMIN]", "cap_add"},
		{"no filter of system calls", `security_opt: ["seccomp=unconfined"]`, "security_opt"},
		{"a setting of the kernel", "sysctls: {net.core.somaxconn: 4096}", "sysctls"},
		{"a folder of the machine", `volumes: ["/etc:/machine"]`, "mounts"},
		{"a folder above the article", `volumes: ["../..:/machine"]`, "mounts"},
		{"the engine's socket", `volumes: ["/var/run/docker.sock:/var/run/docker.sock"]`, "mounts"},
		{"all privileges", "privileged: true", ""},
		{"the machine's network", "network_mode: host", ""},
		{"the machine's processes", "pid: host", ""},
		{"a device", `devices: ["/dev/kmsg:/dev/kmsg"]`, ""},
		{"a port of the machine", `ports: ["80:80"]`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, folder := project(t, "greedy", strings.ReplaceAll(article, "KEYS", tt.keys))
			asked := scripted()
			asked.LockDir, asked.Engines = "", nil // to ask for one would be said
			var stderr bytes.Buffer
			status := run([]string{"-C", dir, "run"}, &bytes.Buffer{}, &stderr, asked)
			if status != lab.StatusFailed || strings.Contains(stderr.String(), "no engine") {
				t.Errorf("status %d, want %d:\n%s", status, lab.StatusFailed, &stderr)
			}
			if _, err := os.Stat(filepath.Join(folder, "records")); err == nil {
				t.Error("there are records")
			}
			if tt.allow == "" {
				return
			}
			wantSaid(t, stderr.String(), "[not-allowed]", `add "`+tt.allow+`" to the list allow:`)
			if err := os.WriteFile(filepath.Join(dir, "benchbook.yaml"), []byte("allow: ["+tt.allow+"]\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			mustRun(t, asked, "-C", dir, "check")
		})
	}
}
