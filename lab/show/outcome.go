package show

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/wording"
)

// An Article holds the outcome of an article on one host.
type Article struct {
	Article     string        `json:"article"`
	Title       string        `json:"title"`
	Host        string        `json:"host"` // class and digest
	ThisHost    bool          `json:"this_host"`
	Profile     string        `json:"profile"`
	Standing    string        `json:"standing"`
	Count       string        `json:"count,omitempty"`       // supported headline claims: "2 of 3"
	Reason      string        `json:"reason,omitempty"`      // why the article has this standing
	Published   []string      `json:"published,omitempty"`   // sentences about the agreement with published numbers
	Experiments []*Experiment `json:"experiments,omitempty"` // set by show only
	Claims      []Claim       `json:"claims"`                // in the order of the article
	Others      []Set         `json:"others"`                // sets of records that are not shown
}

// A Set names the records of a host and profile.
type Set struct {
	Host    string `json:"host"`
	Profile string `json:"profile"`
}

// NewArticle judges the claims of an article. It does not set Experiments.
func NewArticle(d *dataset.Dataset) *Article {
	judged := claim.JudgeAll(d)
	s := judged.Standing()
	out := &Article{Article: d.Doc.Slug, Title: d.Doc.Front.Title.Value, Host: d.Host, ThisHost: d.Own, Profile: d.Profile,
		Standing: string(s.Is), Count: s.Count, Reason: s.Reason, Published: s.Published, Claims: []Claim{}, Others: []Set{}}
	for _, s := range d.Others {
		out.Others = append(out.Others, Set{s.Host, s.Profile})
	}
	for i := range judged.Claims {
		out.Claims = append(out.Claims, newClaim(&judged.Claims[i]))
	}
	return out
}

// Verdicts returns the verdicts on the claims by name. a may be nil.
func (a *Article) Verdicts() map[string]Judged {
	if a == nil {
		return nil
	}
	out := map[string]Judged{}
	for _, c := range a.Claims {
		out[c.Claim] = c.Judged
	}
	return out
}

// counted returns a standing with the count of supported claims, which may be empty.
func counted(standing, count string) string { return strings.TrimSuffix(standing+", "+count, ", ") }

func (a *Article) host() string {
	if a.ThisHost {
		return a.Host
	}
	return a.Host + ", not this one"
}

// becauseWidth is the width of the column with the reasons of verdicts, in characters.
const becauseWidth = 100

// verdicts returns a section with the standing of the article and the verdicts on its claims.
func (a *Article) verdicts() Section {
	s := Section{Title: fmt.Sprintf("%s: %s (profile %s, host %s)", a.Article, counted(a.Standing, a.Count), a.Profile, a.host()),
		Lines: slice.Filter(append([]string{a.Reason}, a.Published...), func(words string) bool { return words != "" })}
	rows := slice.Map(a.Claims, func(c Claim) []string { return []string{c.Verdict, c.Claim, c.Because} })
	s.Table.Rows = terminal.WrapLast(rows, becauseWidth)
	return s
}

// summary returns the verdicts of a single article, or a table with a row for each of several.
func summary(list []*Article) Report {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return Report{list[0].verdicts()}
	}
	rows := slice.Map(list, func(a *Article) []string {
		return []string{a.Article, counted(a.Standing, a.Count), tally(a.Claims), a.Profile, a.host()}
	})
	return Report{{Table: Table{Head: []string{"article", "standing", "claims", "profile", "host"}, Rows: rows},
		Notes: []string{"more of one: benchbook show ARTICLE, or ARTICLE#EXPERIMENT"}}}
}

// ClaimStatus returns the error of --claims if a claim is contradicted or depends on an invalid number.
func ClaimStatus(list []*Article) error {
	var failed []string
	for _, o := range list {
		for _, c := range o.Claims {
			name := fmt.Sprintf("claim %s of article %s", c.Claim, o.Article)
			if c.Verdict == string(stats.Contradicted) {
				failed = append(failed, name+" is contradicted")
			}
			if c.Invalid {
				failed = append(failed, name+" depends on a number that is not valid")
			}
		}
	}
	if failed == nil {
		return nil
	}
	return lab.WithStatus(lab.StatusGate, errors.New(strings.Join(failed, "; ")))
}

