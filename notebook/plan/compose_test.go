package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

// Compose files and what they name are inputs of a trial; what benchbook writes into the repository is none.
func TestComposeEntersKeys(t *testing.T) {
	const body = "name: e\ncompose: ../../../docker-compose.yml\nservices: {web: {cpuset: \"0\"}}\n" +
		"load: {target: \"http://web/\"}\n"
	const file = "services:\n  web:\n    build: .\n    ports: ['80']\n    env_file: web.env\n    configs: [c]\n" +
		"    volumes: ['./data:/data']\n    image: web:${TAG:-1}\n    environment: {TAG: \"${TAG:-1}\"}\n" +
		"configs: {c: {file: ./app.conf}}\n"
	files := map[string]string{"docker-compose.yml": file, "Dockerfile": "FROM scratch\nCOPY . /\n", "web.env": "A=1\n",
		"app.conf": "x\n", "data/file": "x\n", "records/kept": "x\n"}
	keyWith := func(t *testing.T, changed string, text string) string {
		t.Helper()
		p, problems := planIn(t, body, func(dir, _ string) {
			root := filepath.Join(dir, "..", "..", "..")
			if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range files {
				write(t, filepath.Join(root, name), text)
			}
			if changed != "" {
				write(t, filepath.Join(root, changed), text)
			}
			write(t, filepath.Join(dir, "article.md"), "this one is read from memory\n")
			if strings.HasSuffix(changed, "article.md") {
				write(t, filepath.Join(root, changed), text)
			}
		})
		for _, problem := range problems {
			t.Error(problem)
		}
		if len(p.Experiments) != 1 {
			t.Fatal("no experiment")
		}
		return p.Experiments[0].Trials[0].Key
	}
	same := keyWith(t, "", "")
	for _, tt := range []struct {
		file, text string
		changes    bool
	}{
		{"docker-compose.yml", "# a comment\n" + file, true}, // it is in the build context
		{"Dockerfile", "FROM scratch\n", true},
		{"web.env", "A=2\n", true},
		{"app.conf", "y\n", true},
		{"data/file", "y\n", true},
		{"records/kept", "y\n", true}, // a folder of theirs that only has that name
		{".env", "TAG=2\n", true},
		{"p/experiments/sample/records/1.json", "{}\n", false},
		{"p/experiments/sample/article.md", "other words\n", false},
		{"p/_site/index.html", "<p>\n", false},
		{".git/HEAD", "x\n", false},
	} {
		t.Run(tt.file, func(t *testing.T) {
			if got := keyWith(t, tt.file, tt.text); (got != same) != tt.changes {
				t.Errorf("the key is %s, without the change %s", got, same)
			}
		})
	}
}

// What the article says stands over the Compose files, and everything else comes from them with its place.
func TestComposeIsLaidUnder(t *testing.T) {
	p, problems := planIn(t, "name: e\ncompose: [docker-compose.yml, docker-compose.bench.yml]\n"+
		"matrix: {n: [\"1\", \"2\"]}\nservices: {web: {environment: [\"WORKERS=${{ matrix.n }}\"]}}\n"+
		"load: {target: \"http://web:${{ services.web.port }}/\"}\n",
		func(dir, _ string) {
			write(t, filepath.Join(dir, "docker-compose.yml"), "services:\n  web:\n    image: nginx\n    ports: [\"8080:81\"]\n"+
				"    command: sh -c 'echo $$HOME $${X}'\n    restart: always\n")
			write(t, filepath.Join(dir, "docker-compose.bench.yml"), "services:\n  web:\n    cpus: 2\n")
		})
	for _, problem := range problems {
		t.Error(problem)
	}
	e := p.Experiments[0]
	second := e.Trials[1].Services[0]
	if got, want := second.Environment, []string{"WORKERS=2"}; !slices.Equal(got, want) {
		t.Errorf("the environment is %q, want %q", got, want)
	}
	if got, want := second.Command, []string{"sh", "-c", "echo $HOME ${X}"}; !slices.Equal(got, want) {
		t.Errorf("the command is %q, want %q", got, want)
	}
	if got, want := e.Trials[1].Load.Target, "http://web:81/"; got != want || second.CPUs != 2 {
		t.Errorf("the load goes to %s, want %s; it has %g cores, want 2", got, want, second.CPUs)
	}
	notes := []string{"no effect here: restart of web"}
	if !slices.Equal(e.Notes, notes) {
		t.Errorf("the notes are %q, want %q", e.Notes, notes)
	}
}

