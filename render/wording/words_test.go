package wording

import "testing"

func TestBy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{nil, "Latency"}, // one cell has no axis
		{[]string{"server"}, "Latency by server"},
		{[]string{"server", "clients"}, "Latency by server and clients"},
	} {
		if got := By("Latency", tt.words); got != tt.want {
			t.Errorf("by %q: %q, want %q", tt.words, got, tt.want)
		}
	}
}
