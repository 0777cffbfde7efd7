package article

import (
	"slices"
	"testing"

	"benchbook/notebook/source"
)

func TestRepetitions(t *testing.T) {
	for _, tt := range []struct {
		written string
		looks   []int
		fixed   bool
		problem string
	}{
		{"5", []int{5}, true, ""},
		{"up to 20", []int{3, 5, 10, 20}, false, ""},
		{"up to 7", []int{3, 5, 7}, false, ""},
		{"up to 2", []int{2}, false, ""},
		{"up to 1000", []int{3, 5, 10, 20, 40, 80, 160, 320, 640, 1000}, false, ""},
		{"${{ profile }}", nil, false, ""},
		{"0", nil, false, "repetitions must be between 1 and 1000, not 0"},
		{"up to 1001", nil, false, "repetitions must be between 1 and 1000, not 1001"},
		{"up to", nil, false, `repetitions must be a whole number or up to one, not "up to"`},
		{"many", nil, false, `repetitions must be a whole number or up to one, not "many"`},
		{"[3, 5]", nil, false, "repetitions must be a single value, not a list"},
		{"{looks: [3, 5]}", nil, false, "repetitions must be a single value, not a mapping"},
	} {
		text := "---\ntitle: x\n---\n\n```yaml experiment\nname: e\ncommand: {run: x, image: y}\nrepetitions: " + tt.written +
			"\n```\n"
		doc := Parse(t.TempDir(), source.New("article.md", []byte(text)))
		problem := ""
		if list := doc.Problems.Sorted(); len(list) > 0 {
			problem = list[0].Message
		}
		r := DecodeExperiment(doc.Experiments[0].Node, false, &source.Problems{}).Repetitions
		if !slices.Equal(r.Looks, tt.looks) || r.Fixed != tt.fixed || problem != tt.problem {
			t.Errorf("%s: looks %v, fixed %v, problem %q; want %v, %v, %q", tt.written, r.Looks, r.Fixed, problem, tt.looks,
				tt.fixed, tt.problem)
		}
	}
}
