package files

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name of a file or folder, in bytes. File systems take 255, and names get suffixes.
const MaxName = 200

// IsWord reports whether a text can name an experiment, a claim, a service, a parameter or a part of a metric. Such words
// become names of files, and parts of expressions and addresses.
func IsWord(s string) bool {
	for i, r := range s {
		inside := unicode.In(r, unicode.Nd, unicode.M) || r == '-' || r == '_' // marks belong to letters in many scripts
		if !unicode.IsLetter(r) && (i == 0 || !inside) {
			return false
		}
	}
	return s != "" && len(s) <= MaxName && !strings.HasSuffix(s, "-")
}

// IsName reports whether a text can name a single file or folder on any system, in a URL and in a shell: it has no
// separators, is not hidden, and all its characters are visible.
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
