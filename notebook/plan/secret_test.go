package plan

import (
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

// Secrets are where their values are put, and nowhere else.
func TestSecrets(t *testing.T) {
	const secrets = "name: e\nsecrets: {p: {environment: P}}\n"
	load := "load: {target: http://s/}\n"
	for _, test := range []struct{ name, body, rule, says string }{
		{"in a service", secrets + "services: {s: {image: x, environment: {A: \"${{ secrets.p }}\"}, secrets: [p]}}\n" + load,
			"", ""},
		{"in a load", secrets + "services: {s: {image: x}}\nload: {target: [{url: http://s/, body: \"${{ secrets.p }}\"}], " +
			"headers: {A: \"Bearer ${{ secrets.p }}\"}}\n", "", ""},
		{"through the matrix", secrets + "matrix: {a: [{name: one, v: \"${{ secrets.p }}\"}]}\n" +
			"services: {s: {image: x, environment: {A: \"${{ matrix.a.v }}\"}}}\n" + load, "", ""},
		{"through the matrix to a wrong place", secrets + "matrix: {a: [{name: one, v: \"${{ secrets.p }}\"}]}\n" +
			"services: {s: {image: \"${{ matrix.a.v }}\"}}\n" + load, "misplaced-secret", "services.s.image"},
		{"in an image", secrets + "services: {s: {image: \"x:${{ secrets.p }}\"}}\n" + load, "misplaced-secret",
			"the value of a secret cannot be used in services.s.image"},
		{"in a URL", secrets + "services: {s: {image: x}}\nload: {target: \"http://s/${{ secrets.p }}\"}\n",
			"misplaced-secret", "load.target"},
		{"compared", secrets + "services: {s: {image: x, environment: {A: \"${{ secrets.p == \\\"a\\\" }}\"}}}\n" + load,
			"misplaced-secret", "put in as it is"},
		{"unknown", secrets + "services: {s: {image: x, environment: {A: \"${{ secrets.q }}\"}}}\n" + load, "bad-expression",
			`no secret "q" in this experiment`},
		{"there are none", "name: e\nservices: {s: {image: x, environment: {A: \"${{ secrets.q }}\"}}}\n" + load,
			"bad-expression", `no secret "q" in this experiment`},
		{"unknown in a service", secrets + "services: {s: {image: x, secrets: [q]}}\n" + load, "unknown-secret", `"q"`},
		{"of nothing", "name: e\nsecrets: {p: {}}\nservices: {s: {image: x}}\n" + load, "missing-key", "neither"},
		{"of both", "name: e\nsecrets: {p: {file: a, environment: B}}\nservices: {s: {image: x}}\n" + load,
			"contradiction", "both"},
		{"outside", "name: e\nsecrets: {p: {file: ../../../x}}\nservices: {s: {image: x}}\n" + load, "not-allowed",
			"../../../x"},
		{"in a read-only container", secrets + "services: {s: {image: x, read_only: true, secrets: [{source: p, " +
			"target: /etc/p}]}}\n" + load, "contradiction", "/etc/p"},
		{"in a search", secrets + "services: {s: {image: x}}\ntune: {a: {from: \"${{ secrets.p }}\"}}\n" + load,
			"misplaced-secret", "tune.a.from"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block(test.body)), Options{}, nil)
			if test.rule == "" {
				for _, p := range problems {
					t.Error(p)
				}
				return
			}
			if !slices.ContainsFunc(problems, func(p *source.Problem) bool {
				return p.Rule == test.rule && strings.Contains(p.Message, test.says)
			}) {
				t.Errorf("got %v, want %s: %s", problems, test.rule, test.says)
			}
		})
	}
}

// The value of a secret is no part of a key, and its file no part of an image.
func TestSecretsAreNoInputs(t *testing.T) {
	keyWith := func(value string) string {
		t.Setenv("P", value)
		p, problems := newPlan(t, text(block("name: e\nsecrets: {p: {environment: P}, q: {file: ./sub/../q.txt}}\n"+
			"services: {s: {build: ., environment: {A: \"${{ secrets.p }}\"}, secrets: [q]}}\nload: {target: http://s/}\n")),
			Options{}, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", "q.txt": value, "app.py": "x"})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		trial := p.Experiments[0].Trials[0]
		for _, f := range trial.Services[0].Image.Build.Files {
			if f.Path == "q.txt" {
				t.Error("the file of a secret is in the build context")
			}
		}
		return trial.Key
	}
	if one, other := keyWith("one value"), keyWith("another value"); one != other {
		t.Errorf("the keys are %s and %s", one, other)
	}
}
