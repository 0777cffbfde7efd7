package show

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/stats"

	"benchbook/internal/slice"
	"benchbook/render/wording"
	"benchbook/runner"
	"benchbook/runner/machine"
)

// outcomeJSON is what run, report and render print with --json: what the claims of articles came to. Fields are added
// to it in later versions, none are renamed or removed.
type outcomeJSON struct {
	Articles []articleOutcomeJSON `json:"articles"` // those without problems
	Site     string               `json:"site,omitempty"`
	Time     *timeJSON            `json:"time,omitempty"` // what run and report spent on measuring, if anything
}

// timeJSON is what a run spent its time on, in seconds.
type timeJSON struct {
	Total      float64 `json:"total"`
	Searching  float64 `json:"searching"`
	Efficiency float64 `json:"efficiency"` // the share that was measuring or warm-up, searches aside
}

func timeOf(s *runner.Spent) *timeJSON {
	if s == nil {
		return nil
	}
	return &timeJSON{Total: s.Total.Seconds(), Searching: s.Searching.Seconds(), Efficiency: s.Efficiency()}
}

type articleOutcomeJSON struct {
	Article  string `json:"article"`
	Standing string `json:"standing"`
	Count    string `json:"count,omitempty"`  // of the headline claims that are supported: "2 of 3"
	Reason   string `json:"reason,omitempty"` // of the standing
	// Published says how far published numbers and measured ones agree, a sentence for each block and metric.
	Published []string    `json:"published,omitempty"`
	Host      string      `json:"host"` // whose results these are: class and digest
	Own       bool        `json:"own"`  // it is this machine
	Profile   string      `json:"profile"`
	Claims    []claimJSON `json:"claims"` // in the order of the article
}

// JudgementJSON is what was found of a claim, or of a part of one.
type JudgementJSON struct {
	What    string      `json:"what"` // in words, what the effect is of
	Verdict string      `json:"verdict"`
	Reason  string      `json:"reason,omitempty"` // why inconclusive or not measured
	Effect  *effectJSON `json:"effect,omitempty"`
	// NeededRepetitions would have an even chance to decide an inconclusive claim; 0 if that is not known.
	NeededRepetitions int      `json:"needed_repetitions,omitempty"`
	NoiseFloor        float64  `json:"noise_floor"` // by which the interval of a ratio is widened, as its excess over 1
	Marks             []string `json:"marks"`       // what readers have to know
	Invalid           bool     `json:"invalid"`     // it rests on a number that is not valid
}

type claimJSON struct {
	Name     string `json:"name"`
	Headline bool   `json:"headline"`
	Expect   string `json:"expect,omitempty"`
	// Level is that at which the claim was judged: 0.05, or less where rounds were added to a run that was finished; 0
	// without a test.
	Level float64 `json:"level"`
	JudgementJSON
	Parts []JudgementJSON `json:"parts,omitempty"`
}

// effectJSON is unrounded, in the base unit. Ends are null where the interval has none, and both where there is no
// interval.
type effectJSON struct {
	Value float64  `json:"value"`
	Lo    *float64 `json:"lo"`
	Hi    *float64 `json:"hi"`
	Unit  string   `json:"unit"`
	Ratio bool     `json:"ratio"` // of two cells
	// RegionLo and RegionHi are where the claim says the value lies; null for no end.
	RegionLo *float64 `json:"region_lo"`
	RegionHi *float64 `json:"region_hi"`
}

// ArticleOutcome is what the results of an article came to, without the records that it rests on. It can be kept as
// JSON.
type ArticleOutcome struct {
	Data   articleOutcomeJSON
	Head   string            // for people: the standing, and whose results these are
	Below  []string          // the reason of the standing, and how far published numbers agree
	Claims []string          // a line for each claim
	Others []dataset.SetName // sets of records that are not shown
}

