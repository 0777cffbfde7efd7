package files

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName bounds the name of a file or a folder that somebody chooses, in bytes: file systems take 255, and names are
// put together.
const MaxName = 200

// IsName says that a text can be the name of a single file or folder wherever it is needed: on any system, in an
// address and in a shell. It leads nowhere else, is not hidden, and all of it can be seen.
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
