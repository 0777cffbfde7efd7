// Package integrity says what in records cannot be: numbers that contradict each other, and repetitions of a run that
// cannot all be its own.
//
// A record that was damaged, edited or put among others that it does not belong to costs its own repetition and nothing
// else. What is found stands in its Doubts, where package validity reads it. It is no proof that a record is genuine:
// see docs/trust.md.
package integrity

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"benchbook/notebook/histogram"
	"benchbook/notebook/record"
)

// Read reads the records of a folder, and checks them. It also gives the chains of all runs.
func Read(dir record.Dir) (c record.Contents, chains []Chain, err error) {
	if c, err = dir.Load(); err != nil {
		return c, nil, err
	}
	Check(c.Records, time.Now())
	return c, CheckSeals(c.Records, c.Removed), nil
}

// Check gives each record its Doubts. The records are all that there are of an article: some checks compare them.
//
// Source: docs/validity.md#records-that-contradict-themselves.
func Check(records []*record.Record, now time.Time) {
	var group errgroup.Group
	parts := runtime.GOMAXPROCS(0)
	for part := range slices.Chunk(records, len(records)/parts+1) {
		group.Go(func() error { // most of the time goes into histograms
			reader := reader{now: now}
			for _, r := range part {
				r.Doubts = &record.Doubts{}
				reader.check(r)
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
	checkRuns(records)
	checkCopies(records)
}

// A reader checks records by themselves. It remembers what it has read of definitions, which all repetitions of a trial
// have in common.
type reader struct {
	now         time.Time
	decoder     histogram.Decoder
	definitions definitions
}

func (c *reader) check(r *record.Record) {
	f := finder{r}
	checkTimes(f, c.now)
	checkShares(f)
	c.definitions.check(f)
	if r.Imported == nil {
		checkHost(f)
	}
	if r.Load != nil {
		checkCounts(f)
		checkSeconds(f)
		checkShared(f)
		checkSamples(f)
		checkOutput(f)
	}
	for _, name := range histogramNames(r) {
		c.checkHistogram(f, name, r.Histograms[name])
	}
}

// A finder notes what is found of a record.
type finder struct{ *record.Record }

// invalid notes what cannot be.
func (f finder) invalid(wrong bool, format string, args ...any) {
	if wrong {
		f.Doubts.Invalid = append(f.Doubts.Invalid, fmt.Sprintf(format, args...))
	}
}

// warn notes what is odd, and no fault of the numbers.
func (f finder) warn(format string, args ...any) {
	f.Doubts.Warnings = append(f.Doubts.Warnings, fmt.Sprintf(format, args...))
}

// name is what a repetition is called beside others.
func name(r *record.Record) string {
	return fmt.Sprintf("repetition %d of %s", r.Repetition, strings.TrimSpace(r.Trial))
}
