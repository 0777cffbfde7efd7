package stats

import "testing"

func TestInterimAnalyses(t *testing.T) {
	tests := []struct {
		name     string
		analyses InterimAnalyses
		want     int
	}{
		{"planned whole", InterimAnalyses{Rounds: 20}, 1},
		{"budgeted, stopped at the first analysis", InterimAnalyses{Rounds: 3, Budgeted: true}, 3},
		{"budgeted, went to the last one", InterimAnalyses{Rounds: 10, Budgeted: true}, 3},
		{"budgeted, then extended", InterimAnalyses{Rounds: 20, Budgeted: true, Extended: true}, 4},
		{"extended to 3", InterimAnalyses{Rounds: 3, Extended: true}, 1},
		{"extended to 4", InterimAnalyses{Rounds: 4, Extended: true}, 2},
		{"extended to 5", InterimAnalyses{Rounds: 5, Extended: true}, 2},
		{"extended to 7", InterimAnalyses{Rounds: 7, Extended: true}, 3},
		{"extended to 10", InterimAnalyses{Rounds: 10, Extended: true}, 3},
		{"extended to 20", InterimAnalyses{Rounds: 20, Extended: true}, 4},
		{"extended to 40", InterimAnalyses{Rounds: 40, Extended: true}, 5},
		{"extended to 41", InterimAnalyses{Rounds: 41, Extended: true}, 6},
		{"extended to 80", InterimAnalyses{Rounds: 80, Extended: true}, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.analyses.Count(); got != tt.want {
				t.Errorf("judged for %d analyses, want %d", got, tt.want)
			}
			if got, want := tt.analyses.Level(0.06), 0.06/float64(tt.want); got != want {
				t.Errorf("level is %v, want %v", got, want)
			}
		})
	}
}
