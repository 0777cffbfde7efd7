package forecast

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/lab/labtest"
	"benchbook/lab/terminal"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/sysinfo"
)

// A plan as people see it and as data, on a machine that is always the same.
func TestPlanGolden(t *testing.T) {
	tests := []struct {
		name, golden  string
		options       plan.Options
		json, origins bool
		args          []string
		all           bool // all experiments are named
	}{
		{"everything in full", "plan-full.txt", plan.Options{Profile: plan.Full}, false, false, nil, true},
		{"the quick profile, with origins", "plan-quick.txt", plan.Options{Profile: plan.Quick}, false, true, nil, false},
		{"as data", "plan.json", plan.Options{Profile: plan.Full, Seed: 7, Repetitions: "1"}, true, false, nil, false},
		{"several articles", "plan-articles.txt", plan.Options{Profile: plan.Full}, false, false, nil, false},
		{"an article", "plan-article.txt", plan.Options{Profile: plan.Quick}, false, false, []string{"not-yet"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			a := &lab.Session{Stdout: &out, Stderr: &out, Dir: labtest.Unpacked(t, "plan.txtar")}
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
			this := sysinfo.Host{ID: "c4-012345", Cores: [][]int{{0}, {1}, {2}, {3}}}
			if err := PrintPlans(t.Context(), a, project, list, plans, this, tt.json, tt.origins); err != nil {
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

// Files of a build, of a mounted folder and of configs have a line each, whatever they are called and wherever they are
// in a list.
func TestWithoutFiles(t *testing.T) {
	const defined = `{"services": [{"name": "db", "image": {"build": {"files": [{"path": "a]b[c", "digest": "0123456789"}], "dockerfile": "Dockerfile"}},
		"configs": [{"path": "/etc/x[1].conf", "digest": "1234567890"}],
		"volumes": [{"type": "bind", "target": "/data", "files": [{"path": "init.sql", "digest": "2345678901"}, {"path": "b/c.sql", "digest": "3456789012"}]}]}]}`
	list, err := record.DefinitionEntries(json.RawMessage(defined))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range withoutFiles(list) {
		got = append(got, e.Path+": "+e.Text)
	}
	want := []string{"services.db.build: 1 file", "services.db.build.dockerfile: Dockerfile",
		"services.db.configs: /etc/x[1].conf 12345678",
		"services.db.volumes[0].type: bind", "services.db.volumes[0].target: /data", "services.db.volumes[0]: 2 files"}
	for i, line := range got {
		if i >= len(want) || strings.Split(line, ", ")[0] != want[i] {
			t.Errorf("line %d is %q", i, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
