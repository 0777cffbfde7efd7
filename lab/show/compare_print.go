package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/render/wording"
)

// Print writes the comparison in a format.
func (c *Comparison) Print(a *lab.Session, format string) error {
	switch format {
	case FormatJSON:
		return lab.PrintJSON(a.Stdout, c.data())
	case FormatCSV:
		return terminal.PrintCSV(a.Stdout, c.rows())
	case FormatMarkdown:
		c.printMarkdown(a)
	default:
		c.printText(a)
	}
	return nil
}

// times says when and where what is compared was measured.
func times(sets []setJSON) []string {
	var out []string
	for _, s := range sets {
		host := s.Host
		if s.ThisHost {
			host += " (this one)"
		}
		runs := terminal.Count(len(s.Runs), "run")
		if len(s.Runs) == 1 {
			runs = s.Runs[0]
		}
		out = append(out, fmt.Sprintf("%s: profile %s, host %s, %s, measured %s", s.Article, s.Profile, host, runs,
			s.From.UTC().Format("2006-01-02 15:04")))
	}
	return out
}

// apart says how much later B was measured. It is empty where nothing new was measured.
func (c *Comparison) apart() string {
	longest := time.Duration(0)
	for i, x := range c.setsA {
		y := c.setsB[i]
		if slices.Equal(x.Runs, y.Runs) {
			continue
		}
		longest = max(longest, y.From.Sub(x.From).Abs())
	}
	return wording.Apart(longest)
}

func (c *Comparison) printText(a *lab.Session) {
	for _, s := range []struct {
		name string
		side *side
		sets []setJSON
	}{{"A", c.a, c.setsA}, {"B", c.b, c.setsB}} {
		fmt.Fprintf(a.Stdout, "%s  %s\n", s.name, s.side)
		for _, line := range times(s.sets) {
			fmt.Fprintf(a.Stdout, "   %s\n", line)
		}
	}
	fmt.Fprintln(a.Stdout, wording.Sum(c.changes))
	for _, e := range wording.Changes(c.changes) {
		fmt.Fprintf(a.Stdout, "\n%s\n", e.Name)
		if e.Unchanged() {
			fmt.Fprintln(a.Stdout, "  both sides are the same repetitions")
			continue
		}
		for _, t := range e.Tables {
			fmt.Fprintf(a.Stdout, "  %s\n", t.Title())
			terminal.PrintColumns(a.Stdout, "    ", append([][]string{{"cell", "A", "B", "change", "verdict"}}, t.Rows()...))
		}
		for _, note := range e.Notes() {
			fmt.Fprintf(a.Stdout, "  note: %s\n", note)
		}
	}
	fmt.Fprintf(a.Stdout, "\nwhat differs\n")
	for i := range c.differences {
		d := &c.differences[i]
		fmt.Fprintf(a.Stdout, "  %s, %s%s\n", d.Kind, d.Subject, wording.Where(d))
		for _, line := range wording.Details(d) {
			fmt.Fprintf(a.Stdout, "    %s\n", line)
		}
	}
	fmt.Fprintf(a.Stdout, "  %s\n", c.explanation)
	if words := c.apart(); words != "" {
		fmt.Fprintf(a.Stdout, "  %s\n", words)
	}
	for _, s := range c.leftOut {
		fmt.Fprintf(a.Stdout, "  left out, %s\n", s)
	}
}

func (c *Comparison) printMarkdown(a *lab.Session) {
	w := a.Stdout
	fmt.Fprintf(w, "**%s**, from %s to %s\n\n", wording.Sum(c.changes), terminal.Markdown.Replace(c.a.String()),
		terminal.Markdown.Replace(c.b.String()))
	if c.failOn != nil {
		met := "is not met"
		if c.failOn.Met {
			met = "is met by " + strings.Join(c.failOn.Cells, ", ")
		}
		fmt.Fprintf(w, "`--fail-on %s` %s\n\n", strings.ReplaceAll(c.failOn.Condition, "`", "'"),
			terminal.Markdown.Replace(met))
	}
	c.printChangesMarkdown(w)
	fmt.Fprintf(w, "#### What differs\n\n%s.\n\n", terminal.Markdown.Replace(c.explanation))
	if words := c.apart(); words != "" {
		fmt.Fprintf(w, "%s.\n\n", terminal.Markdown.Replace(words))
	}
	c.printDifferencesMarkdown(w)
	for _, sets := range []struct {
		name string
		list []setJSON
	}{{"A", c.setsA}, {"B", c.setsB}} {
		for _, line := range times(sets.list) {
			fmt.Fprintf(w, "- %s: %s\n", sets.name, terminal.Markdown.Replace(line))
		}
	}
	for _, s := range c.leftOut {
		fmt.Fprintf(w, "- left out, %s\n", terminal.Markdown.Replace(s))
	}
}

