package results

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

type shownClaim struct {
	Claim        string         `json:"claim"`
	Headline     bool           `json:"headline"`
	Expect       string         `json:"expect"`
	Verdict      string         `json:"verdict"`
	What         string         `json:"what,omitempty"`
	Value        *float64       `json:"value"`
	Lo           *float64       `json:"lo"`
	Hi           *float64       `json:"hi"`
	Because      string         `json:"because"` // in words
	Invalid      bool           `json:"invalid"` // rests on a number that is not valid
	Alternatives multiverseJSON `json:"alternatives"`

	multiverse claim.Multiverse
}

// multiverseJSON is a claim judged in every way that was measured, or could be judged.
type multiverseJSON struct {
	Is   string            `json:"is"` // robust, reversed, weaker or one alternative
	Axes []axisJSON        `json:"axes"`
	List []alternativeJSON `json:"list"` // first the claim as it is judged
}

type axisJSON struct {
	Axis    string   `json:"axis"`
	Options []string `json:"options"` // the first is the one of the claim as it is judged
}

type alternativeJSON struct {
	Choices []int  `json:"choices"` // by axes, the place of the option, from 0
	Words   string `json:"words"`   // what it does otherwise; empty for the claim as it is judged
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	// in the terms of the claim: of comparisons the ratio, whatever the metric's better direction
	Effect *effectJSON `json:"effect,omitempty"`
}

func showClaim(d *dataset.Dataset, j *claim.Judgement) shownClaim {
	claim := shownClaim{Claim: j.Claim.Name.Value, Headline: j.Claim.Headline.V, Expect: j.Claim.Expect.Text.Value,
		Verdict: string(j.Verdict), What: j.What, Because: JudgementWords(j), Invalid: j.Invalid,
		multiverse: claim.MultiverseOf(d, j.Claim)}
	if e := j.Effect; e != nil {
		claim.Value = terminal.Finite(e.Number)
		if e.Interval != nil {
			claim.Lo, claim.Hi = terminal.Finite(e.Interval.Lo), terminal.Finite(e.Interval.Hi)
		}
	}
	m := claim.multiverse
	out := multiverseJSON{Is: string(m.Is), Axes: []axisJSON{}, List: []alternativeJSON{}}
	for _, x := range m.Axes {
		out.Axes = append(out.Axes, axisJSON{x.Name, x.Options})
	}
	for _, alternative := range m.Alternatives {
		out.List = append(out.List, alternativeJSON{Choices: append([]int{}, alternative.Choices...),
			Words: alternative.Words, Verdict: string(alternative.Judgement.Verdict), Reason: alternative.Judgement.Reason,
			Effect: effectData(alternative.Effect, alternative.Region, alternative.Judgement.IsRatio)})
	}
	claim.Alternatives = out
	return claim
}

// judgedOtherwise reports whether the claim was measured in more ways than the one that it is judged by.
func (c *shownClaim) judgedOtherwise() bool { return c.multiverse.Is != stats.OneAlternative }

