package plan

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/article"

	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

const (
	dockerfile = "```dockerfile file=Dockerfile\nFROM debian:bookworm-slim\n```\n\n"
	listings   = "```python file=sync.py\nprint('sync')\n```\n\n```python file=async.py\nprint('async')\n```\n\n"
	experiment = "name: sockets\n" +
		"services:\n  server:\n    build: .\n    configs: [{source: '${{ matrix.server }}.py', target: /srv/server.py}]\n" +
		"    expose: ['8080']\n" +
		"matrix:\n  server: [sync, async]\n" +
		"load: {target: 'http://server:${{ services.server.port }}/', requests: 100}\n"
)

// fence is an article with the parts given, of which each is a whole fence.
func text(parts ...string) string { return "---\ntitle: x\n---\n\n" + strings.Join(parts, "") }

func block(body string) string { return "```yaml experiment\n" + body + "```\n" }

// toS is a load that goes to the service s, unless it says where it goes.
func toS(load string) string {
	if strings.Contains(load, "target:") {
		return load
	}
	return "target: http://s, " + load
}

// wantProblems compares what is reported with messages and their rules. Each has a place, and a way out.
func wantProblems(t *testing.T, problems []*source.Problem, want string) {
	t.Helper()
	var got []string
	for _, p := range problems {
		got = append(got, p.Message+" ["+p.Rule+"]")
		if p.Pos.Source == nil || p.Hint == "" {
			t.Errorf("%q has no place or no way out", p.Message)
		}
	}
	if all := strings.Join(got, "; "); all != want {
		t.Errorf("got %q, want %q", all, want)
	}
}

// newPlan plans an article that lies in a folder with the files given.
func newPlan(t *testing.T, src string, o Options, files map[string]string) (*Plan, []*source.Problem) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "experiments", "sample")
	write(t, filepath.Join(root, article.ProjectFile), files["benchbook.yaml"])
	for name, data := range files {
		if name != "benchbook.yaml" {
			write(t, filepath.Join(dir, name), data)
		}
	}
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc := article.Parse(dir, source.New("article.md", []byte(src)))
	var problems source.Problems
	problems.Merge(&doc.Problems)
	p, err := New(project, doc, o, &problems)
	if err != nil {
		t.Fatal(err)
	}
	return p, problems.Sorted()
}

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustPlan(t *testing.T, source string, o Options, files map[string]string) *Experiment {
	t.Helper()
	p := mustPlanAll(t, source, o, files)
	if len(p.Experiments) != 1 {
		t.Fatalf("%d experiments", len(p.Experiments))
	}
	return p.Experiments[0]
}

// mustPlanAll plans all experiments of an article that has no problems.
func mustPlanAll(t *testing.T, source string, o Options, files map[string]string) *Plan {
	t.Helper()
	p, problems := newPlan(t, source, o, files)
	for _, problem := range problems {
		t.Error(problem)
	}
	return p
}

func joined(trials []*Trial) string {
	var out []string
	for _, t := range trials {
		out = append(out, t.Name)
	}
	return strings.Join(out, " | ")
}

