package article

import "testing"

func TestResolve(t *testing.T) {
	for written, want := range map[string]string{
		"?a=1&amp;b=2": "?a=1&b=2", `a\_b.png`: "a_b.png", "a&#95;b": "a_b", "a&#x5F;b": "a_b", `\&amp;`: "&amp;",
		"&#92;*": `\*`, `a\b`: `a\b`,
		"&nothing;": "&nothing;", "&copy": "&copy", "&copy;": "©", "&#0;": "\uFFFD", "&amp;amp;": "&amp;",
		"&#59;": ";", "&#x3B;": ";", "&semi;": ";", "&#xD800;": "\uFFFD", "&notit;": "&notit;", `\\`: `\`, "": "",
	} {
		if got := Resolve([]byte(written)); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
}

func TestElsewhere(t *testing.T) {
	for destination, want := range map[string]string{
		"https://a.test/b c?d=é&e=%20#f": "https://a.test/b%20c?d=%C3%A9&e=%20#f", "//a.test": "https://a.test",
		"MAILTO:a@b.test": "MAILTO:a@b.test", "https://a.`b": "https://a.%60b", "page.md#part": "", "/a:b": "", "": "",
		" javascript:x": "", "\tjavascript:x": "", // both of which are paths, to where there is nothing
	} {
		if got, err := Elsewhere(destination); got != want || err != nil {
			t.Errorf("%q leads to %q, %v, want %q", destination, got, err, want)
		}
	}
	for _, refused := range []string{"javascript:x", "JavaScript:x", "data:text/html,x", "irc://a.test", "a:b"} {
		if got, err := Elsewhere(refused); got != "" || err == nil {
			t.Errorf("%q leads to %q, %v", refused, got, err)
		}
	}
}
