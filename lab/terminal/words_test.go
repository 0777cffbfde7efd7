package terminal

import (
	"testing"
	"time"

	"benchbook/internal/test/assert"
)

func TestClock(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"}, {400 * time.Millisecond, "0s"}, {90 * time.Second, "1m 30s"}, {time.Hour + 5*time.Second, "1h 0m 5s"},
		{49*time.Hour + 59*time.Second + 600*time.Millisecond, "2d 1h 1m 0s"},
	} {
		assert.Equal(t, Clock(tt.d), tt.want, "%v", tt.d)
	}
}
