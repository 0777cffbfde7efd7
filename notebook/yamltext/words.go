package yamltext

import (
	"regexp"
	"strings"
)

var (
	// simpleKey is what keys of ours look like.
	simpleKey = regexp.MustCompile(`^[\pL_][\pL\d_.-]*$`)
	// gluedKey is a key whose colon has no space behind it.
	GluedKey = regexp.MustCompile(`^([\pL_][\pL\d_.-]*):([^\s/:\\].*)$`)
)

// closing gives the end of the quoted scalar that begins at p, behind its quote, or -1, and the first backslash that
// begins no escape, or 0.
func closing(text string, p int) (end, escape int) {
	quote := text[p]
	for i := p + 1; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			if _, _, ok := unescape(text[i:]); !ok && escape == 0 {
				escape = i
			}
			i++
		case quote == '\'' && strings.HasPrefix(text[i:], "''"):
			i++
		case text[i] == quote:
			return i + 1, escape
		}
	}
	return -1, escape
}

// maxReach bounds how much of a line is looked at for the end of a value.
const maxReach = 2000

// reach is how much of a line belongs to the value it begins with. Where brackets or quotes in it do not come in
// pairs, they are taken for letters.
func reach(line string, key bool) int {
	line = line[:min(len(line), maxReach)]
	end := 0
	for _, pairs := range []string{"()[]{}\"'", "[]{}\"'", "[]{}", ""} {
		var ok bool
		if end, ok = reachWith(pairs, line, key); ok {
			break
		}
	}
	return len(strings.TrimRight(line[:end], " \t\r"))
}

func reachWith(pairs, line string, key bool) (end int, ok bool) {
	depth := 0
	var quote byte
	for i := range len(line) {
		c := line[i]
		paired := strings.IndexByte(pairs, c) >= 0
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case paired && opensQuote(line, i):
			quote = c
		case paired && strings.IndexByte("([{", c) >= 0:
			depth++
		case paired && depth > 0 && strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth > 0:
		case endsValue(line[i:], key):
			return i, true
		}
	}
	return len(line), depth == 0 && quote == 0
}

// opensQuote says that a quote at i does not stand in a word.
func opensQuote(line string, i int) bool {
	return (line[i] == '"' || line[i] == '\'') && (i == 0 || !isWord(line[i-1]))
}

// endsValue says that a value inside brackets, or a key, does not go on with rest.
func endsValue(rest string, key bool) bool {
	return strings.IndexByte(",]}", rest[0]) >= 0 || key && rest[0] == ':' && (len(rest) == 1 || isSpace(rest[1]))
}

// closingBracket is the length of the brackets that a line begins with, or -1 if they are not closed in it.
func closingBracket(line string) int {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"', '\'':
			end, _ := closing(line, i)
			if end < 0 {
				return -1
			}
			i = end - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
