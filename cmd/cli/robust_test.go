package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"benchbook/lab"
)

// What check may use for any file of up to 10 MB. The promise is 200 MB and one second; slower machines than ours, and
// those that have other things to do, may take twice as long.
const (
	maxMemory = 200_000_000 // bytes, resident at the peak
	maxCPU    = 2 * time.Second
	maxWait   = time.Minute
)

type hostileText struct {
	name string
	text func(n int) string
}

// hostile are texts that have brought parsers down, of about n bytes each.
var hostile = []hostileText{
	{"prose", func(n int) string { return filled(n, "Some words, and some more of them.\n\n") }},
	{"one line", func(n int) string { return filled(n, "x") }},
	{"one line of words", func(n int) string { return filled(n, "word ") }},
	{"empty lines", func(n int) string { return filled(n, "\n") }},
	{"short lines", func(n int) string { return filled(n, "x\n") }},
	{"short paragraphs", func(n int) string { return filled(n, "x\n\n") }},
	{"spaces", func(n int) string { return filled(n, " ") }},
	{"tabs", func(n int) string { return filled(n, "\t") }},
	{"zeros", func(n int) string { return filled(n, "\x00") }},
	{"lines that end with carriage returns",
		func(n int) string { return strings.ReplaceAll(article0+filled(n, "Some words.\n"), "\n", "\r\n") }},
	{"carriage returns alone", func(n int) string {
		return strings.ReplaceAll(article0+filled(n, "Some words.\n"), "\n",
			"\r")
	}},
	{"UTF-16", func(n int) string { return "\xff\xfe" + filled(n, "w\x00o\x00r\x00d\x00\n\x00") }},
	{"a byte order mark", func(n int) string { return "\ufeff" + article0 }},
	{"byte order marks", func(n int) string { return filled(n, "\ufeff") }},
	{"bytes that are no UTF-8", func(n int) string { return filled(n, "\xff") }},
	{"lone bytes between letters", func(n int) string { return filled(n, "a\xc3") }},
	{"combining characters", func(n int) string { return filled(n, "\u0301") }},

	{"backticks", func(n int) string { return filled(n, "`") }},
	{"backticks in pairs", func(n int) string { return filled(n, "` ") }},
	{"runs of backticks that grow", func(n int) string { return growing(n, "`") }},
	{"asterisks", func(n int) string { return filled(n, "*") }},
	{"asterisks that open", func(n int) string { return filled(n, "*a ") }},
	{"asterisks that close", func(n int) string { return filled(n, "a* ") }},
	{"emphasis", func(n int) string { return filled(n, "*a*") }},
	{"emphasis in emphasis", func(n int) string { return filled(n/2, "*a **a ") + filled(n/2, " a** a*") }},
	{"asterisks and underscores", func(n int) string { return filled(n, "a**b_c ") }},
	{"tildes", func(n int) string { return filled(n, "~~a ") }},
	{"opening brackets", func(n int) string { return filled(n, "[") }},
	{"closing brackets", func(n int) string { return filled(n, "]") }},
	{"brackets in brackets", func(n int) string { return filled(n/2, "[") + filled(n/2, "]") }},
	{"links that are not closed", func(n int) string { return filled(n, "[a](") }},
	{"links in angle brackets that are not closed", func(n int) string { return filled(n, "[a](<b") }},
	{"links", func(n int) string { return filled(n, "[a](b) ") }},
	{"images in links", func(n int) string { return filled(n, "![") }},
	{"links to claims", func(n int) string { return article0 + filled(n, "[a](claim:b) ") }},
	{"references", func(n int) string { return article0 + filled(n, "[](#fig-b) ") }},
	{"definitions of links", func(n int) string { return numbered(n, "[a%d]: b\n") }},
	{"uses of a long definition", func(n int) string { return "[a]: " + filled(n/2, "b") + "\n\n" + filled(n/2, "[a] ") }},
	{"footnotes", func(n int) string { return numbered(n/2, "[^a%d] ") + "\n\n" + numbered(n/2, "[^a%d]: b\n") }},
	{"uses of one footnote", func(n int) string { return "[^a]: b\n\n" + filled(n, "[^a] ") }},
	{"angle brackets", func(n int) string { return filled(n, "<") }},
	{"tags that are not closed", func(n int) string { return filled(n, "<a ") }},
	{"attributes that are not closed", func(n int) string { return filled(n, "<a b='") }},
	{"comments that are not closed", func(n int) string { return filled(n, "a <!-- ") }},
	{"processing instructions that are not closed", func(n int) string { return filled(n, "a <? ") }},
	{"declarations that are not closed", func(n int) string { return filled(n, "a <!A ") }},
	{"character data that is not closed", func(n int) string { return filled(n, "a <![CDATA[ ") }},
	{"autolinks", func(n int) string { return filled(n, "http://a.example ") }},
	{"addresses", func(n int) string { return filled(n, "a@b.example ") }},
	{"dots and at signs", func(n int) string { return filled(n, "a.b@") }},
	{"entities", func(n int) string { return filled(n, "&amp;") }},
	{"ampersands", func(n int) string { return filled(n, "&") }},
	{"backslashes", func(n int) string { return filled(n, `\`) }},
	{"values", func(n int) string { return article0 + filled(n, "`{value} throughput` ") }},
	{"values that are wrong", func(n int) string { return article0 + filled(n, "`{value} (` ") }},
	{"a long value", func(n int) string { return article0 + "`{value} " + filled(n, "1 + ") + "1`" }},

	{"quotes in quotes", func(n int) string { return filled(n, "> ") }},
	{"quotes in quotes, on many lines", func(n int) string { return filled(n, filled(2000, ">")+"a\n") }},
	{"quotes in quotes that go deeper", func(n int) string { return growing(n, "> ") }},
	{"lists in lists on one line", func(n int) string { return filled(n, "- ") }},
	{"lists in lists with a word", func(n int) string { return filled(n, "* ") + "a" }},
	{"lists in lists", func(n int) string { return indented(n, "- a") }},
	{"ordered lists in lists", func(n int) string { return filled(n, "1. ") }},
	{"list items", func(n int) string { return filled(n, "- a\n") }},
	{"empty list items", func(n int) string { return filled(n, "-\n") }},
	{"definitions", func(n int) string { return filled(n, "a\n: b\n\n") }},
	{"headings", func(n int) string { return filled(n, "# a\n") }},
	{"headings without words", func(n int) string { return filled(n, "#\n") }},
	{"underlined headings", func(n int) string { return filled(n, "a\n-\n") }},
	{"rules", func(n int) string { return filled(n, "***\n") }},
	{"pipes", func(n int) string { return filled(n, "|") }},
	{"rows of a table", func(n int) string { return "| a | b |\n|---|---|\n" + filled(n, "| c | d |\n") }},
	{"a wide table", func(n int) string {
		return filled(n/3, "|a") + "|\n" + filled(n/3, "|-") + "|\n" + filled(n/3,
			"|b")
	}},
	{"a wide table with short rows", func(n int) string {
		return filled(n/4, "|a") + "|\n" + filled(n/4, "|-") + "|\n" +
			filled(n/2, "b\n")
	}},
	{"tables", func(n int) string { return filled(n, "|a|\n|-|\n\n") }},
	{"fences", func(n int) string { return filled(n, "```\n") }},
	{"a fence that is not closed", func(n int) string {
		return article0 + "```yaml experiment\n" + filled(n,
			"name: x\n")
	}},
	{"fences that grow", func(n int) string { return growing(n, "`") }},
	{"empty blocks", func(n int) string { return article0 + filled(n, "```yaml claim\n```\n") }},
	{"blocks with mistakes", func(n int) string { return article0 + filled(n, "```yaml claim\nnme: x\n```\n") }},
	{"blocks of no kind", func(n int) string { return article0 + filled(n, "```yaml clam\n```\n") }},
	{"experiments", func(n int) string {
		return article0 + numbered(n, "```yaml experiment\nname: e%d\ncommand: {image: x, run: y}\n```\n")
	}},
	{"experiments that extend each other", func(n int) string {
		var b strings.Builder
		b.WriteString(article0 + "```yaml experiment\nname: e0\ncommand: {image: x, run: y}\n```\n")
		for i := 1; b.Len() < n; i++ {
			fmt.Fprintf(&b, "```yaml experiment\nname: e%d\nextends: e%d\n```\n", i, i-1)
		}
		return b.String()
	}},
	{"claims", func(n int) string {
		return article0 + command0 + numbered(n, "```yaml claim\nname: c%d\nexpect: time.real < 100ms\n```\n")
	}},
	{"figures", func(n int) string {
		return article0 + command0 + numbered(n, "```yaml figure\nlabel: fig-f%d\nkind: dots\nx: time.real\ny: a\n```\n")
	}},
	{"listings", func(n int) string { return article0 + numbered(n, "```python file=f%d.py\n```\n") }},
	{"listings of files that are missing", func(n int) string {
		return article0 + numbered(n,
			"```python include=f%d.py\n```\n")
	}},

	{"front matter that is not closed", func(n int) string { return "---\n" + filled(n, "title: x\n") }},
	{"tags", func(n int) string { return "---\ntitle: x\ntags: [" + filled(n, "a, ") + "a]\n---\n" }},
	{"tags with accents", func(n int) string { return "---\ntitle: x\ntags: [" + filled(n, "é, ") + "é]\n---\n" }},
	{"quotes that are missing in a list", func(n int) string { return block0("a: [" + filled(n, "@b, ") + "@b]") }},
	{"anchors in a list", func(n int) string { return block0("a: [" + filled(n, "&b c, ") + "&b c]") }},
	{"words of other scripts that are not quoted",
		func(n int) string { return block0("a: [" + filled(n, "é: @ü, ") + "]") }},
	{"values of the front matter", func(n int) string {
		return "---\ntitle: x\nvalues:\n" + numbered(n, "  v%d: 1\n") +
			"---\n"
	}},
	{"values that use each other", func(n int) string {
		var b strings.Builder
		b.WriteString("---\ntitle: x\nvalues:\n  v0: time.real\n")
		for i := 1; b.Len() < min(n, 200_000); i++ {
			fmt.Fprintf(&b, "  v%d: v%d + v%[2]d\n", i, i-1)
		}
		return b.String() + "---\n" + command0
	}},
	{"keys that are written twice", func(n int) string { return block0(filled(n, "a: b\n")) }},
	{"keys that are unknown", func(n int) string { return block0(numbered(n, "key%d: b\n")) }},
	{"anchors that laugh", func(n int) string {
		text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
		for i := 1; i < 20; i++ {
			text += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
		}
		return block0(text)
	}},
	{"anchors that laugh by merging", func(n int) string {
		text := "a0: &a0 {x: y}\n"
		for i := 1; i < 40; i++ {
			text += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%[3]d], k%[1]d: *a%[3]d, l%[1]d: *a%[3]d}\n", i, i, i-1)
		}
		return block0(text)
	}},
	{"an anchor in itself", func(n int) string { return block0("a: &a [*a]\n") }},
	{"aliases", func(n int) string { return block0("a: &a x\nb: [" + filled(n, "*a, ") + "*a]\n") }},
	{"anchors", func(n int) string { return block0(numbered(n, "a%[1]d: &a%[1]d x\n")) }},
	{"lists in lists of YAML", func(n int) string { return block0("a: " + filled(n, "[")) }},
	{"lists in lists of YAML that are closed",
		func(n int) string { return block0("a: " + filled(n/2, "[") + filled(n/2, "]")) }},
	{"mappings in mappings of YAML", func(n int) string { return block0("a: " + filled(n, "{a: ")) }},
	{"dashes of YAML", func(n int) string { return block0(filled(n, "- ")) }},
	{"mappings in mappings by indentation", func(n int) string { return block0(indented(n, "a:")) }},
	{"a long line of YAML", func(n int) string { return block0("a: " + filled(n, "x ")) }},
	{"a long quoted line of YAML", func(n int) string { return block0(`a: "` + filled(n, `\x41`) + `"`) }},
	{"quotes of YAML that are not closed", func(n int) string { return block0(filled(n, "a: '\n")) }},
	{"a long folded text", func(n int) string { return block0("a: >\n" + filled(n, "  x\n")) }},
	{"colons", func(n int) string { return block0(filled(n, ": ")) }},
	{"question marks", func(n int) string { return block0(filled(n, "? ")) }},
	{"tags of YAML", func(n int) string { return block0(filled(n, "!a ")) }},
	{"documents of YAML", func(n int) string { return block0(filled(n, "a: b\n...\n")) }},
	{"characters that YAML cannot hold", func(n int) string { return block0("a: " + filled(n, "\x01")) }},
	{"quotes that are missing", func(n int) string { return block0(numbered(n, "a%d: @b\n")) }},

	{"a matrix of 10^9 cells", func(n int) string {
		values := strings.Trim(numbered(5000, "%d, "), ", ")
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix: {a: [" + values + "], b: [" +
			values + "], c: [" + values + "]}\n```\n"
	}},
	{"a matrix of many axes", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix:\n" + numbered(200_000,
			"  a%d: [1, 2]\n") + "```\n"
	}},
	{"a matrix of as many cells as there may be", func(n int) string {
		values := strings.Trim(numbered(380, "%d, "), ", ") // 0 to 99, about
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: 'y ${{ matrix.a }}'}\nmatrix: {a: [" +
			values + "], b: [" + values + "]}\n```\n"
	}},
	{"as many steps as there may be", func(n int) string {
		values := strings.Trim(numbered(380, "%d, "), ", ")
		return article0 + "```yaml experiment\nname: x\nrepetitions: 1000\ncommand: {image: x, run: 'y ${{ matrix.a }}'}\n" +
			"matrix: {a: [" + values + "], b: [" + values + "]}\n```\n"
	}},
	{"a matrix of many axes of one value", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix:\n" + numbered(n,
			"  a%d: [1]\n") + "```\n"
	}},
	{"a cell of many parameters", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix: {include: [{" + numbered(n,
			"a%d: 1, ") + "}]}\n```\n"
	}},
	{"a long definition for each of many cells", func(n int) string {
		values := strings.Trim(numbered(3000, "%d, "), ", ")
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: 'y ${{ matrix.a }} " + filled(90_000, "z") +
			"'}\nmatrix: {a: [" + values + "], b: [1, 2, 3]}\n```\n"
	}},
	{"a long value that is used many times", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand:\n  image: x\n  run: >\n" + filled(n/2,
			"    ${{ matrix.a }}\n") + "matrix: {a: [" + filled(90_000, "z") + "]}\n```\n"
	}},
	{"many services", func(n int) string {
		return article0 + "```yaml experiment\nname: x\nload: {target: 'http://s1/'}\nservices:\n" + numbered(n,
			"  s%d: {image: x}\n") + "```\n"
	}},
	{"services that depend on each other", func(n int) string {
		var b strings.Builder
		b.WriteString(article0 + "```yaml experiment\nname: x\nload: {target: 'http://s1/'}\nservices:\n  s0: {image: x}\n")
		for i := 1; b.Len() < n; i++ {
			fmt.Fprintf(&b, "  s%d: {image: x, depends_on: [s%d]}\n", i, i-1)
		}
		return b.String() + "```\n"
	}},
	{"metrics that add up those before them", func(n int) string {
		var b strings.Builder
		b.WriteString(article0 + "```yaml experiment\nname: x\nload: {target: 'http://s/'}\n" +
			"services: {s: {image: x}}\nmetrics:\n")
		for i := 0; b.Len() < n; i++ {
			sum := "throughput"
			for j := max(0, i-150); j < i; j++ {
				sum += fmt.Sprintf(" + m%d", j)
			}
			fmt.Fprintf(&b, "  - {name: m%d, value: %s}\n", i, sum)
		}
		return b.String() + "```\n"
	}},
	{"include and exclude that fit nothing", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix:\n  a: [1, 2]\n  exclude:\n" +
			numbered(100_000, "    - {a: x%d}\n") +
			"  include:\n" + numbered(100_000, "    - {b: x%d}\n") + "```\n"
	}},
	{"an expression in parentheses", func(n int) string { return claim0(filled(n, "(")) }},
	{"an expression of negations", func(n int) string { return claim0(filled(n, "not ")) }},
	{"an expression of signs", func(n int) string { return claim0(filled(n, "- ")) }},
	{"an expression of functions", func(n int) string { return claim0(filled(n, "min(")) }},
	{"an expression of conditions", func(n int) string { return claim0("time.real{" + filled(n, "a=b, ") + "a=b} > 1") }},
	{"a long sum", func(n int) string { return claim0(filled(n, "1 + ") + "1 > time.real") }},
	{"templates", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: '" + filled(n, "${{ matrix.a }} ") +
			"'}\nmatrix: {a: [1, 2]}\n```\n"
	}},
	{"templates that are not closed", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: '" + filled(n, "${{ ") + "'}\n```\n"
	}},
	{"code that ends elsewhere", func(n int) string {
		var b strings.Builder
		for i := 1; b.Len() < n; i++ {
			b.WriteString("a" + strings.Repeat("`", i) + "\n")
		}
		return b.String()
	}},
	{"footnotes in footnotes", func(n int) string { return filled(n, "[^a]: ") }},
	{"definitions in definitions", func(n int) string { return "a\n" + filled(n, ": ") + "b" }},
	{"figures that are referred to", func(n int) string {
		return article0 + command0 + numbered(n/2, "```yaml figure\nlabel: fig-f%d\nkind: dots\nx: time.real\ny: a\n```\n") +
			numbered(n/2, "[](#fig-f%d)\n")
	}},
	{"claims that are referred to", func(n int) string {
		return article0 + command0 + numbered(n/2, "```yaml claim\nname: c%d\nexpect: time.real < 100ms\n```\n") +
			numbered(n/2, "[x](claim:c%d)\n")
	}},
	{"values of many", func(n int) string {
		var b strings.Builder
		b.WriteString("---\ntitle: x\nvalues:\n  v0: time.real{a=1}\n")
		for i := 1; i < 40; i++ {
			fmt.Fprintf(&b, "  v%d: v%d + time.real{a=2}\n", i, i-1)
		}
		return b.String() + "---\n" + command0 + numbered(n, "`{value} v39 + %d`\n")
	}},
	{"100,000 problems", func(n int) string { return article0 + filled(100_000*9, "`{value}`\n") }},
	{"rows that were published", func(n int) string {
		return article0 + command0 + "```yaml published\nsource: x\nrows:\n" + numbered(n, "  - {a: v%d, time.real: 5s}\n") +
			"```\n"
	}},
}

