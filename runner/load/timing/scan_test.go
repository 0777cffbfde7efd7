package timing

import (
	"bytes"
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

// However output comes in pieces, what is found in it is the same as in the whole.
func FuzzScan(f *testing.F) {
	f.Add([]byte("hello {\"metric\"}\n {\"metric\": 1}\nworld"), "world", 3, 5)
	f.Add([]byte("aaaaab"), "aab", 1, 1)
	f.Add([]byte("ab"), "", 0, 2)
	f.Fuzz(func(t *testing.T, output []byte, contains string, a, b int) {
		a = min(max(a, 0), len(output))
		b = min(max(b, a), len(output))
		whole, parts := scanned(contains, slices.Values([][]byte{output})),
			scanned(contains, slices.Values([][]byte{output[:a], output[a:b], output[b:]}))
		if want := bytes.Contains(output, []byte(contains)); whole.contains.Found() != want ||
			parts.contains.Found() != want {
			t.Errorf("%q in %q: %v, in parts %v", contains, output, whole.contains.Found(), parts.contains.Found())
		}
		if !slices.Equal(whole.metrics, parts.metrics) || whole.lost != parts.lost {
			t.Errorf("%q and in parts %q", whole.metrics, parts.metrics)
		}
	})
}

func FuzzTail(f *testing.F) {
	f.Add(10, 70000, 3)
	f.Fuzz(func(t *testing.T, a, b, c int) {
		var all bytes.Buffer
		last := tail{limit: maxStderr}
		for i, n := range []int{a, b, c} {
			p := bytes.Repeat([]byte{byte('a' + i)}, min(max(n, 0), 1<<18))
			all.Write(p)
			last.write(p)
		}
		if want := all.String()[max(0, all.Len()-maxStderr):]; last.String() != want {
			t.Errorf("%d bytes, want %d", len(last.String()), len(want))
		}
	})
}
