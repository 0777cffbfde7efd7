package terminal

import (
	"bytes"
	"testing"
)

func TestPlain(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"text", "prøve: 1\tms …\n", "prøve: 1\tms …\n"},
		{"colours", "\x1b[1;31mred\x1b[0m\n", "red\n"},
		{"a window's name", "a\x1b]0;owned\x07b\x1b]0;c\x1b\\d\n", "abd\n"},
		{"single characters", "a\rb\x08c\x00d\x7fe\u009bf\x1bg\n", "abcdefg\n"},
		{"no text", "a\xffb\n", "a?b\n"},
		{"what turns text", "a\u202egnp.exe\u2066b\u061c\n", `a\u202egnp.exe\u2066b\u061c` + "\n"},
	} {
		var out bytes.Buffer
		if n, err := (Plain{&out}).Write([]byte(tt.text)); n != len(tt.text) || err != nil || out.String() != tt.want {
			t.Errorf("%s: %q, %d, %v, want %q", tt.name, out.String(), n, err, tt.want)
		}
	}
}