func TestMatrix(t *testing.T) {
	tests := []struct{ name, matrix, want string }{
		{"no matrix", "", "e"},
		{"one axis", "{a: [1, 2]}", "1 | 2"},
		{"two axes", "{a: [1, 2], b: [x, y]}", "1, x | 1, y | 2, x | 2, y"},
		{"exclude", "{a: [1, 2], b: [x, y], exclude: [{a: 1, b: y}]}", "1, x | 2, x | 2, y"},
		{"exclude by one axis", "{a: [1, 2], b: [x, y], exclude: [{a: 1}]}", "2, x | 2, y"},
		{"named values", "{a: [{name: p, port: 1}, {name: q, port: 2}]}", "p | q"},
		{"include only", "{include: [{a: 1, b: x}, {a: 2, b: y}]}", "1, x | 2, y"},
		{"a name identifies a row", "{include: [{name: one, b: x}, {name: two, b: y}]}", "one | two"},
		{"include extends what it fits", "{a: [1, 2], include: [{a: 2, colour: red}]}", "1 | 2"},
		{"include that fits none", "{a: [1, 2], include: [{a: 3, colour: red}]}", "1 | 2 | 3, red"},
		{"include without an axis extends all", "{a: [1, 2], include: [{colour: red}]}", "1 | 2"},
		{"include by a label extends what has it",
			"{a: [{name: p, port: 1}, {name: q, port: 2}], include: [{port: 1, colour: red}]}", "p | q"},
		{"a row that contradicts a label is one of its own", "{a: [{name: p, port: 1}], include: [{a: p, port: 2}]}",
			"p | p, 2"},
		{"the profile in values", "{a: ['${{ profile }}-1', 2]}", "full-1 | 2"},
		{"a row does not extend a row", "{a: [1], include: [{a: 2}, {a: 2, colour: red}]}", "1 | 2 | 2, red"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := "name: e\ncalibrate: false\ncommand: {image: x, run: 'echo'}\n"
			if test.matrix != "" {
				body += "matrix: " + test.matrix + "\n"
			}
			if got := joined(mustPlan(t, text(block(body)), Options{}, nil).Trials); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestLabelsOfIncludeReachTemplates(t *testing.T) {
	e := mustPlan(t, text(block("name: e\ncalibrate: false\nmatrix: {a: [1, {name: two, word: deux}], include: [{a: 1, "+
		"colour: red}, {a: two, colour: blue}]}\n"+
		"command: {image: x, run: 'echo ${{ matrix.colour }}'}\n")), Options{}, nil)
	for i, want := range []string{"echo red", "echo blue"} {
		if got := strings.Join(e.Trials[i].Command.Run, " "); got != want {
			t.Errorf("trial %d runs %q, want %q", i, got, want)
		}
	}
}

// A value of the matrix may hold templates, which are filled in where it is used.
func TestTemplatesInTheMatrix(t *testing.T) {
	with := func(how string) string {
		return text(block("name: e\ncalibrate: false\nservices: {s: {image: x, expose: ['80']}}\n" +
			"command: {service: s, run: 'run ${{ matrix.start.how }}'}\nmatrix: {n: [4], start: [{name: one, how: '" + how +
			"'}]}\n"))
	}
	e := mustPlan(t, with("-w ${{ matrix.n }} -p ${{ services.s.port }} ${{ profile }}"), Options{}, nil)
	if got := strings.Join(e.Trials[0].Command.Run, " "); got != "run -w 4 -p 80 full" {
		t.Errorf("it runs %q", got)
	}
	_, problems := newPlan(t, with("${{ matrix.start.how }}!"), Options{}, nil)
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "cycle") {
		t.Errorf("a value that names itself has the problems %v", problems)
	}
}

// The label of an axis stays what it is: a row that says something else of it is about another cell.
func TestLabelsOfAxesStay(t *testing.T) {
	e := mustPlan(t, text(block("name: e\ncalibrate: false\ncommand: {image: x, run: 'echo ${{ matrix.a.port }} ${{ "+
		"matrix.port }}'}\n"+
		"matrix: {a: [{name: p, port: 1}, {name: q, port: 2}], include: [{port: 1, colour: red}]}\n")), Options{}, nil)
	for i, want := range []string{"echo 1 1", "echo 2 2"} {
		if got := strings.Join(e.Trials[i].Command.Run, " "); got != want {
			t.Errorf("trial %d runs %q, want %q", i, got, want)
		}
	}
}

// What comes later keeps its template, in which the matrix is filled in: nobody knows it then.
func TestMatrixBeforeWhatComesLater(t *testing.T) {
	e := mustPlan(t, text(block("name: e\ncalibrate: false\nmatrix: {n: [7]}\nservices: {s: {image: x}}\n"+
		"load: {target: 'http://s/${{ random(1, matrix.n + 2) }}'}\n")), Options{}, nil)
	if got, want := e.Trials[0].Load.Target, "http://s/${{ random(1, 7 + 2) }}"; got != want {
		t.Errorf("the target is %q, want %q", got, want)
	}
}

// Keys are made of inputs: what does not change a trial does not change its key.
func TestKeys(t *testing.T) {
	base := text(dockerfile, listings, block(experiment))
	before := mustPlan(t, base, Options{}, nil)
	tests := []struct {
		name, source string
		files        map[string]string
		changed      []string // trials whose key is another one
	}{
		{"prose", strings.Replace(base, "```dockerfile", "Some prose.\n\n```dockerfile", 1), nil, nil},
		{"layout of the YAML", strings.Replace(base,
			"load: {target: 'http://server:${{ services.server.port }}/', requests: 100}",
			"load:\n  requests: 100\n  target: http://server:8080/", 1), nil, nil},
		{"repetitions", strings.Replace(base, "name: sockets\n", "name: sockets\nrepetitions: 9\n", 1), nil, nil},
		{"one server's listing", strings.Replace(base, "print('async')", "print('other')", 1), nil, []string{"async"}},
		{"the Dockerfile", strings.Replace(base, "bookworm-slim", "trixie-slim", 1), nil,
			[]string{"sync", "async", "sync again"}},
		{"the load", strings.Replace(base, "requests: 100", "requests: 101", 1), nil,
			[]string{"sync", "async", "sync again"}},
		{"a file in the build context", base, map[string]string{"extra.txt": "x"}, []string{"sync", "async", "sync again"}},
		{"a file that .dockerignore names", base, nil, nil},
		{"records", base, map[string]string{"records/h/full/x.json": "{}"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			after := mustPlan(t, test.source, Options{}, test.files)
			var changed []string
			for i, trial := range after.Trials {
				if trial.Key != before.Trials[i].Key {
					changed = append(changed, trial.Name)
				}
			}
			if !slices.Equal(changed, test.changed) {
				t.Errorf("changed %q, want %q", changed, test.changed)
			}
		})
	}
}

func TestContext(t *testing.T) {
	files := map[string]string{
		"app/Dockerfile": "FROM scratch\n", "app/main.py": "x", "app/notes.md": "n", "app/data/big.bin": "b",
		"app/.dockerignore": "*.md\ndata\n",
		"other.txt":         "not in the context", "app/settings.ini": "copied in by a config",
	}
	e := mustPlan(t, text("```python file=app/gen/made.py\nx\n```\n\n",
		block("name: e\nservices:\n  s:\n    build: app\n    expose: ['80']\n"+
			"    configs: [{source: app/settings.ini, target: /etc/settings.ini}]\nload: {target: http://s/}\n")), Options{},
		files)
	var got []string
	for _, f := range e.Trials[0].Services[0].Image.Build.Files {
		got = append(got, f.Path)
	}
	if want := []string{".dockerignore", "Dockerfile", "gen/made.py", "main.py"}; !slices.Equal(got, want) {
		t.Errorf("the context holds %q, want %q", got, want)
	}
	if c := e.Trials[0].Services[0].Configs; len(c) != 1 || c[0].Path != "/etc/settings.ini" ||
		string(c[0].Data) != "copied in by a config" {
		t.Errorf("configs: %+v", c)
	}
}

func TestOrder(t *testing.T) {
	source := text(dockerfile, listings, block(experiment+"repetitions: 20\n"))
	e := mustPlan(t, source, Options{}, nil)
	if len(e.Steps) != 60 {
		t.Fatalf("%d steps, want 20 rounds of 3", len(e.Steps))
	}
	firsts := map[string]int{}
	for round := range 20 {
		seen := map[string]bool{}
		for _, s := range e.Steps[3*round : 3*round+3] {
			if s.Round != round+1 || s.Repetition != round+1 {
				t.Errorf("round %d holds a step of round %d, repetition %d", round+1, s.Round, s.Repetition)
			}
			seen[s.Trial.Name] = true
		}
		if len(seen) != 3 {
			t.Errorf("round %d does not have every trial once", round+1)
		}
		firsts[e.Steps[3*round].Trial.Name]++
	}
	if len(firsts) != 3 {
		t.Errorf("in 20 rounds only %v came first", firsts)
	}
	again := mustPlan(t, source, Options{}, nil)
	same := func(a, b *Experiment) bool {
		for i := range a.Steps {
			if a.Steps[i].Trial.Name != b.Steps[i].Trial.Name {
				return false
			}
		}
		return true
	}
	if !same(e, again) || e.Digest != again.Digest {
		t.Error("the same article has another order the second time")
	}
}

func TestDefaults(t *testing.T) {
	with := func(project, front, body, profile string) *Experiment {
		source := "---\ntitle: x\n" + front + "---\n\n" + dockerfile +
			block("name: e\nservices: {s: {build: ., expose: ['80']}}\n"+body)
		return mustPlan(t, source, Options{Profile: profile}, map[string]string{"benchbook.yaml": project})
	}
	load := "load: {target: http://s/}\n"
	tests := []struct {
		name                       string
		project, front, body, mode string
		repetitions, connections   int
		duration, warmup           string
	}{
		{"built in", "", "", load, "", 20, 10, "10s", "2s"},
		{"project", "defaults: {repetitions: 7, load: {connections: 20}}\n", "", load, "", 7, 20, "10s", "2s"},
		{"front matter wins over project", "defaults: {repetitions: 7}\n", "defaults: {repetitions: 8}\n", load, "", 8, 10,
			"10s", "2s"},
		{"block wins over front matter", "", "defaults: {load: {connections: 8}}\n",
			"load: {target: http://s/, connections: 9}\n", "", 20, 9, "10s", "2s"},
		{"requests have no duration", "", "", "load: {target: http://s/, requests: 5}\n", "", 20, 10, "0s", "0s"},
		{"requests and duration", "", "", "load: {target: http://s/, requests: 5, duration: 4s}\n", "", 20, 10, "4s", "0s"},
		{"quick", "", "", load, Quick, 3, 10, "3s", "1s"},
		{"quick keeps fewer repetitions", "", "", load + "repetitions: 2\n", Quick, 2, 10, "3s", "1s"},
		{"quick lengthens nothing", "", "", "load: {target: http://s/, duration: 1s, warmup: 500ms}\n", Quick, 3, 10, "1s",
			"500ms"},
		{"quick keeps that there is no warm-up", "", "", "load: {target: http://s/, warmup: 0s}\n", Quick, 3, 10, "3s", "0s"},
		{"quick shortens the one that is longer", "defaults: {load: {duration: 20s, warmup: 100ms}}\n", "", load, Quick, 3,
			10, "3s", "100ms"},
		{"quick bounds requests", "", "", "load: {target: http://s/, requests: 5}\n", Quick, 3, 10, "5s", "0s"},
		{"a block's own quick", "", "", load + "profiles: {quick: {load: {duration: 1s}}}\n", Quick, 3, 10, "1s", "1s"},
		{"a project's quick", "profiles: {quick: {load: {connections: 3}}}\n", "", load, Quick, 3, 3, "3s", "1s"},
		{"a profile of the project", "profiles: {smoke: {repetitions: 1}}\n", "", load, "smoke", 1, 10, "10s", "2s"},
		{"null brings back what is built in", "defaults: {repetitions: 7, load: {connections: 20}}\n", "",
			"load: {target: http://s/, connections: null, duration: null}\nrepetitions: null\n", "", 20, 10, "10s", "2s"},
		{"null in a profile, too", "", "", "load: {target: http://s/, connections: 20}\nrepetitions: 7\n" +
			"profiles: {quick: {repetitions: null, load: {connections: null}}}\n", Quick, 20, 10, "3s", "1s"},
		{"a profile of the front matter", "", "defaults: {profiles: {quick: {repetitions: 1, load: {connections: 4}}}}\n",
			load + "profiles: {quick: {load: {connections: 5}}}\n", Quick, 1, 5, "3s", "1s"},
		{"a profile that only the front matter knows", "", "defaults: {profiles: {smoke: {repetitions: 1}}}\n", load, "smoke",
			1, 10, "10s", "2s"},
		{"null removes a profile of the front matter", "", "defaults: {profiles: {quick: skip}}\n",
			load + "profiles: {quick: null}\n", Quick, 3, 10, "3s", "1s"},
		{"quick bounds requests that it is given", "", "", load + "profiles: {quick: {load: {requests: 5}}}\n", Quick, 3, 10,
			"5s", "0s"},
		{"quick bounds no requests that it is not given", "", "",
			"load: {target: http://s/, requests: 5}\nprofiles: {quick: {load: {requests: null}}}\n",
			Quick, 3, 10, "3s", "1s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := with(test.project, test.front, test.body, test.mode)
			l := e.Trials[0].Load
			if e.Most() != test.repetitions || l.Connections != test.connections || l.Duration.String() != test.duration ||
				l.Warmup.String() != test.warmup {
				t.Errorf("got %d repetitions, %d connections, %v after %v; want %d, %d, %s, %s", e.Most(), l.Connections,
					l.Duration, l.Warmup,
					test.repetitions, test.connections, test.duration, test.warmup)
			}
		})
	}
}

// What is built in comes back where null removes what is above it: a load without connections or patience measures
// nothing.
func TestNullOfWhatIsBuiltIn(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x}}\ntimeout: null\ncalibrate: null\n"+
		"load: {target: http://s/, method: null, timeout: null, keepalive: null, warmup: null}\n")), Options{}, nil)
	l := e.Trials[0].Load
	if e.Timeout.String() != "5m0s" || len(e.Trials) != 2 || l.Method != "GET" ||
		l.Timeout.String() != "10s" || !l.Keepalive ||
		l.Warmup.String() != "2s" {
		t.Errorf("got %+v with %+v", e, l)
	}
}

