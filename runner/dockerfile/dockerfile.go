// Package dockerfile reads as much of a Dockerfile as decides which images it is built from, what of it only BuildKit
// has, and which ports it exposes. Instructions that it need not understand are left to the builder.
package dockerfile

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// File is a Dockerfile that was read.
type File struct {
	Steps  []Step // its instructions
	Bases  []Base
	Needs  []Need   // what only BuildKit has
	Syntax int      // the line of the usual # syntax=, counted from 1; 0 if there is none
	lines  []string // as they stand, with their ends
	escape byte
}

// Step is an instruction.
type Step struct {
	Line int    // at which it begins, counted from 1
	Text string // its words, with a blank between them
}

// Need is what only BuildKit has.
type Need struct {
	First, Last   int // the lines of its instruction, counted from 1
	What, Instead string
}

// Base is an image outside the Dockerfile that one of its instructions names.
type Base struct {
	Reference  string // with arguments expanded
	Platform   string // as --platform asks, or empty
	First      int    // the line at which the instruction begins, counted from 0
	end        int    // the line behind it
	flag, word string // how the reference stands there: a flag such as "--from=", if any, and itself, unexpanded
	rest       string // of the flag
	nth        int    // of those in the instruction that stand there alike
}

// Problem is a mistake in a Dockerfile, at a line counted from 1.
type Problem struct {
	Line    int
	Message string
}

func (p *Problem) Error() string { return fmt.Sprintf("Dockerfile line %d: %s", p.Line, p.Message) }

// directive is a parser directive, which can only stand above everything else.
var directive = regexp.MustCompile(`^#\s*(?i:(escape|syntax|check))\s*=\s*(.+?)\s*$`)

// Parse finds the images that a Dockerfile is built from, as far as the stage target (empty: the last),
// with the given build arguments. Stages that refer to earlier ones, and scratch, are none. Instructions it need not
// understand are left to the builder. The error is a *Problem.
//
// Source: Dockerfile reference, "Format", "FROM", "ARG", "COPY --from", "RUN --mount", "Here-Documents".
func Parse(text string, args map[string]string, target string) (File, error) {
	p := parser{
		File: File{lines: strings.SplitAfter(strings.TrimPrefix(text, "\ufeff"), "\n"), escape: '\\'},
		args: args, target: target, stage: -1, defaults: make(map[string]string), stages: make(map[string]bool),
	}
	if err := p.directives(); err != nil {
		return p.File, err
	}
	for i := 0; i < len(p.lines) && !p.done; {
		at := Base{First: i}
		words := strings.Fields(p.instruction(&i))
		if len(words) == 0 {
			continue
		}
		p.Steps = append(p.Steps, Step{at.First + 1, strings.Join(words, " ")})
		at.end = i
		if err := p.read(words, at); err != nil {
			return p.File, &Problem{at.First + 1, err.Error()}
		}
		if !p.done {
			p.needBuildKit(words, at.First, &i)
		}
	}
	if p.stage < 0 {
		return p.File, &Problem{1, "there is no FROM"}
	}
	return p.File, nil
}

// parser is what is known while a Dockerfile is read.
type parser struct {
	File
	args     map[string]string // as given
	target   string
	defaults map[string]string // of arguments declared before the first FROM, the only ones that FROM sees
	stages   map[string]bool
	stage    int  // that is being read; -1 before the first one
	done     bool // the target was read
}

// directives reads what stands above everything else.
func (p *parser) directives() error {
	for i, line := range p.lines {
		m := directive.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			break
		}
		switch {
		case !strings.EqualFold(m[1], "syntax"):
		case usualSyntax.MatchString(m[2]):
			p.Syntax = i + 1
		default:
			p.Needs = append(p.Needs, Need{i + 1, i + 1, "# syntax=" + m[2], "write it as a Dockerfile, without this line"})
		}
		if strings.EqualFold(m[1], "escape") {
			if m[2] != "`" && m[2] != "\\" {
				return &Problem{i + 1, fmt.Sprintf("escape is %q, but can only be ` or \\", m[2])}
			}
			p.escape = m[2][0]
		}
	}
	return nil
}

