package source

import (
	"testing"
)

func TestPlain(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"text", "prøve: 1\tms …\r\n日本", "prøve: 1\tms …\r\n日本"},
		{"text from right to left", "שלום עולם, مرحبا\u200f!\u200e", "שלום עולם, مرحبا\u200f!\u200e"},
		{"joined emoji", "\U0001F469\u200d\U0001F4BB\u2060", "\U0001F469\u200d\U0001F4BB\u2060"},
		{"a colour", "\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{"control characters", "a\x00b\x08c\x7fd\u0080e\u009bf\u009f", `a\u0000b\u0008c\u007fd\u0080e\u009bf\u009f`},
		{"an override", "a\u202egnp.exe", `a\u202egnp.exe`},
		{"embeddings and isolates", "\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069",
			`\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069`},
		{"neighbours of them", "\u2029\u202f\u2065\u206a\u00a0", "\u2029\u202f\u2065\u206a\u00a0"},
		{"no UTF-8", "a\xffb\xc2\xe2\x80", "a\xffb\xc2\xe2\x80"},
	} {
		if got := Plain(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if got := string(PlainBytes([]byte(tt.text))); got != tt.want {
			t.Errorf("%s, as bytes: %q, want %q", tt.name, got, tt.want)
		}
	}
}
