package progress

import (
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// refresh is how often the bar is drawn: seldom, so that drawing does not disturb a measurement.
const refresh = time.Second

// Bar says the same as Lines, and below them how many repetitions are done, with the time left.
type Bar struct {
	Lines
	bars *mpb.Progress
	bar  *mpb.Bar
}

var _ Reporter = (*Bar)(nil)

// NewBar draws on a terminal for a run of so many repetitions and searches.
func NewBar(screen io.Writer, total int, verbose bool) *Bar {
	bars := mpb.New(mpb.WithOutput(screen), mpb.WithRefreshRate(refresh), mpb.WithAutoRefresh(), mpb.WithWidth(40))
	b := &Bar{bars: bars, Lines: Lines{W: bars, Verbose: verbose}}
	b.bar = bars.AddBar(int64(total), mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.CountersNoUnit("%d of %d")),
		mpb.AppendDecorators(decor.OnComplete(decor.Meta(decor.AverageETA(decor.ET_STYLE_GO), left), "")))
	return b
}

func left(eta string) string { return eta + " left" }

// Again adds repetitions that were not foreseen.
func (b *Bar) Again(e *plan.Experiment, steps []plan.Step) {
	b.bar.SetTotal(b.bar.Current()+int64(len(steps)), false)
	b.Lines.Again(e, steps)
}

func (b *Bar) End(step plan.Step, r *record.Record) {
	b.Lines.End(step, r)
	b.bar.Increment()
}

func (b *Bar) Search(t *plan.Trial, s *record.Search) {
	b.Lines.Search(t, s)
	if s.Stop != "" {
		b.bar.Increment()
	}
}

// Stop removes the bar, so that other things can be written.
func (b *Bar) Stop() {
	b.bar.Abort(true)
	b.bars.Wait()
}

func (b *Bar) Close() { b.Stop() }
