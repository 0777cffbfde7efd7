package markdown

import "testing"

func TestResolve(t *testing.T) {
	for written, want := range map[string]string{
		"?a=1&amp;b=2": "?a=1&b=2", `a\_b.png`: "a_b.png", "a&#95;b": "a_b", "a&#x5F;b": "a_b", `\&amp;`: "&amp;",
		"&#92;*": `\*`, `a\b`: `a\b`,
		"&nothing;": "&nothing;", "&copy": "&copy", "&copy;": "©", "&#0;": "\uFFFD", "&amp;amp;": "&amp;", `\\`: `\`, "": "",
	} {
		if got := Resolve([]byte(written)); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
}
