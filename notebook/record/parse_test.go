package record

import (
	"strings"
	"testing"
)

// The error for a record of another version names the version, even if its fields have other types.
func TestParseRefuses(t *testing.T) {
	const whole = `"experiment": "e", "trial": "a", "key": "0123", "run": "20261120T100000Z-test", "repetition": 1`
	for _, test := range []struct{ name, text, err string }{
		{"a record", `{"schema_version": 1, ` + whole + `}`, ""},
		{"a later version", `{"schema_version": 2, ` + whole + `}`, "record of version 2; this benchbook reads version 1"},
		{"a later version of other types", `{"schema_version": 2, "experiment": {"name": "e"}, "facts": []}`,
			"record of version 2; this benchbook reads version 1"},
		{"no version", `{` + whole + `}`, "record of version 0; this benchbook reads version 1"},
		{"other types", `{"schema_version": 1, "experiment": {"name": "e"}}`,
			"not a record: \"experiment\" cannot be an object"},
		{"cut off", `{"schema_version": 1, "experiment": "e`, "not a record: the JSON ends too early"},
		{"a profile that leads out", `{"schema_version": 1, "profile": "../../x", ` + whole + `}`,
			`not a record: "../../x" cannot be the name of its profile`},
		{"a host of folders", `{"schema_version": 1, "host": "a/b", ` + whole + `}`,
			`not a record: "a/b" cannot be the name of its host`},
		{"of nothing", `{"schema_version": 1}`, "not a record: it does not say of what"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := Parse([]byte(test.text))
			switch {
			case test.err == "" && (err != nil || r.Trial != "a"):
				t.Errorf("got %v, %v", r, err)
			case test.err != "" && (err == nil || !strings.HasPrefix(err.Error(), test.err)):
				t.Errorf("got the error %v, want %q", err, test.err)
			}
		})
	}
}
