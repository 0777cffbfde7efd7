package docker

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// dockerfile is as much of a Dockerfile as decides which images it is built from.
type dockerfile struct {
	lines []string // as they stand, with their ends
	steps []int    // the line at which each instruction begins, counted from 1
	bases []from
}

// from is an image outside the Dockerfile that one of its instructions names.
type from struct {
	reference  string // with arguments expanded
	platform   string // as --platform asks, or empty
	first, end int    // the lines of the instruction
	flag, word string // how the reference stands there: a flag such as "--from=", if any, and itself, unexpanded
}

// problem is a mistake in a Dockerfile, at a line counted from 1.
type problem struct {
	line    int
	message string
}

func (p *problem) Error() string { return fmt.Sprintf("Dockerfile line %d: %s", p.line, p.message) }

// directive is a parser directive, which can only stand above everything else.
var directive = regexp.MustCompile(`^#\s*(?i:(escape|syntax|check))\s*=\s*(.+?)\s*$`)

// parseDockerfile finds the images that a Dockerfile is built from, as far as the stage target (empty: the last),
// with the given build arguments. Stages that refer to earlier ones, and scratch, are none. Instructions it need not
// understand are left to the builder. The error is a *problem.
//
// Source: Dockerfile reference, "Format", "FROM", "ARG", "COPY --from"; what belongs to BuildKit, which is not used, is refused.
func parseDockerfile(text string, args map[string]string, target string) (dockerfile, error) {
	d := dockerfile{lines: strings.SplitAfter(strings.TrimPrefix(text, "\ufeff"), "\n")}
	escape := byte('\\')
	for i, line := range d.lines {
		m := directive.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			break
		}
		if strings.EqualFold(m[1], "syntax") && !usualSyntax.MatchString(m[2]) {
			return d, &problem{i + 1, fmt.Sprintf("# syntax=%s needs BuildKit, and images are built by the engine's classic builder: "+
				"write it as a Dockerfile, without this line", m[2])}
		}
		if strings.EqualFold(m[1], "escape") {
			if m[2] != "`" && m[2] != "\\" {
				return d, &problem{i + 1, fmt.Sprintf("escape is %q, but can only be ` or \\", m[2])}
			}
			escape = m[2][0]
		}
	}
	defaults := make(map[string]string) // of arguments declared before the first FROM, the only ones that FROM sees
	stages := make(map[string]bool)
	stage := -1
	for i := 0; i < len(d.lines); {
		first := i
		words := strings.Fields(d.instruction(&i, escape))
		if len(words) == 0 {
			continue
		}
		d.steps = append(d.steps, first+1)
		fail := func(format string, a ...any) (dockerfile, error) {
			return d, &problem{first + 1, fmt.Sprintf(format, a...)}
		}
		flags, rest := splitFlags(words[1:])
		if what, instead := d.needsBuildKit(words, flags, i); what != "" {
			return fail("%s needs BuildKit, and images are built by the engine's classic builder: %s", what, instead)
		}
		expand := func(word string) string { return expandArgs(unquote(word), defaults) }
		found := from{first: first, end: i}
		switch strings.ToUpper(words[0]) {
		case "ARG":
			if stage >= 0 {
				continue
			}
			for _, word := range rest {
				name, value, _ := strings.Cut(word, "=")
				defaults[name] = expand(value)
				if given, ok := args[name]; ok {
					defaults[name] = given
				}
			}
			continue
		case "FROM":
			if stage >= 0 && isTarget(target, stage, stages) {
				return d, nil
			}
			stage++
			if len(rest) != 1 && (len(rest) != 3 || !strings.EqualFold(rest[1], "AS")) {
				return fail("FROM wants an image, and AS NAME or nothing after it")
			}
			found.word, found.reference, found.platform = rest[0], expand(rest[0]), expand(flags["platform"])
			if found.reference == "" {
				return fail("FROM %s names no image: give its argument a value, by ARG above it or in args", rest[0])
			}
			earlier := stages[strings.ToLower(found.reference)]
			if len(rest) == 3 {
				stages[strings.ToLower(rest[2])] = true
			}
			if earlier || found.reference == "scratch" {
				continue
			}
		case "COPY":
			found.flag, found.word = "--from=", flags["from"]
			found.reference = unquote(found.word)
			if found.word == "" || stages[strings.ToLower(found.word)] || isNumber(found.word) {
				continue
			}
		default:
			continue
		}
		if strings.ContainsAny(found.reference, " \t\"'$") {
			return fail("%q is not a reference of an image", found.reference)
		}
		if line, _ := d.find(found); line < 0 {
			return fail("the name of an image must stand on one line")
		}
		d.bases = append(d.bases, found)
	}
	if stage < 0 {
		return d, &problem{1, "there is no FROM"}
	}
	return d, nil
}

