package figure

import (
	"iter"
	"math"
	"time"
)

// timeSteps are the distances between ticks of a time axis, in months or else in seconds, with how their labels are written.
var timeSteps = []struct {
	months  int
	seconds int64
	layout  string
}{
	{0, 60, "15:04"}, {0, 5 * 60, "15:04"}, {0, 15 * 60, "15:04"}, {0, 30 * 60, "15:04"},
	{0, 3600, "15:04"}, {0, 3 * 3600, "15:04"}, {0, 6 * 3600, "15:04"}, {0, 12 * 3600, "15:04"},
	{0, day, "2 Jan"}, {0, 2 * day, "2 Jan"}, {0, 7 * day, "2 Jan"}, {0, 14 * day, "2 Jan"},
	{1, 0, "Jan 2006"}, {2, 0, "Jan 2006"}, {3, 0, "Jan 2006"}, {6, 0, "Jan 2006"},
	{12, 0, "2006"}, {24, 0, "2006"}, {60, 0, "2006"}, {120, 0, "2006"},
}

const day = 24 * 3600

// minutely is the layout of labels that have to tell any two minutes apart.
const minutely = "2 Jan 2006 15:04"

// timeTicks gives the sets of round times with which an axis from lo to hi, in seconds since 1970, can be marked, densest first. The
// axis ends where its values do. The last set marks its ends.
func timeTicks(lo, hi float64) iter.Seq[tickSet] {
	return func(yield func(tickSet) bool) {
		for _, step := range timeSteps {
			set := tickSet{lo: lo, hi: hi}
			layout := step.layout
			if step.seconds > 0 && step.seconds < day && !sameDay(lo, hi) {
				layout = "2 Jan 15:04"
			}
			for at := firstTick(lo, step.months, step.seconds); float64(at.Unix()) <= hi; at = nextTick(at, step.months, step.seconds) {
				if len(set.ticks) > maxSteps {
					break
				}
				set.ticks = append(set.ticks, float64(at.Unix()))
				set.labels = append(set.labels, at.Format(layout))
			}
			if n := len(set.ticks); n < 2 || n > maxSteps {
				continue
			}
			if !yield(set) {
				return
			}
		}
		yield(tickSet{lo: lo, hi: hi, ticks: []float64{lo, hi}, labels: []string{atSecond(lo).Format(minutely), atSecond(hi).Format(minutely)}})
	}
}

// firstTick is the first round time from lo on.
func firstTick(lo float64, months int, seconds int64) time.Time {
	at := atSecond(math.Ceil(lo))
	if months == 0 {
		const monday = 4 * day // weeks begin on Mondays, and 1 January 1970 was a Thursday
		shift := int64(0)
		if seconds%(7*day) == 0 {
			shift = monday
		}
		n := (at.Unix() - shift + seconds - 1) / seconds
		return time.Unix(n*seconds+shift, 0).UTC()
	}
	n := at.Year()*12 + int(at.Month()) - 1
	n -= n % months
	first := time.Date(n/12, time.Month(n%12+1), 1, 0, 0, 0, 0, time.UTC)
	for first.Before(at) {
		first = first.AddDate(0, months, 0)
	}
	return first
}

func nextTick(at time.Time, months int, seconds int64) time.Time {
	if months > 0 {
		return at.AddDate(0, months, 0)
	}
	return at.Add(time.Duration(seconds) * time.Second)
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
