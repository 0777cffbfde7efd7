package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// consentArticle is measured if the project allows KEYS.
const consentArticle = `---
title: More than is harmless
---

~~~yaml experiment
name: greedy
services: {server: {KEYS, expose: ["80"]}}
load: {target: "http://server/", connections: 5, duration: 1s}
repetitions: 1
calibrate: false
~~~
`

// A consentCase is a run of a project.
type consentCase struct {
	name, keys, project string
	policy              string // text of the policy; empty for none
	answer              string // y or n; empty where nobody can be asked
	flags               []string
	status              int
	said                []string // parts of standard error; POLICY stands for its path
}

// run runs the case in a folder, and gives what was said. Answers are remembered in a folder.
func (c *consentCase) run(t *testing.T, dir, trusted string) {
	t.Helper()
	must.Write(filepath.Join(dir, "benchbook.yaml"), c.project)
	w := unlocked()
	w.Consent = &lab.Consent{Policy: filepath.Join(t.TempDir(), "policy.yaml"), Trusted: trusted}
	if c.policy != "" {
		must.Write(w.Consent.Policy, c.policy)
	}
	w.Ask = func(string) (yes, asked bool) { return c.answer == "y", c.answer != "" }
	status, stdout, stderr := said(w, dir, append([]string{"run", "--force"}, c.flags...)...)
	assert.Equal(t, status, c.status, "status\n%s%s", stdout, stderr)
	for _, want := range c.said {
		assert.Contains(t, stderr, strings.ReplaceAll(want, "POLICY", w.Consent.Policy))
	}
	if len(c.said) == 0 && strings.Contains(stderr, "you have not measured it") {
		t.Errorf("somebody was asked:\n%s", stderr)
	}
	_, err := os.Stat(filepath.Join(dir, "experiments", "greedy", "records"))
	assert.Equal(t, err == nil, c.status == 0, "it was measured")
}

// A project that allows more than others do is measured only if the policy of the machine lets it, or the user agrees.
func TestConsent(t *testing.T) {
	socket := must.Get(net.Listen("unix", filepath.Join(t.TempDir(), "s")))
	t.Cleanup(func() { socket.Close() })
	folder := filepath.Dir(socket.Addr().String())
	const image, capability = `image: "debian:bookworm-slim"`, `image: "debian:bookworm-slim", cap_add: [SYS_ADMIN]`
	const program = `command: ["server"]`
	mount := image + `, volumes: ["` + folder + `:/s"]`
	const asks = "asks for more than most, and you have not measured it before"
	for _, tt := range []consentCase{
		{"an ordinary project", image, "", "", "", nil, 0, nil},
		{"a capability that the project does not allow", capability, "", "allow: [cap_add]\n", "y", []string{"--yes"},
			lab.StatusFailed, []string{"[not-allowed]", `add "cap_add" to the list allow:`}},
		{"all privileges", image + ", privileged: true", "allow: [cap_add, mounts]\n", "", "y", []string{"--yes"},
			lab.StatusFailed, []string{"privileged"}},
		{"nobody to ask", capability, "allow: [cap_add]\n", "", "", nil, lab.StatusUsage,
			[]string{asks, "with more capabilities", "benchbook.yaml:1", "--yes", "POLICY"}},
		{"no", capability, "allow: [cap_add]\n", "", "n", nil, lab.StatusFailed, []string{asks, "nothing was measured"}},
		{"yes", capability, "allow: [cap_add]\n", "", "y", nil, 0, []string{asks}},
		{"--yes", capability, "allow: [cap_add]\n", "", "", []string{"--yes"}, 0, []string{asks}},
		{"a host", image, "allow: {targets: [example.org]}\n", "", "", nil, lab.StatusUsage, []string{"load on example.org"}},
		{"the engine local", program, "engine: local\n", "", "", nil, lab.StatusUsage, []string{"programs of this machine"}},
		{"a cluster", image, "engine: kubernetes\nkubernetes: {context: production}\nregistry: example.org/x\n", "allow: []\n",
			"", nil, lab.StatusFailed, []string{"benchbook.yaml:1:9", "pods in a cluster", "add kubernetes"}},
		{"a policy that allows it", capability, "allow: [cap_add]\n", "allow: [cap_add]\n", "", nil, 0, nil},
		{"a policy that allows nothing", image, "", "allow: []\n", "", nil, 0, nil},
		{"a policy that allows less", capability, "allow: [sysctls, cap_add]\n", "allow: [sysctls]\n", "y", []string{"--yes"},
			lab.StatusFailed, []string{"benchbook.yaml:1:18", "more capabilities", "POLICY", "add cap_add"}},
		{"a policy without the host", image, "allow: {targets: [example.org]}\n", "allow: {targets: [example.com]}\n", "", nil,
			lab.StatusFailed, []string{"benchbook.yaml:1:19", "load on example.org", "add {targets: [example.org]}"}},
		{"a policy without builds", `build: {dockerfile_inline: "FROM debian"}`, "", "allow: [mounts]\n", "", nil,
			lab.StatusFailed, []string{"article.md:5:4", "images that are built", "add builds"}},
		{"a policy without sockets", mount, "allow: mounts\n", "allow: [mounts]\n", "", nil, lab.StatusFailed,
			[]string{"article.md:5:4", "sockets of this machine", "add sockets"}},
		{"a policy with sockets", mount, "allow: mounts\n", "allow: [mounts, sockets]\n", "", nil, 0, nil},
		{"a policy that is wrong", image, "", "allow: [cap_ad]\n", "", nil, lab.StatusFailed, []string{"POLICY:1:9", "cap_add"}},
		{"a policy of another kind", image, "", "- cap_add\n", "", nil, lab.StatusFailed, []string{"POLICY:1:1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := project(t, "greedy", strings.ReplaceAll(consentArticle, "KEYS", tt.keys))
			tt.run(t, dir, t.TempDir())
		})
	}
}

// The answer of a user holds for a folder and what its project allows.
func TestConsentIsRemembered(t *testing.T) {
	text := strings.ReplaceAll(consentArticle, "KEYS", `image: "debian:bookworm-slim"`)
	here, folder := project(t, "greedy", text)
	elsewhere, _ := project(t, "greedy", text)
	trusted := filepath.Join(t.TempDir(), "state", "trusted")
	for _, tt := range []struct {
		dir string
		consentCase
	}{
		{here, consentCase{project: "allow: [mounts]\n", answer: "y", said: []string{"you have not measured it"}}},
		{here, consentCase{project: "title: Another\nallow: [mounts]\n"}},
		{here, consentCase{project: "allow: [mounts, cap_add]\n", status: lab.StatusUsage, said: []string{"--yes"}}},
		{elsewhere, consentCase{project: "allow: [mounts]\n", status: lab.StatusUsage, said: []string{"--yes"}}},
	} {
		must.Do(os.RemoveAll(filepath.Join(folder, "records")))
		tt.run(t, tt.dir, trusted)
	}
}
