package show

import (
	"fmt"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// A Judged is the verdict on a claim or on a part of one.
type Judged struct {
	Verdict string `json:"verdict"`
	What    string `json:"what,omitempty"` // what Value is of
	Number
	Unit  string `json:"unit,omitempty"`
	Ratio bool   `json:"ratio"` // of two cells
	// RegionLo and RegionHi bound the region in which the claim says that Value lies.
	RegionLo *float64 `json:"region_lo"`
	RegionHi *float64 `json:"region_hi"`
	Because  string   `json:"because"`          // all of it in words
	Reason   string   `json:"reason,omitempty"` // why inconclusive or not measured
	// Needed repetitions have an even chance to decide an inconclusive claim; 0 if unknown.
	Needed     int      `json:"needed_repetitions,omitempty"`
	NoiseFloor float64  `json:"noise_floor"` // by which the interval of a ratio is widened, as its excess over 1
	Marks      []string `json:"marks"`       // caveats
	Invalid    bool     `json:"invalid"`     // depends on a number that is not valid

	effect string // Value with its interval and unit; empty without one
}

// Words are the verdict and the effect, such as "supported 3.71 [3.44 to 3.99]".
func (j *Judged) Words() string { return strings.TrimSpace(j.Verdict + " " + j.effect) }

// A Claim is a claim with its verdict.
type Claim struct {
	Claim    string  `json:"claim"`
	Headline bool    `json:"headline"`
	Expect   string  `json:"expect"`
	Level    float64 `json:"level"` // alpha; 0 without a test
	Judged
	Parts []Judged `json:"parts,omitempty"`
	// Sessions are the results of each session alone, if there are several: the session of the shown cells first.
	Sessions []Session `json:"sessions,omitempty"`
	// WithAll includes repetitions that only checks of their own result left out; nil if there are none.
	WithAll *Judged `json:"with_all,omitempty"`
}

// A Session is what one session says about a claim.
type Session struct {
	Runs    []string `json:"runs"`
	Host    string   `json:"host"`
	Verdict string   `json:"verdict"`
	Number
}

func newClaim(j *claim.Judgement) Claim {
	c := Claim{Claim: j.Claim.Name.Value, Headline: j.Claim.Headline, Expect: j.Claim.Expect.Text.Value, Level: j.Level,
		Judged: newJudged(j)}
	for i := range j.Parts {
		c.Parts = append(c.Parts, newJudged(&j.Parts[i]))
	}
	for _, s := range j.Sessions {
		c.Sessions = append(c.Sessions, Session{s.Runs, s.Host, string(s.Verdict), numberOf(s.Effect)})
	}
	if j.All != nil {
		all := newJudged(j.All)
		c.WithAll = &all
	}
	return c
}

func newJudged(j *claim.Judgement) Judged {
	out := Judged{Verdict: string(j.Verdict), What: j.What, Because: because(j), Reason: j.Reason, Needed: j.Needed,
		NoiseFloor: j.Floor, Marks: append([]string{}, j.Marks...), Invalid: j.Invalid, Number: numberOf(j.Effect)}
	if e := j.Effect; e != nil {
		out.Unit, out.Ratio, out.effect = e.Unit, j.IsRatio, effectWords(e)
		out.RegionLo, out.RegionHi = finite(j.Region.Lo), finite(j.Region.Hi)
	}
	return out
}

// because says what a verdict rests on, its caveats last.
func because(j *claim.Judgement) string {
	parts := []string{j.Tally(), j.Reason}
	if e := j.Effect; e != nil {
		effect := effectWords(e)
		if e.What != "" {
			effect = e.What + ": " + effect
		}
		parts = append([]string{effect}, parts...)
	}
	if n := len(j.Sessions); n > 0 {
		parts = append(parts, fmt.Sprintf("%d sessions", n))
	}
	if j.Needed > 0 {
		parts = append(parts, fmt.Sprintf("about %d repetitions would have an even chance of deciding it", j.Needed))
	}
	parts = append(parts, j.Marks...)
	if j.Invalid {
		parts = append(parts, "depends on a number that is not valid")
	}
	return strings.Join(slice.Filter(parts, func(words string) bool { return words != "" }), "; ")
}

func effectWords(e *dataset.Quantity) string {
	u := wording.UnitFor(e.Unit, e.Share, e.Number)
	decimals := u.Decimals(wording.Reading(e))
	switch {
	case e.Kind == stats.Exact:
		return u.Quantity(e.Number, decimals)
	case e.Interval == nil:
		return u.Quantity(e.Number, decimals) + " (no interval)"
	}
	return fmt.Sprintf("%s [%s]", u.Quantity(e.Number, decimals), u.Between(e.Interval.Lo, e.Interval.Hi, decimals))
}

// tally counts claims by verdict; empty without any.
func tally(claims []Claim) string {
	if len(claims) == 0 {
		return ""
	}
	counts := map[stats.Verdict]int{}
	for _, c := range claims {
		counts[stats.Verdict(c.Verdict)]++
	}
	return phrase.Count(len(claims), "claim") + ": " + strings.Join(stats.VerdictsInWords(counts), ", ")
}
