package plan

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/article"
)

func TestUnavailable(t *testing.T) {
	tests := []struct{ name, matrix, trials, reasons string }{
		{"a row", "{include: [{a: 1}, {a: 2, unavailable: no room}]}", "1 | 2", " | no room"},
		{"a row that needs no other field", "{include: [{name: x, word: b}, {name: y, unavailable: gone}]}", "x | y", " | gone"},
		{"a value", "{a: [1, {name: 2, unavailable: no room}], b: [x, y]}", "1, x | 1, y | 2, x | 2, y", " |  | no room | no room"},
		{"a row that extends cells", "{a: [1, 2], b: [x, y], include: [{a: 2, b: y, unavailable: not together}]}", "1, x | 1, y | 2, x | 2, y", " |  |  | not together"},
		{"the first row", "{include: [{a: 1, unavailable: gone}, {a: 2}]}", "1 | 2", "gone | "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := mustPlan(t, text(block("name: e\ncommand: {image: x, run: 'echo ${{ profile }}'}\nrepetitions: 2\nmatrix: "+test.matrix+"\n")), Options{}, nil)
			var reasons []string
			steps := map[*Trial]int{}
			for _, s := range e.Steps {
				steps[s.Trial]++
			}
			var trials []*Trial
			for _, trial := range e.Trials {
				if trial.Calibration {
					if steps[trial] != 2 {
						t.Errorf("the A/A pair has %d steps", steps[trial])
					}
					continue
				}
				trials = append(trials, trial)
				reasons = append(reasons, trial.Unavailable)
				if gone := trial.Unavailable != ""; gone != (steps[trial] == 0) || gone != (trial.Key == "") || gone != (trial.Command == nil) {
					t.Errorf("trial %q: %d steps, key %q, command %v", trial.Name, steps[trial], trial.Key, trial.Command)
				}
			}
			if got := joined(trials); got != test.trials {
				t.Errorf("trials %s, want %s", got, test.trials)
			}
			if got := strings.Join(reasons, " | "); got != test.reasons {
				t.Errorf("reasons %q, want %q", got, test.reasons)
			}
		})
	}
}

func TestUnavailableTrialsDoNotChangeTheOrder(t *testing.T) {
	with := func(rows string) *Experiment {
		return mustPlan(t, text(block("name: e\ncommand: {image: x, run: y}\nmatrix: {include: ["+rows+"]}\n")), Options{}, nil)
	}
	a, b := with("{a: 1}, {a: 2}"), with("{a: 1}, {a: 3, unavailable: gone}, {a: 2}")
	if a.Digest != b.Digest || a.Seed != b.Seed {
		t.Error("a row that cannot be measured makes another run of it")
	}
}

func TestInsteadOf(t *testing.T) {
	e := mustPlan(t, text(block("name: e\ncalibrate: false\ncommand: {image: x, run: y}\n"+
		"matrix: {include: [{name: meinheld, unavailable: it is gone}, {name: gunicorn, instead_of: meinheld}]}\n")), Options{}, nil)
	if got := e.Trials[1].InsteadOf; got != "meinheld" {
		t.Errorf("stands for %q", got)
	}
	if labels := e.Trials[1].Labels; len(labels) != 0 {
		t.Errorf("instead_of became a label: %v", labels)
	}
}

func TestIncludeOfFiles(t *testing.T) {
	body := block("name: e\ncalibrate: false\ncommand: {image: x, run: 'echo ${{ matrix.word }}'}\nmatrix: {include: rows.KIND}\n")
	csv := "name,word,unavailable\none,\"un, un\",\ntwo,deux,\nthree,,no word for it\n"
	yaml := "- {name: one, word: 'un, un'}\n- {name: two, word: deux}\n- {name: three, unavailable: no word for it}\n"
	tests := []struct {
		name, kind, listing string
		files               map[string]string
	}{
		{"CSV beside the article", "csv", "", map[string]string{"rows.csv": csv}},
		{"CSV in a listing", "csv", "```csv file=rows.csv\n" + csv + "```\n\n", nil},
		{"YAML beside the article", "yaml", "", map[string]string{"rows.yaml": yaml}},
		{"YAML in a listing", "yaml", "```yaml file=rows.yaml\n" + yaml + "```\n\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := mustPlan(t, text(test.listing, strings.ReplaceAll(body, "KIND", test.kind)), Options{}, test.files)
			if got := joined(e.Trials); got != "one | two | three" {
				t.Fatalf("trials %s", got)
			}
			if got := strings.Join(e.Trials[0].Command.Run, "|"); got != "echo|un,|un" {
				t.Errorf("the first runs %q", got)
			}
			if got := e.Trials[2].Unavailable; got != "no word for it" {
				t.Errorf("the last is unavailable because of %q", got)
			}
		})
	}
}

