package ratestest

import "testing"

// Tables of the manual are rewritten with as many sessions as it says, and not with those of a short test.
func TestRefusal(t *testing.T) {
	for sessions, refused := range map[int]bool{100: true, Sessions - 1: true, Sessions: false, 2 * Sessions: false} {
		if err := refusal(sessions); (err != nil) != refused {
			t.Errorf("%d sessions: %v", sessions, err)
		}
	}
}
