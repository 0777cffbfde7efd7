package plan

import (
	"slices"
	"testing"

	"benchbook/notebook/article"
)

func TestPlace(t *testing.T) {
	tests := []struct {
		name  string
		cores [][]int
		want  Placement
	}{
		{"two cores", [][]int{{0}, {1}}, Placement{"0", "1", 1, 1}},
		{"siblings stay together", [][]int{{0, 4}, {1, 5}, {2, 6}, {3, 7}}, Placement{"0-2,4-6", "3,7", 6, 2}},
		{"one core is shared", [][]int{{0}}, Placement{"0", "0", 1, 1}},
		{"nothing is known", nil, Placement{"", "", 1, 1}},
	}
	for _, test := range tests {
		if got := Place(test.cores); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestCheckCPUs(t *testing.T) {
	tests := []struct {
		name, service, load string
		cores               [][]int
		want                []string // hints
	}{
		{"all there", "0", "1", [][]int{{0}, {1}}, nil},
		{"none is written", "", "", [][]int{{0}}, nil},
		{"the service's is not", "0-3", "1", [][]int{{0}, {1}}, []string{`write "0", or remove cpuset`}},
		{"neither", "4", "5", [][]int{{0, 2}, {1, 3}}, []string{`write "0,2", or remove cpuset`, `write "1,3", or remove cpuset`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := "name: e\nservices: {s: {image: x, cpuset: '" + test.service + "'}}\nload: {target: http://s/, cpuset: '" + test.load + "'}\n"
			if test.service == "" {
				body = "name: e\nservices: {s: {image: x}}\nload: {target: http://s/}\n"
			}
			var problems article.Problems
			mustPlan(t, text(block(body)), Options{}, nil).CheckCPUs(test.cores, &problems)
			var got []string
			for _, p := range problems.Sorted() {
				got = append(got, p.Hint)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
