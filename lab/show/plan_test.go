package show

import (
	"bytes"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/runner/machine"
)

// A plan as people see it and as data, on a machine that is always the same.
func TestPlanGolden(t *testing.T) {
	for _, tt := range []struct {
		name, golden string
		options      plan.Options
		json         bool
		args         []string
		all          bool // all experiments are named
	}{
		{"everything in full", "plan-full.txt", plan.Options{Profile: plan.Full}, false, nil, true},
		{"as data", "plan.json", plan.Options{Profile: plan.Full}, true, nil, false},
		{"several articles", "plan-articles.txt", plan.Options{Profile: plan.Full}, false, nil, false},
		{"an article", "plan-article.txt", plan.Options{Profile: plan.Full}, false, []string{"not-yet"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			a := &lab.Session{JSON: tt.json, Stdout: &out, Stderr: &out, Dir: labtest.Unpacked(t, "plan.txtar")}
			project, list, err := a.Select(tt.args)
			if err == nil && tt.all { // each of them by its name
				for _, c := range list {
					for _, e := range c.Doc.Experiments {
						c.Experiments = append(c.Experiments, e.Name.Value)
					}
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			plans, err := a.Plans(project, list, tt.options, "")
			if err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			a.Config.Host = &machine.Host{ID: "c4-012345", Cores: [][]int{{0}, {1}, {2}, {3}}}
			planned, err := Plan(t.Context(), a, project, list, plans)
			if err == nil {
				err = a.Print(planned, func() { planned.Text(&out, tt.all) })
			}
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if !tt.json && terminal.Width(strings.TrimSpace(line)) > terminal.LineWidth+2 {
					t.Errorf("wider than %d characters: %s", terminal.LineWidth, line)
				}
			}
			labtest.Golden(t, tt.golden, out.Bytes())
		})
	}
}
