package bundle

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
)

const hostile = "---\ntitle: X\n---\n\n```yaml experiment\nname: x\ncommand: {build: {context: ., git: HEAD, " +
	"dockerfile_inline: FROM debian}, run: 'true'}\n```\n"

// handmade extracts a bundle made of the given files.
func handmade(t *testing.T, files map[string]string) *reader {
	t.Helper()
	return must.Get(openArchive(bytes.NewReader(made(t, manifest{Article: "x"}, files))))
}

// A bundle whose project would act outside of its folder is refused, and leaves nothing.
func TestOpenRefuses(t *testing.T) {
	const noProject = ""
	for _, test := range []struct {
		name, project string // text of the project file, or noProject
		err           string
	}{
		{"where its site goes", "publish: {branch: pages}\n", "made it by hand"},
		{"a key of a later version", "hooks: {before: sh}\n", "unknown key"},
		{"a cluster", "kubernetes: {context: prod}\n", "made it by hand"},
		{"a merge key in quotes", "\"<<\": {publish: {branch: pages}}\n", "unknown key"},
		{"files of this machine", "allow: [mounts]\n", "allows mounts"},
		{"folders of this machine", "allow: [contexts]\n", "allows contexts"},
		{"mounts behind an anchor", "author: &a mounts\nallow: [*a]\n", "allows mounts"},
		{"mounts by a merge key", "defaults: &a {allow: [mounts]}\n<<: *a\n", "benchbook.yaml"},
		{"where its site goes, by a merge key", "<<: {publish: {branch: pages}}\n", "has keys other than"},
		{"mounts in an escaped word", "\"\\x61llow\": [\"mou\\x6ets\"]\n", "allows mounts"},
		{"where its site goes, by an alias", "title: &a publish\n*a : {branch: pages}\n", "has keys other than"},
		{"a project file of megabytes", "#" + strings.Repeat("x", 2<<20), "larger than 1 MiB"},
		{"no YAML", "\t{", "benchbook.yaml"},
		{"no project", noProject, "it has no project file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"project/benchbook.yaml": test.project}
			if test.project == noProject {
				files = map[string]string{"project/article.md": hostile, "benchbook.yaml": "title: X\n"}
			}
			above := t.TempDir()
			_, _, err := extract(t.Context(), handmade(t, files), "1", filepath.Join(above, "x"))
			assert.Error(t, err, test.err)
			left, _ := os.ReadDir(above)
			assert.Equal(t, len(left), 0, "what it leaves")
		})
	}
}

// A project opened within a git repository sees nothing of the repository.
func TestOpenedInARepository(t *testing.T) {
	above := t.TempDir()
	must.Git(above, "init", "-q")
	must.Git(above, "commit", "-q", "--allow-empty", "-m", "x")
	for _, context := range []string{".", "../..", "../../../.."} {
		dir := filepath.Join(t.TempDir(), "x")
		if context == "." {
			dir = filepath.Join(above, "x")
		}
		project, known, err := extract(t.Context(), handmade(t, map[string]string{"project/benchbook.yaml": "title: X\n",
			"project/experiments/x/article.md": strings.Replace(hostile, "context: .", "context: "+context, 1)}), "1", dir)
		must.Do(err)
		assert.Equal(t, known, false, "it is known")
		doc := must.Get(lab.ReadArticle(project, "x"))
		var problems source.Problems
		if _, err := plan.New(project, doc, plan.Options{}, &problems); err != nil || problems.Empty() {
			t.Errorf("context %s of the repository around it is read: %v", context, err)
		}
	}
}

// A folder with the same bundle is reused, and one with other files is left alone.
func TestOpenAgain(t *testing.T) {
	files := map[string]string{"project/benchbook.yaml": "title: X\n"}
	dir := filepath.Join(t.TempDir(), "x")
	for i, want := range []bool{false, true} {
		_, known, err := extract(t.Context(), handmade(t, files), "1", dir)
		assert.Equal(t, [2]any{known, err}, [2]any{want, nil}, "time %d", i)
	}
	_, _, err := extract(t.Context(), handmade(t, files), "2", dir)
	assert.Error(t, err, "")
}
