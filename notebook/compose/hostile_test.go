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
	{"variables of an included file", map[string]string{"docker-compose.yml": "include:\n  - path: inner.yml\n" +
		"    env_file: OUTSIDE/credentials\nservices: {a: {image: x, build: {context: ., args: {X: \"${canary}\"}}}}\n",
		"inner.yml": "services: {b: {image: \"x:${canary}\"}}"}, "include has the key env_file"},
	{"the same in other letters", map[string]string{"docker-compose.yml": "include:\n  - path: inner.yml\n" +
		"    ENV_FILE: OUTSIDE/credentials\n", "inner.yml": "services: {b: {image: \"x:${canary}\"}}"},
		"include has the key ENV_FILE"},
	{"the same through an anchor", map[string]string{"docker-compose.yml": "x-a: &a {env_file: OUTSIDE/credentials}\n" +
		"include: [{path: inner.yml, <<: *a}]\n", "inner.yml": "services: {b: {image: \"x:${canary}\"}}"},
		"include has the key env_file"},
	{"the same in the first of two documents", map[string]string{"docker-compose.yml": "include: [{path: inner.yml, " +
		"env_file: OUTSIDE/credentials}]\n---\ninclude: !reset []\n", "inner.yml": "services: {b: {image: \"x:${canary}\"}}"},
		"include has the key env_file"},
	{"the same in an included file", map[string]string{"docker-compose.yml": "include: [middle.yml]\n",
		"middle.yml": "include: [{path: inner.yml, env_file: OUTSIDE/credentials}]\n",
		"inner.yml":  "services: {b: {image: \"x:${canary}\"}}"}, "include has the key env_file"},
	{"the same through a key that is an alias", map[string]string{"docker-compose.yml": "x-k: &k include\n" +
		"*k : [{path: inner.yml, env_file: OUTSIDE/credentials}]\n", "inner.yml": "services: {b: {image: \"x:${canary}\"}}"},
		"include has the key env_file"},
	{"a key that is no text", map[string]string{"docker-compose.yml": "include: [{path: inner.yml, 5: x}]\n",
		"inner.yml": "services: {b: {image: x}}"}, "the path of include is not a text"},
	{"an included file by the name of the project", map[string]string{"docker-compose.yml": "include: [\"" +
		"${COMPOSE_PROJECT_NAME:+OUTSIDE/}compose.yml\"]\n", "compose.yml": "services: {b: {image: x}}"},
		"which is not a plain path"},
	{"an included file by the name of the project, in .env", map[string]string{"docker-compose.yml": "name: x\n" +
		"include: [inner/compose.yml]\n", "inner/compose.yml": "include: [\"${WHERE:-}compose.yml\"]\n",
		"inner/.env": "WHERE=${COMPOSE_PROJECT_NAME:+OUTSIDE/}\n"}, "which is not a plain path"},
	{"a project elsewhere", map[string]string{"docker-compose.yml": "include: [{path: inner.yml, project_directory: " +
		"OUTSIDE}]\n", "inner.yml": "services: {b: {image: \"x:${canary}\"}}"}, "include has the key project_directory"},
	{"an included file outside", map[string]string{"docker-compose.yml": "services: {a: {image: x}}\ninclude: " +
		"[OUTSIDE/compose.yml]\n"}, "compose.yml lies outside the repository"},
	{"an included folder outside", map[string]string{"docker-compose.yml": "include: [OUTSIDE/none.yml]\n"},
		"none.yml lies outside the repository"},
	{"an included file by a variable", map[string]string{"docker-compose.yml": "include: [\"${WHERE}/compose.yml\"]\n",
		".env": "WHERE=OUTSIDE\n"}, "which is not a plain path"},
	{"an included file by the default of a variable in .env", map[string]string{"docker-compose.yml": "include: " +
		"[\"${WHERE:-OUTSIDE/compose.yml}\"]\n", ".env": "WHERE=inner.yml\n", "inner.yml": "services: {b: {image: x}}"},
		"which is not a plain path"},
	{"a later file of an include", map[string]string{"docker-compose.yml": "include: [{path: [inner.yml, " +
		"OUTSIDE/compose.yml]}]\n", "inner.yml": "services: {b: {image: x}}"}, "compose.yml lies outside the repository"},
	{"an included link", map[string]string{"docker-compose.yml": "include: [inner.yml]\n",
		"inner.yml": "-> OUTSIDE/compose.yml"}, "inner.yml lies outside the repository"},
	{"a linked folder", map[string]string{"docker-compose.yml": "include: [inner/compose.yml]\n", "inner": "-> OUTSIDE"},
		"inner/compose.yml lies outside the repository"},
	{"a remote file", map[string]string{"docker-compose.yml": "include: [\"https://example.org/compose.git\"]\n"},
		"compose.git cannot be read"},
	{"a remote artifact", map[string]string{"docker-compose.yml": "include: [\"oci://example.org/compose\"]\n"},
		"compose cannot be read"},
	{"a loop of includes", map[string]string{"docker-compose.yml": "include: [inner.yml]\nservices: {a: {image: x}}\n",
		"inner.yml": "include: [docker-compose.yml]\n"}, "include cycle detected"},
	{"very many includes", wide(), "names more than 500 files"},
	{"an included pipe", map[string]string{"docker-compose.yml": "include: [OUTSIDE/pipe]\n"},
		"pipe lies outside the repository"},
	{"an included folder", map[string]string{"docker-compose.yml": "include: [inner]\n",
		"inner/x.yml": ""}, "inner cannot be read: it is a folder"},
	{"a huge file", map[string]string{"docker-compose.yml": "include: [inner.yml]\n",
		"inner.yml": strings.Repeat("#", maxFile+1)}, "inner.yml cannot be read: it is larger"},
	{"aliases that multiply", map[string]string{"docker-compose.yml": bomb()}, "excessive aliasing"},
	{".env is a link", map[string]string{"docker-compose.yml": "services: {a: {image: \"x:${canary}\"}}\n",
		".env": "-> OUTSIDE/credentials"}, ".env lies outside the repository"},
	{".env of an included file is a link", map[string]string{"docker-compose.yml": "include: [inner/compose.yml]\n",
		"inner/compose.yml": "services: {a: {image: \"x:${canary}\"}}\n", "inner/.env": "-> OUTSIDE/credentials"},
		"inner/.env lies outside the repository"},
	{".env is a pipe", map[string]string{"docker-compose.yml": "services: {a: {image: x}}\n", ".env": "-> OUTSIDE/pipe"},
		".env lies outside the repository"},
	{"extends outside", map[string]string{"docker-compose.yml": "services:\n  a:\n    extends: {file: OUTSIDE/compose.yml, " +
		"service: canary}\n"}, "compose.yml lies outside the repository"},
	{"extends outside, in the home folder", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: " +
		"inner.yml, service: b}}}\n", "inner.yml": "services:\n  b:\n    extends: {file: ~/compose.yml, service: canary}\n"},
		"~/compose.yml, which is not a plain path"},
	{"extends a link in a folder called ~", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: " +
		"~/compose.yml, service: canary}}}", "~": "-> OUTSIDE"}, "~/compose.yml, which is not a plain path"},
	{"extends a link", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: inner.yml, service: canary}}}",
		"inner.yml": "-> OUTSIDE/compose.yml"}, "inner.yml lies outside the repository"},
	{"extends in a loop", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: inner.yml, service: a}}}",
		"inner.yml": "services: {a: {extends: {file: docker-compose.yml, service: a}}}"}, "Circular reference"},
	{"extends of a job", map[string]string{"docker-compose.yml": "services: {a: {image: x}}\njobs: {j: {extends: {file: " +
		"OUTSIDE/compose.yml, service: canary}}}"}, "compose.yml lies outside the repository"},
	{"extends outside through an anchor", map[string]string{"docker-compose.yml": "x-e: &e {extends: {file: " +
		"OUTSIDE/compose.yml, service: canary}}\nservices: {a: {<<: *e}}\n"}, "compose.yml lies outside the repository"},
	{"extends outside with a key that is no text", map[string]string{"docker-compose.yml": "services: {a: {extends: " +
		"{file: OUTSIDE/compose.yml, service: canary, 5: x}}}\n"}, "file of extends is not a text"},
	{"extends no text", map[string]string{"docker-compose.yml": "services: {a: {extends: {file: 5, service: a}}}"},
		"file of extends is not a text"},
	{"services that are no mapping", map[string]string{"docker-compose.yml": "include: [inner.yml]\nservices: 5\n",
		"inner.yml": "services: {a: {image: x}}"}, "cannot be used"},
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

// wide is a Compose file that includes very many.
func wide() map[string]string {
	out := map[string]string{}
	var names []string
	for i := range 501 {
		name := fmt.Sprintf("%d.yml", i)
		names, out[name] = append(names, name), "services: {}"
	}
	out["docker-compose.yml"] = "include: [" + strings.Join(names, ", ") + "]\n"
	return out
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
			if err := syscall.Mkfifo(filepath.Join(outside, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
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
		if err := os.Symlink(links[name], filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
