package loadtool

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
)

// A percentile comes into the output, in whichever way it is written, or there is none.
func TestLosesNoPercentile(t *testing.T) {
	for _, tt := range []struct {
		file, old, new string
		want           string // the metric that is read; empty where there is no output
	}{
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99.9% in 0.0048 secs", ""},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99 % in 0.0048 secs", ""},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99% in 4.8 ms", ""},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99% in 0,0048 secs", ""},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99%%% in 0.0048 secs", ""},
		{"hey/plain.txt", "  99% in 0.0048 secs", "  99%% in 0.0048 secs", "latency.p99"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  1,178.65ms", ""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  1.8e+02ms", ""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%  178.65 ms", ""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%: 178.65ms", ""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99%   178.65\u00b5s", ""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99,9%  178.65ms", ""},
		{"wrk/plain.txt", "     99%  178.65ms", "     99.0%  178.65ms", "latency.p99"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99.9900%  178.65ms", "latency.p99.99"},
		{"wrk/plain.txt", "     99%  178.65ms", "     99.9999999%  178.65ms", ""},
		{"wrk/plain.txt", "     50%   79.00us", "     50%    0.00us", "latency.p50"},
		{"wrk/seconds.txt", "     99%    1.36s", "     99%    1.36m", ""}, // which is above the longest
		{"ab/plain.txt", "  99%  ", "  99.9%  ", "latency.p99.9"},
		{"ab/plain.txt", "  99%  ", "  99,9%  ", ""},
		{"k6/script.json", `"p(99.9)"`, `"p(99.95)"`, "latency.p99.95"},
		{"vegeta/plain.json", `"99th"`, `"99.9th"`, ""},
		{"oha/plain.json", `"p99.9"`, `"p(99.9)"`, ""},
		{"fortio/plain.json", `"Percentile": 99.9,`, `"Percentile": 99.99,`, "latency.p99.99"},
	} {
		tool, _ := Find(filepath.Dir(tt.file))
		data := printed(t, filepath.Join("testdata", tt.file))
		if !bytes.Contains(data, []byte(tt.old)) {
			t.Errorf("%s has no %q", tt.file, tt.old)
			continue
		}
		o, err := tool.Parse(bytes.ReplaceAll(data, []byte(tt.old), []byte(tt.new)))
		switch {
		case tt.want == "" && !errors.Is(err, ErrNoSamples):
			t.Errorf("%s with %q: %s", tt.file, tt.new, words(o, err))
		case tt.want != "" && err != nil:
			t.Errorf("%s with %q: %v", tt.file, tt.new, err)
		case tt.want != "":
			if _, ok := o.sample(tt.want); !ok {
				t.Errorf("%s with %q has no %s:\n%s", tt.file, tt.new, tt.want, words(o, nil))
			}
		}
	}
}