// NewOutcome says what results came to.
func NewOutcome(d *dataset.Dataset) *ArticleOutcome {
	judged := claim.JudgeAll(d)
	standing := judged.Standing()
	out := &ArticleOutcome{Head: headOf(d, standing), Below: linesBelow(standing.Reason, standing.Published),
		Others: d.Others}
	out.Data = articleOutcomeJSON{Article: d.Doc.Slug, Standing: string(standing.Is), Count: standing.Count,
		Reason: standing.Reason, Published: standing.Published, Host: d.Host, Own: d.Own, Profile: d.Profile,
		Claims: []claimJSON{}}
	judgements := judged.Claims
	width := 0
	for _, j := range judgements {
		width = max(width, len(j.Claim.Name.Value))
	}
	for _, j := range judgements {
		out.Data.Claims = append(out.Data.Claims, claimOutcome(&j))
		out.Claims = append(out.Claims, fmt.Sprintf("  %-12s  %-*s  %s", j.Verdict, width, j.Claim.Name.Value,
			briefly(&j, d.Doc.Slug)))
	}
	return out
}

// Judgements are what the claims came to, by their names.
func (o *ArticleOutcome) Judgements() map[string]JudgementJSON {
	out := map[string]JudgementJSON{}
	for _, c := range o.Data.Claims {
		out[c.Name] = c.JudgementJSON
	}
	return out
}

func claimOutcome(j *claim.Judgement) claimJSON {
	c := claimJSON{Name: j.Claim.Name.Value, Headline: j.Claim.Headline.V, Expect: j.Claim.Expect.Text.Value,
		Level: j.Level, JudgementJSON: JudgementOutcome(j)}
	for _, p := range j.Parts {
		c.Parts = append(c.Parts, JudgementOutcome(&p))
	}
	return c
}

// JudgementOutcome says what came of a claim, for other programs.
func JudgementOutcome(j *claim.Judgement) JudgementJSON {
	out := JudgementJSON{What: j.What, Verdict: string(j.Verdict), Reason: j.Reason, NeededRepetitions: j.Needed,
		NoiseFloor: j.Floor, Marks: append([]string{}, j.Marks...), Invalid: j.Invalid}
	out.Effect = effectData(j.Effect, j.Region, j.IsRatio)
	return out
}

// effectData is an effect and where a claim says that it lies; nil for none.
func effectData(q *dataset.Quantity, region stats.Region, isRatio bool) *effectJSON {
	if q == nil {
		return nil
	}
	e := &effectJSON{Value: q.Number, Unit: q.Unit, Ratio: isRatio, RegionLo: terminal.Finite(region.Lo),
		RegionHi: terminal.Finite(region.Hi)}
	if q.Interval != nil {
		e.Lo, e.Hi = terminal.Finite(q.Interval.Lo), terminal.Finite(q.Interval.Hi)
	}
	return e
}

// ClaimStatus is the status that --claims asks for: that a claim is contradicted, or that one rests on a number that is
// not valid. Both are said.
func ClaimStatus(a *lab.Session, outcomes []*ArticleOutcome) error {
	var contradicted, invalid []string
	for _, o := range outcomes {
		for _, c := range o.Data.Claims {
			name := fmt.Sprintf("%s of article %s", c.Name, o.Data.Article)
			if c.Verdict == string(stats.Contradicted) {
				contradicted = append(contradicted, name)
			}
			if c.Invalid {
				invalid = append(invalid, name)
			}
		}
	}
	var first, then error
	if len(contradicted) > 0 {
		first = lab.WithStatus(lab.StatusGate, fmt.Errorf("%s contradicted: %s",
			terminal.Are(len(contradicted), "claim"), strings.Join(contradicted, ", ")))
	}
	if len(invalid) > 0 {
		then = lab.WithStatus(lab.StatusGate, fmt.Errorf("%s a number that is not valid: %s",
			expr.Plural(len(invalid), "claim")+expr.Verb(len(invalid), " depends on", " depend on"),
			strings.Join(invalid, ", ")))
	}
	return a.JoinErrors(first, then)
}

