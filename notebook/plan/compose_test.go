package plan

import (
	"path/filepath"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Compose files use the variables that the article lists, and no others.
func TestComposeEnvironment(t *testing.T) {
	t.Setenv("LISTED", "1")
	t.Setenv("UNLISTED", "2")
	const file = "services: {web: {image: \"x:${LISTED}${UNLISTED:-3}\", ports: ['80']}}\n"
	for _, tt := range []struct{ compose, image, problem string }{
		{"docker-compose.yml", "x:3", ""},
		{"[docker-compose.yml]", "x:3", ""},
		{"{files: docker-compose.yml}", "x:3", ""},
		{"{files: [docker-compose.yml], environment: LISTED}", "x:13", ""},
		{"{files: docker-compose.yml, environment: [LISTED, UNLISTED]}", "x:12", ""},
		{"{files: docker-compose.yml, environment: [LISTED=1]}", "", `"LISTED=1" is not the name of a variable`},
		{"{environment: [LISTED]}", "", "compose has no files"},
		{"{files: docker-compose.yml, env: [LISTED]}", "", `unknown key "env" in compose`},
	} {
		p, problems := planIn(t, "name: e\ncompose: "+tt.compose+"\nload: {target: \"http://web/\"}\n",
			func(dir, _ string) { must.Write(filepath.Join(dir, "docker-compose.yml"), file) })
		switch {
		case tt.problem == "" && len(problems) > 0 || tt.problem != "" && len(problems) != 1:
			t.Errorf("%s: got the problems %v, want %q", tt.compose, problems, tt.problem)
		case tt.problem != "":
			assert.Contains(t, problems[0].Message, tt.problem)
		default:
			assert.Equal(t, p.Experiments[0].Trials[0].Services[0].Image.Name, tt.image, "the image by %s", tt.compose)
		}
	}
}

// Values of env_file are read as in Compose, except for $NAME, which stays.
func TestValuesOfEnvFile(t *testing.T) {
	for _, test := range []struct {
		line, want string
		ok         bool
	}{
		{"plain", "plain", true}, {"", "", true}, {"  two words  ", "two words", true},
		{"5 # of them", "5", true}, {"a#b", "a#b", true}, {"# nothing", "", true}, {"$HOME/${X}", "$HOME/${X}", true},
		{`"a # b"`, "a # b", true}, {`"a" # b`, "a", true}, {`'a\nb'`, `a\nb`, true}, {`"a\nb\t\"c\"\\"`, "a\nb\t\"c\"\\",
			true}, {`"\d"`, `\d`, true},
		{`"it's"`, "it's", true}, {`"open`, "", false}, {`'open"`, "", false}, {`"a" b`, "a", false},
	} {
		if got, ok := fileValue(test.line); ok != test.ok || ok && got != test.want {
			t.Errorf("%s is read as %q, %v; want %q, %v", test.line, got, ok, test.want, test.ok)
		}
	}
}
