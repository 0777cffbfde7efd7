package measure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/plan"
	"benchbook/notebook/recordtest"
)

// A question joins headline claims that share trials, with all trials that these need.
func TestQuestionsOf(t *testing.T) {
	experiment := func(name, more string) string {
		return recordtest.Fence("experiment", "name: "+name+`
services: {server: {build: ., expose: ["8080"]}}
matrix: {server: [a, b, c]}
repetitions: 3
`+more)
	}
	const load = `load: {target: "http://server:8080/", connections: 10}`
	for _, tt := range []struct {
		name, text string
		want       []string // claims and trials of each question
	}{
		{"no headlines", recordtest.Servers + "\n" + load, nil},
		{"alone", `- {name: x, headline: true, expect: 'throughput{experiment="one", server="a"} > 1/s'}`,
			[]string{"x: one a"}},
		{"apart", `- {name: x, headline: true, expect: 'throughput{experiment="one", server="a"} > 1/s'}
- {name: y, headline: true, expect: 'throughput{experiment="one", server="b"} > 1/s'}
- {name: z, expect: 'throughput{experiment="one", server="c"} > 1/s'}`, []string{"x: one a", "y: one b"}},
		{"joined by a third", `- {name: x, headline: true, expect: 'throughput{experiment="one", server="a"} > 1/s'}
- {name: y, headline: true, expect: 'throughput{experiment="one", server="b"} > 1/s'}
- {name: z, headline: true, expect: 'throughput{experiment="one", server="a"} > throughput{experiment="one", server="b"}'}`,
			[]string{"x y z: one a, one b"}},
		{"with a pair", `- {name: x, headline: true, expect: 'throughput{experiment="paired", server="b"} > 1/s'}`,
			[]string{"x: paired a, paired a again, paired b"}},
		{"with a rate", `- {name: x, headline: true, expect: 'latency.p50{experiment="open", server="b"} < 1s'}`,
			[]string{"x: one a, one b, one c, open b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := recordtest.FrontMatter + recordtest.Dockerfile + experiment("one", load+"\ncalibrate: false") +
				experiment("paired", load+"\ncalibrate: true") +
				experiment("open", `load: {target: "http://server:8080/", rate: {share: 50%, of: one}, duration: 10s}`+"\ncalibrate: false")
			if strings.HasPrefix(tt.text, "- ") {
				text += recordtest.Fence("claim", tt.text)
			}
			f := recordtest.New(t, text)
			p := must.Get(f.Plan(plan.Full))
			var got []string
			for _, q := range questionsOf(&lab.Article{Slug: "sample", Doc: f.Doc}, p) {
				var claims, trials []string
				for _, c := range q.claims {
					claims = append(claims, c.Name.Value)
				}
				for _, e := range p.Experiments {
					for _, t := range e.Trials {
						if q.trials[t] {
							trials = append(trials, fmt.Sprint(e.Name, " ", t.Name))
						}
					}
				}
				slices.Sort(trials)
				got = append(got, strings.Join(claims, " ")+": "+strings.Join(trials, ", "))
			}
			assert.Slice(t, got, tt.want, "questions")
		})
	}
}
