package files

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name of a file or folder, in bytes. File systems take 255, and names get suffixes.
const MaxName = 200

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
