package article

import (
	"html"
	"regexp"
	"strings"
)

// meansCharacter is a backslash before punctuation, or a reference to a character: what stands for one character in Markdown.
var meansCharacter = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")

// Resolve is a destination, a title or a piece of text as Markdown means it: with the characters that escapes and references stand for.
// The library leaves them in its tree as they were written.
//
// Source: CommonMark 0.31, sections 2.4 and 2.5.
func Resolve(written []byte) string {
	return meansCharacter.ReplaceAllStringFunc(string(written), func(s string) string {
		if s[0] == '\\' {
			return s[1:]
		}
		c := html.UnescapeString(s)
		if strings.HasSuffix(c, ";") && s != "&semi;" {
			return s // there is no such name, or it only begins with one
		}
		return strings.ReplaceAll(c, "\x00", "\uFFFD")
	})
}
