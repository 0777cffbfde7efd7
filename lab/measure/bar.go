package measure

import (
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// refresh is the time between two drawings of the bar. It is long, so that drawing does not disturb a measurement.
const refresh = time.Second

// barProgress draws how many repetitions are done, and the time left, below the lines of lineProgress.
type barProgress struct {
	lineProgress
	bars  *mpb.Progress
	bar   *mpb.Bar
	total int64
}

var _ progress = (*barProgress)(nil)

// newBar draws on a terminal for a run of total repetitions and searches.
func newBar(screen io.Writer, total int) *barProgress {
	bars := mpb.New(mpb.WithOutput(screen), mpb.WithRefreshRate(refresh), mpb.WithAutoRefresh(), mpb.WithWidth(40))
	eta := decor.AverageETA(decor.ET_STYLE_GO)
	left := func(s decor.Statistics) string {
		if s.Current == 0 || s.Current == s.Total {
			return ""
		}
		text, _ := eta.Decor(s)
		return text + " left"
	}
	bar := bars.AddBar(0, mpb.PrependDecorators(decor.CountersNoUnit("%d of %d")), mpb.AppendDecorators(decor.Any(left)))
	b := &barProgress{bars: bars, bar: bar}
	b.grow(total)
	return b
}

// Above returns a writer that prints above the bar.
func (b *barProgress) Above() io.Writer { return b.bars }

func (b *barProgress) grow(n int) {
	b.total += int64(n)
	b.bar.SetTotal(b.total, false)
}

// Again adds repetitions that were not foreseen.
func (b *barProgress) Again(e *plan.Experiment, steps []plan.Step) {
	b.grow(len(steps))
	b.lineProgress.Again(e, steps)
}

func (b *barProgress) End(step plan.Step, r *record.Record) {
	b.lineProgress.End(step, r)
	b.bar.Increment()
}

func (b *barProgress) Search(t *plan.Trial, s *record.Search) {
	b.lineProgress.Search(t, s)
	if s.Stop != "" && s.Kind != record.SearchTune {
		b.bar.Increment()
	}
}

// Close removes the bar.
func (b *barProgress) Close() {
	b.bar.Abort(true)
	b.bars.Wait()
}
