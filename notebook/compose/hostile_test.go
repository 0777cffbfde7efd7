package compose

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"benchbook/internal/test/must"
)

// Parts of messages about files that compose-go would open.
const (
	includes = "include names other files"
	extends  = "extends names other files"
)

// hostile are Compose files that try to read files of the user. OUTSIDE is a folder outside the repository with
// files of the user, and canary for a value in them.
var hostile = []struct {
	name  string
	files map[string]string // docker-compose.yml and its neighbours; a text "-> PATH" makes a link
	want  string            // part of the message of the only problem; empty for none
}{
	{"variables of the user", map[string]string{"docker-compose.yml": `services: {a: {image: "x:${CANARY}${HOME}-"}}`},
		""},
	{"variables of the user by name", map[string]string{"docker-compose.yml": "services: {a: {image: x, environment: " +
		"[CANARY], build: {context: ., args: [CANARY]}, configs: [c]}}\nconfigs: {c: {content: \"${CANARY}\"}}\n"}, ""},
	{"a config that is a variable of the user", map[string]string{"docker-compose.yml": "services:\n  a:\n    image: x\n" +
		"    configs: [c]\nconfigs: {c: {environment: CANARY}}\n"}, "is the value of CANARY, which is not set"},
	{"a secret that is a variable of the user", map[string]string{"docker-compose.yml": "services:\n  a:\n    image: x\n" +
		"    secrets: [c]\nsecrets: {c: {environment: CANARY}}\n"}, "the variable CANARY, which the article does not list"},
	{"an included file", map[string]string{"docker-compose.yml": "include: [OUTSIDE/compose.yml]\n"}, includes},
	{"variables of an included file", map[string]string{"docker-compose.yml": "include:\n  - path: inner.yml\n" +
		"    env_file: OUTSIDE/.env\n", "inner.yml": "services: {b: {image: \"x:${canary}\"}}"}, includes},
	{"variables of no file", map[string]string{"docker-compose.yml": "include: [{path: [], env_file: OUTSIDE/.env}]\n"},
		includes},
	{"the same in other letters", map[string]string{"docker-compose.yml": "include:\n  - path: inner.yml\n" +
		"    ENV_FILE: OUTSIDE/.env\n"}, includes},
	{"the same through an anchor", map[string]string{"docker-compose.yml": "x-a: &a {env_file: OUTSIDE/.env}\n" +
		"include: [{path: inner.yml, <<: *a}]\n"}, includes},
	{"the same in the first of two documents", map[string]string{"docker-compose.yml": "include: [{path: inner.yml, " +
		"env_file: OUTSIDE/.env}]\n---\ninclude: !reset []\n"}, includes},
	{"the same through a key that is an alias", map[string]string{"docker-compose.yml": "x-k: &k include\n" +
		"*k : [{path: inner.yml, env_file: OUTSIDE/.env}]\n"}, includes},
	{"an included file by the name of the project", map[string]string{"docker-compose.yml": "include: [\"" +
		"${COMPOSE_PROJECT_NAME:+OUTSIDE/}compose.yml\"]\n"}, includes},
	{"a project elsewhere", map[string]string{"docker-compose.yml": "include: [{path: inner.yml, project_directory: " +
		"OUTSIDE}]\n"}, includes},
	{"a remote file", map[string]string{"docker-compose.yml": "include: [\"https://example.org/compose.git\"]\n"}, includes},
	{"an included pipe", map[string]string{"docker-compose.yml": "include: [OUTSIDE/pipe]\n"}, includes},
	{"a huge file", map[string]string{"docker-compose.yml": strings.Repeat("#", maxFile+1)}, "cannot be read: it is larger"},
	{"aliases that multiply", map[string]string{"docker-compose.yml": bomb()}, "excessive aliasing"},
	{".env is a link", map[string]string{"docker-compose.yml": "services: {a: {image: \"x:${canary}\"}}\n",
		".env": "-> OUTSIDE/credentials"}, ".env lies outside the repository"},
	{".env is a pipe", map[string]string{"docker-compose.yml": "services: {a: {image: x}}\n", ".env": "-> OUTSIDE/pipe"},
		".env lies outside the repository"},
	{"extends outside", map[string]string{"docker-compose.yml": "services:\n  a:\n    extends: {file: OUTSIDE/compose.yml, " +
		"service: canary}\n"}, extends},
	{"extends a file in the home folder", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: " +
		"~/compose.yml, service: canary}}}"}, extends},
	{"extends outside in a job", map[string]string{"docker-compose.yml": "services: {a: {image: x}}\njobs: {j: {extends: " +
		"{file: OUTSIDE/compose.yml, service: canary}}}"}, extends},
	{"extends outside through an anchor", map[string]string{"docker-compose.yml": "x-e: &e {extends: {file: " +
		"OUTSIDE/compose.yml, service: canary}}\nservices: {a: {<<: *e}}\n"}, extends},
	{"extends outside with a key that is no text", map[string]string{"docker-compose.yml": "services: {a: {extends: " +
		"{file: OUTSIDE/compose.yml, service: canary, 5: x}}}\n"}, "non-string key"},
	{"extends no text", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: 5, service: a}}}"}, extends},
	{"services that are no mapping", map[string]string{"docker-compose.yml": "services: 5\n"}, "cannot be used"},
	{"env_file outside", map[string]string{"docker-compose.yml": "services:\n  a:\n    image: x\n    env_file: " +
		"OUTSIDE/credentials\n"}, "env_file OUTSIDE/credentials lies outside the repository"},
	{"env_file is a link", map[string]string{"docker-compose.yml": "services: {a: {image: x, env_file: [x.env]}}\n",
		"x.env": "-> OUTSIDE/credentials"}, "env_file x.env lies outside the repository"},
	{"env_file of the home folder", map[string]string{"docker-compose.yml": "services: {a: {image: x, env_file: " +
		"[~/credentials]}}"}, "credentials lies outside the repository"},
	{"env_file is a pipe", map[string]string{"docker-compose.yml": "services: {a: {image: x, env_file: [OUTSIDE/pipe]}}\n"},
		"env_file OUTSIDE/pipe lies outside the repository"},
	{"env_file of a hook", map[string]string{"docker-compose.yml": "services:\n  a:\n    image: x\n    pre_start: " +
		"[{image: x, env_file: OUTSIDE/credentials}]\n"}, "env_file OUTSIDE/credentials lies outside the repository"},
	{"label_file outside", map[string]string{"docker-compose.yml": "services: {a: {image: x, label_file: " +
		"OUTSIDE/credentials}}"}, "label_file OUTSIDE/credentials lies outside the repository"},
	{"a config outside", map[string]string{"docker-compose.yml": "services: {a: {image: x, configs: [c]}}\n" +
		"configs: {c: {file: OUTSIDE/credentials}}\n"}, `the file of "c" lies outside the repository`},
	{"a config that is a link", map[string]string{"docker-compose.yml": "services: {a: {image: x, configs: [c]}}\n" +
		"configs: {c: {file: c.txt}}\n", "c.txt": "-> OUTSIDE/credentials"}, `the file of "c" lies outside the repository`},
	{"another context", map[string]string{"docker-compose.yml": "services: {a: {build: {context: ., " +
		"additional_contexts: {c: OUTSIDE}}}}"}, "build.additional_contexts is not supported"},
	{"a Dockerfile outside", map[string]string{"docker-compose.yml": "services: {a: {build: {context: ., dockerfile: " +
		"OUTSIDE/credentials}}}"}, "the Dockerfile OUTSIDE/credentials lies outside the repository"},
	{"a Dockerfile that is a link", map[string]string{"docker-compose.yml": "services: {a: {build: .}}",
		"Dockerfile": "-> OUTSIDE/credentials"}, "the Dockerfile Dockerfile lies outside the repository"},
	{"privileges", map[string]string{"docker-compose.yml": "services: {a: {image: x, privileged: true}}"},
		"privileged is not supported"},
	{"a device", map[string]string{"docker-compose.yml": "services: {a: {image: x, devices: [\"/dev/sda:/dev/sda\"]}}"},
		"devices is not supported"},
	{"processes of the host", map[string]string{"docker-compose.yml": "services: {a: {image: x, pid: host}}"},
		"pid is not supported"},
	{"memory of the host", map[string]string{"docker-compose.yml": "services: {a: {image: x, ipc: host}}"},
		"ipc is not supported"},
	{"users of the host", map[string]string{"docker-compose.yml": "services: {a: {image: x, userns_mode: host}}"},
		"userns_mode is not supported"},
	{"the network of the host", map[string]string{"docker-compose.yml": "services: {a: {image: x, network_mode: host}}"},
		"network_mode is not supported"},
	{"the network of the host in a build", map[string]string{"docker-compose.yml": "services: {a: {build: {context: ., " +
		"network: host}}}"}, "build.network: host is not supported"},
	{"the socket of the engine", map[string]string{"docker-compose.yml": "services: {a: {image: x, use_api_socket: true}}"},
		"use_api_socket is not supported"},
	{"a folder of the host by a volume", map[string]string{"docker-compose.yml": "services: {a: {image: x, volumes: " +
		"[\"vol:/v\"]}}\nvolumes: {vol: {driver: local, driver_opts: {type: none, o: bind, device: /}}}\n"},
		`the volume "vol" has a driver of its own`},
	{"a network of the host", map[string]string{"docker-compose.yml": "services: {a: {image: x, networks: [n]}}\n" +
		"networks: {n: {name: host, external: true}}\n"}, `network "n" is not supported`},
	{"a program of the host", map[string]string{"docker-compose.yml": "services: {a: {provider: {type: evil}}}"},
		"provider is not supported"},
}