// usualSyntax is what # syntax= says of a Dockerfile that the classic builder reads as well, as far as it has nothing new.
var usualSyntax = regexp.MustCompile(`^(docker\.io/)?docker/dockerfile(:|@|$)`)

// heredoc is the beginning of one, with the word that ends it.
var heredoc = regexp.MustCompile(`^<<-?["']?([A-Za-z_][A-Za-z0-9_]*)["']?$`)

// buildKitFlags are those of instructions that the classic builder does not have, with what to do instead.
var buildKitFlags = map[string]map[string]string{
	"RUN":  {"mount": "COPY what it mounts; without a cache it only takes longer", "network": "leave it out", "security": "leave it out"},
	"COPY": {"link": "leave it out", "parents": "COPY folder by folder", "exclude": "name the files in .dockerignore", "chmod": "leave it out, and RUN chmod"},
	"ADD":  {"link": "leave it out", "checksum": "leave it out, and RUN sha256sum -c", "keep-git-dir": "leave it out", "exclude": "name the files in .dockerignore", "chmod": "leave it out, and RUN chmod"},
}

// needsBuildKit says what of an instruction the classic builder does not have, and what to do instead; nothing of one that it can do. Next
// is the line behind the instruction.
//
// Source: Dockerfile reference, "Here-Documents", "RUN --mount", "COPY --link".
func (d dockerfile) needsBuildKit(words []string, flags map[string]string, next int) (what, instead string) {
	name := strings.ToUpper(words[0])
	known, ok := buildKitFlags[name]
	if !ok {
		return "", ""
	}
	for _, flag := range slices.Sorted(maps.Keys(flags)) {
		if instead, ok := known[flag]; ok {
			return name + " --" + flag, instead
		}
	}
	for _, word := range words[1:] {
		m := heredoc.FindStringSubmatch(word)
		if m != nil && slices.ContainsFunc(d.lines[next:], func(line string) bool { return strings.TrimSpace(line) == m[1] }) {
			return "the heredoc " + word, "write a file beside the Dockerfile and COPY it, or join the lines with && and \\"
		}
	}
	return "", ""
}

// instruction joins the lines of the instruction that begins at line *i, without comments, and moves *i past them.
func (d dockerfile) instruction(i *int, escape byte) string {
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
		if trimmed[len(trimmed)-1] != escape || strings.HasSuffix(trimmed, string([]byte{escape, escape})) {
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

// isTarget says whether the stage just read is the last that is to be built.
func isTarget(target string, stage int, stages map[string]bool) bool {
	return target != "" && (stages[strings.ToLower(target)] || target == fmt.Sprint(stage))
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

// replace puts other images in the place of some of d.bases, by their index, and returns the Dockerfile's text. Lines
// keep their numbers, so that the builder's messages still fit what the author wrote.
func (d dockerfile) replace(by map[int]string) string {
	lines := append([]string(nil), d.lines...)
	for i, base := range d.bases {
		if image, ok := by[i]; ok {
			line, at := d.find(base)
			end := at + len(base.flag) + len(base.word)
			lines[line] = lines[line][:at] + base.flag + image + lines[line][end:]
		}
	}
	return strings.Join(lines, "")
}

// find returns the line on which the name of an image stands, and where; the line is -1 if there is none.
func (d dockerfile) find(base from) (line, at int) {
	skip := 1 // the name of the instruction, which an image may have too
	for line = base.first; line < base.end; line++ {
		text := d.lines[line]
		if strings.HasPrefix(strings.TrimSpace(text), "#") {
			continue
		}
		for _, word := range wordsOf(text) {
			if skip > 0 {
				skip--
			} else if text[word[0]:word[1]] == base.flag+base.word {
				return line, word[0]
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
