package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/stats"
)

// extentOf is what is shown for people of articles that were named: the more is named, the more of it.
func extentOf(list []ShowJSON, names []string) extent {
	hasExperiment := slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "#") })
	switch {
	case hasExperiment:
		return ofAll
	case len(list) > 1:
		return ofArticles
	case len(list[0].Experiments) > 1:
		return ofCells
	}
	return ofAll
}

// printArticles prints a line for each article.
func printArticles(a *lab.Session, list []ShowJSON) {
	for _, s := range list {
		fmt.Fprintln(a.Stdout, s.head()+
			tallyOf(slice.Map(s.Claims, func(c shownClaim) stats.Verdict { return stats.Verdict(c.Verdict) })))
	}
	fmt.Fprintln(a.Stdout, "more of one: benchbook show ARTICLE, or ARTICLE#EXPERIMENT")
}

// keyColumns is how many metrics a line for a cell has: more would not fit on a line.
const keyColumns = 3

// printCells prints a line for each cell of an article, with its first key metrics, after its claims.
func printCells(a *lab.Session, s *ShowJSON) {
	printShownClaims(a, s)
	for _, e := range s.Experiments {
		fmt.Fprintf(a.Stdout, "\n%s#%s\n", s.Article, e.Experiment)
		if e.Skipped != "" {
			fmt.Fprintf(a.Stdout, "  %s\n", e.Skipped)
			continue
		}
		columns, keys := e.columns(), e.keys()
		rows := [][]string{slices.Concat([]string{"cell", "validity"}, keys)}
		for i := range e.Cells {
			c := &e.Cells[i]
			row := []string{c.Trial, cmp.Or(c.without(), c.about()[0])}
			if len(c.Repetitions) == 0 {
				row[1] = c.about()[0]
			}
			for _, name := range keys {
				words := ""
				if m, ok := slice.Find(c.Metrics, func(m ShownMetric) bool { return m.Metric == name }); ok && m.Value != nil {
					words = shownWords(m.result, columns[name])
				}
				row = append(row, words)
			}
			rows = append(rows, row)
		}
		terminal.PrintColumns(a.Stdout, "  ", rows)
	}
	fmt.Fprintf(a.Stdout, "\nall metrics, checks and notes: benchbook show %s#EXPERIMENT\n", s.Article)
}

// keys are the first key metrics of an experiment that were measured.
func (e *shownExperiment) keys() (names []string) {
	for _, c := range e.Cells {
		for _, key := range c.cell.Experiment.KeyMetrics() {
			isMeasured := slices.ContainsFunc(c.Metrics, func(m ShownMetric) bool {
				return m.Metric == key.Name && m.Value != nil
			})
			if isMeasured && len(names) < keyColumns {
				names = slice.Add(names, key.Name)
			}
		}
	}
	return names
}

// floorReasons says, once for each reason, which metrics have no noise floor.
func (e *shownExperiment) floorReasons() (lines []string) {
	metrics := map[string][]string{}
	for _, m := range e.metrics {
		if _, why := e.floor(m.Name); why != "" {
			metrics[why] = append(metrics[why], m.Name)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(metrics)) {
		lines = append(lines, fmt.Sprintf("noise floor not known, as %s: %s", why, strings.Join(metrics[why], ", ")))
	}
	return lines
}

// tallyOf counts the claims of an article by verdict; empty without any.
func tallyOf(verdicts []stats.Verdict) string {
	if len(verdicts) == 0 {
		return ""
	}
	counts := map[stats.Verdict]int{}
	for _, v := range verdicts {
		counts[v]++
	}
	return "; " + terminal.Count(len(verdicts), "claim") + ": " + strings.Join(stats.VerdictsInWords(counts), ", ")
}
