package measure

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/wording"
)

// Commands are commands to compare.
type Commands struct {
	Lines       []string      // as in a shell
	Folder      string        // where they are run
	Warmup      int           // runs before each one that is timed
	Timeout     time.Duration // for a run with its warm-up
	Repetitions string        // as in articles; empty: until the claims are decided
}

// Time measures commands, and prints how long each took and which are faster than the first.
func Time(ctx context.Context, a *lab.Session, c Commands, o OneLineOptions) error {
	if err := c.check(); err != nil {
		return lab.UsageError(err)
	}
	return c.oneLine().measure(ctx, a, o)
}

// check returns an error for commands that no article can have.
func (c *Commands) check() error {
	isControl := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	for _, line := range c.Lines {
		switch {
		case strings.TrimSpace(line) == "":
			return errors.New("a command is empty")
		case !utf8.ValidString(line) || strings.ContainsFunc(line, isControl):
			return fmt.Errorf("the command %q has characters that are no text: put it into a script", line)
		case strings.Contains(line, "${{"):
			return fmt.Errorf("the command %q has ${{ in it, which articles fill in: put the command into a script", line)
		}
	}
	return nil
}

// forShell matches characters that a shell may interpret.
var forShell = regexp.MustCompile(`[^\pL\pN _./,:@+-]`)

func (c *Commands) oneLine() *oneLine {
	o := &oneLine{name: "time", axis: "command", key: "run", written: c.Lines, metric: "time.real", better: "<",
		claim: "%s takes less time than %s.", effect: "{a} takes {effect} as much time as {b}.",
		columns: "time.real, time.user, time.sys, memory.peak", print: printTimes}
	for _, line := range c.Lines {
		if forShell.MatchString(line) {
			line = "/bin/sh -c '" + strings.ReplaceAll(line, "'", `'\''`) + "'"
		}
		o.values = append(o.values, line)
	}
	o.keys = "command:\n  run: ${{ matrix.command.run }}\n"
	if c.Folder != "" {
		o.keys += fmt.Sprintf("  working_dir: %s\n", quoted(c.Folder))
	}
	if c.Warmup > 0 {
		o.keys += fmt.Sprintf("  warmup: %d\n", c.Warmup)
	}
	o.keys += fmt.Sprintf("timeout: %s\n", seconds(c.Timeout))
	if c.Repetitions != "" {
		o.keys += fmt.Sprintf("repetitions: %s\n", c.Repetitions)
	}
	return o
}

// printTimes prints a line for each command.
func printTimes(a *lab.Session, d *dataset.Dataset) {
	e := d.Experiments[0]
	real, _ := record.LookupMetric("time.real")
	memory, _ := record.LookupMetric("memory.peak")
	var times, peaks []dataset.Result
	for _, c := range e.Cells {
		times, peaks = append(times, c.Metric(real.Name)), append(peaks, c.Metric(memory.Name))
	}
	timeColumn, peakColumn := wording.ColumnOf(real, times...), wording.ColumnOf(memory, peaks...)
	rows := [][]string{{"command", "time [95 %]", "CPUs", "memory", "n"}}
	for i, c := range e.Cells {
		peak, took := "–", missingWord(times[i])
		if peaks[i].Missing == "" {
			peak = peakColumn.Quantity(peaks[i].Estimate.Centre, peakColumn.Decimals(wording.ReadingOf(peaks[i])))
		}
		if took == "" {
			took = wording.Estimate(times[i], timeColumn)
		}
		rows = append(rows, []string{clipped(c.Trial.Name), took, busyCPUs(c), peak, fmt.Sprint(len(times[i].Values))})
	}
	terminal.PrintColumns(a.Stdout, "", rows)
}

// busyCPUs returns how many CPUs a command kept busy.
func busyCPUs(c *dataset.Cell) string {
	real, user, sys := c.Metric("time.real"), c.Metric("time.user"), c.Metric("time.sys")
	if real.Missing != "" || user.Missing != "" || sys.Missing != "" || real.Estimate.Centre <= 0 {
		return "–"
	}
	return wording.Plain.Number((user.Estimate.Centre+sys.Estimate.Centre)/real.Estimate.Centre, 1)
}