func TestCalibratePicks(t *testing.T) {
	tests := []struct{ name, calibrate, want string }{
		{"the first by default", "true", "sync again"},
		{"by an expression", `server == "async"`, "async again"},
		{"by a label", "port > 8000", "async again"},
		{"off", "off", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := mustPlan(t, text(block("name: e\ncommand: {image: x, run: y}\nmatrix: {server: [{name: sync, port: 7080}, {name: async, port: 8080}]}\n"+
				"calibrate: "+test.calibrate+"\n")), Options{}, nil)
			got := ""
			for _, trial := range e.Trials {
				if trial.Calibration {
					got = trial.Name
				}
			}
			if got != test.want {
				t.Errorf("the copy is %q, want %q", got, test.want)
			}
		})
	}
}

// What is extended brings its files along from where it was written.
func TestExtendsAnotherArticle(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, article.ProjectFile), "")
	other := "---\ntitle: x\ndefaults: {repetitions: 9}\n---\n\n" + dockerfile + "```text file=a.txt\nfrom the other\n```\n\n" +
		block("name: base\nservices: {s: {build: ., configs: [{source: a.txt, target: /a.txt}]}}\nload: {target: http://s/, connections: 30}\n")
	write(t, filepath.Join(root, "experiments", "other", article.FileName), other)
	own := text("```text file=a.txt\nfrom here\n```\n\n", block("name: mine\nextends: other#base\nload: {connections: 40}\n"),
		"\n", block("name: own-file\nextends: other#base\nservices: {s: {configs: [{source: a.txt, target: /a.txt}]}}\n"))
	write(t, filepath.Join(root, "experiments", "own", article.FileName), own)
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := project.Article("own")
	if err != nil {
		t.Fatal(err)
	}
	var problems article.Problems
	problems.Merge(&doc.Problems)
	p, err := New(project, doc, Options{}, &problems)
	if err != nil || !problems.Empty() {
		t.Fatal(err, problems.Sorted())
	}
	for i, want := range []string{"from the other\n", "from here\n"} {
		e := p.Experiments[i]
		s := e.Trials[0].Services[0]
		if got := string(s.Configs[0].Data); got != want {
			t.Errorf("%s: the config is %q, want %q", e.Name, got, want)
		}
		if len(s.Image.Build.Files) == 0 || s.Image.Build.Files[0].Path != "Dockerfile" {
			t.Errorf("%s: the build context has %v", e.Name, s.Image.Build.Files)
		}
		if e.Repetitions != 9 {
			t.Errorf("%s: %d repetitions, want those of the other's front matter", e.Name, e.Repetitions)
		}
	}
	for key, want := range map[string]string{"load.connections": "article.md:12", "load.target": "other/article.md:17",
		"repetitions": "other/article.md:3", "order": "built in"} {
		if got := p.Experiments[0].Origin[key]; got != want {
			t.Errorf("%s is said to come from %q, want %q", key, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	source := "---\ntitle: x\ndefaults: {repetitions: 8, load: {connections: 20}}\n---\n\n" +
		block("name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\nprofiles: {smoke: {load: {duration: 1s}}}\n")
	e := mustPlan(t, source, Options{Profile: "smoke", Repetitions: 2},
		map[string]string{"benchbook.yaml": "defaults:\n  timeout: 1m\nprofiles:\n  smoke:\n    calibrate: false\n"})
	want := map[string]string{
		"repetitions": "--repetitions", "load.connections": "article.md:3", "load.target": "article.md:9", "load.method": "built in",
		"load.warmup": "built in", "timeout": "benchbook.yaml:2", "calibrate": "profile smoke, benchbook.yaml:5",
		"load.duration": "profile smoke, article.md:10", "services.s.image": "article.md:8", "order": "built in",
		"load.timeout": "built in", "load.keepalive": "built in",
	}
	for key, from := range want {
		if got := e.Origin[key]; got != from {
			t.Errorf("%s is said to come from %q, want %q", key, got, from)
		}
	}
	for key := range e.Origin {
		if _, ok := want[key]; !ok {
			t.Errorf("where does %s come from? %q", key, e.Origin[key])
		}
	}
}

// Every entry of the list of what cannot be run yet can be earned, and nothing else earns one.
func TestUnsupported(t *testing.T) {
	service := func(keys string) string {
		return "services: {s: {image: x, " + keys + "}}\nload: {target: http://s/}\n"
	}
	load := func(keys string) string {
		return "services: {s: {image: x}}\nload: {target: http://s/, " + keys + "}\n"
	}
	tests := []struct{ what, body string }{
		{"tune", "services: {s: {image: 'x${{ tune.n }}'}}\nload: {target: http://s/}\ntune: {n: {to: 3}}\n"},
		{"capacity", load("connections: 3") + "capacity: {slo: failed < 1%, from: 1/s, to: 2/s}\n"},
		{"shared", load("connections: 3") + "shared: [s]\n"},
		{"metrics", load("connections: 3") + "metrics: [{name: tail, value: latency.p99}]\n"},
		{"setup", load("connections: 3") + "shared: [s]\nsetup: {service: s, run: x}\n"},
		{"prepare", load("connections: 3") + "prepare: {service: s, run: x}\n"},
		{"conclude", load("connections: 3") + "conclude: {service: s, run: x}\n"},
		{"cleanup", load("connections: 3") + "shared: [s]\ncleanup: {service: s, run: x}\n"},
		{"hosts", load("connections: 3") + "hosts: {s: big}\n"},
		{"command.service", "services: {s: {image: x}}\ncommand: {service: s, run: y}\n"},
		{"load.rate", load("rate: 5/s")},
		{"load.stages", load("stages: [{duration: 1s, connections: 5}]")},
		{"load.network", load("network: shared")},
		{"load.tool", load("tool: '${{ matrix.tool }}'") + "matrix: {tool: [benchbook, ab]}\n"},
		{"several targets", "services: {s: {image: x}}\nload: {target: [http://s/a, http://s/b]}\n"},
		{"a target over https", "services: {s: {image: x}}\nload: {target: https://s/}\n"},
		{"random in requests", load("body: '${{ random(1, 2) }}'")},
		{"origin", "services: {s: {origin: {}}}\nload: {target: http://s/}\n"},
		{"link", service("link: {rtt: 1ms}")},
		{"volumes", service("volumes: [/data]")},
		{"hostname", service("hostname: y")},
		{"cpus", service("cpus: 0.5")},
		{"ulimits", service("ulimits: {nofile: 9}")},
		{"sysctls", service("sysctls: {a: 1}")},
		{"cap_add", service("cap_add: [KILL]")},
		{"cap_drop", service("cap_drop: [KILL]")},
		{"security_opt", service("security_opt: [x]")},
		{"scale", service("scale: 2")},
		{"", service("scale: 1")},
		{"", load("tool: benchbook")},
	}
	earned := map[string]bool{}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			e := mustPlan(t, text(block("name: e\n"+test.body)), Options{},
				map[string]string{"benchbook.yaml": "allow: [cap_add, security_opt, sysctls]\nhosts: {big: ssh://big}\n"})
			var got []string
			for _, u := range e.Unsupported {
				got = append(got, u.What)
				if u.Pos.Source == nil {
					t.Errorf("%s has no place", u.What)
				}
			}
			if test.what == "" && len(got) > 0 || test.what != "" && !slices.Contains(got, test.what) {
				t.Errorf("got %q, want %q", got, test.what)
			}
			earned[test.what] = true
		})
	}
	for _, entry := range notYet {
		if !earned[entry.what] {
			t.Errorf("no test earns %q", entry.what)
		}
	}
}

func TestEnvironmentOfFiles(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x, env_file: [a.env, b.env], environment: {A: own}}}\nload: {target: http://s/}\n")), Options{},
		map[string]string{"a.env": "# comment\nA=1\nexport B='two words'\n\nC=x=y\r\n", "b.env": "B=later"})
	want := []string{"B=two words", "C=x=y", "B=later", "A=own"}
	if got := e.Trials[0].Services[0].Environment; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInlineDockerfile(t *testing.T) {
	source := text(block("name: e\nservices:\n  s:\n    build:\n      dockerfile_inline: |\n        FROM debian\n        RUN false\nload: {target: http://s/}\n"))
	b := mustPlan(t, source, Options{}, map[string]string{"app.py": "x"}).Trials[0].Services[0].Image.Build
	if len(b.Files) != 2 || string(b.Files[0].Data) != "FROM debian\nRUN false\n" || b.Dockerfile != b.Files[0].Path {
		t.Errorf("the build is %+v", b)
	}
	at := b.At(2)
	if got := string(at.Source.Data[at.Start:at.End]); got != "RUN false" {
		t.Errorf("its second line is said to be %q", got)
	}
}
