package method

import (
	"testing"

	"benchbook/internal/test/assert"
)

// Facts that all experiments share are stated once, and so are CPUs that most share.
func TestShareFacts(t *testing.T) {
	host, own := factView{"Host", []string{"c2"}}, factView{cpus, []string{"load 1"}}
	most := factView{cpus, []string{"services 0, load 1"}}
	view := func(facts ...factView) experimentView {
		return experimentView{Facts: append([]factView{host}, facts...)}
	}
	for _, tt := range []struct {
		name        string
		experiments []experimentView
		shared      []factView
		left        []int // facts of each experiment
	}{
		{"one", []experimentView{view(most)}, nil, []int{2}},
		{"alike", []experimentView{view(most), view(most)}, []factView{host, most}, []int{0, 0}},
		{"most", []experimentView{view(own), view(most), view(most)},
			[]factView{host, {cpus, []string{"services 0, load 1", "unless an experiment says otherwise"}}}, []int{1, 0, 0}},
		{"half", []experimentView{view(own), view(most)}, []factView{host}, []int{1, 1}},
	} {
		v := View{Experiments: tt.experiments}
		v.shareFacts()
		var left []int
		for _, e := range v.Experiments {
			left = append(left, len(e.Facts))
		}
		assert.Deep(t, v.Facts, tt.shared, tt.name)
		assert.Slice(t, left, tt.left, tt.name)
	}
}
