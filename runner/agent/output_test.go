package agent

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/must"
)

// Metrics are found in an output, however it is cut into pieces.
func TestOutput(t *testing.T) {
	const metric = `{"metric": "x", "value": 1}`
	object := func(n int) string { return `{"metric": "x", "more": "` + strings.Repeat("y", n) + `"}` }
	longest := object(maxLine - len(object(0)))
	many := maxMetrics / len(metric)
	for _, tt := range []struct {
		name, output string
		metrics      []string
		lost         string
	}{
		{"nothing", "", nil, ""},
		{"a metric", metric + "\n", []string{metric}, ""},
		{"the last line without an end", "a\n" + metric, []string{metric}, ""},
		{"among other lines", "a\n\n  \t" + metric + "\r\nb " + metric + "\n", []string{metric + "\r"}, ""},
		{"JSON of another kind", "{\"level\": \"info\"}\n{not json\n", nil, ""},
		{"long lines of another kind", strings.Repeat("x", maxLine) + metric + "\n" + `{"a": "` + strings.Repeat("y", 2*maxLine) +
			"\"}\n" + metric, []string{metric}, ""},
		{"the longest metric", longest, []string{longest}, ""},
		{"a metric too long", object(maxLine-len(object(0))+1) + "\n" + metric, []string{metric},
			"a line of more than 64 KiB that begins like a metric"},
		{"the longest metric behind spaces", "  " + longest, []string{longest}, ""},
		{"a metric too long behind spaces", "  " + object(maxLine-len(object(0))+1), nil,
			"a line of more than 64 KiB that begins like a metric"},
		{"too many metrics", strings.Repeat(metric+"\n", many+1), slices.Repeat([]string{metric}, many),
			"more than 1 MiB of metrics"},
	} {
		for _, size := range []int{1 << 30, 4096, 3, 2, 1} {
			scan := &scanner{}
			for p := range slices.Chunk([]byte(tt.output), size) {
				must.Get(scan.Write(p))
			}
			scan.endLine()
			if !slices.Equal(scan.metrics, tt.metrics) || scan.lost != tt.lost {
				t.Errorf("%s in pieces of %d: got %d metrics, lost %q; want %d, %q", tt.name, size, len(scan.metrics), scan.lost,
					len(tt.metrics), tt.lost)
			}
		}
	}
}

// Short lines are read about as fast as one long line: a program that prints them waits for us.
func TestShortLines(t *testing.T) {
	const size = 4 << 20
	fastest := func(text []byte) time.Duration {
		best := time.Hour
		for range 10 {
			begin := time.Now()
			_, _ = new(scanner).Write(text) // cannot fail
			best = min(best, time.Since(begin))
		}
		return best
	}
	long, short := fastest(bytes.Repeat([]byte("yy"), size/2)), fastest(bytes.Repeat([]byte("y\n"), size/2))
	if short > 20*long {
		t.Errorf("short lines took %v, a long one %v", short, long)
	}
}