// null removes entries whose names the author chooses, like keys.
func TestNullRemovesAnEntry(t *testing.T) {
	base := block("name: base\nservices: {s: {image: x, environment: {A: 1, B: 2}}, t: {image: y}}\n" +
		"load: {target: http://s/, headers: {X: 1, Y: 2}}\n")
	p, problems := newPlan(t, text(
		base, block("name: e\nextends: base\nservices: {s: {environment: {A: null}}, t: null}\n"+
			"load: {headers: {X: null}}\n")), Options{}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	trial := p.Experiments[1].Trials[0]
	if len(trial.Services) != 1 || !slices.Equal(trial.Services[0].Environment, []string{"B=2"}) ||
		len(trial.Load.Headers) != 1 {
		t.Errorf("left are %+v and %v", trial.Services, trial.Load.Headers)
	}
}

func TestSkippedByProfile(t *testing.T) {
	p, problems := newPlan(t, text(dockerfile, listings, block(experiment+"profiles: {quick: skip}\n")),
		Options{Profile: Quick}, nil)
	if len(problems) > 0 || p.Experiments[0].Skipped == "" || len(p.Experiments[0].Steps) != 0 {
		t.Errorf("not skipped: %+v, %v", p.Experiments[0], problems)
	}
}

// null removes the rows of exclude and include that an experiment would take over.
func TestNullRemovesRows(t *testing.T) {
	p, problems := newPlan(t, text(
		block("name: one\nmatrix: {a: [1, 2], exclude: [{a: 1}], include: [{a: 3}]}\ncommand: {image: i, run: echo}\n"),
		block("name: two\nextends: one\nmatrix: {exclude: null, include: null}\n")), Options{}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var names []string
	for _, trial := range p.Experiments[1].Trials {
		if !trial.Calibration {
			names = append(names, trial.Name)
		}
	}
	if want := []string{"1", "2"}; !slices.Equal(names, want) {
		t.Errorf("the cells are %q and not %q", names, want)
	}
}

// null removes an axis, also in a profile, and also in the profile of an experiment that extends another.
func TestNullRemovesAnAxis(t *testing.T) {
	one := block("name: one\nmatrix: {a: [1, 2], b: [x, y]}\ncommand: {image: i, run: echo}\ncalibrate: false\n" +
		"profiles: {quick: {matrix: {b: null}}}\n")
	two := block("name: two\nextends: one\nmatrix: {b: null}\nprofiles: {quick: {matrix: {a: null, c: [z]}}}\n")
	tests := []struct {
		profile    string
		experiment int
		want       string
	}{
		{Full, 0, "1, x | 1, y | 2, x | 2, y"}, {Quick, 0, "1 | 2"}, {Full, 1, "1 | 2"}, {Quick, 1, "z"},
	}
	for _, test := range tests {
		p, problems := newPlan(t, text(one, two), Options{Profile: test.profile}, nil)
		for _, problem := range problems {
			t.Error(problem)
		}
		if got := joined(p.Experiments[test.experiment].Trials); got != test.want {
			t.Errorf("%s of %s: got %s, want %s", test.profile, p.Experiments[test.experiment].Name, got, test.want)
		}
	}
}

func TestUnknownProfile(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, article.ProjectFile), "")
	project, err := article.OpenProject(root)
	if err != nil {
		t.Fatal(err)
	}
	doc := article.Parse(filepath.Join(root, "x"), source.New("a", []byte(text())))
	if _, err := New(project, doc, Options{Profile: "fast"}, &source.Problems{}); !errors.Is(err, ErrNoProfile) {
		t.Errorf("got %v", err)
	}
}

