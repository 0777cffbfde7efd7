package expr

import (
	"slices"
	"testing"
)

func TestNear(t *testing.T) {
	for _, test := range []struct {
		name, word string
		candidates []string
		want       []string
	}{
		{"a letter less", "conections", []string{"connections", "duration"}, []string{"connections"}},
		{"equally near", "fig-b", []string{"fig-a", "fig-c"}, []string{"fig-a", "fig-c"}},
		{"a hyphen for an underline, and a plural", "mem-limits", []string{"mem_limit", "cpus"}, []string{"mem_limit"}},
		{"another case", "MS", []string{"ms", "m"}, []string{"ms"}},
		{"one letter is no other", "r", []string{"a", "p"}, nil},
		{"one letter in another case", "A", []string{"a", "b"}, []string{"a"}},
		{"the word itself", "a", []string{"a"}, nil},
		{"nothing like it", "zebra", []string{"throughput"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Near(test.word, test.candidates); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
