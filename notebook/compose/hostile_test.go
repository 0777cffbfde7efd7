package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

// Parts of messages about files that compose-go would open.
const (
	includes = "include names other files"
	extends  = "extends names other files"
)

// hostile are Compose files that try to read files of the user. OUTSIDE is a folder outside the repository with such
// files, canary a value in them.
var hostile = []struct {
	name  string
	files string // docker-compose.yml, and an archive of its neighbours; a text "-> PATH" makes a link
	want  string // part of the message of the only problem; empty for none
}{
	{"variables of the user", `services: {a: {image: "x:${CANARY}${HOME}-"}}`, ""},
	{"variables of the user by name", "services: {a: {image: x, environment: [CANARY], build: {context: ., args: [CANARY]}, configs: [c]}}\nconfigs: {c: {content: \"${CANARY}\"}}",
		""},
	{"a config that is a variable of the user", "services:\n  a:\n    image: x\n    configs: [c]\nconfigs: {c: {environment: CANARY}}",
		"is the value of CANARY, which is not set"},
	{"a secret that is a variable of the user", "services:\n  a:\n    image: x\n    secrets: [c]\nsecrets: {c: {environment: CANARY}}",
		"the variable CANARY, which the article does not list"},
	{"an included file", "include: [OUTSIDE/compose.yml]", includes},
	{"variables of an included file", "include:\n  - path: inner.yml\n    env_file: OUTSIDE/.env\n-- inner.yml --\nservices: {b: {image: \"x:${canary}\"}}",
		includes},
	{"variables of no file", "include: [{path: [], env_file: OUTSIDE/.env}]", includes},
	{"the same in other letters", "include:\n  - path: inner.yml\n    ENV_FILE: OUTSIDE/.env", includes},
	{"the same through an anchor", "x-a: &a {env_file: OUTSIDE/.env}\ninclude: [{path: inner.yml, <<: *a}]", includes},
	{"the same in the first of two documents", "include: [{path: inner.yml, env_file: OUTSIDE/.env}]\n---\ninclude: !reset []", includes},
	{"the same through a key that is an alias", "x-k: &k include\n*k : [{path: inner.yml, env_file: OUTSIDE/.env}]", includes},
	{"an included file by the name of the project", `include: ["${COMPOSE_PROJECT_NAME:+OUTSIDE/}compose.yml"]`, includes},
	{"a project elsewhere", "include: [{path: inner.yml, project_directory: OUTSIDE}]", includes},
	{"a remote file", `include: ["https://example.org/compose.git"]`, includes},
	{"an included pipe", "include: [OUTSIDE/pipe]", includes},
	{"a huge file", strings.Repeat("#", maxFile+1), "cannot be read: it is larger"},
	{"aliases that multiply", bomb(), "excessive aliasing"},
	{".env is a link", "services: {a: {image: \"x:${canary}\"}}\n-- .env --\n-> OUTSIDE/credentials", ".env lies outside the repository"},
	{".env is a pipe", "services: {a: {image: x}}\n-- .env --\n-> OUTSIDE/pipe", ".env lies outside the repository"},
	{"extends outside", "services:\n  a:\n    extends: {file: OUTSIDE/compose.yml, service: canary}", extends},
	{"extends a file in the home folder", "services: {a: {extends: {file: ~/compose.yml, service: canary}}}", extends},
	{"extends outside in a job", "services: {a: {image: x}}\njobs: {j: {extends: {file: OUTSIDE/compose.yml, service: canary}}}", extends},
	{"extends outside through an anchor", "x-e: &e {extends: {file: OUTSIDE/compose.yml, service: canary}}\nservices: {a: {<<: *e}}", extends},
	{"extends outside with a key that is no text", "services: {a: {extends: {file: OUTSIDE/compose.yml, service: canary, 5: x}}}", "non-string key"},
	{"extends no text", "services: {a: {extends: {file: 5, service: a}}}", extends},
	{"services that are no mapping", "services: 5", "cannot be used"},
	{"env_file outside", "services:\n  a:\n    image: x\n    env_file: OUTSIDE/credentials", "env_file OUTSIDE/credentials lies outside the repository"},
	{"env_file is a link", "services: {a: {image: x, env_file: [x.env]}}\n-- x.env --\n-> OUTSIDE/credentials",
		"env_file x.env lies outside the repository"},
	{"env_file of the home folder", "services: {a: {image: x, env_file: [~/credentials]}}", "credentials lies outside the repository"},
	{"env_file is a pipe", "services: {a: {image: x, env_file: [OUTSIDE/pipe]}}", "env_file OUTSIDE/pipe lies outside the repository"},
	{"env_file of a hook", "services:\n  a:\n    image: x\n    pre_start: [{image: x, env_file: OUTSIDE/credentials}]",
		"env_file OUTSIDE/credentials lies outside the repository"},
	{"label_file outside", "services: {a: {image: x, label_file: OUTSIDE/credentials}}", "label_file OUTSIDE/credentials lies outside the repository"},
	{"a config outside", "services: {a: {image: x, configs: [c]}}\nconfigs: {c: {file: OUTSIDE/credentials}}",
		`the file of "c" lies outside the repository`},
	{"a config that is a link", "services: {a: {image: x, configs: [c]}}\nconfigs: {c: {file: c.txt}}\n-- c.txt --\n-> OUTSIDE/credentials",
		`the file of "c" lies outside the repository`},
	{"another context", "services: {a: {build: {context: ., additional_contexts: {c: OUTSIDE}}}}", "build.additional_contexts is not supported"},
	{"a Dockerfile outside", "services: {a: {build: {context: ., dockerfile: OUTSIDE/credentials}}}",
		"the Dockerfile OUTSIDE/credentials lies outside the repository"},
	{"a Dockerfile that is a link", "services: {a: {build: .}}\n-- Dockerfile --\n-> OUTSIDE/credentials",
		"the Dockerfile Dockerfile lies outside the repository"},
	{"privileges", "services: {a: {image: x, privileged: true}}", "privileged is not supported"},
	{"a device", `services: {a: {image: x, devices: ["/dev/sda:/dev/sda"]}}`, "devices is not supported"},
	{"processes of the host", "services: {a: {image: x, pid: host}}", "pid is not supported"},
	{"memory of the host", "services: {a: {image: x, ipc: host}}", "ipc is not supported"},
	{"users of the host", "services: {a: {image: x, userns_mode: host}}", "userns_mode is not supported"},
	{"the network of the host", "services: {a: {image: x, network_mode: host}}", "network_mode is not supported"},
	{"the network of the host in a build", "services: {a: {build: {context: ., network: host}}}", "build.network: host is not supported"},
	{"the socket of the engine", "services: {a: {image: x, use_api_socket: true}}", "use_api_socket is not supported"},
	{"a folder of the host by a volume", "services: {a: {image: x, volumes: [\"vol:/v\"]}}\nvolumes: {vol: {driver: local, driver_opts: {type: none, o: bind, device: /}}}",
		`the volume "vol" has a driver of its own`},
	{"a network of the host", "services: {a: {image: x, networks: [n]}}\nnetworks: {n: {name: host, external: true}}", `network "n" is not supported`},
	{"a program of the host", "services: {a: {provider: {type: evil}}}", "provider is not supported"},
}

