package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/lab/starter"
	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
	"benchbook/runner/loadgen"
)

// The records that a run leaves fit their schema.
func TestRunLeavesRecordsThatFitTheirSchema(t *testing.T) {
	text, err := json.Marshal(starter.Of("record"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:benchbook:schema:record", parsed); err != nil {
		t.Fatal(err)
	}
	fits, err := c.Compile("urn:benchbook:schema:record")
	if err != nil {
		t.Fatal(err)
	}
	dir := measuredHTTP(t)
	lines := recordtest.Lines(t, filepath.Join(dir, "experiments", "http", "records"))
	if len(lines) < 3 {
		t.Fatalf("%d records", len(lines))
	}
	for _, l := range lines {
		var v any
		if err := json.Unmarshal(l.Text, &v); err != nil {
			t.Fatal(err)
		}
		if err := fits.Validate(v); err != nil {
			t.Errorf("%s:%d: %v", l.File, l.Number, err)
		}
	}
}

// measuredHTTP is the folder of a project with the article that init writes, measured with one repetition on an engine
// whose loads all go well.
func measuredHTTP(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	template := filepath.Join("..", "..", "cmd", "cli", "templates", "http")
	if err := os.CopyFS(filepath.Join(dir, "experiments", "http"), os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "experiments", "http", "article.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("connections: 4"), []byte("connections: 5")) // as in the results
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "benchbook.yaml"), []byte("title: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	script := fake.Script{Run: func(_ context.Context, p fake.Program) (engine.Exit, error) {
		if slices.Equal(p.Command, []string{agent.Load, loadgen.CheckArgument}) {
			return engine.Exit{Stdout: labtest.Answers(p.Environment, "")}, nil
		}
		return engine.Exit{Stdout: labtest.Requests()}, nil
	}}
	a := &lab.Session{Stdout: io.Discard, Stderr: io.Discard, Dir: dir, Config: lab.Config{
		Agent: func() ([]byte, error) { return []byte("program"), nil }, LockDir: t.TempDir(), Scripted: true,
		Engines: []lab.Engine{{Name: spec.Docker,
			Connect: func(context.Context) (engine.Engine, error) { return fake.New(script), nil }}}}}
	project, list, err := a.Select(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), a, project, list, Options{Profile: plan.Full, Repetitions: "1"}); err != nil {
		t.Fatal(err)
	}
	return dir
}