// ShownDataset lays the records of an article over its plans: what the page shows.
func ShownDataset(a *lab.Session, project *article.Project, c *lab.Article, this machine.Host) (*dataset.Dataset,
	error) {
	records, o, err := a.Lay(project, c, this)
	if err != nil {
		return nil, err
	}
	return dataset.New(c.Doc, records, o)
}

// Outcomes are what the records say of the articles: those of this host in a profile, where there are some, or else
// those that the page shows. Articles with problems are left out.
func Outcomes(a *lab.Session, project *article.Project, list []*lab.Article,
	profile string) ([]*ArticleOutcome, error) {
	this, err := machine.Here()
	if err != nil {
		return nil, lab.Failure(err)
	}
	var out []*ArticleOutcome
	for _, c := range list {
		if !c.Problems.Empty() || !c.Doc.Problems.Empty() {
			continue
		}
		d, err := outcomeDataset(a, project, c, this, profile)
		if err != nil {
			return nil, lab.Failure(fmt.Errorf("article %s: %w", c.Slug, err))
		}
		out = append(out, NewOutcome(d))
	}
	return out, nil
}

// outcomeDataset is the set of records that a run in a profile is about.
func outcomeDataset(a *lab.Session, project *article.Project, c *lab.Article, this machine.Host,
	profile string) (*dataset.Dataset, error) {
	records, o, err := a.Lay(project, c, this)
	if err != nil {
		return nil, err
	}
	shown, err := dataset.New(c.Doc, records, o)
	isMine := func(s dataset.SetName) bool { return s.Host == o.ThisHost && s.Profile == profile }
	if err != nil || !slices.ContainsFunc(shown.Others, isMine) {
		return shown, err
	}
	fmt.Fprintf(a.Stderr, "%s: these are results of profile %s; pages show those of profile %s, host %s\n", c.Slug,
		profile, shown.Profile, shown.Host)
	o.Profile, o.Host = profile, o.ThisHost
	return dataset.New(c.Doc, records, o)
}

// PrintOutcome says what articles came to; site is where the site was made, if it was.
func PrintOutcome(a *lab.Session, outcomes []*ArticleOutcome, site string) error {
	if !a.JSON {
		for _, line := range summary(outcomes) {
			fmt.Fprintln(a.Stdout, line)
		}
		return nil
	}
	out := outcomeJSON{Articles: []articleOutcomeJSON{}, Site: site, Time: timeOf(a.Spent)}
	for _, o := range outcomes {
		out.Articles = append(out.Articles, o.Data)
	}
	return lab.PrintJSON(a.Stdout, out)
}

// mostLines is how long a summary is at most: show has the rest.
const mostLines = 30

// summary is a line for each of several articles. Of a single one it has the claims too, headlines first if there is no
// room for all.
func summary(outcomes []*ArticleOutcome) []string {
	if len(outcomes) == 1 {
		return outcomes[0].summary()
	}
	lines := slice.Map(outcomes, func(o *ArticleOutcome) string {
		return o.Head + tallyOf(slice.Map(o.Data.Claims, func(c claimJSON) stats.Verdict { return stats.Verdict(c.Verdict) }))
	})
	if more := len(lines) - (mostLines - 2); more > 1 {
		lines = append(lines[:len(lines)-more], fmt.Sprintf("and %d more articles: benchbook show has all", more))
	}
	if len(lines) > 0 {
		lines = append(lines, "each claim: benchbook show ARTICLE")
	}
	return lines
}

// summary is the standing of an article, and a line for each claim.
func (o *ArticleOutcome) summary() []string {
	lines := append([]string{o.Head}, o.Below...)
	room := mostLines - len(lines)
	if len(o.Claims) <= room {
		return append(lines, o.Claims...)
	}
	room = max(0, room-1)
	for _, headline := range []bool{true, false} {
		for i, words := range o.Claims {
			if o.Data.Claims[i].Headline == headline && room > 0 {
				lines, room = append(lines, words), room-1
			}
		}
	}
	more := len(o.Claims) - (len(lines) - 1 - len(o.Below))
	return append(lines, fmt.Sprintf("  and %d more claims: benchbook show %s", more, o.Data.Article))
}

