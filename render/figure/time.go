package figure

import (
	"iter"
	"time"
)

// timeStep is a distance between ticks of a time axis, in months or else in seconds, with how their labels are written.
type timeStep struct {
	months  int
	seconds int64
	layout  string
}

var timeSteps = []timeStep{
	{0, 60, "15:04"}, {0, 5 * 60, "15:04"}, {0, 15 * 60, "15:04"}, {0, 30 * 60, "15:04"},
	{0, 3600, "15:04"}, {0, 3 * 3600, "15:04"}, {0, 6 * 3600, "15:04"}, {0, 12 * 3600, "15:04"},
	{0, day, "2 Jan"}, {0, 2 * day, "2 Jan"}, {0, 7 * day, "2 Jan"}, {0, 14 * day, "2 Jan"},
	{1, 0, "Jan 2006"}, {2, 0, "Jan 2006"}, {3, 0, "Jan 2006"}, {6, 0, "Jan 2006"},
	{12, 0, "2006"}, {24, 0, "2006"}, {60, 0, "2006"}, {120, 0, "2006"},
}

const day = 24 * 3600

// minutely is the layout of labels that have to tell any two minutes apart.
const minutely = "2 Jan 2006 15:04"

// timeTicks gives the sets of round times with which an axis from lo to hi, in seconds since 1970, can be marked,
// densest first. The axis ends where its values do. The last set marks its ends.
func timeTicks(lo, hi float64) iter.Seq[tickSet] {
	return func(yield func(tickSet) bool) {
		for _, step := range timeSteps {
			set := tickSet{lo: lo, hi: hi}
			if step.months == 0 && step.seconds < day && !sameDay(lo, hi) {
				step.layout = "2 Jan 15:04"
			}
			for n := step.before(lo); len(set.ticks) <= maxSteps && float64(step.at(n).Unix()) <= hi; n++ {
				if at := step.at(n); float64(at.Unix()) >= lo {
					set.ticks = append(set.ticks, float64(at.Unix()))
					set.labels = append(set.labels, at.Format(step.layout))
				}
			}
			if n := len(set.ticks); n < 2 || n > maxSteps {
				continue
			}
			if !yield(set) {
				return
			}
		}
		yield(tickSet{lo: lo, hi: hi, ticks: []float64{lo, hi},
			labels: []string{atSecond(lo).Format(minutely), atSecond(hi).Format(minutely)}})
	}
}

// at is the n-th round time: since the year 0, or since 1970.
func (s timeStep) at(n int64) time.Time {
	if s.months > 0 {
		return time.Date(0, time.Month(1+n*int64(s.months)), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Unix(n*s.seconds+s.shift(), 0).UTC()
}

// before is the number of a round time that is not after one in seconds since 1970, or at most the next one.
func (s timeStep) before(v float64) int64 {
	at := atSecond(v)
	if s.months > 0 {
		return int64(at.Year()*12+int(at.Month())-1) / int64(s.months)
	}
	return (at.Unix() - s.shift()) / s.seconds
}

// shift is where steps of weeks begin: on Mondays, and 1 January 1970 was a Thursday.
func (s timeStep) shift() int64 {
	if s.seconds > 0 && s.seconds%(7*day) == 0 {
		return 4 * day
	}
	return 0
}

func sameDay(lo, hi float64) bool {
	a, b := atSecond(lo), atSecond(hi)
	return a.YearDay() == b.YearDay() && a.Year() == b.Year()
}

func atSecond(v float64) time.Time { return time.Unix(int64(v), 0).UTC() }

// timeEnds are the ends of a time axis: a little beyond its values, and at least ten minutes apart.
func timeEnds(lo, hi float64) (float64, float64) {
	const share, least = .04, 300
	room := max(share*(hi-lo), least)
	return lo - room, hi + room
}

// timeNote says of which days the times of an axis are.
func timeNote(a axis) string {
	lo, hi := atSecond(a.lo), atSecond(a.hi)
	switch {
	case sameDay(a.lo, a.hi):
		return lo.Format("2 January 2006") + ", UTC"
	case lo.Year() == hi.Year():
		return lo.Format("2006") + ", UTC"
	}
	return "UTC"
}
