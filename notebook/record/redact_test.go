package record

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"benchbook/internal/test/assert"
)

// secretValues are the values of a trial's secrets.
var secretValues = []string{"hunter22", "hunter22-and-more", "a b/c&d=e\"ü", "first line of it\nüber the second\n", "abcd",
	"abc", "  \n"}

func TestRedactorText(t *testing.T) {
	encoded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "plain words, password=unknown", "plain words, password=unknown"},
		{"a value", "host=db pw hunter22", "host=db pw [redacted]"},
		{"within a word", "xhunter22x", "x[redacted]x"},
		{"one that begins another", "hunter22 hunter22-and-more", "[redacted] [redacted]"},
		{"one that is too short", "abc", "abc"},
		{"in JSON", `{"a": "a b/c&d=e\"ü"}`, `{"a": "[redacted]"}`},
		{"in JSON for HTML", `"a b/c\u0026d=e\"ü"`, `"[redacted]"`},
		{"in JSON of ASCII", `"a b/c&d=e\"\u00fc"`, `"[redacted]"`},
		{"in a query", "?x=a+b%2Fc%26d%3De%22%C3%BC", "?x=[redacted]"},
		{"in a path", "/a%20b%2Fc&d=e%22%C3%BC", "/[redacted]"},
		{"in base64", encoded("hunter22"), "[redacted]"},
		{"first in base64", encoded("hunter22:user")[:10], "[redacted]"},
		{"in a header for basic authentication", encoded("me:hunter22"), "bWU6[redacted]"},
		{"one byte later", encoded("you:hunter22"), "eW91Om[redacted]"},
		{"two bytes later", encoded("joe00:hunter22"), "am9lMDA6[redacted]"},
		{"whole lines", "it is first line of it\nüber the second.", "it is [redacted]."},
		{"a line", "über the second and others", "[redacted] and others"},
		{"cut", `got "first line o..."`, `got "[redacted]..."`},
		{"cut by an ellipsis", "got first line o…", "got [redacted]…"},
		{"cut at the start", "...the second\nand others", "...[redacted]\nand others"},
		{"cut elsewhere", "the first line o and the...rest", "the first line o and the...rest"},
	} {
		assert.Equal(t, NewRedactor(secretValues...).Text(test.text), test.want, "%s", test.name)
	}
}

func TestRedactorJSON(t *testing.T) {
	const data = `{"hunter22":"hunter22","port":8080,"list":["x\nhunter22","a b/c\u0026d=e\"ü","\u003cx"]}`
	const want = `{"hunter22":"[redacted]","port":8080,"list":["x\n[redacted]","[redacted]","\u003cx"]}`
	redact := NewRedactor(append([]string{"8080", "nhun"}, secretValues...)...)
	assert.Equal(t, string(redact.JSON(json.RawMessage(data))), want)
}

func TestRedactRecord(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("TMPDIR", "/scratch/of-somebody")
	r := sample()
	r.Failure, r.Log = "hunter22 was wrong", "cannot write /scratch/of-somebody/x: hunter22"
	r.Output = "read /home/somebody/x and /home/somebodyelse"
	r.Facts = map[string]string{"tool.line": "ab -H hunter22", "host.kernel": "hunter22"}
	r.Missing = map[string]string{"size": "no hunter22"}
	r.Load = &Load{Driver: "image run --key hunter22"}
	r.Search = &Search{Reason: "hunter22", Probes: []Probe{{Invalid: "hunter22", Failure: "hunter22", Disturbed: "hunter22"}}}
	r.Redact(secretValues)
	p := r.Search.Probes[0]
	for _, is := range []struct{ got, want string }{
		{r.Failure, "[redacted] was wrong"},
		{r.Log, "cannot write $TMPDIR/x: [redacted]"},
		{r.Output, "read ~/x and /home/somebodyelse"},
		{r.Facts["tool.line"], "ab -H [redacted]"},
		{r.Facts["host.kernel"], "hunter22"}, // about the machine
		{r.Missing["size"], "no [redacted]"},
		{r.Load.Driver, "image run --key [redacted]"},
		{r.Search.Reason + p.Invalid + p.Failure + p.Disturbed, "[redacted][redacted][redacted][redacted]"},
	} {
		assert.Equal(t, is.got, is.want)
	}
}
