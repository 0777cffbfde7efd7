package measure

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kballard/go-shellquote"
	"gonum.org/v1/gonum/stat"

	"benchbook/lab"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// Commands are commands to compare.
type Commands struct {
	Lines       []string // as written in a shell
	Folder      string   // working folder
	Names       []string // names of the first commands; others are named by their lines
	Prepare     string   // untimed command before each run; may be empty
	NoShell     bool     // never run commands through a shell
	Ignore      bool     // accept exit statuses other than 0
	Warmup      int      // untimed runs before each timed one
	Repetitions string   // as in articles; if empty, until the claims are decided
}

// Time measures commands. It prints how long each took, and how the first compares with the others.
func Time(ctx context.Context, a *lab.Session, c Commands, o OneLineOptions) error {
	if err := c.check(); err != nil {
		return lab.UsageError(err)
	}
	return c.oneLine().measure(ctx, a, o)
}

func (c *Commands) check() error {
	if len(c.Names) > len(c.Lines) {
		return fmt.Errorf("%d names for %d commands", len(c.Names), len(c.Lines))
	}
	lines := slices.Clone(c.Lines)
	if c.Prepare != "" {
		lines = append(lines, c.Prepare)
	}
	const hint = "put the command into a script"
	return cmp.Or(checkLines("command", hint, lines), checkLines("name", "choose another", c.Names))
}

// checkLines returns an error for a line that an article cannot contain.
func checkLines(what, hint string, lines []string) error {
	for _, line := range lines {
		switch {
		case strings.TrimSpace(line) == "":
			return fmt.Errorf("a %s is empty", what)
		case strings.Contains(line, "${{"):
			return fmt.Errorf("the %s %q has ${{ in it, which articles fill in: %s", what, line, hint)
		case !isText(line):
			return fmt.Errorf("the %s %q has characters that are not text: %s", what, line, hint)
		}
	}
	return nil
}

func isText(line string) bool {
	isControl := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	return utf8.ValidString(line) && !strings.ContainsFunc(line, isControl)
}

// forShell matches characters that a shell may interpret.
var forShell = regexp.MustCompile(`[^\pL\pN _./,:@+-]`)

func (c *Commands) oneLine() *oneLine {
	o := &oneLine{name: "time", axis: "command", key: "run", written: slices.Clone(c.Lines), metric: "time.real",
		words: inTime, table: []column{{"time [95 %]", "time.real", nil}, {"CPUs", "time.user, time.sys", busyCPUs},
			{"memory", "memory.peak", nil}}}
	copy(o.written, c.Names)
	for _, line := range c.Lines {
		switch {
		case c.Ignore:
			line = shellquote.Join("/bin/sh", "-c", "(\n"+line+"\n)\nexit 0")
		case !c.NoShell && forShell.MatchString(line):
			line = shellquote.Join("/bin/sh", "-c", line)
		}
		o.values = append(o.values, line)
	}
	o.add(true, "command:\n  run: ${{ matrix.command.run }}")
	o.add(c.Folder != "", "  working_dir: %s", quoted(c.Folder))
	o.add(c.Warmup > 0, "  warmup: %d", c.Warmup)
	prepare := shellquote.Join("/bin/sh", "-c", "cd "+shellquote.Join(c.Folder)+" && "+c.Prepare)
	o.add(c.Prepare != "", "prepare: {run: %s}", quoted(prepare))
	o.add(true, "timeout: 1h")
	o.add(c.Repetitions != "", "repetitions: %s", c.Repetitions)
	return o
}

func busyCPUs(c *dataset.Cell) string {
	real, user, sys := c.Metric("time.real"), c.Metric("time.user"), c.Metric("time.sys")
	if real.Missing != "" || user.Missing != "" || sys.Missing != "" || real.Estimate.Centre <= 0 {
		return noNumber
	}
	return wording.Plain.Number((user.Estimate.Centre+sys.Estimate.Centre)/real.Estimate.Centre, 1)
}

// savedTimes is the format of hyperfine's --export-json. Times are in seconds.
type savedTimes struct {
	Results []savedCommand `json:"results"`
}

type savedCommand struct {
	Command string    `json:"command"`
	Mean    float64   `json:"mean"`
	StdDev  *float64  `json:"stddev"` // null for one run
	Median  float64   `json:"median"`
	User    float64   `json:"user"`
	System  float64   `json:"system"`
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
	Times   []float64 `json:"times"`
}

// exportTimes writes the times of all runs to a file, in the format of hyperfine.
func exportTimes(a *lab.Session, d *dataset.Dataset, file string) error {
	out := savedTimes{[]savedCommand{}}
	mean := func(c *dataset.Cell, metric string) float64 {
		if values := c.Metric(metric).Values; len(values) > 0 {
			return stat.Mean(values, nil)
		}
		return 0
	}
	for _, c := range d.Experiments[0].Cells {
		times := c.Metric("time.real").Values
		if len(times) == 0 {
			continue
		}
		r := savedCommand{Command: c.Trial.Name, Mean: mean(c, "time.real"), Median: stats.Median(times), User: mean(c, "time.user"),
			System: mean(c, "time.sys"), Min: slices.Min(times), Max: slices.Max(times), Times: times}
		if len(times) > 1 {
			deviation := stat.StdDev(times, nil)
			r.StdDev = &deviation
		}
		out.Results = append(out.Results, r)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(data, '\n'), 0o644)
	}
	if err != nil {
		return lab.Failure(fmt.Errorf("writing the times: %w", err))
	}
	fmt.Fprintf(a.Words(), "the times are in %s\n", file)
	return nil
}
