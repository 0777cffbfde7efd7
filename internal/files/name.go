package files

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the greatest length of a file or folder name, in bytes. File systems allow 255, but names get suffixes.
const MaxName = 200

// IsWord reports whether a text can name an experiment, claim, service, parameter or part of a metric. Such words
// appear in file names, expressions and URLs.
func IsWord(s string) bool {
	for i, r := range s {
		inside := unicode.In(r, unicode.Nd, unicode.M) || r == '-' || r == '_' // in many scripts, marks are part of letters
		if !unicode.IsLetter(r) && (i == 0 || !inside) {
			return false
		}
	}
	return s != "" && len(s) <= MaxName && !strings.HasSuffix(s, "-")
}

// IsName reports whether a text can name a file or folder on any system, in a URL and in a shell: it has no separators
// or invisible characters, and is not hidden.
func IsName(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	if len(s) > MaxName || !utf8.ValidString(s) || !unicode.IsLetter(first) && !unicode.IsDigit(first) && first != '_' ||
		last == '.' || last == ' ' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return strings.ContainsRune(`/\:*?"<>|#{}`+"`", r) || r != ' ' && (unicode.IsSpace(r) || !unicode.IsGraphic(r))
	})
}