// NoteOtherProfile says of articles that were measured under a profile that results of another one are shown, with the
// way to those that were asked for: a complete set of this host in full goes before quick ones. Of those of which this
// host has quick ones only, it says the way to full ones of another host.
func NoteOtherProfile(a *lab.Session, outcomes []*ArticleOutcome, slugs []string, profile string) {
	others, elsewhere := map[string][]string{}, map[string][]string{}
	for _, o := range outcomes {
		slug, shown := o.Data.Article, o.Data.Profile
		mine := func(s dataset.SetName) bool { return s.Profile == profile && s.Host == o.Data.Host }
		if !slices.Contains(slugs, slug) || !o.Data.Own {
			continue
		}
		full, hasFull := slice.Find(o.Others, func(s dataset.SetName) bool { return s.Profile == plan.Full })
		switch {
		case shown != profile && slices.ContainsFunc(o.Others, mine):
			others[shown] = append(others[shown], slug)
		case shown == plan.Quick && hasFull && full.Host != o.Data.Host:
			elsewhere[full.Host] = append(elsewhere[full.Host], slug)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(elsewhere)) {
		fmt.Fprintf(a.Stderr, "%s: these are quick results of this machine; benchbook show --host %s %s shows the full ones "+
			"of that host, which the pages link\n", terminal.InSentence(elsewhere[host]), host,
			strings.Join(elsewhere[host], " "))
	}
	for _, shown := range slices.Sorted(maps.Keys(others)) {
		fmt.Fprintf(a.Stderr, "%s: these are the complete results of profile %s; benchbook show --profile %s %s shows "+
			"those of %s\n", terminal.InSentence(others[shown]), shown, profile, strings.Join(others[shown], " "), profile)
	}
}

// headOf is the standing of an article in words, and whose results these are.
func headOf(d *dataset.Dataset, standing claim.Standing) string {
	where := fmt.Sprintf("profile %s, host %s", d.Profile, d.Host)
	if !d.Own {
		where += ", not this one"
	}
	return fmt.Sprintf("%s: %s (%s)", d.Doc.Slug, standing, where)
}

// linesBelow are the lines below a standing: its reason, and how far published numbers agree.
func linesBelow(reason string, published []string) (out []string) {
	for _, words := range append([]string{reason}, published...) {
		if words != "" {
			out = append(out, "  "+words)
		}
	}
	return out
}

// effectWords writes an effect with its interval.
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

// maxBrief is how many characters a line of a summary may have before its cautions are only counted.
const maxBrief = 160

// briefly is what a verdict rests on, with no more cautions than there is room for.
func briefly(j *claim.Judgement, slug string) string {
	all := JudgementWords(j)
	if len(j.Marks) == 0 || utf8.RuneCountInString(all) <= maxBrief {
		return all
	}
	short := *j
	short.Marks = nil
	return fmt.Sprintf("%s; %s: benchbook show %s", JudgementWords(&short), terminal.Count(len(j.Marks), "caution"), slug)
}

// JudgementWords is what a verdict rests on, in one line.
func JudgementWords(j *claim.Judgement) string {
	var parts []string
	if e := j.Effect; e != nil {
		effect := effectWords(e)
		if e.What != "" {
			effect = e.What + ": " + effect
		}
		parts = append(parts, effect)
	}
	if tally := j.Tally(); tally != "" {
		parts = append(parts, tally)
	}
	if j.Reason != "" {
		parts = append(parts, j.Reason)
	}
	if j.Needed > 0 {
		parts = append(parts, fmt.Sprintf("about %d repetitions would have an even chance of deciding it", j.Needed))
	}
	marks := slices.Clone(j.Marks)
	if j.Invalid {
		marks = append(marks, "depends on a number that is not valid")
	}
	return strings.Join(append(parts, marks...), "; ")
}
