package loadgen

import "bytes"

// IsToken reports whether s can be a method or the name of a header (RFC 9110, 5.6.2).
func IsToken[T string | []byte](s T) bool {
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && !isMark(c) {
			return false
		}
	}
	return len(s) > 0
}

// isMark reports whether c is one of !#$%&'*+-.^_`|~, by its bit among those of 64 characters.
func isMark(c byte) bool {
	const low = 1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' | 1<<'-' | 1<<'.'
	const high = 1<<('^'-64) | 1<<('_'-64) | 1<<('`'-64) | 1<<('|'-64) | 1<<('~'-64)
	return c < 64 && uint64(low)>>c&1 == 1 || c >= 64 && c < 128 && uint64(high)>>(c-64)&1 == 1
}

// isDigit reports whether c is one of 0 to 9.
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsValue reports whether s can be the value of a header (RFC 9110, 5.5).
func IsValue[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// CutField splits the line of a header into its name and its value, without the space around that. It is not ok if
// there is no name.
func CutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	return name, bytes.Trim(value, " \t"), ok && IsToken(name)
}
