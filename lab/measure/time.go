package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Commands are commands to compare.
type Commands struct {
	Lines       []string      // as in a shell
	Folder      string        // where they are run
	Warmup      int           // runs before each one that is timed
	Timeout     time.Duration // for a run with its warm-up
	Repetitions string        // as in articles; empty: until the claims are decided
}

// forShell are characters by which more than words may be meant.
var forShell = regexp.MustCompile(`[^\pL\pN _./,:@+-]`)

// quoted is a text in YAML, on one line.
func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("oneline: %v", err)) // it is a string
	}
	return string(data)
}

// name is what a command is called: it is one line, and no two have the same.
func name(line string, taken map[string]bool) string {
	line = strings.Join(strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }),
		" ")
	name := line
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s (%d)", line, n)
	}
	taken[name] = true
	return name
}

// code is the name of a command in the text of an article.
func code(name string, number int) string {
	if strings.Contains(name, "`") {
		return fmt.Sprintf("command %d", number)
	}
	return "`" + name + "`"
}

// claimText is a claim that the first is better, with the number of the other, its text, its test, its sentences, and
// the number again.
const claimText = `
` + "```yaml claim" + `
name: first-%d
headline: true
text: %s
expect: %s
says:
%s` + "```" + `

[](claim:first-%d)
`

// sentences are those of a claim, of which one states the effect, with what it is about.
func sentences(effect, better string) string {
	return fmt.Sprintf("  supported: %q\n  contradicted: %[1]q\n  inconclusive: %[2]q\n", effect,
		"After {repetitions} repetitions it is open which is "+better+": "+effect)
}

// check reports what no article can say.
func (c *Commands) check() error {
	for _, line := range c.Lines {
		switch {
		case strings.TrimSpace(line) == "":
			return errors.New("a command is empty")
		case !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' && r != '\t'
		}):
			return fmt.Errorf("the command %q has characters that are no text: put it into a script", line)
		case strings.Contains(line, "${{"):
			return fmt.Errorf("the command %q has ${{ in it, which articles fill in: put the command into a script", line)
		}
	}
	return nil
}

// article writes the article: each command is compared with the first.
func (c *Commands) article(today time.Time) string {
	taken := map[string]bool{}
	var rows, claims strings.Builder
	claim := func(i int, names []string) {
		fmt.Fprintf(&claims, claimText, i+1, quoted(fmt.Sprintf("%s takes less time than %s.", code(names[0], 1),
			code(names[i], i+1))), fmt.Sprintf("ratio(time.real{number=\"1\"}, time.real{number=\"%d\"}) < 1", i+1),
			sentences("{a} takes {effect} as much time as {b}.", "faster"), i+1)
	}
	var names []string
	for i, line := range c.Lines {
		names = append(names, name(line, taken))
		run := line
		if forShell.MatchString(line) {
			run = "/bin/sh -c '" + strings.ReplaceAll(line, "'", `'\''`) + "'"
		}
		fmt.Fprintf(&rows, "    - {name: %s, number: \"%d\", run: %s}\n", quoted(names[i]), i+1, quoted(run))
		if i > 0 {
			claim(i, names)
		}
	}
	var keys strings.Builder
	if c.Folder != "" {
		fmt.Fprintf(&keys, "  working_dir: %s\n", quoted(c.Folder))
	}
	if c.Warmup > 0 {
		fmt.Fprintf(&keys, "  warmup: %d\n", c.Warmup)
	}
	fmt.Fprintf(&keys, "timeout: %s\n", seconds(c.Timeout))
	if c.Repetitions != "" {
		fmt.Fprintf(&keys, "repetitions: %s\n", c.Repetitions)
	}
	return fmt.Sprintf("---\ntitle: %s\ndate: %s\n---\n\n```yaml experiment\nname: time\nmatrix:\n  command:\n%s"+
		"command:\n  run: ${{ matrix.command.run }}\n%s```\n%s\n```yaml table\nlabel: tbl-times\nrows: [command]\n"+
		"columns: [time.real, time.user, time.sys, memory.peak]\ntitle: What each command took\n```\n",
		quoted(strings.Join(names, " against ")), today.Format(time.DateOnly), rows.String(), keys.String(), claims.String())
}