func (c *Comparison) printChangesMarkdown(w io.Writer) {
	for _, e := range wording.Changes(c.changes) {
		fmt.Fprintf(w, "#### %s\n\n", terminal.Markdown.Replace(e.Name))
		if e.Unchanged() {
			fmt.Fprint(w, "Both sides are the same repetitions.\n\n")
			continue
		}
		rows := [][]string{{"metric", "cell", "A", "B", "change", "verdict"}}
		for _, t := range e.Tables {
			for _, row := range t.Rows() {
				rows = append(rows, append([]string{t.Title()}, row...))
			}
		}
		terminal.PrintMarkdown(w, rows, 2, 3, 4)
		for _, note := range e.Notes() {
			fmt.Fprintf(w, "- %s\n", terminal.Markdown.Replace(note))
		}
		if len(e.Notes()) > 0 {
			fmt.Fprintln(w)
		}
	}
}

func (c *Comparison) printDifferencesMarkdown(w io.Writer) {
	if len(c.differences) == 0 {
		return
	}
	rows := [][]string{{"what", "A", "B", "where"}}
	for i := range c.differences {
		d := &c.differences[i]
		where := cmp.Or(strings.TrimPrefix(wording.Where(d), ", "), "all cells")
		for k, p := range d.Parts {
			if k == wording.MaxDetails-1 && len(d.Parts) > wording.MaxDetails {
				rows = append(rows, []string{fmt.Sprintf("%d more of %s", len(d.Parts)-k, d.Subject), "", "", where})
				break
			}
			rows = append(rows, []string{p.Name, cmp.Or(p.A, "none"), cmp.Or(p.B, "none"), where})
		}
	}
	terminal.PrintMarkdown(w, rows)
}

func (c *Comparison) data() CompareJSON {
	out := CompareJSON{A: sideData(c.a, c.setsA), B: sideData(c.b, c.setsB), Changes: []ChangeJSON{},
		Differences: append([]compare.Difference{}, c.differences...), Explanation: c.explanation,
		LeftOut: append([]string{}, c.leftOut...), FailOn: c.failOn}
	for i := range c.changes {
		out.Changes = append(out.Changes, changeData(&c.changes[i]))
	}
	return out
}

func sideData(s *side, sets []setJSON) sideJSON {
	return sideJSON{Kind: s.kind, Name: s.name, Commit: s.commit, Sets: sets}
}

func changeData(c *compare.Change) ChangeJSON {
	out := ChangeJSON{Article: c.Article, Experiment: c.A.Experiment.Plan.Name, Trial: c.Trial(),
		Metric: c.Metric.Name, Unit: cmp.Or(c.Metric.Unit, "1"), A: resultData(c.A, c.ResultA), B: resultData(c.B, c.ResultB),
		Difference: c.Points, NoiseFloor: c.Floor, Verdict: string(c.Verdict), Refused: c.Refused, Reason: c.Reason,
		Marks: append([]string{}, c.Marks...)}
	if e := c.Effect; e != nil {
		out.Change = terminal.Finite(e.Number)
		if e.Interval != nil {
			out.Lo, out.Hi = terminal.Finite(e.Interval.Lo), terminal.Finite(e.Interval.Hi)
			if !c.Points {
				out.P = terminal.Finite(c.P)
			}
		}
	}
	return out
}

func resultData(cell *dataset.Cell, r dataset.Result) resultJSON {
	return resultJSON{Run: cell.Run, State: cell.State.String(), Validity: cell.Validity().Level().String(),
		measuredJSON: measuredData(r)}
}

func (c *Comparison) rows() [][]string {
	rows := [][]string{{"article", "experiment", "trial", "metric", "unit", "a_run", "a_repetitions", "a", "a_lo", "a_hi",
		"b_run", "b_repetitions", "b", "b_lo", "b_hi", "change", "lo", "hi", "difference", "p", "noise_floor", "verdict",
		"reason", "marks"}}
	for i := range c.changes {
		d := changeData(&c.changes[i])
		rows = append(rows, []string{d.Article, d.Experiment, d.Trial, d.Metric, d.Unit,
			d.A.Run, fmt.Sprint(d.A.Repetitions), terminal.Exact(d.A.Value), terminal.Exact(d.A.Lo), terminal.Exact(d.A.Hi),
			d.B.Run, fmt.Sprint(d.B.Repetitions), terminal.Exact(d.B.Value), terminal.Exact(d.B.Lo), terminal.Exact(d.B.Hi),
			terminal.Exact(d.Change), terminal.Exact(d.Lo), terminal.Exact(d.Hi), fmt.Sprint(d.Difference), terminal.Exact(d.P),
			terminal.Exact(&d.NoiseFloor), d.Verdict, d.Reason, strings.Join(d.Marks, "; ")})
	}
	return rows
}
