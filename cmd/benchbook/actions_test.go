package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kballard/go-shellquote"
	"gopkg.in/yaml.v3"

	"benchbook/lab"
)

// workflows are those of GitHub Actions that the manual offers.
func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "actions", "*.yml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	return files
}

// What the workflows call is in the command, with these flags.
func TestWorkflowsCallTheCommand(t *testing.T) {
	called := 0
	for _, file := range workflows(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var workflow struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Steps []struct{ Run string }
			}
		}
		if err := yaml.Unmarshal(data, &workflow); err != nil {
			t.Fatal(err)
		}
		if len(workflow.Permissions) == 0 {
			t.Errorf("%s does not limit what it may do", file)
		}
		for _, job := range workflow.Jobs {
			for _, step := range job.Steps {
				for line := range strings.Lines(step.Run) {
					line, ok := strings.CutPrefix(strings.TrimSpace(line), "benchbook ")
					if !ok {
						continue
					}
					called++
					line, _, _ = strings.Cut(line, " >")
					words, err := shellquote.Split(line)
					if err != nil {
						t.Fatal(err)
					}
					verb, rest, err := (&app{&lab.Session{}}).root().Find(words)
					if err == nil {
						err = verb.ParseFlags(rest)
					}
					if err == nil {
						err = verb.ValidateArgs(verb.Flags().Args())
					}
					if err != nil {
						t.Errorf("%s: benchbook %s: %v", file, line, err)
					}
				}
			}
		}
	}
	if called < 5 {
		t.Errorf("the workflows call benchbook %d times", called)
	}
}

// A script must not be put together from what somebody else has written, such as the title of a pull request.
func TestWorkflowsExpandNothingInScripts(t *testing.T) {
	script := regexp.MustCompile(`(?m)^\s+run: (\|\n(\s{10,}.*\n)+|.*\n)`)
	for _, file := range workflows(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range script.FindAllString(string(data), -1) {
			if strings.Contains(run, "${{") {
				t.Errorf("%s expands an expression in a script:\n%s", file, run)
			}
		}
	}
}

// Who adds the first article of a project is told that there is nothing to compare with yet, and the checks pass.
func TestWorkflowComparesWhatBothSidesHave(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "actions", "compare.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct{ Name, Run string }
		}
	}
	if err := yaml.Unmarshal(data, &workflow); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, step := range workflow.Jobs["measure"].Steps {
		if step.Name == "Measure both sides" || step.Name == "Compare" {
			script.WriteString(step.Run + "\n")
		}
	}
	tests := []struct {
		name, base, head string // articles of each side
		called, comment  string
	}{
		{"the first article", "", "first", "run --quick\n",
			"There is nothing to compare yet: what this goes into has none of its articles.\n"},
		{"an article of another name", "old", "new", "run --quick\n",
			"There is nothing to compare yet: what this goes into has none of its articles.\n"},
		{"an article that both have", "first", "first",
			"run --quick -C TEMP/base\nrun --quick\ncompare TEMP/base . --format md\n", "compared\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			project, temp, bin := t.TempDir(), t.TempDir(), t.TempDir()
			bash := func(script string) {
				t.Helper()
				cmd := exec.Command("bash", "-e", "-c", script)
				cmd.Dir = project
				cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "RUNNER_TEMP="+temp, "BASE=base",
					"GITHUB_STEP_SUMMARY="+filepath.Join(temp, "summary"), "GIT_AUTHOR_NAME=author",
					"GIT_AUTHOR_EMAIL=author@example.com",
					"GIT_COMMITTER_NAME=author", "GIT_COMMITTER_EMAIL=author@example.com", "ARTICLE_BASE="+tt.base,
					"ARTICLE_HEAD="+tt.head)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			stub := "#!/bin/sh\necho \"$@\" >> \"$RUNNER_TEMP/called\"\nif [ \"$1\" = compare ]; then echo compared; fi\n"
			if err := os.WriteFile(filepath.Join(bin, "benchbook"), []byte(stub), 0o755); err != nil {
				t.Fatal(err)
			}
			bash(`git init -q .
touch benchbook.yaml
if [ -n "$ARTICLE_BASE" ]; then mkdir -p "experiments/$ARTICLE_BASE"; touch "experiments/$ARTICLE_BASE/article.md"; fi
git add .
git commit -q -m base
git tag base
rm -rf experiments
mkdir -p "experiments/$ARTICLE_HEAD"
touch "experiments/$ARTICLE_HEAD/article.md"`)
			bash(script.String())
			for file, want := range map[string]string{"called": tt.called, "comment.md": tt.comment, "summary": tt.comment} {
				got, err := os.ReadFile(filepath.Join(temp, file))
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(string(got), temp, "TEMP"); got != want {
					t.Errorf("%s is %q, want %q", file, got, want)
				}
			}
		})
	}
}

