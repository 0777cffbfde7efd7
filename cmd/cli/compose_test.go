package cli

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/article"
)

// An article that init makes from the Compose file of a project has no problems, and is measured as it is.
func TestComposeProject(t *testing.T) {
	dir := t.TempDir()
	must.Do(os.CopyFS(dir, must.Get(txtar.FS(must.Get(txtar.ParseFile("testdata/compose.txtar"))))))
	mustRun(t, scripted(), "init", "--from", filepath.Join(dir, "docker-compose.yml"))
	assert.Contains(t, mustRun(t, scripted(), "-C", dir, "check"), "1 article, no problems\n")
	w := beside(t)
	measureOnce(t, dir)
	mustRun(t, w, "-C", dir, "run", "--profile", "quick")
	assert.Contains(t, mustRun(t, w, "-C", dir, "show", "--format", "csv"), "throughput")
}

// measureOnce has the profiles of the project in a folder measure each trial once, with windows so short that what else
// this machine does disturbs none.
func measureOnce(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, article.ProjectFile)
	const once = "{repetitions: 1, calibrate: false, load: {duration: 900ms, warmup: 0s}}"
	must.Write(name, must.Read(name)+"\nprofiles: {quick: "+once+", full: "+once+"}\n")
}