// ShownDataset returns the dataset that the page of an article shows.
func ShownDataset(a *lab.Session, project *article.Project, c *lab.Article) (*dataset.Dataset, error) {
	records, o, err := a.Lay(project, c)
	if err != nil {
		return nil, err
	}
	return dataset.New(c.Doc, records, o)
}

// Outcomes judges articles by this host's records in a profile if there are any, else by the records their pages show.
// It leaves out articles with problems.
func Outcomes(a *lab.Session, project *article.Project, list []*lab.Article, profile string) (out []*Article, err error) {
	for _, c := range list {
		if !c.Problems.Empty() || !c.Doc.Problems.Empty() {
			continue
		}
		records, o, err := a.Lay(project, c)
		var d *dataset.Dataset
		if err == nil {
			d, err = dataset.New(c.Doc, records, o)
		}
		isMine := func(s *dataset.Dataset) bool { return s.Host == o.ThisHost && s.Profile == profile }
		if err == nil && slices.ContainsFunc(d.Others, isMine) {
			fmt.Fprintf(a.Stderr, "%s: these are results of profile %s; pages show those of profile %s, host %s\n", c.Slug,
				profile, d.Profile, d.Host)
			o.Profile, o.Host = profile, o.ThisHost
			d, err = dataset.New(c.Doc, records, o)
		}
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
		}
		out = append(out, NewArticle(d))
	}
	return out, nil
}

// outcomeJSON is what run, report and render print with --json.
type outcomeJSON struct {
	Articles []*Article `json:"articles"` // without articles that have problems
	Site     string     `json:"site,omitempty"`
}

// PrintOutcome prints the standings and claims of articles. site is the folder of the site, or empty.
func PrintOutcome(a *lab.Session, list []*Article, site string) error {
	out := outcomeJSON{append([]*Article{}, list...), site}
	return a.Print(out, func() { summary(list).Text(a.Stdout) })
}

// NoteOtherProfile prints how to see the results of the measured profile where an article shows another one.
func NoteOtherProfile(a *lab.Session, list []*Article, slugs []string, profile string) {
	for _, o := range list {
		if slices.Contains(slugs, o.Article) && o.Profile != profile && slices.Contains(o.Others, Set{o.Host, profile}) {
			fmt.Fprintf(a.Stderr, "%s: these are the complete results of profile %s; benchbook show --profile %s %s shows "+
				"those of %s\n", o.Article, o.Profile, profile, o.Article, profile)
		}
	}
}

// A Judged is the verdict on a claim or on a part of one.
type Judged struct {
	Verdict string `json:"verdict"`
	What    string `json:"what,omitempty"` // meaning of Value
	Number
	Unit  string `json:"unit,omitempty"`
	Ratio bool   `json:"ratio"` // Value is a ratio of two cells
	// RegionLo and RegionHi bound the region that the claim states for Value.
	RegionLo *float64 `json:"region_lo"`
	RegionHi *float64 `json:"region_hi"`
	Because  string   `json:"because"`          // the full explanation
	Reason   string   `json:"reason,omitempty"` // why inconclusive or not measured
	// Needed is the number of repetitions with an even chance to decide an inconclusive claim; 0 if unknown.
	Needed     int      `json:"needed_repetitions,omitempty"`
	NoiseFloor float64  `json:"noise_floor"` // widens the interval of a ratio; as its excess over 1
	Marks      []string `json:"marks"`       // caveats
	Invalid    bool     `json:"invalid"`     // depends on a number that is not valid

	effect string // Value with its interval and unit; empty without a value
}

// Words returns the verdict and the effect, such as "supported 3.71 [3.44 to 3.99]".
func (j *Judged) Words() string { return strings.TrimSpace(j.Verdict + " " + j.effect) }

// A Claim is a claim with its verdict.
type Claim struct {
	Claim    string  `json:"claim"`
	Headline bool    `json:"headline"`
	Expect   string  `json:"expect"`
	Level    float64 `json:"level"` // alpha; 0 without a test
	Judged
	Parts []Judged `json:"parts,omitempty"`
	// Sessions are the results of single sessions, if there are several. The session of the shown cells is first.
	Sessions []Session `json:"sessions,omitempty"`
	// WithAll includes repetitions that were left out only because of their own result; nil if there are none.
	WithAll *Judged `json:"with_all,omitempty"`
}

// A Session is the result of a claim from one session alone.
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

// because explains a verdict: its effect, its reason and its caveats.
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