// comments is the part of the API of GitLab or Forgejo that comments are made with.
type comments struct {
	mu     sync.Mutex
	bodies []string // of the comments, of which the first is somebody else's
	token  string   // the header that the token must be in
}

func (c *comments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name, value, _ := strings.Cut(c.token, ": "); r.Header.Get(name) != value {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	var sent struct{ Body string }
	if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&sent) != nil {
		http.Error(w, "what?", http.StatusBadRequest)
		return
	}
	id, err := strconv.Atoi(path.Base(r.URL.Path))
	switch {
	case path.Base(r.URL.Path) == "user":
		_ = json.NewEncoder(w).Encode(map[string]int{"id": 7})
	case r.Method == http.MethodGet:
		list := []map[string]any{}
		for i, body := range c.bodies {
			author := map[string]int{"id": min(i, 1) * 7}
			list = append(list, map[string]any{"id": i, "body": body, "author": author, "user": author})
		}
		_ = json.NewEncoder(w).Encode(list)
	case r.Method == http.MethodPost:
		c.bodies = append(c.bodies, sent.Body)
	case err == nil && id > 0 && id < len(c.bodies):
		c.bodies[id] = sent.Body
	default:
		http.Error(w, "not yours", http.StatusForbidden)
	}
}

// The comment on what changed is made once, and updated by the next push, whatever is in it. Somebody else's stays as
// it is.
func TestTemplatesUpdateTheirComment(t *testing.T) {
	texts := []string{"no change\n", "worse by 10 %: \"x\" & $(false) `false`\n\n| a | b |\n"}
	for _, test := range []struct {
		file, token string
		script      func(t *testing.T, data []byte) string
		env         func(url, text string) []string
	}{
		{filepath.Join("gitlab", "bench.yml"), "Private-Token: secret", func(t *testing.T, data []byte) string {
			var jobs map[string]struct{ Script []string }
			if err := yaml.Unmarshal(data, &jobs); err != nil {
				t.Fatal(err)
			}
			return strings.Join(jobs["bench-comment"].Script, "\n")
		}, func(url, _ string) []string {
			return []string{"BENCHBOOK_TOKEN=secret", "CI_API_V4_URL=" + url, "CI_PROJECT_ID=1", "CI_MERGE_REQUEST_IID=3"}
		}},
		{"bench-forgejo.yml", "Authorization: token secret", func(t *testing.T, data []byte) string {
			var workflow struct {
				Jobs map[string]struct {
					Steps []struct{ Run string }
				}
			}
			if err := yaml.Unmarshal(data, &workflow); err != nil {
				t.Fatal(err)
			}
			return workflow.Jobs["comment"].Steps[0].Run
		}, func(url, text string) []string {
			return []string{"TOKEN=secret", "GITHUB_API_URL=" + url, "GITHUB_REPOSITORY=a/b", "NUMBER=3", "COMMENT=" + text}
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", "docs", "actions", test.file))
			if err != nil {
				t.Fatal(err)
			}
			const others = "<!-- benchbook bench -->\nmine"
			c := &comments{token: test.token, bodies: []string{others}}
			server := httptest.NewServer(c)
			defer server.Close()
			dir := t.TempDir()
			for i, text := range append(texts, texts...) {
				if err := os.WriteFile(filepath.Join(dir, "comment.md"), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", test.script(t, data))
				cmd.Dir, cmd.Env = dir, append(os.Environ(), append(test.env(server.URL, text), "NO_PROXY=127.0.0.1")...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				want := "<!-- benchbook bench -->\n" + strings.TrimSpace(text)
				if len(c.bodies) != 2 || c.bodies[0] != others || strings.TrimSpace(c.bodies[1]) != want {
					t.Fatalf("after %d pushes the comments are %q, want one that is %q", i+1, c.bodies[1:], want)
				}
			}
		})
	}
}

func TestWorkflowsAreSound(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds actionlint")
	}
	args := []string{"-C", filepath.Join("..", "..", ".ci", "tools"), "tool", "actionlint"}
	if out, err := exec.Command("go", append(args, workflows(t)...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