func TestServicesThatOthersDependOnComeFirst(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices:\n  web: {image: w, depends_on: [pool, app]}\n"+
		"  app: {image: a, depends_on: [pool]}\n"+
		"  pool: {image: p, depends_on: [db]}\n  db: {image: d}\nload: {target: http://web/}\n")), Options{}, nil)
	var got []string
	for _, s := range e.Trials[0].Services {
		got = append(got, s.Name)
	}
	if want := []string{"db", "pool", "app", "web"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is wrong is a problem with a rule; the plan is not run then.
func TestProblems(t *testing.T) {
	service := "services: {s: {image: x}}\n"
	tests := []struct{ name, body, rule string }{
		{"neither load nor command", "name: e\n", "load-or-command"},
		{"both", "name: e\n" + service + "load: {target: http://s/}\ncommand: {image: x, run: y}\n", "load-or-command"},
		{"unknown parameter", "name: e\n" + service + "matrix: {a: [1]}\nload: {target: 'http://s/${{ matrix.b }}'}\n",
			"bad-expression"},
		{"no such service", "name: e\n" + service + "load: {target: http://t/}\n", "unknown-service"},
		{"foreign target", "name: e\n" + service + "load: {target: http://example.com/}\n", "unknown-service"},
		{"another scheme", "name: e\n" + service + "load: {target: ftp://s/}\n", "wrong-value"},
		{"no target", "name: e\n" + service + "load: {connections: 3}\n", "missing-key"},
		{"a running target not here", "name: e\nload: {target: http://example.com/, outside: true}\n", "not-allowed"},
		{"a running target that looks like here", "name: e\nload: {target: 'http://127.0.0.1.example.com/', outside: true}\n",
			"not-allowed"},
		{"a running target by a wrong scheme", "name: e\nload: {target: ftp://localhost/, outside: true}\n", "wrong-value"},
		{"a running target beside services", "name: e\n" + service + "load: {target: http://localhost/, outside: true}\n",
			"contradiction"},
		{"the network of a running target", "name: e\nload: {target: http://localhost/, outside: true, network: shared}\n",
			"contradiction"},
		{"a running target and a tool", "name: e\nload: {target: http://localhost/, outside: true, tool: wrk}\n",
			"contradiction"},
		{"a target that runs sometimes", "name: e\nmatrix: {o: [true, false]}\n" +
			"load: {target: http://localhost/, outside: '${{ matrix.o }}'}\n", "wrong-value"},
		{"this machine as a target", "name: e\nload: {target: http://localhost/}\n", "unknown-service"},
		{"no image", "name: e\nservices: {s: {expose: ['80']}}\nload: {target: http://s/}\n", "image-or-build"},
		{"image and build", "name: e\nservices: {s: {image: x, build: .}}\nload: {target: http://s/}\n", "image-or-build"},
		{"no Dockerfile", "name: e\nservices: {s: {build: .}}\nload: {target: http://s/}\n", "no-such-file"},
		{"no such context", "name: e\nservices: {s: {build: nowhere}}\nload: {target: http://s/}\n", "no-such-file"},
		{"context outside", "name: e\nservices: {s: {build: ../../../../other}}\nload: {target: http://s/}\n", "not-allowed"},
		{"no context in the project", "name: e\nservices: {s: {build: ../other}}\nload: {target: http://s/}\n",
			"no-such-file"},
		{"config outside", "name: e\nservices: {s: {image: x, configs: [{source: ../../secret, target: /x}]}}\n" +
			"load: {target: http://s/}\n", "outside-folder"},
		{"no such config", "name: e\nservices: {s: {image: x, configs: [{source: nope, target: /x}]}}\n" +
			"load: {target: http://s/}\n", "no-such-file"},
		{"config without a source",
			"name: e\nservices: {s: {image: x, configs: [{target: /x}]}}\nload: {target: http://s/}\n", "missing-key"},
		{"config without a target", "name: e\nservices: {s: {image: x, configs: [{source: x}]}}\nload: {target: http://s/}\n",
			"missing-key"},
		{"config target", "name: e\nservices: {s: {image: x, configs: [{source: nope, target: x}]}}\n" +
			"load: {target: http://s/}\n", "wrong-value"},
		{"circle", "name: e\nservices: {s: {image: x, depends_on: [t]}, t: {image: y, depends_on: [s]}}\n" +
			"load: {target: http://s/}\n", "circle"},
		{"depends on nothing", "name: e\nservices: {s: {image: x, depends_on: [db]}}\nload: {target: http://s/}\n",
			"unknown-service"},
		{"no repetitions", "name: e\n" + service + "load: {target: http://s/}\nrepetitions: 0\n", "wrong-value"},
		{"no connections", "name: e\n" + service + "load: {target: http://s/, connections: 0}\n", "wrong-value"},
		{"no signal", "name: e\nservices: {s: {image: x, stop_signal: SIGFOO}}\nload: {target: http://s/}\n", "wrong-value"},
		{"a signal beyond the last", "name: e\nservices: {s: {image: x, stop_signal: '65'}}\nload: {target: http://s/}\n",
			"wrong-value"},
		{"more memory than there is", "name: e\nservices: {s: {image: x, mem_limit: 99999999g}}\nload: {target: http://s/}\n",
			"wrong-value"},
		{"same cell twice", "name: e\n" + service +
			"matrix: {include: [{name: a, x: 1}, {name: a, x: 2}]}\nload: {target: http://s/}\n", "duplicate-cell"},
		{"rows of include that fight over a cell", "name: e\n" + service +
			"matrix: {a: [1, 2], include: [{a: 1, x: 3}, {a: 1, x: 4}]}\nload: {target: http://s/}\n", "duplicate-cell"},
		{"exclude of nothing", "name: e\n" + service + "matrix: {a: [1], exclude: [{a: 2}]}\nload: {target: http://s/}\n",
			"unused-exclude"},
		{"port out of range", "name: e\nservices: {s: {image: x, expose: ['99999']}}\nload: {target: http://s/}\n",
			"wrong-value"},
		{"healthcheck", "name: e\nservices: {s: {image: x, healthcheck: {test: [PORT, http]}}}\nload: {target: http://s/}\n",
			"wrong-value"},
		{"healthcheck that is none of something",
			"name: e\nservices: {s: {image: x, healthcheck: {test: [NONE, x]}}}\nload: {target: http://s/}\n", "wrong-value"},
		{"interval that is no time", "name: e\nservices: {s: {image: x, healthcheck: {interval: often}}}\n" +
			"load: {target: http://s/}\n", "wrong-value"},
		{"no interval", "name: e\nservices: {s: {image: x, healthcheck: {interval: 0s}}}\nload: {target: http://s/}\n",
			"wrong-value"},
		{"no retries", "name: e\nservices: {s: {image: x, healthcheck: {retries: 0}}}\nload: {target: http://s/}\n",
			"wrong-value"},
		{"negative start",
			"name: e\nservices: {s: {image: x, healthcheck: {start_period: -1s}}}\nload: {target: http://s/}\n", "wrong-value"},
		{"pace of no start", "name: e\nservices: {s: {image: x, healthcheck: {start_interval: 1s}}}\n" +
			"load: {target: http://s/}\n", "missing-key"},
		{"probes of a log", "name: e\nservices: {s: {image: x, healthcheck: {test: [LOG, up], timeout: 1m}}}\n" +
			"load: {target: http://s/}\n", "contradiction"},
		{"path without a port", "name: e\nservices: {s: {image: x, healthcheck: {test: [HTTP, /]}}}\n" +
			"load: {target: http://s/}\n", "missing-key"},
		{"unknown condition", "name: e\nservices: {s: {image: x, depends_on: {t: {condition: service_helthy}}}, t: {image: " +
			"x, expose: ['80']}}\nload: {target: http://s/}\n", "wrong-value"},
		{"dependency that is optional", "name: e\nservices: {s: {image: x, depends_on: {t: {required: false}}}, t: {image: " +
			"x}}\nload: {target: http://s/}\n", "wrong-value"},
		{"healthy by nothing", "name: e\nservices: {s: {image: x, depends_on: {t: {condition: service_healthy}}}, t: " +
			"{image: x, healthcheck: {disable: true}}}\nload: {target: http://s/}\n", "missing-key"},
		{"healthy and completed", "name: e\nservices: {s: {image: x, depends_on: {t: {condition: service_healthy}}}, u: " +
			"{image: x, depends_on: {t: {condition: service_completed_successfully}}}, t: {image: x, expose: ['80']}}\n" +
			"load: {target: http://s/}\n", "contradiction"},
		{"healthcheck of what completes", "name: e\nservices: {s: {image: x, depends_on: {t: {condition: " +
			"service_completed_successfully}}}, t: {image: x, healthcheck: {test: 'true'}}}\nload: {target: http://s/}\n",
			"contradiction"},
		{"hook in what has completed", "name: e\nservices: {s: {image: x, depends_on: {t: {condition: " +
			"service_completed_successfully}}}, t: {image: x}}\nload: {target: http://s/}\nprepare: {service: t, run: a}\n",
			"contradiction"},
		{"command in what has completed", "name: e\nservices: {s: {image: x, depends_on: {t: {condition: " +
			"service_completed_successfully}}}, t: {image: x}}\ncommand: {service: t, run: a}\n", "contradiction"},
		{"default of a variable", "name: e\nservices: {s: {image: 'x:${TAG:-1}'}}\nload: {target: http://s/}\n",
			"compose-variable"},
		{"variable in the environment", "name: e\nservices: {s: {image: x, environment: {A: $B}}}\n" +
			"load: {target: http://s/}\n", "compose-variable"},
		{"variable in braces in a command", "name: e\nservices: {s: {image: x, command: [sh, -c, 'echo ${B}']}}\n" +
			"load: {target: http://s/}\n", "compose-variable"},
		{"dollar twice", "name: e\nservices: {s: {image: x, command: [sh, -c, 'echo $$B']}}\nload: {target: http://s/}\n",
			"compose-variable"},
		{"no processes", "name: e\nservices: {s: {image: x, pids_limit: 0}}\nload: {target: http://s/}\n", "wrong-value"},
		{"nothing to run", "name: e\ncommand: {image: x}\n", "missing-key"},
		{"zero timeout", "name: e\n" + service + "load: {target: http://s/, timeout: 0s}\n", "wrong-value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block(test.body)), Options{}, nil)
			var rules []string
			for _, p := range problems {
				rules = append(rules, p.Rule)
				if p.Pos.Source == nil {
					t.Errorf("without a place: %v", p)
				}
			}
			if !slices.Contains(rules, test.rule) {
				t.Errorf("got %q, want %s", rules, test.rule)
			}
		})
	}
}

