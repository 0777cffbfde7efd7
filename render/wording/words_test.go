package wording

import (
	"testing"
	"time"

	"benchbook/internal/test/assert"
)

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
		{time.Hour - 40*time.Second, "59\u00a0min"},
		{time.Hour - time.Second, "1\u00a0h"},
	} {
		assert.Equal(t, Lasting(test.d), test.words, "Lasting(%v)", test.d)
	}
}
