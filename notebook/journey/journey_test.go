package journey

import (
	"strings"
	"testing"
)

func TestParseExtraction(t *testing.T) {
	for _, tt := range []struct{ text, err string }{
		{"json:a.0.b", ""},
		{"json: a", ""},
		{"header:X-Token", ""},
		{`regex:id=(\d+)`, ""},
		{"json:", "json: has no path"},
		{"header:", `"" is not the name of a header`},
		{"header:a b", `"a b" is not the name of a header`},
		{"regex:(", "the pattern cannot be read: missing closing ): `(`"},
		{"regex:x", "the pattern has no group, so there is no value to take"},
		{"token", `"token" does not say where the value is`},
		{"xml:a", `"xml:a" does not say where the value is`},
	} {
		_, err := ParseExtraction(tt.text)
		if got := words(err); got != tt.err {
			t.Errorf("%s: got %q, want %q", tt.text, got, tt.err)
		}
	}
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestParseData(t *testing.T) {
	for _, tt := range []struct{ name, text, want, err string }{
		{"rows", "user, id\nann,1\n\"b,b\",\n", "user id: ann|1 b,b|", ""},
		{"a byte order mark and line ends of Windows", "\ufeffa\r\n1\r\n2\r\n", "a: 1 2", ""},
		{"nothing", "", "", "it has no rows below a line with the names of columns"},
		{"names alone", "a,b\n", "", "it has no rows below a line with the names of columns"},
		{"a field too many", "a\n1\n1,2\n", "", "line 3: wrong number of fields"},
		{"a quote", "a\n\"1\n", "", `line 2: extraneous or missing " in quoted-field`},
		{"no name", "a,,b\n1,2,3\n", "", "column 2 has no name of its own"},
		{"a name twice", "a,a\n1,2\n", "", "column 2 has no name of its own"},
		{"too large", strings.Repeat("a", MaxData+1), "", "it has 524289 bytes, more than 512 KiB"},
	} {
		d, err := ParseData([]byte(tt.text))
		got := ""
		if d != nil {
			got = strings.Join(d.Columns, " ") + ":"
			for _, row := range d.Rows {
				var fields []string
				for _, f := range row {
					fields = append(fields, string(f))
				}
				got += " " + strings.Join(fields, "|")
			}
		}
		if got != tt.want || words(err) != tt.err {
			t.Errorf("%s: got %q, %q, want %q, %q", tt.name, got, words(err), tt.want, tt.err)
		}
	}
}