// The beginnings of articles.
const (
	article0 = "---\ntitle: x\n---\n\n"
	command0 = "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix: {a: [1, 2]}\n```\n"
)

// block0 is an article with an experiment, and claim0 one with a claim.
func block0(yaml string) string { return article0 + "```yaml experiment\n" + yaml + "\n```\n" }
func claim0(expect string) string {
	return article0 + command0 + "```yaml claim\nname: x\nexpect: \"" + expect + "\"\n```\n"
}

// filled repeats a piece of text up to about n bytes.
func filled(n int, piece string) string { return strings.Repeat(piece, max(1, n/len(piece))) }

// numbered repeats a format with a number from 0 up to about n bytes.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// growing has pieces in runs of one, two, three, … up to about n bytes.
func growing(n int, piece string) string {
	var b strings.Builder
	for i := 1; b.Len() < n; i++ {
		b.WriteString(strings.Repeat(piece, i) + "a\n")
	}
	return b.String()
}

// indented has a line at every depth, up to about n bytes.
func indented(n int, line string) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat("  ", i) + line + "\n")
	}
	return b.String()
}

// longestLine is about the longest line of an article that is read.
const longestLine = 99_000

// broken has a line end within every line that is too long to be read.
func broken(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for len(line) > longestLine {
			at := longestLine
			for at > longestLine-utf8.UTFMax && !utf8.RuneStart(line[at]) {
				at--
			}
			b.WriteString(line[:at] + "\n")
			line = line[at:]
		}
		b.WriteString(line)
	}
	return b.String()
}

