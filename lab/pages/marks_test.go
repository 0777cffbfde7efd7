package pages

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/notebook/source"
)

// found returns the marks of a text and its problems, in words.
func found(text string) string {
	src := source.New("a.md", []byte(text))
	var problems source.Problems
	var b strings.Builder
	for _, m := range marksIn(src, &problems) {
		b.WriteString(strings.Join([]string{m.kind, m.name, m.article, m.text()}, "|") + "\n")
	}
	for _, p := range problems.Sorted() {
		b.WriteString(p.Message + "\n")
	}
	return b.String()
}

func TestMarksIn(t *testing.T) {
	const end = "<!-- /benchbook -->"
	for _, test := range []struct{ name, text, want string }{
		{"none", "# A\n\n<!-- a comment -->\n", ""},
		{"a table", "<!-- benchbook: table tbl-x of a -->\n| a |\n" + end + "\n", "table|tbl-x|a|\n| a |\n\n"},
		{"two in a line", "a <!-- benchbook: claim c of a -->1" + end + " b <!--benchbook:value x of b-->2<!--/benchbook--> c",
			"claim|c|a|1\nvalue|x|b|2\n"},
		{"an expression with the word between", "a <!-- benchbook: value x{of=\"b of c\"} | round 1 of a -->" + end,
			"value|x{of=\"b of c\"} | round 1|a|\n"},
		{"in a cell of a table", "| a |\n|---|\n| <!-- benchbook: value x \\| round 1 of a -->1" + end + " |\n",
			"value|x \\| round 1|a|1\n"},
		{"over two lines", "a <!-- benchbook: value\nx of a -->1" + end, "value|x|a|1\n"},
		{"in a quotation", "> a <!-- benchbook: claim c of a -->1" + end, "claim|c|a|1\n"},
		{"in fences", "```\n<!-- benchbook: claim c of a -->\n```\n~~~\n" + end + "\n~~~\n", ""},
		{"in other code", "a\n\n    " + end + "\n\n`" + end + "`", ""},
		{"Windows", "<!-- benchbook: claim c of a -->\r\n1\r\n" + end + "\r\n", "claim|c|a|\r\n1\r\n\n"},
		{"no end", "a <!-- benchbook: claim c of a -->", "the part has no end\n"},
		{"an end too many", "a " + end, "nothing begins before this end\n"},
		{"within another", "a <!-- benchbook: claim c of a --><!-- benchbook: claim c of b -->1" + end,
			"claim|c|b|1\nthe part has no end\n"},
		{"a comment without an end", "<!-- benchbook: claim c of a\n\nb", "the comment has no end\n"},
		{"nothing asked for", "a <!-- benchbook -->1" + end, "unknown part of an article\n"},
		{"no article", "a <!-- benchbook: table x -->1" + end, "unknown part of an article\n"},
		{"another program's", "<!-- benchbooks: claim c of a -->", ""},
	} {
		assert.Equal(t, found(test.text), test.want, "%s", test.name)
	}
}

func TestDiffers(t *testing.T) {
	const before, after = "a <!-- benchbook: claim c of a -->", "<!-- /benchbook -->"
	for _, test := range []struct{ is, want, there, words string }{
		{"1 a", "1 a", "", ""},
		{"", "2", "claim c of a", "there is nothing between the comments yet"},
		{"12.5", "12.7", "12.5", `the text has "12.5", and the records give "12.7"`},
		{"| a | 12 |", "| a | 13 |", "12", `the text has "12", and the records give "13"`},
		{"| a | 12 |", "| a | 12 |\n| b | 13 |", "claim c of a", "the lines are not those of the records"},
		{"a\n\nb\n", "a\n\n\nb\n", "claim c of a", "the lines are not those of the records"},
		{"a b c", "a c", "b", `the text has "b", and the records give "c"`},
	} {
		src := source.New("a.md", []byte(before+test.is+after))
		marks := marksIn(src, &source.Problems{})
		if len(marks) != 1 {
			t.Errorf("%q: there are %d marks", test.is, len(marks))
			continue
		}
		at, words := differs(marks[0], test.want)
		there := string(src.Data[at.Start:at.End])
		assert.Equal(t, [2]string{there, words}, [2]string{test.there, test.words}, "%q is not %q", test.is, test.want)
	}
}
