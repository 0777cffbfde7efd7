package images

import (
	"slices"
	"testing"
)

func TestCommandsIn(t *testing.T) {
	for _, tt := range []struct {
		script string
		want   []string
	}{
		{"rg -c x /data | sort", []string{"rg", "sort"}},
		{"A=1 exec env B=2 nice tool --flag", []string{"exec", "env", "nice", "tool"}},
		{"if test -f x; then ./run 'a; b'; else \"$X\" y; fi", []string{"if", "test", "then", "./run", "else", "fi"}},
		{"x=$(date +%s); echo $x", []string{"date", "+", "echo"}[:1]},
	} {
		got := commandsIn(tt.script)
		for _, want := range tt.want {
			if !slices.Contains(got, want) {
				t.Errorf("commandsIn(%q) = %q, want %q in it", tt.script, got, want)
			}
		}
		for _, word := range []string{"a", "b", "-c", "-f", "x", "y", "--flag", "B=2"} {
			if slices.Contains(got, word) {
				t.Errorf("commandsIn(%q) has %q", tt.script, word)
			}
		}
	}
}
