package slice

import (
	"slices"
	"strconv"
	"testing"
)

func isEven(i int) bool { return i%2 == 0 }

func TestMap(t *testing.T) {
	if got := Map([]int{1, 2}, strconv.Itoa); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("got %q", got)
	}
	if Map([]int{}, strconv.Itoa) != nil {
		t.Error("of none there is something")
	}
}

func TestFilter(t *testing.T) {
	list := []int{1, 2, 3, 4}
	got := Filter(list, isEven)
	if !slices.Equal(got, []int{2, 4}) {
		t.Errorf("got %v", got)
	}
	if got[0] = 9; !slices.Equal(list, []int{1, 2, 3, 4}) {
		t.Errorf("the list became %v", list)
	}
	if Filter([]int{1}, isEven) != nil {
		t.Error("of none there is something")
	}
}

func TestFind(t *testing.T) {
	if got, ok := Find([]int{1, 4, 6}, isEven); got != 4 || !ok {
		t.Errorf("got %d, %v", got, ok)
	}
	if got, ok := Find([]int{1}, isEven); got != 0 || ok {
		t.Errorf("got %d, %v", got, ok)
	}
}

func TestAdd(t *testing.T) {
	if got := Add([]int{1, 2}, 2, 3, 3); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

func TestCount(t *testing.T) {
	if got := Count([]int{1, 2, 4}, isEven); got != 2 {
		t.Errorf("got %d, want 2", got)
	}
	if got := Count(nil, isEven); got != 0 {
		t.Errorf("of none there are %d", got)
	}
}