// Keys of Compose come to what they mean there; a healthcheck that is none is as if there were none, and a shell in a
// container has its own variables.
func TestKeysOfCompose(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices:\n"+
		"  web: {image: w, expose: ['80'], depends_on: {db: {condition: service_healthy}, migrate: {condition: "+
		"service_completed_successfully}, log: {condition: service_started}}}\n"+
		"  db: {image: d, healthcheck: {test: [CMD, ready], interval: 2s, timeout: 3s, retries: 4, start_period: 1m, "+
		"start_interval: 500ms}}\n"+
		"  migrate: {image: m, command: [sh, -c, 'echo $PATH']}\n  log: {image: l, expose: ['9'], healthcheck: {test: "+
		"NONE}}\n  off: {image: l, healthcheck: {test: x, disable: true}}\n"+
		"load: {target: http://web/}\n")), Options{}, nil)
	services := map[string]*spec.Service{}
	for _, s := range e.Trials[0].Services {
		services[s.Name] = s
	}
	want := map[string]string{"migrate": "service_completed_successfully", "log": "service_started"}
	if got := services["web"]; !maps.Equal(got.Conditions, want) ||
		!slices.Equal(got.DependsOn, []string{"db", "migrate", "log"}) {
		t.Errorf("web waits for %v, %v", got.DependsOn, got.Conditions)
	}
	for name, s := range services {
		if s.Completes != (name == "migrate") {
			t.Errorf("%s completes: %v", name, s.Completes)
		}
	}
	ready := spec.Ready{Command: []string{"ready"}, Interval: 2 * time.Second, Timeout: 3 * time.Second, Retries: 4,
		StartPeriod:   time.Minute,
		StartInterval: 500 * time.Millisecond}
	if got := services["db"].Ready; !reflect.DeepEqual(got, ready) {
		t.Errorf("db is ready by %+v, want %+v", got, ready)
	}
	for _, name := range []string{"log", "off"} {
		if got := services[name].Ready; !reflect.DeepEqual(got, spec.Ready{}) {
			t.Errorf("%s is ready by %+v", name, got)
		}
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "secret"), "secret")
	write(t, filepath.Join(root, "p", article.ProjectFile), "")
	dir := filepath.Join(root, "p", "experiments", "sample")
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
	if err := os.Symlink(filepath.Join(root, "secret"), filepath.Join(dir, "inside")); err != nil {
		t.Fatal(err)
	}
	project, err := article.OpenProject(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"{build: .}", "{image: x, configs: [{source: inside, target: /x}]}"} {
		doc := article.Parse(dir, source.New("article.md",
			[]byte(text(block("name: e\nservices: {s: "+service+"}\nload: {target: http://s/}\n")))))
		var problems source.Problems
		p, err := New(project, doc, Options{}, &problems)
		if err != nil {
			t.Fatal(err)
		}
		if problems.Empty() {
			t.Errorf("%s: a link out of the folder was taken: %+v", service, p.Experiments[0].Trials[0].Services[0])
		}
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
			e := mustPlan(t, text(block("name: e\ncommand: {image: x, run: y}\n"+
				"matrix: {server: [{name: sync, port: 7080}, {name: async, port: 8080}]}\n"+
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