// bomb is a Compose file that grows a thousandfold with each line.
func bomb() string {
	text := "x-0: &x0 [a]\n"
	for i := range 6 {
		text += fmt.Sprintf("x-%d: &x%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i), 20), ","))
	}
	return text + "services: {a: {image: x, command: *x6}}\n"
}

// A stranger's Compose file reads no file or variable of the user: it is refused if it tries.
func TestHostile(t *testing.T) {
	const canary = "canary-4711"
	t.Setenv("CANARY", canary)
	t.Setenv("COMPOSE_DISABLE_ENV_FILE", "true") // which compose-go reads itself
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			outside := written(t, map[string]string{"credentials": "canary=" + canary + "\n",
				".env": "this is " + canary + "\n", "compose.yml": "services: {canary: {image: " + canary + "}}\n"})
			must.Do(syscall.Mkfifo(filepath.Join(outside, "pipe"), 0o600))
			t.Setenv("HOME", outside)
			root := hostileProject(t, tt.files, outside)
			began := time.Now()
			settled, secrets, notes, problems := read(root, "")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			all := fmt.Sprintln(notes, problems)
			for _, n := range []*source.Node{settled, secrets} {
				if n != nil {
					all += flow(n)
				}
			}
			assert.Lacks(t, all, canary) // a value of the user
			switch want := strings.ReplaceAll(tt.want, "OUTSIDE", outside); {
			case want == "" && len(problems) == 0:
			case want == "" || len(problems) != 1:
				t.Errorf("got the problems %v, want %q", problems, want)
			case !strings.Contains(problems[0].Message, want) || problems[0].Hint == "":
				t.Errorf("got %q with the hint %q, want %q", problems[0].Message, problems[0].Hint, want)
			}
		})
	}
}

// hostileProject writes the files of a case into a new folder.
func hostileProject(t *testing.T, files, outside string) (root string) {
	t.Helper()
	archive := txtar.Parse([]byte(strings.ReplaceAll(files, "OUTSIDE", outside)))
	root = written(t, map[string]string{"docker-compose.yml": string(archive.Comment)})
	for _, f := range archive.Files {
		text, name := strings.TrimSpace(string(f.Data)), filepath.Join(root, f.Name)
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			must.Do(os.Symlink(target, name))
		} else {
			must.Write(name, text)
		}
	}
	return root
}
