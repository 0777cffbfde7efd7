package show

import (
	"bytes"
	"os"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/runner/machine"
)

// A plan as people see it and as data, on a machine that is always the same.
func TestPlanGolden(t *testing.T) {
	for _, tt := range []struct {
		golden string
		json   bool
		args   []string
	}{
		{"plan-full.txt", false, []string{"all#sockets", "all#pack", "not-yet#tuned", "not-yet#limit"}},
		{"plan.json", true, nil},
		{"plan-articles.txt", false, nil},
		{"plan-article.txt", false, []string{"not-yet"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			var out bytes.Buffer
			a := &lab.Session{JSON: tt.json, Stdout: &out, Stderr: &out, Dir: t.TempDir()}
			files := must.Get(txtar.FS(must.Get(txtar.ParseFile("testdata/plan.txtar"))))
			must.Do(os.CopyFS(a.Dir, files))
			project, list := must.Two(a.Select(tt.args))
			must.Do(a.Plans(project, list, plan.Options{Profile: plan.Full}, ""))
			a.Config.Host = &machine.Host{ID: "c4-012345", Cores: [][]int{{0}, {1}, {2}, {3}}}
			planned := must.Get(Plan(t.Context(), a, project, list))
			must.Do(a.Print(planned, func() { planned.Text(&out, len(tt.args) > 1) }))
			golden.Equal(t, "testdata/"+tt.golden, out.String())
		})
	}
}
