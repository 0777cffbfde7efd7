package show

import (
	"cmp"
	"fmt"
	"slices"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/claim"
	"benchbook/notebook/source"
)

type shownClaim struct {
	Claim    string   `json:"claim"`
	Headline bool     `json:"headline"`
	Expect   string   `json:"expect"`
	Verdict  string   `json:"verdict"`
	What     string   `json:"what,omitempty"`
	Value    *float64 `json:"value"`
	Lo       *float64 `json:"lo"`
	Hi       *float64 `json:"hi"`
	Because  string   `json:"because"` // in words
	Invalid  bool     `json:"invalid"` // rests on a number that is not valid
	// WithAll is what came of it with the repetitions too that only checks of their own result left out; absent if there
	// are none.
	WithAll *claimWithAll `json:"with_all,omitempty"`
}

type claimWithAll struct {
	Verdict string   `json:"verdict"`
	Value   *float64 `json:"value"`
	Lo      *float64 `json:"lo"`
	Hi      *float64 `json:"hi"`
}

func showClaim(j *claim.Judgement) shownClaim {
	claim := shownClaim{Claim: j.Claim.Name.Value, Headline: j.Claim.Headline.V, Expect: j.Claim.Expect.Text.Value,
		Verdict: string(j.Verdict), What: j.What, Because: JudgementWords(j), Invalid: j.Invalid}
	claim.Value, claim.Lo, claim.Hi = valueOf(j)
	if all := j.All; all != nil {
		with := &claimWithAll{Verdict: string(all.Verdict)}
		with.Value, with.Lo, with.Hi = valueOf(all)
		claim.WithAll = with
	}
	return claim
}

// valueOf returns the effect of a claim with the ends of its interval; nil for what it does not have.
func valueOf(j *claim.Judgement) (value, lo, hi *float64) {
	e := j.Effect
	if e == nil {
		return nil, nil, nil
	}
	if e.Interval != nil {
		lo, hi = terminal.Finite(e.Interval.Lo), terminal.Finite(e.Interval.Hi)
	}
	return terminal.Finite(e.Number), lo, hi
}

// printShownClaims lists the claims of an article.
func printShownClaims(a *lab.Session, s *ShowJSON) {
	if len(s.Claims) == 0 {
		return
	}
	fmt.Fprintf(a.Stdout, "\nclaims of %s\n", s.Article)
	var rows [][]string
	for _, c := range s.Claims {
		rows = append(rows, []string{c.Verdict, c.Claim, c.Because})
	}
	terminal.PrintColumns(a.Stdout, "  ", rows)
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

// claimRows are claims as CSV.
func claimRows(list []ShowJSON) [][]string {
	rows := [][]string{{"article", "claim", "host", "profile", "verdict", "value", "lo", "hi", "because"}}
	for _, s := range list {
		for _, c := range s.Claims {
			rows = append(rows, []string{s.Article, c.Claim, s.Host, s.Profile, c.Verdict, terminal.Exact(c.Value),
				terminal.Exact(c.Lo), terminal.Exact(c.Hi), c.Because})
		}
	}
	return rows
}