// A mistake in a Compose file is reported once, in whatever profile.
func TestComposeIsWrong(t *testing.T) {
	_, problems := planIn(t, "name: e\ncompose: docker-compose.yml\nload: {target: \"http://web/\"}\n",
		func(dir, _ string) {
			write(t, filepath.Join(dir, "docker-compose.yml"), "services:\n  web:\n    build: ./none\n    ports: [\"80\"]\n"+
				"    volumes: [\"/etc:/etc\"]\n    mem_limit: 1k\n")
		})
	want := []string{"docker-compose.yml (service web): no-such-file", "docker-compose.yml (service web): wrong-value",
		"docker-compose.yml (service web): not-allowed"}
	got := []string{}
	for _, problem := range problems {
		got = append(got, strings.TrimPrefix(placed(problem), "experiments/sample/"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func placed(p *source.Problem) string { return p.Pos.Source.Path + ": " + p.Rule }

// Null in services of the article removes services and keys of Compose files.
func TestComposeWithoutServicesAndKeys(t *testing.T) {
	p, problems := planIn(t, "name: e\ncompose: docker-compose.yml\nservices: {web: {privileged: null, cpus: null}, "+
		"metrics: null}\nload: {target: \"http://web/\"}\n",
		func(dir, _ string) {
			write(t, filepath.Join(dir, "docker-compose.yml"), "services:\n  web: {image: x, ports: ['80'], privileged: true, "+
				"cpus: 2}\n  metrics: {image: y}\n")
		})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	services := p.Experiments[0].Trials[0].Services
	if len(services) != 1 || services[0].Name != "web" || services[0].CPUs != 0 {
		t.Errorf("got %+v, want the service web without cpus", services)
	}
}

// Compose files use the variables that the article lists, and no others.
func TestComposeEnvironment(t *testing.T) {
	t.Setenv("LISTED", "1")
	t.Setenv("UNLISTED", "2")
	const file = "services: {web: {image: \"x:${LISTED}${UNLISTED:-3}\", ports: ['80']}}\n"
	tests := []struct{ compose, image, problem string }{
		{"docker-compose.yml", "x:3", ""},
		{"[docker-compose.yml]", "x:3", ""},
		{"{files: docker-compose.yml}", "x:3", ""},
		{"{files: [docker-compose.yml], environment: LISTED}", "x:13", ""},
		{"{files: docker-compose.yml, environment: [LISTED, UNLISTED]}", "x:12", ""},
		{"{files: docker-compose.yml, environment: [LISTED=1]}", "", `"LISTED=1" is not the name of a variable`},
		{"{environment: [LISTED]}", "", "compose has no files"},
		{"{files: docker-compose.yml, env: [LISTED]}", "", `unknown key "env" in compose`},
	}
	for _, tt := range tests {
		p, problems := planIn(t, "name: e\ncompose: "+tt.compose+"\nload: {target: \"http://web/\"}\n",
			func(dir, _ string) { write(t, filepath.Join(dir, "docker-compose.yml"), file) })
		switch {
		case tt.problem == "" && len(problems) > 0 || tt.problem != "" && len(problems) != 1:
			t.Errorf("%s: got the problems %v, want %q", tt.compose, problems, tt.problem)
		case tt.problem != "":
			if !strings.Contains(problems[0].Message, tt.problem) {
				t.Errorf("%s: got %q, want %q", tt.compose, problems[0].Message, tt.problem)
			}
		default:
			if got := p.Experiments[0].Trials[0].Services[0].Image.Name; got != tt.image {
				t.Errorf("%s: the image is %s, want %s", tt.compose, got, tt.image)
			}
		}
	}
}

// What a Compose file or a Dockerfile reaches for on the machine is refused unless the project allows it.
func TestComposeReachesForTheMachine(t *testing.T) {
	const service = "services:\n  web:\n    image: x\n    ports: ['80']\n    "
	const built = "services:\n  web:\n    ports: ['80']\n    build: "
	tests := []struct {
		name, file string
		links      map[string]string
		files      map[string]string
		want       string // file and rule of the only problem; empty for none
	}{
		{"the whole disk", service + "volumes: ['/:/host']\n", nil, nil, "docker-compose.yml (service web): not-allowed"},
		{"the socket of the engine", service + "volumes: ['/var/run/docker.sock:/s']\n", nil, nil,
			"docker-compose.yml (service web): not-allowed"},
		{"the home folder", service + "volumes: ['~/:/home']\n", nil, nil, "docker-compose.yml (service web): not-allowed"},
		{"a folder above the repository", service + "volumes: ['../../../..:/above']\n", nil, nil,
			"docker-compose.yml (service web): not-allowed"},
		{"a linked folder", service + "volumes: ['./link:/l']\n", map[string]string{"link": "/etc"}, nil,
			"docker-compose.yml (service web): outside-folder"},
		{"a linked file", service + "volumes: ['./link:/l']\n", map[string]string{"link": "/etc/passwd"}, nil,
			"docker-compose.yml (service web): outside-folder"},
		{"a capability", service + "cap_add: [SYS_ADMIN]\n", nil, nil, "docker-compose.yml (service web): not-allowed"},
		{"no filter of system calls", service + "security_opt: ['seccomp=unconfined']\n", nil, nil,
			"docker-compose.yml (service web): not-allowed"},
		{"a setting of the kernel", service + "sysctls: {kernel.core_pattern: '|/x'}\n", nil, nil,
			"docker-compose.yml (service web): not-allowed"},
		{"a secret outside", service + "secrets: [s]\nsecrets: {s: {file: /etc/passwd}}\n", nil, nil,
			"docker-compose.yml (secrets): not-allowed"},
		{"a context outside", built + "/etc\n", nil, nil, "docker-compose.yml (service web): outside-folder"},
		{"a context above", built + "../../../..\n", nil, nil, "docker-compose.yml (service web): outside-folder"},
		{"a linked context", built + "./link\n", map[string]string{"link": "/etc"}, nil, "article.md: compose"},
		{"a link in the context", built + ".\n", map[string]string{"link": "/etc/passwd"},
			map[string]string{"Dockerfile": "FROM x\nCOPY link /\n"}, "docker-compose.yml (service web): outside-folder"},
		{"a Dockerfile that copies from above", built + ".\n", nil,
			map[string]string{"Dockerfile": "FROM x\nCOPY ../../../../etc/passwd /\n"}, ""},
		{"a Dockerfile that adds an address", built + ".\n", nil,
			map[string]string{"Dockerfile": "FROM x\nADD http://169.254.169.254/latest /\n"}, ""},
		{"a heredoc that never ends", built + ".\n", nil, map[string]string{"Dockerfile": "FROM x\nRUN <<EOF\nx\n"}, ""},
		{"a very large Dockerfile", built + ".\n", nil,
			map[string]string{"Dockerfile": strings.Repeat("#\n", 1<<20)}, "docker-compose.yml (service web): too-large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := planIn(t, "name: e\ncompose: docker-compose.yml\nload: {target: \"http://web/\"}\n",
				func(dir, _ string) {
					write(t, filepath.Join(dir, "docker-compose.yml"), tt.file)
					for name, text := range tt.files {
						write(t, filepath.Join(dir, name), text)
					}
					for name, target := range tt.links {
						if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
							t.Fatal(err)
						}
					}
				})
			got := ""
			for _, problem := range problems {
				got += strings.TrimPrefix(placed(problem), "experiments/sample/")
			}
			if got != tt.want {
				t.Errorf("got %q, want %q: %v", got, tt.want, problems)
			}
		})
	}
}