// Whatever an article holds, check says what is wrong with it, soon and without eating memory: at the sizes up to which
// YAML and articles are read, where it is hardest, and beyond.
func TestHostileArticles(t *testing.T) {
	unhurried(t)
	for _, tt := range hostile {
		for _, n := range []int{240_000, 980_000} {
			t.Run(fmt.Sprintf("%s, %d bytes", tt.name, n), func(t *testing.T) {
				t.Parallel()
				checkBounded(t, map[string]string{"experiments/hostile/article.md": broken(tt.text(n))})
			})
		}
	}
	for _, name := range []string{"prose", "one line", "empty lines", "zeros", "UTF-16", "backticks",
		"bytes that are no UTF-8"} {
		i := slices.IndexFunc(hostile, func(h hostileText) bool { return h.name == name })
		t.Run(name+", 10 MB", func(t *testing.T) {
			checkBounded(t, map[string]string{"experiments/hostile/article.md": hostile[i].text(10_000_000)})
		})
	}
}

// Nor do the other files of a project.
func TestHostileFiles(t *testing.T) {
	unhurried(t)
	published := article0 + command0 + "```yaml published\nsource: x\nfile: rows%s\n```\n"
	include := article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix: {include: rows%s}\n```\n"
	build := article0 + "```yaml experiment\nname: x\ncommand: {build: ., run: y}\n```\n"
	config := article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y, configs: [{source: data, target: " +
		"/data}]}\n```\n"
	tests := []struct{ name, file, article, start, piece string }{
		{"a project of empty lines", "benchbook.yaml", article0, "", "\n"},
		{"a project on one line", "benchbook.yaml", article0, "", "x"},
		{"a project of lists in lists", "benchbook.yaml", article0, "", "- "},
		{"published rows of CSV", "experiments/hostile/rows.csv", published, "a,time.real\n", "1,5s\n"},
		{"published rows of CSV on one line", "experiments/hostile/rows.csv", published, "a,time.real\n", "1,"},
		{"a quote of CSV that is not closed", "experiments/hostile/rows.csv", published, "a,time.real\n\"", "1,5s\n"},
		{"columns of CSV without names", "experiments/hostile/rows.csv", published, "", ",\n"},
		{"published rows of YAML", "experiments/hostile/rows.yaml", published, "", "- {a: 1, time.real: 5s}\n"},
		{"a matrix of CSV", "experiments/hostile/rows.csv", include, "a,b\n", "1,2\n"},
		{"a matrix of YAML", "experiments/hostile/rows.yaml", include, "", "- {a: 1}\n"},
		{"a Dockerfile", "experiments/hostile/Dockerfile", build, "FROM x\n", "RUN y\n"},
		{"a Dockerfile that goes on", "experiments/hostile/Dockerfile", build, "FROM x\n", "RUN y \\\n"},
		{"files that are left out", "experiments/hostile/.dockerignore",
			build + "\n```dockerfile file=Dockerfile\nFROM x\n```\n", "", "a*b*c\n"},
		{"a config", "experiments/hostile/data", config, "", "x"},
		{"a listing", "experiments/hostile/data", article0 + "```text include=data\n```\n", "", "x\n"},
	}
	for _, tt := range tests {
		for _, n := range []int{240_000, 980_000, 10_000_000} {
			t.Run(fmt.Sprintf("%s, %d bytes", tt.name, n), func(t *testing.T) {
				t.Parallel()
				checkBounded(t, map[string]string{
					"experiments/hostile/article.md": strings.ReplaceAll(tt.article, "%s", filepath.Ext(tt.file)),
					tt.file:                          tt.start + filled(n, tt.piece)})
			})
		}
	}
}

