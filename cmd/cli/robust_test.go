package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
	"benchbook/lab"
)

// Limits of check for any file of up to 10 MB. The promise is 200 MB and one second; slow or busy machines may take
// twice as long.
const (
	maxMemory = 200_000_000 // bytes, resident at the peak
	maxCPU    = 2 * time.Second
	maxWait   = time.Minute
)

// pieces are repeated unchanged. patterns repeat a piece, in which %d is a number, between a beginning and an end.
var (
	pieces = []string{
		"word ", "x\n", "x\n\n", " ", "\t", "\ufeff", "a\xc3", "\u0301", "` ", "*", "*a ", "a* ", "*a*", "a**b_c ", "~~a ",
		"[", "]", "[a](", "[a](<b", "[a](b) ", "![", "<", "<a ", "<a b='", "a <!-- ", "a <? ", "a <!A ", "a <![CDATA[ ",
		"http://a.example ", "a@b.example ", "a.b@", "&amp;", "&", `\`, "> ", "- ", "1. ", "- a\n", "-\n", "a\n: b\n\n",
		"# a\n", "#\n", "a\n-\n", "***\n", "|", "|a|\n|-|\n\n", "```\n", "[^a]: ",
	}
	patterns = []struct{ name, begin, piece, end string }{
		{"links to claims", article0, "[a](claim:b) ", ""},
		{"references", article0, "[](#fig-b) ", ""},
		{"definitions of links", "", "[a%d]: b\n", ""},
		{"uses of one footnote", "[^a]: b\n\n", "[^a] ", ""},
		{"values", article0, "`{value} throughput` ", ""},
		{"values that are wrong", article0, "`{value} (` ", ""},
		{"a long value", article0 + "`{value} ", "1 + ", "1`"},
		{"rows of a table", "| a | b |\n|---|---|\n", "| c | d |\n", ""},
		{"a fence that is not closed", article0 + "```yaml experiment\n", "name: x\n", ""},
		{"blocks with mistakes", article0, "```yaml claim\nnme: x\n```\n", ""},
		{"experiments", article0, "```yaml experiment\nname: e%d\ncommand: {image: x, run: y}\n```\n", ""},
		{"claims", article0 + command0, "```yaml claim\nname: c%d\nexpect: time.real < 100ms\n```\n", ""},
		{"figures", article0 + command0, "```yaml figure\nlabel: fig-f%d\nkind: dots\nx: time.real\ny: a\n```\n", ""},
		{"listings of files that are missing", article0, "```python include=f%d.py\n```\n", ""},
		{"front matter that is not closed", "---\n", "title: x\n", ""},
		{"tags with accents", "---\ntitle: x\ntags: [", "é, ", "é]\n---\n"},
		{"anchors in a list", yaml0 + "a: [", "&b c, ", "&b c]" + end0},
		{"words of other scripts that are not quoted", yaml0 + "a: [", "é: @ü, ", "]" + end0},
		{"values of the front matter", "---\ntitle: x\nvalues:\n", "  v%d: 1\n", "---\n"},
		{"keys that are written twice", yaml0, "a: b\n", end0},
		{"keys that are unknown", yaml0, "key%d: b\n", end0},
		{"aliases", yaml0 + "a: &a x\nb: [", "*a, ", "*a]\n" + end0},
		{"lists in lists of YAML", yaml0 + "a: ", "[", end0},
		{"dashes of YAML", yaml0, "- ", end0},
		{"a long quoted line of YAML", yaml0 + `a: "`, `\x41`, `"` + end0},
		{"quotes of YAML that are not closed", yaml0, "a: '\n", end0},
		{"a long folded text", yaml0 + "a: >\n", "  x\n", end0},
		{"colons", yaml0, ": ", end0},
		{"tags of YAML", yaml0, "!a ", end0},
		{"documents of YAML", yaml0, "a: b\n...\n", end0},
		{"characters that YAML cannot hold", yaml0 + "a: ", "\x01", end0},
		{"quotes that are missing", yaml0, "a%d: @b\n", end0},
		{"a matrix of many axes of one value", article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix:\n", "  a%d: [1]\n", "```\n"},
		{"a cell of many parameters", article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix: {include: [{", "a%d: 1, ", "}]}\n```\n"},
		{"many services", article0 + "```yaml experiment\nname: x\nload: {target: 'http://s1/'}\nservices:\n", "  s%d: {image: x}\n", "```\n"},
		{"an expression in parentheses", claim0, "(", "\"" + end0},
		{"an expression of negations", claim0, "not ", "\"" + end0},
		{"an expression of functions", claim0, "min(", "\"" + end0},
		{"an expression of conditions", claim0 + "time.real{", "a=b, ", "a=b} > 1\"" + end0},
		{"a long sum", claim0, "1 + ", "1 > time.real\"" + end0},
		{"templates", article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: '", "${{ matrix.a }} ", "'}\nmatrix: {a: [1, 2]}\n```\n"},
		{"templates that are not closed", article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: '", "${{ ", "'}\n```\n"},
		{"definitions in definitions", "a\n", ": ", "b"},
		{"rows that were published", article0 + command0 + "```yaml published\nsource: x\nrows:\n", "  - {a: v%d, time.real: 5s}\n", "```\n"},
	}
)

// A hostileText makes a text of about n bytes, of a kind that has broken parsers.
type hostileText struct {
	name string
	text func(n int) string
}

var others = []hostileText{
	{"prose", func(n int) string { return filled(n, "Some words, and some more of them.\n\n") }},
	{"one line", func(n int) string { return filled(n, "x") }},
	{"empty lines", func(n int) string { return filled(n, "\n") }},
	{"zeros", func(n int) string { return filled(n, "\x00") }},
	{"carriage returns alone", func(n int) string {
		return strings.ReplaceAll(article0+filled(n, "Some words.\n"), "\n", "\r")
	}},
	{"UTF-16", func(n int) string { return "\xff\xfe" + filled(n, "w\x00o\x00r\x00d\x00\n\x00") }},
	{"a byte order mark", func(n int) string { return "\ufeff" + article0 }},
	{"bytes that are no UTF-8", func(n int) string { return filled(n, "\xff") }},
	{"backticks", func(n int) string { return filled(n, "`") }},
	{"runs of backticks that grow", func(n int) string { return growing(n, "`") }},
	{"emphasis in emphasis", func(n int) string { return filled(n/2, "*a **a ") + filled(n/2, " a** a*") }},
	{"brackets in brackets", func(n int) string { return filled(n/2, "[") + filled(n/2, "]") }},
	{"uses of a long definition", func(n int) string { return "[a]: " + filled(n/2, "b") + "\n\n" + filled(n/2, "[a] ") }},
	{"footnotes", func(n int) string { return numbered(n/2, "[^a%d] ") + "\n\n" + numbered(n/2, "[^a%d]: b\n") }},
	{"quotes in quotes, on many lines", func(n int) string { return filled(n, filled(2000, ">")+"a\n") }},
	{"quotes in quotes that go deeper", func(n int) string { return growing(n, "> ") }},
	{"lists in lists", func(n int) string { return indented(n, "- a") }},
	{"a wide table", func(n int) string { return filled(n/3, "|a") + "|\n" + filled(n/3, "|-") + "|\n" + filled(n/3, "|b") }},
	{"a wide table with short rows", func(n int) string {
		return filled(n/4, "|a") + "|\n" + filled(n/4, "|-") + "|\n" + filled(n/2, "b\n")
	}},
	{"experiments that extend each other", func(n int) string {
		return article0 + "```yaml experiment\nname: x0\ncommand: {image: x, run: y}\n```\n" + chained(n, "```yaml experiment\nname: x%d\nextends: x%d\n```\n")
	}},
	{"values that use each other", func(n int) string {
		return "---\ntitle: x\nvalues:\n  v0: time.real\n" + chained(min(n, 200_000), "  v%d: v%d + v%[2]d\n") + "---\n" + command0
	}},
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
	{"lists in lists of YAML that are closed", func(n int) string {
		return block0("a: " + filled(n/2, "[") + filled(n/2, "]"))
	}},
	{"mappings in mappings by indentation", func(n int) string { return block0(indented(n, "a:")) }},
	{"a matrix of 10^9 cells", func(int) string { return experimentOf("y", crossed(5000, "a", "b", "c")) }},
	{"a matrix of many axes", func(int) string {
		return experimentOf("y", "matrix:\n"+numbered(200_000, "  a%d: [1, 2]\n"))
	}},
	// 380 bytes are the numbers from 0 to 99, about.
	{"a matrix of as many cells as there may be", func(int) string {
		return experimentOf("'y ${{ matrix.a }}'", crossed(380, "a", "b"))
	}},
	{"as many steps as there may be", func(int) string {
		return experimentOf("'y ${{ matrix.a }}'", "repetitions: 1000\n"+crossed(380, "a", "b"))
	}},
	{"a long definition for each of many cells", func(int) string {
		return experimentOf("'y ${{ matrix.a }} "+filled(90_000, "z")+"'", crossed(10_000, "a"))
	}},
	{"a long value that is used many times", func(n int) string {
		return article0 + "```yaml experiment\nname: x\ncommand:\n  image: x\n  run: >\n" + filled(n/2, "    ${{ matrix.a }}\n") + "matrix: {a: [" + filled(90_000, "z") + "]}\n```\n"
	}},
	{"services that depend on each other", func(n int) string {
		return article0 + "```yaml experiment\nname: x\nload: {target: 'http://s1/'}\nservices:\n  s0: {image: x}\n" + chained(n, "  s%d: {image: x, depends_on: [s%d]}\n") + "```\n"
	}},
	{"metrics that add up those before them", func(n int) string {
		return article0 + "```yaml experiment\nname: x\nload: {target: 'http://s/'}\nservices: {s: {image: x}}\nmetrics:\n" +
			joined(n, func(i int) string {
				sum := "throughput"
				for j := max(0, i-150); j < i; j++ {
					sum += fmt.Sprintf(" + m%d", j)
				}
				return fmt.Sprintf("  - {name: m%d, value: %s}\n", i, sum)
			}) + "```\n"
	}},
	{"include and exclude that fit nothing", func(n int) string {
		return experimentOf("y", "matrix:\n  a: [1, 2]\n  exclude:\n"+numbered(100_000, "    - {a: x%d}\n")+
			"  include:\n"+numbered(100_000, "    - {b: x%d}\n"))
	}},
	{"code that ends elsewhere", func(n int) string {
		return joined(n, func(i int) string { return "a" + strings.Repeat("`", i+1) + "\n" })
	}},
	{"claims that are referred to", func(n int) string {
		return article0 + command0 + numbered(n/2, "```yaml claim\nname: c%d\nexpect: time.real < 100ms\n```\n") + numbered(n/2, "[x](claim:c%d)\n")
	}},
	{"values of many", func(n int) string {
		return "---\ntitle: x\nvalues:\n  v0: time.real{a=1}\n" + chained(1100, "  v%d: v%d + time.real{a=2}\n") + "---\n" +
			command0 + numbered(n, "`{value} v39 + %d`\n")
	}},
	{"100,000 problems", func(n int) string { return article0 + filled(100_000*9, "`{value}`\n") }},
}

// hostile returns all hostile texts.
func hostile() []hostileText {
	list := others
	for _, piece := range pieces {
		list = append(list, hostileText{fmt.Sprintf("%q", piece), func(n int) string { return filled(n, piece) }})
	}
	for _, p := range patterns {
		list = append(list, hostileText{p.name, func(n int) string {
			if strings.Contains(p.piece, "%") {
				return p.begin + numbered(n, p.piece) + p.end
			}
			return p.begin + filled(n, p.piece) + p.end
		}})
	}
	return list
}

// Beginnings of articles.
const (
	article0 = "---\ntitle: x\n---\n\n"
	command0 = "```yaml experiment\nname: x\ncommand: {image: x, run: y}\nmatrix: {a: [1, 2]}\n```\n"
	yaml0    = article0 + "```yaml experiment\n"
	claim0   = article0 + command0 + "```yaml claim\nname: x\nexpect: \""
	end0     = "\n```\n"
)

// block0 is an article with an experiment.
func block0(yaml string) string { return yaml0 + yaml + end0 }

// experimentOf is an article with an experiment of a program, and more keys of it.
func experimentOf(program, keys string) string {
	return article0 + "```yaml experiment\nname: x\ncommand: {image: x, run: " + program + "}\n" + keys + "```\n"
}

// filled repeats a piece of text up to about n bytes.
func filled(n int, piece string) string { return strings.Repeat(piece, max(1, n/len(piece))) }

// joined joins the texts of 0, 1, 2, … up to about n bytes.
func joined(n int, text func(i int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(text(i))
	}
	return b.String()
}

// numbered repeats a format with a number from 0, and chained one with a number from 1 and the number before it.
func numbered(n int, format string) string {
	return joined(n, func(i int) string { return fmt.Sprintf(format, i) })
}

func chained(n int, format string) string {
	return joined(n, func(i int) string { return fmt.Sprintf(format, i+1, i) })
}

// growing has pieces in runs of one, two, three, …
func growing(n int, piece string) string {
	return joined(n, func(i int) string { return strings.Repeat(piece, i+1) + "a\n" })
}

// indented has a line at every depth.
func indented(n int, line string) string {
	return joined(n, func(i int) string { return strings.Repeat("  ", i) + line + "\n" })
}

// crossed is a matrix of axes, each of numbers in about n bytes.
func crossed(n int, axes ...string) string {
	for i, name := range axes {
		axes[i] = name + ": [" + strings.Trim(numbered(n, "%d, "), ", ") + "]"
	}
	return "matrix: {" + strings.Join(axes, ", ") + "}\n"
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

// For any article, check reports what is wrong, quickly and with little memory: at the largest size of YAML and of
// articles that it reads, where that is hardest, and beyond.
func TestHostileArticles(t *testing.T) {
	unhurried(t)
	for _, tt := range hostile() {
		for _, n := range []int{240_000, 980_000} {
			if text := tt.text(n); n == 240_000 && !strings.Contains(text, "```yaml") && !strings.Contains(text, "tags: [") &&
				!strings.Contains(text, "values:") {
				continue // no YAML
			}
			t.Run(fmt.Sprintf("%s, %d bytes", tt.name, n), func(t *testing.T) {
				t.Parallel()
				checkBounded(t, map[string]string{"experiments/hostile/article.md": broken(tt.text(n))})
			})
		}
	}
	for _, name := range []string{"prose", "one line", "empty lines", "zeros", "UTF-16", "backticks",
		"bytes that are no UTF-8"} {
		i := slices.IndexFunc(others, func(h hostileText) bool { return h.name == name })
		t.Run(name+", 10 MB", func(t *testing.T) {
			checkBounded(t, map[string]string{"experiments/hostile/article.md": others[i].text(10_000_000)})
		})
	}
}

// The same holds for the other files of a project.
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

// unhurried skips a test of time and memory with -short or with the race detector, which distorts both.
func unhurried(t *testing.T) {
	if testing.Short() || slowtest.RaceDetector {
		t.Skip("it takes a minute, and ten with the race detector: leave out -short")
	}
}

// checkBounded runs check in a process of its own, and fails the test if it crashes or takes too much time or memory.
func checkBounded(t *testing.T, files map[string]string) {
	t.Helper()
	project := t.TempDir()
	must.Write(filepath.Join(project, "benchbook.yaml"), "")
	for name, text := range files {
		must.Write(filepath.Join(project, name), text)
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
		must.Get(fmt.Sscanf(must.Read(peak), "VmHWM: %d kB", &memory))
		memory *= 1024
	}
	if memory > maxMemory {
		t.Errorf("it took %d MB, and may take %d", memory/1e6, int64(maxMemory/1e6))
	}
	if cpu > maxCPU {
		t.Errorf("it took %v of CPU time, and may take %v", cpu, maxCPU)
	}
}
