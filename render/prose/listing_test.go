package prose

import (
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestHighlight(t *testing.T) {
	tests := []struct{ name, language, code, want string }{
		{"keys of YAML", "yaml", "name: x # why", `<i>name</i>: x <em># why</em>`},
		{"keys in a line", "yaml", "{a: 1, b: c, d: e}",
			`{<i>a</i>: 1, <i>b</i>: c, <i>d</i>: e}`},
		{"Go", "go", `return "a<b"`, `<b>return</b> <u>"a&lt;b"</u>`},
		{"a string of Go over lines", "go", "x := `{{a}}\n`", "x := <u>`{{a}}\n`</u>"},
		{"a shell in a Dockerfile", "dockerfile", "RUN if true; then a; fi",
			`<b>RUN if</b> true; <b>then</b> a; <b>fi</b>`},
		{"a string of parts", "python", `x = "a %s b"`, `x = <u>"a %s b"</u>`},
		{"a lexer that keeps others to itself", "markdown", "# x", "# x"},
		{"nobody knows it", "klingon", "a < b", "a &lt; b"},
		{"no language", "", "a & b", "a &amp; b"},
	}
	r := NewRenderer()
	for _, test := range tests {
		assert.Equal(t, string(must.Get(r.highlight(test.language, test.code))), test.want, test.name)
	}
}

// A file is described by its first comment.
func TestOpening(t *testing.T) {
	for code, want := range map[string]string{
		"# a server\nimport x\n": "a server", "\n// Package x does.\n": "Package x does.", "-- tables\n": "tables",
		"/* of C */\n": "of C", "\"\"\"A module.\"\"\"\n": "A module.", "#!/bin/sh\necho\n": "", "import x\n": "", "": ""} {
		assert.Equal(t, firstComment([]byte(code)), want, "%q opens with", code)
	}
}