// read reads one instruction, which stands on the lines of at.
func (p *parser) read(words []string, at Base) error {
	flags, rest := splitFlags(words[1:])
	switch strings.ToUpper(words[0]) {
	case "ARG":
		p.argument(rest)
	case "FROM":
		return p.from(flags, rest, at)
	case "COPY":
		at.flag, at.word = "--from=", flags["from"]
		return p.copied(at)
	case "RUN":
		for _, word := range words[1 : len(words)-len(rest)] {
			if m := mounted.FindStringSubmatch(word); m != nil {
				at.flag, at.word, at.rest = m[1], m[2], m[3]
				if err := p.copied(at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// mounted is a flag of RUN that mounts files of an image or a stage.
var mounted = regexp.MustCompile(`^(--mount=(?:.*,)?from=)([^,]+)(.*)$`)

// copied notes the image that files are copied from, if it is no earlier stage.
func (p *parser) copied(at Base) error {
	at.Reference = unquote(at.word)
	if at.word == "" || p.stages[strings.ToLower(at.word)] || isNumber(at.word) {
		return nil
	}
	return p.base(at)
}

func (p *parser) expand(word string) string { return expandArgs(unquote(word), p.defaults) }

func (p *parser) argument(words []string) {
	if p.stage >= 0 {
		return
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		p.defaults[name] = p.expand(value)
		if given, ok := p.args[name]; ok {
			p.defaults[name] = given
		}
	}
}

// from begins a stage, unless the one before was the target.
func (p *parser) from(flags map[string]string, rest []string, at Base) error {
	isTarget := p.target != "" && (p.stages[strings.ToLower(p.target)] || p.target == fmt.Sprint(p.stage))
	if p.done = p.stage >= 0 && isTarget; p.done {
		return nil
	}
	p.stage++
	if len(rest) != 1 && (len(rest) != 3 || !strings.EqualFold(rest[1], "AS")) {
		return errors.New("FROM wants an image, and AS NAME or nothing after it")
	}
	at.word, at.Reference = rest[0], p.expand(rest[0])
	if !p.ownPlatform(flags["platform"]) {
		at.Platform = p.expand(flags["platform"])
	}
	if at.Reference == "" {
		return fmt.Errorf("FROM %s names no image: give its argument a value, by ARG above it or in args", rest[0])
	}
	earlier := p.stages[strings.ToLower(at.Reference)]
	if len(rest) == 3 {
		p.stages[strings.ToLower(rest[2])] = true
	}
	if earlier || at.Reference == "scratch" {
		return nil
	}
	return p.base(at)
}

// base notes an image that the Dockerfile is built from.
func (p *parser) base(at Base) error {
	if strings.ContainsAny(at.Reference, " \t\"'$") {
		return fmt.Errorf("%q is not a reference of an image", at.Reference)
	}
	for _, other := range p.Bases {
		if other.First == at.First && other.flag+other.word+other.rest == at.flag+at.word+at.rest {
			at.nth++
		}
	}
	if line, _ := p.find(at); line < 0 {
		return errors.New("the name of an image must stand on one line")
	}
	p.Bases = append(p.Bases, at)
	return nil
}

// usualSyntax is what # syntax= says of a Dockerfile that the classic builder reads as well, as far as it has nothing
// new.
var usualSyntax = regexp.MustCompile(`^(docker\.io/)?docker/dockerfile(:|@|$)`)

// heredoc is the beginning of one, with the word that ends it.
var heredoc = regexp.MustCompile(`^<<-?["']?([A-Za-z_][A-Za-z0-9_]*)["']?$`)

// buildKitFlags are those of instructions that the classic builder does not have, with what to do instead.
var buildKitFlags = map[string]map[string]string{
	"RUN": {"mount": "COPY what it mounts; without a cache it only takes longer", "network": "leave it out",
		"security": "leave it out"},
	"COPY": {"link": "leave it out", "parents": "COPY folder by folder", "exclude": "name the files in .dockerignore",
		"chmod": "leave it out, and RUN chmod"},
	"ADD": {"link": "leave it out", "checksum": "leave it out, and RUN sha256sum -c", "keep-git-dir": "leave it out",
		"exclude": "name the files in .dockerignore", "chmod": "leave it out, and RUN chmod"},
}

// platformArg is an argument of platforms that BuildKit gives a value.
var platformArg = regexp.MustCompile(`\$\{?(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)\b\}?`)

// ownPlatform says whether a platform is that of the engine, by an argument of BuildKit.
func (p *parser) ownPlatform(platform string) bool {
	name := platformArg.FindString(platform)
	return name != "" && p.expand(name) == ""
}

// setByBuildKit says whether a stage has an argument that nobody but BuildKit gives a value.
func (p *parser) setByBuildKit(argument string) bool {
	_, given := p.args[argument]
	return p.stage >= 0 && !given && !strings.Contains(argument, "=") && p.ownPlatform("$"+argument)
}

// needBuildKit notes what of an instruction the classic builder does not have, and moves *next, the line behind it,
// past its heredocs.
//
// Source: Dockerfile reference, "Here-Documents", "RUN --mount", "COPY --link", "Automatic platform ARGs".
func (p *parser) needBuildKit(words []string, first int, next *int) {
	name, noted := strings.ToUpper(words[0]), len(p.Needs)
	add := func(what, instead string) {
		p.Needs = append(p.Needs, Need{First: first + 1, What: what, Instead: instead})
	}
	flags, _ := splitFlags(words[1:])
	if name == "FROM" && p.ownPlatform(flags["platform"]) {
		add("FROM --platform="+flags["platform"], "leave it out")
	}
	for _, word := range words[1:] {
		if name == "ARG" && p.setByBuildKit(word) {
			add("ARG "+word, "give it a value there")
		}
	}
	for _, flag := range slices.Sorted(maps.Keys(flags)) {
		if instead, ok := buildKitFlags[name][flag]; ok {
			add(name+" --"+flag, instead)
		}
	}
	for _, word := range words[1:] {
		m := heredoc.FindStringSubmatch(word)
		if m == nil || buildKitFlags[name] == nil {
			continue
		}
		if end := slices.IndexFunc(p.lines[*next:],
			func(line string) bool { return strings.TrimSpace(line) == m[1] }); end >= 0 {
			*next += end + 1
			add("the heredoc "+word, "write a file beside the Dockerfile and COPY it, or join the lines with && and \\")
		}
	}
	for i := range p.Needs[noted:] {
		p.Needs[noted+i].Last = *next
	}
}

// instruction joins the lines of the instruction that begins at line *i, without comments, and moves *i past them.
func (d File) instruction(i *int) string {
	var joined strings.Builder
	for *i < len(d.lines) {
		line := strings.TrimRight(d.lines[*i], "\r\n")
		*i++
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "#") || trimmed == "" {
			if joined.Len() == 0 {
				return ""
			}
			continue // comments and empty lines do not end an instruction that goes on
		}
		trimmed := strings.TrimRight(line, " \t")
		if trimmed[len(trimmed)-1] != d.escape || strings.HasSuffix(trimmed, string([]byte{d.escape, d.escape})) {
			joined.WriteString(line)
			break
		}
		joined.WriteString(trimmed[:len(trimmed)-1])
		if joined.Len() == 0 {
			joined.WriteByte(' ') // so that an empty first line is seen to go on
		}
	}
	return joined.String()
}

// splitFlags takes the --name=value words off the front of an instruction's arguments.
func splitFlags(words []string) (flags map[string]string, rest []string) {
	flags = make(map[string]string)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		name, value, _ := strings.Cut(words[0][2:], "=")
		flags[name] = value
		words = words[1:]
	}
	return flags, words
}

func unquote(word string) string {
	if len(word) >= 2 && (word[0] == '"' || word[0] == '\'') && word[len(word)-1] == word[0] {
		return word[1 : len(word)-1]
	}
	return word
}

func isNumber(word string) bool { return strings.Trim(word, "0123456789") == "" }

// argument is $NAME, ${NAME}, ${NAME:-word} or ${NAME:+word}.
var argument = regexp.MustCompile(`\$(?:([a-zA-Z_][a-zA-Z0-9_]*)|\{([a-zA-Z_][a-zA-Z0-9_]*)(?::([-+])([^}]*))?\})`)

func expandArgs(word string, values map[string]string) string {
	return argument.ReplaceAllStringFunc(word, func(match string) string {
		m := argument.FindStringSubmatch(match)
		value := values[m[1]+m[2]]
		switch {
		case m[3] == "-" && value == "", m[3] == "+" && value != "":
			return m[4]
		case m[3] == "+":
			return ""
		}
		return value
	})
}

// Replace puts other images in the place of some of d.Bases, by their index, and returns the Dockerfile's text. Lines
// keep their numbers, so that the builder's messages still fit what the author wrote.
func (d File) Replace(by map[int]string) string {
	lines := append([]string(nil), d.lines...)
	for i, base := range slices.Backward(d.Bases) { // on one line, what is replaced first moves nothing else
		if image, ok := by[i]; ok {
			line, at := d.find(base)
			end := at + len(base.flag) + len(base.word)
			lines[line] = lines[line][:at] + base.flag + image + lines[line][end:]
		}
	}
	return strings.Join(lines, "")
}

// WithoutSyntax replaces bases, and leaves the usual # syntax= out. Above another escape it has to stay.
func (d File) WithoutSyntax(by map[int]string) string {
	if d.Syntax > 0 && d.escape == '\\' {
		d.lines = slices.Clone(d.lines)
		d.lines[d.Syntax-1] = "\n"
	}
	return d.Replace(by)
}

// find returns the line on which the name of an image stands, and where; the line is -1 if there is none.
func (d File) find(base Base) (line, at int) {
	skip, nth := 1, base.nth // the name of the instruction, which an image may have too
	for line = base.First; line < base.end; line++ {
		text := d.lines[line]
		if strings.HasPrefix(strings.TrimSpace(text), "#") {
			continue
		}
		for _, word := range wordsOf(text) {
			if skip > 0 {
				skip--
			} else if text[word[0]:word[1]] == base.flag+base.word+base.rest {
				if nth--; nth < 0 {
					return line, word[0]
				}
			}
		}
	}
	return -1, 0
}

// wordsOf returns where the words of a line begin and end. A character at its end that makes it go on is no part of
// a word.
func wordsOf(line string) [][]int {
	return word.FindAllStringIndex(strings.TrimRight(line, " \t\r\n\\`"), -1)
}

var word = regexp.MustCompile(`\S+`)
