package render_test

import (
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/render"
	"benchbook/render/rendertest"
)

// A ratio in the text has the interval by which a claim about it is judged, also where it is turned round and where no
// claim is about it.
func TestValuesAsJudged(t *testing.T) {
	for _, tt := range []struct{ name, claim, value, want string }{
		{"turned round", `throughput{server="a"} < throughput{server="b"}`,
			`throughput{server="b"} / throughput{server="a"}`, "1.12 to 1.28, 95 % interval of 3 repetitions; widened"},
		{"of a part of one", `throughput{server="b"} > throughput{server="a"} and throughput{server="b"} > 1/s`,
			`ratio(throughput{server="b"}, throughput{server="a"})`,
			"1.12 to 1.28, 95 % interval of 3 repetitions; widened"},
		{"without a claim", `throughput{server="b"} > throughput{server="a"}`,
			`ratio(latency.p50{server="b"}, latency.p50{server="a"})`, "95 % interval of 3 repetitions; widened by the noise floor of 2.6 %"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := rendertest.New(t, "sample", []byte("---\ntitle: Sample\n---\n\n"+
				strings.Replace(experiment, "calibrate: false", "", 1)+"```yaml claim\n{name: c, expect: '"+tt.claim+"'}\n```\n\n"+
				"It is `{value} "+tt.value+"`.\n"))
			b.Measure("full", "servers", "a", []float64{500, 490, 510})
			b.Measure("full", "servers", "again", []float64{530, 519, 541})
			b.Measure("full", "servers", "b", []float64{600, 590, 610})
			page := must.Get(newRenderer(t).Page(b.Dataset(), render.Options{}))
			_, tooltip, _ := strings.Cut(wordsOf(string(page.HTML)), "It is ")
			tooltip, _, _ = strings.Cut(tooltip, "How this was measured")
			if !strings.Contains(tooltip, tt.want) {
				t.Errorf("the value says %q, want %q", tooltip, tt.want)
			}
		})
	}
}
