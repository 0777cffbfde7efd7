package stats

// InterimAnalyses is how the number of rounds of a run came about. Whoever analyses results before deciding whether to go on
// has several chances of a wrong verdict, so every analysis is judged at a stricter level. The zero value is a run
// that was planned whole.
//
// Source: docs/method.md#number-of-looks.
type InterimAnalyses struct {
	Rounds   int  // the largest number of rounds of a cell
	Budgeted bool // cells may have been stopped after 3, 5 and 10 rounds because they were decided
	Extended bool // rounds were added after the run was finished
}

// Count returns how many analyses the run is judged for: 1 if it was planned whole, else the place of the first of
// 3, 5, 10, 20, 40, 80 … rounds that is not exceeded, and at least 3 if there was a budget.
func (a InterimAnalyses) Count() int {
	if !a.Budgeted && !a.Extended {
		return 1
	}
	count := 1
	if a.Rounds > 3 {
		count++
	}
	for rounds := 5; rounds < a.Rounds; rounds *= 2 {
		count++
	}
	if a.Budgeted {
		count = max(count, 3)
	}
	return count
}

// Level returns the level at which claims, rank groups and A/A pairs of the run are judged, alpha over the number
// of analyses. Printed intervals stay at alpha.
func (a InterimAnalyses) Level(alpha float64) float64 { return alpha / float64(a.Count()) }
