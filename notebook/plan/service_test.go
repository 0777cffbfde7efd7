package plan

import (
	"slices"
	"testing"
)

func TestEnvironmentOfFiles(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x, env_file: [a.env, b.env], environment: {A: own}}}\nload: {target: http://s/}\n")), Options{},
		map[string]string{"a.env": "# comment\nA=1\nexport B='two words'\n\nC=x=y\r\n", "b.env": "B=later"})
	want := []string{"B=two words", "C=x=y", "B=later", "A=own"}
	if got := e.Trials[0].Services[0].Environment; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
