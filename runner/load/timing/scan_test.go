package timing

import (
	"iter"
	"slices"
	"strings"
	"testing"
)

func scanned(contains string, pieces iter.Seq[[]byte]) *scanner {
	s := newScanner(contains)
	for p := range pieces {
		s.write(p)
	}
	s.end()
	return s
}

func TestScan(t *testing.T) {
	const metric = `{"metric": "x", "value": 1}`
	object := func(n int) string { return `{"metric": "x", "more": "` + strings.Repeat("y", n) + `"}` }
	tests := []struct {
		name, output string
		metrics      []string
		lost         string
	}{
		{"nothing", "", nil, ""},
		{"a metric", metric + "\n", []string{metric}, ""},
		{"the last line without an end", "a\n" + metric, []string{metric}, ""},
		{"among other lines", "a\n\n  \t" + metric + "\r\nb " + metric + "\n", []string{metric + "\r"}, ""},
		{"JSON of another kind", "{\"level\": \"info\"}\n{not json\n", nil, ""},
		{"a long line of another kind", strings.Repeat("x", maxLine) + metric + "\n" + `{"a": "` + strings.Repeat("y",
			2*maxLine) + "\"}\n" + metric,
			[]string{metric}, ""},
		{"as long as may be", object(maxLine - len(object(0))), []string{object(maxLine - len(object(0)))}, ""},
		{"too long", object(maxLine-len(object(0))+1) + "\n" + metric, []string{metric},
			"a line of more than 64 KiB that begins like a metric"},
		{"too many", strings.Repeat(metric+"\n", maxMetrics/len(metric)+1), slices.Repeat([]string{metric},
			maxMetrics/len(metric)),
			"more than 1 MiB of metrics"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{1 << 30, 4096, 1} {
				s := scanned("", slices.Chunk([]byte(test.output), size))
				if !slices.Equal(s.metrics, test.metrics) || s.lost != test.lost {
					t.Errorf("in pieces of %d: %d metrics, lost %q; want %d, %q", size, len(s.metrics), s.lost, len(test.metrics),
						test.lost)
				}
			}
		})
	}
}