// judged says in how many of its alternatives a claim has which verdict: "all 12 supported", "10 of 12 supported, 2
// inconclusive".
func (c *shownClaim) judged() string {
	list := c.multiverse.Alternatives
	var words []string
	for _, v := range stats.Verdicts {
		n := 0
		for _, a := range list {
			n += lab.Boolean(a.Judgement.Verdict == v)
		}
		switch {
		case n == len(list):
			return fmt.Sprintf("all %d %s", n, v)
		case n > 0 && len(words) == 0:
			words = append(words, fmt.Sprintf("%d of %d %s", n, len(list), v))
		case n > 0:
			words = append(words, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(words, ", ")
}

// alternativeRows are all ways to judge a claim, with what came of each.
func (c *shownClaim) alternativeRows() [][]string {
	rows := [][]string{{"verdict", "effect", "judged"}}
	for _, alternative := range c.multiverse.Alternatives {
		effect := "–"
		if alternative.Effect != nil {
			effect = effectWords(alternative.Effect)
		}
		rows = append(rows, []string{string(alternative.Judgement.Verdict), effect,
			cmp.Or(alternative.Words, "as the page does")})
	}
	return rows
}

// printShownClaims lists the claims of an article, and folds the other ways to judge each into a line; of a single one
// that was asked for they are listed.
func printShownClaims(a *lab.Session, s *ShowJSON, unfold bool) {
	if len(s.Claims) == 0 {
		return
	}
	fmt.Fprintf(a.Stdout, "\nclaims of %s\n", s.Article)
	var rows, folded [][]string
	for i := range s.Claims {
		c := &s.Claims[i]
		rows = append(rows, []string{c.Verdict, c.Claim, c.Because})
		if c.judgedOtherwise() {
			folded = append(folded, []string{c.Claim, c.Alternatives.Is, c.judged()})
		}
	}
	terminal.PrintColumns(a.Stdout, "  ", rows)
	switch {
	case len(folded) == 0:
	case unfold:
		fmt.Fprintf(a.Stdout, "\nalternative ways to judge it: %s, %s\n", s.Claims[0].Alternatives.Is, s.Claims[0].judged())
		terminal.PrintColumns(a.Stdout, "  ", s.Claims[0].alternativeRows())
	default:
		fmt.Fprintf(a.Stdout, "\nalternative ways to judge them (--claim NAME lists those of one)\n")
		terminal.PrintColumns(a.Stdout, "  ", folded)
	}
}

// printShownClaimsMarkdown is printShownClaims for a pull request.
func printShownClaimsMarkdown(a *lab.Session, s *ShowJSON, unfold bool) {
	if len(s.Claims) == 0 {
		return
	}
	rows := [][]string{{"claim", "verdict", "because", "judged in every alternative way"}}
	for i := range s.Claims {
		c := &s.Claims[i]
		words := ""
		if c.judgedOtherwise() {
			words = c.Alternatives.Is + ": " + c.judged()
		}
		rows = append(rows, []string{c.Claim, c.Verdict, c.Because, words})
	}
	terminal.PrintMarkdown(a.Stdout, rows)
	if unfold {
		terminal.PrintMarkdown(a.Stdout, s.Claims[0].alternativeRows())
	}
}

// onlyClaim leaves one claim in what is shown. Without a claim of that name it is an error.
func onlyClaim(list []ShowJSON, claim string) ([]ShowJSON, error) {
	var known []string
	var out []ShowJSON
	for _, s := range list {
		for _, c := range s.Claims {
			known = append(known, c.Claim)
		}
		s.Experiments = []shownExperiment{}
		s.Claims = slices.DeleteFunc(slices.Clone(s.Claims), func(c shownClaim) bool { return c.Claim != claim })
		if len(s.Claims) > 0 {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no claim %q: %s", claim, cmp.Or(source.Suggest(claim, known), "the articles have none"))
	}
	return out, nil
}

// claimRows are the alternatives of claims as CSV.
func claimRows(list []ShowJSON) [][]string {
	rows := [][]string{{"article", "claim", "host", "profile", "judged", "verdict", "value", "lo", "hi", "unit",
		"region_lo", "region_hi", "reason"}}
	for _, s := range list {
		for _, c := range s.Claims {
			for _, alternative := range c.Alternatives.List {
				row := []string{s.Article, c.Claim, s.Host, s.Profile, alternative.Words, alternative.Verdict, "", "", "", "", "",
					"", alternative.Reason}
				if e := alternative.Effect; e != nil {
					copy(row[6:], []string{terminal.Exact(&e.Value), terminal.Exact(e.Lo), terminal.Exact(e.Hi), e.Unit,
						terminal.Exact(e.RegionLo), terminal.Exact(e.RegionHi)})
				}
				rows = append(rows, row)
			}
		}
	}
	return rows
}