// bomb is a Compose file that grows a thousandfold with each line.
func bomb() string {
	text := "x-0: &x0 [a]\n"
	for i := range 6 {
		text += fmt.Sprintf("x-%d: &x%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d,", i), 20), ","))
	}
	return text + "services: {a: {image: x, command: *x6}}\n"
}

// A Compose file of a stranger reads no file or variable of the user: it is refused if it tries.
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
			var all strings.Builder
			if settled != nil {
				shown(&all, settled, "")
			}
			if secrets != nil {
				shown(&all, secrets, "")
			}
			fmt.Fprintln(&all, notes, problems)
			if strings.Contains(all.String(), canary) {
				t.Errorf("a value of the user was read:\n%s", &all)
			}
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

// hostileProject writes the files of a case, in a folder of its own.
func hostileProject(t *testing.T, files map[string]string, outside string) (root string) {
	t.Helper()
	texts, links := map[string]string{}, map[string]string{}
	for name, text := range files {
		text = strings.ReplaceAll(text, "OUTSIDE", outside)
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			links[name] = target
		} else {
			texts[name] = text
		}
	}
	root = written(t, texts)
	for _, name := range slices.Sorted(maps.Keys(links)) {
		must.Do(os.Symlink(links[name], filepath.Join(root, name)))
	}
	return root
}
