package slice

import (
	"slices"
	"strconv"
	"testing"

	"benchbook/internal/test/assert"
)

func isEven(i int) bool { return i%2 == 0 }

func TestMap(t *testing.T) {
	assert.Slice(t, Map([]int{1, 2}, strconv.Itoa), []string{"1", "2"})
	if Map([]int{}, strconv.Itoa) != nil {
		t.Error("of none there is something")
	}
}

func TestFilter(t *testing.T) {
	list := []int{1, 2, 3, 4}
	got := Filter(list, isEven)
	assert.Slice(t, got, []int{2, 4})
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
	assert.Slice(t, Add([]int{1, 2}, 2, 3, 3), []int{1, 2, 3})
}

func TestCount(t *testing.T) {
	assert.Equal(t, Count([]int{1, 2, 4}, isEven), 2)
	assert.Equal(t, Count(nil, isEven), 0, "of none")
}
