package source

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
)

func TestExcerpt(t *testing.T) {
	for _, test := range []struct {
		name, line, place string
		limit             int
		text, mark        string
	}{
		{"plain", "a bcd e", "bcd", 80, "a bcd e", "  ^~~"},
		{"tabs", "\tab\tc", "c", 80, "    ab  c", "        ^"},
		{"a tab marked", "ab\tc", "\tc", 80, "ab  c", "  ^~~"},
		{"wide characters before", "日本 x", "x", 80, "日本 x", "     ^"},
		{"wide characters marked", "a 日本", "日本", 80, "a 日本", "  ^~~~"},
		{"accents of their own", "e\u0301e\u0301 x", "x", 80, "e\u0301e\u0301 x", "   ^"},
		{"an emoji of several characters", "\U0001F469\u200d\U0001F4BB x", "x", 80, "\U0001F469\u200d\U0001F4BB x", "   ^"},
		{"a flag", "\U0001F1E9\U0001F1EA x", "x", 80, "\U0001F1E9\U0001F1EA x", "   ^"},
		{"an escape sequence", "\x1b[31m x", "x", 80, "␛[31m x", "      ^"},
		{"a deleted character", "\x7f", "\x7f", 80, "␡", "^"},
		{"a C1 control character", "\u009b31m x", "x", 80, "<U+009B>31m x", "            ^"},
		{"a change of direction", "\u202ex", "x", 80, "<U+202E>x", "        ^"},
		{"no UTF-8", "\xff\xfe x", "x", 80, "\ufffd\ufffd x", "   ^"},
		{"the end of the line", "abc", "", 80, "abc", "   ^"},
		{"shortened behind", "ab " + strings.Repeat("x", 30), "ab", 12, "ab xxxxxxx…", "^~"},
		{"shortened before", strings.Repeat("x", 30) + " ab", "ab", 12, "…xxxxxxx ab", "         ^~"},
		{"shortened on both sides", strings.Repeat("x", 30) + "ab" + strings.Repeat("y", 30), "ab", 12, "…xxxxxabyyy…",
			"      ^~"},
		{"shortened inside the place", strings.Repeat("ab", 30), strings.Repeat("ab", 30), 12, "ababababab…", "^~~~~~~~~~"},
		{"wide characters shortened", strings.Repeat("日", 10) + "x", "x", 9, "…日日日x", "       ^"},
	} {
		start := strings.LastIndex(test.line, test.place)
		text, mark := excerpt(test.line, start, start+len(test.place), test.limit)
		assert.Equal(t, text+"\n"+mark, test.text+"\n"+test.mark, "%s", test.name)
	}
}

// Problems that prevent text from being read come first: they may be the cause of others.
func TestSortedBeginsWithCauses(t *testing.T) {
	source, other := New("a.md", []byte("0123456789")), New("b.md", []byte("0123456789"))
	var problems Problems
	for _, p := range []struct {
		rule string
		in   *Source
		at   int
	}{{"unknown-key", source, 5}, {"unknown-key", source, 1}, {"unclosed-fence", source, 9}, {"yaml-syntax", source, 7},
		{"yaml-syntax", other, 2}, {"wrong-value", other, 1}} {
		problems.Add(p.rule, Pos{p.in, p.at, p.at + 1}, "wrong")
	}
	got := slice.Map(problems.Sorted(),
		func(p *Problem) string { return fmt.Sprint(p.Pos.Source.Path, p.Pos.Start, p.Rule) })
	want := []string{"a.md7yaml-syntax", "a.md9unclosed-fence", "a.md1unknown-key", "a.md5unknown-key", "b.md2yaml-syntax",
		"b.md1wrong-value"}
	assert.Slice(t, got, want)
}

// Which candidates are near is a test of package expr.
func TestSuggest(t *testing.T) {
	many := strings.Fields("aa bb cc dd ee ff gg hh ii jj kk ll mm nn oo pp qq rr")
	for _, test := range []struct {
		name, word string
		candidates []string
		want       string
	}{
		{"one is near", "conections", []string{"connections", "duration"}, `did you mean "connections"?`},
		{"two equally near", "fig-b", []string{"fig-a", "fig-c", "tbl-x"}, `did you mean "fig-a" or "fig-c"?`},
		{"nothing near", "zzz", []string{"connections", "load"}, "known here: connections, load"},
		{"nothing known", "zzz", nil, ""},
		{"more than are listed", "zzz", many, "known here: aa, bb, cc, dd, ee, ff, gg, hh, ii, jj, kk, ll, mm, nn, oo, pp " +
			"and 2 more"},
	} {
		assert.Equal(t, Suggest(test.word, test.candidates), test.want, "%s", test.name)
	}
}
