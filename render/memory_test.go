package render

import (
	"errors"
	"testing"
)

// What was found is found once, and for as long as the making before needed it. What could not be found is looked for again.
func TestMemoryRecalls(t *testing.T) {
	asked := 0
	find := func(value int, err error) func() (int, error) {
		return func() (int, error) { asked++; return value, err }
	}
	var now, old map[string]int
	steps := []struct {
		name      string
		again     bool // another making begins
		value     int
		err       error
		want, ask int
	}{
		{"an error", false, 1, errors.New("too slow"), 1, 1},
		{"after an error", false, 2, nil, 2, 2},
		{"the same again", false, 3, nil, 2, 2},
		{"in the next making", true, 4, nil, 2, 2},
		{"in the one after", true, 5, nil, 2, 2},
	}
	for _, step := range steps {
		if step.again {
			now, old = nil, now
		}
		got, err := recall("key", &now, old, find(step.value, step.err))
		if got != step.want || err != step.err || asked != step.ask {
			t.Errorf("%s: got %d, %v, having looked %d times, want %d, %v, %d", step.name, got, err, asked, step.want, step.err, step.ask)
		}
	}
	now, old = nil, nil // neither of two makings needed it
	if got, _ := recall("key", &now, old, find(6, nil)); got != 6 {
		t.Errorf("what was long forgotten is %d, want 6", got)
	}
}
