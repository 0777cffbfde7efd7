package plan

import "testing"

// Values of env_file are read as Compose reads them, but for $NAME, which stays.
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
