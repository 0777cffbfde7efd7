package stats

import "testing"

func TestLooks(t *testing.T) {
	tests := []struct {
		name  string
		looks Looks
		want  int
	}{
		{"planned whole", Looks{Rounds: 20}, 1},
		{"budgeted, stopped at the first look", Looks{Rounds: 3, Budgeted: true}, 3},
		{"budgeted, went to the last look", Looks{Rounds: 10, Budgeted: true}, 3},
		{"budgeted, then extended", Looks{Rounds: 20, Budgeted: true, Extended: true}, 4},
		{"extended to 3", Looks{Rounds: 3, Extended: true}, 1},
		{"extended to 4", Looks{Rounds: 4, Extended: true}, 2},
		{"extended to 5", Looks{Rounds: 5, Extended: true}, 2},
		{"extended to 7", Looks{Rounds: 7, Extended: true}, 3},
		{"extended to 10", Looks{Rounds: 10, Extended: true}, 3},
		{"extended to 20", Looks{Rounds: 20, Extended: true}, 4},
		{"extended to 40", Looks{Rounds: 40, Extended: true}, 5},
		{"extended to 41", Looks{Rounds: 41, Extended: true}, 6},
		{"extended to 80", Looks{Rounds: 80, Extended: true}, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.looks.Count(); got != tt.want {
				t.Errorf("judged for %d looks, want %d", got, tt.want)
			}
			if got, want := tt.looks.Level(0.06), 0.06/float64(tt.want); got != want {
				t.Errorf("level is %v, want %v", got, want)
			}
		})
	}
}
