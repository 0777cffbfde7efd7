package plan

import (
	"strings"
	"testing"
)

func TestUnavailable(t *testing.T) {
	tests := []struct{ name, matrix, trials, reasons string }{
		{"a row", "{include: [{a: 1}, {a: 2, unavailable: no room}]}", "1 | 2", " | no room"},
		{"a row that needs no other field", "{include: [{name: x, word: b}, {name: y, unavailable: gone}]}", "x | y",
			" | gone"},
		{"a value", "{a: [1, {name: 2, unavailable: no room}], b: [x, y]}", "1, x | 1, y | 2, x | 2, y",
			" |  | no room | no room"},
		{"a row that extends cells", "{a: [1, 2], b: [x, y], include: [{a: 2, b: y, unavailable: not together}]}",
			"1, x | 1, y | 2, x | 2, y", " |  |  | not together"},
		{"the first row", "{include: [{a: 1, unavailable: gone}, {a: 2}]}", "1 | 2", "gone | "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := mustPlan(t, text(block("name: e\ncommand: {image: x, run: 'echo ${{ profile }}'}\nrepetitions: 2\nmatrix: "+
				test.matrix+"\n")), Options{}, nil)
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
				if gone := trial.Unavailable != ""; gone != (steps[trial] == 0) || gone != (trial.Key == "") ||
					gone != (trial.Command == nil) {
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
		return mustPlan(t, text(block("name: e\ncommand: {image: x, run: y}\nmatrix: {include: ["+rows+"]}\n")), Options{},
			nil)
	}
	a, b := with("{a: 1}, {a: 2}"), with("{a: 1}, {a: 3, unavailable: gone}, {a: 2}")
	if a.Digest != b.Digest || a.Seed != b.Seed {
		t.Error("a row that cannot be measured makes another run of it")
	}
}

func TestInsteadOf(t *testing.T) {
	e := mustPlan(t, text(block("name: e\ncalibrate: false\ncommand: {image: x, run: y}\n"+
		"matrix: {include: [{name: meinheld, unavailable: it is gone}, {name: gunicorn, instead_of: meinheld}]}\n")),
		Options{}, nil)
	if got := e.Trials[1].InsteadOf; got != "meinheld" {
		t.Errorf("stands for %q", got)
	}
	if labels := e.Trials[1].Labels; len(labels) != 0 {
		t.Errorf("instead_of became a label: %v", labels)
	}
}

func TestIncludeOfFiles(t *testing.T) {
	body := block("name: e\ncalibrate: false\ncommand: {image: x, run: 'echo ${{ matrix.word }}'}\n" +
		"matrix: {include: rows.KIND}\n")
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

// What replaces an axis stands in its place, so that trials are named alike.
func TestAxesKeepTheirOrder(t *testing.T) {
	doc := text(block("name: e\nservices: {s: {image: x}}\nload: {target: 'http://s/${{ matrix.a }}${{ matrix.b }}'}\n"+
		"calibrate: false\n"+
		"matrix: {a: [1], b: [2]}\nprofiles: {smoke: {matrix: {a: [3], c: [4]}}}\n"),
		"\n", block("name: more\nextends: e\nmatrix: {c: [5], a: [6]}\n"))
	for _, tt := range []struct{ profile, experiment, want string }{
		{Full, "e", "1, 2"}, {"smoke", "e", "3, 2, 4"}, {Full, "more", "6, 2, 5"}, {"smoke", "more", "3, 2, 4"},
	} {
		e, _ := mustPlanAll(t, doc, Options{Profile: tt.profile}, nil).Find(tt.experiment)
		if got := e.Trials[0].Name; got != tt.want {
			t.Errorf("%s in %s: %q, want %q", tt.experiment, tt.profile, got, tt.want)
		}
	}
}
