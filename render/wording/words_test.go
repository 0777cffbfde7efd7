package wording

import (
	"testing"
	"time"
)

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

func TestLasting(t *testing.T) {
	for _, test := range []struct {
		d     time.Duration
		words string
	}{
		{0, "0\u00a0s"},
		{48 * time.Second, "48\u00a0s"},
		{90 * time.Second, "2\u00a0min"},
		{time.Hour, "1\u00a0h"},
		{4*time.Hour + 10*time.Minute, "4\u00a0h\u00a010\u00a0min"},
		{time.Hour - time.Second, "60\u00a0min"},
	} {
		if got := Lasting(test.d); got != test.words {
			t.Errorf("Lasting(%v) = %q, want %q", test.d, got, test.words)
		}
	}
}