// unhurried skips a test of time and memory where there is no time for it, or they are those of the race detector.
func unhurried(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race",
		Value: "true"}) {
		t.Skip("the race detector takes ten times as much")
	}
}

// checkBounded runs check in a process of its own, whose end, time and memory are looked at.
func checkBounded(t *testing.T, files map[string]string) {
	t.Helper()
	project := t.TempDir()
	for name, text := range files {
		file := filepath.Join(project, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := files["benchbook.yaml"]; !ok {
		if err := os.WriteFile(filepath.Join(project, "benchbook.yaml"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "benchbook", "check", "-C", project)
	peak := filepath.Join(t.TempDir(), "peak")
	cmd.Env = append(cmd.Environ(), peakFile+"="+peak)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if status := cmd.ProcessState.ExitCode(); status != 0 && status != lab.StatusFailed {
		t.Fatalf("status %d after %v: %.2000s", status, cpu, &stderr)
	}
	memory := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss // in bytes
	if runtime.GOOS == "linux" {
		// What Linux tells of a process that has ended is never below the peak of the one that started it.
		line, err := os.ReadFile(peak)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(string(line), "VmHWM: %d kB", &memory); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		memory *= 1024
	}
	if memory > maxMemory {
		t.Errorf("it took %d MB, and may take %d", memory/1e6, int64(maxMemory/1e6))
	}
	if cpu > maxCPU {
		t.Errorf("it took %v of CPU time, and may take %v", cpu, maxCPU)
	}
}
