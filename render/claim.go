package render

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// claimView is a claim in two lines: its words, and what came out. The rest opens from there.
type claimView struct {
	Badge
	ID       string
	Says     template.HTML
	Headline bool
	Effect   string   // with its interval
	What     string   // the effect is of, such as "throughput, async over sync"
	Line     []string // what follows: what was claimed and published, and what might decide it
	// Sentences are why the claim is not decided, and what to keep in mind.
	Sentences []string
	Links     []link
	Parts     []partView
	Matrix    *outcome.Matrix // instead of Parts
	Sessions  []partView      // if there are several
	Expect    template.HTML
	Run       string // the experiments that measure it
	Article   string // that has these; empty where they cannot be run by name
}

// partView is one comparison of a claim with several.
type partView struct {
	Badge
	What, Effect, Interval, Reason string
	hasInterval                    bool // that has a confidence
}

// longestEffect is how long the words may be behind an effect; longer ones list many cells, which the test below
// selects.
const longestEffect = 140

func (c *composer) claim(block *article.Claim) claimView {
	j := c.judgements[block.Name.Value]
	v := claimView{Badge: VerdictBadge(j.Outcome()), ID: prose.ClaimID + block.Name.Value, Headline: block.Headline,
		Says: c.claimSentence(block), Expect: prose.Code(block.Expect.Node.String())}
	if c.options.Command == "" {
		v.Article, v.Run = c.doc.Slug, c.runOf(block, j)
	}
	v.line("", c.statedWords(block))
	isMeasured := j.Verdict != stats.NotMeasured // without a number no warning is needed
	if j.Effect != nil && isMeasured {
		c.addEffect(&v, block, &j)
	}
	v.line("", j.Tally())
	parts := partsOf(j.Parts, nil)
	if v.Matrix = outcome.MatrixOf(&j); v.Matrix == nil { // which shows what is open
		v.Parts = parts
	}
	switch {
	case !isMeasured:
		v.line("", j.Reason)
	case len(parts) == 0: // parts have their own
		v.say(outcome.Reason(&j))
	}
	v.line("", neededWords(j))
	if isMeasured {
		if j.Invalid {
			v.say("one of its parts is not measured, because a cell is not valid")
		}
		v.say(firstMarks(j.Marks)...)
		v.say(withAllWords(&j))
	}
	v.Sessions = sessionParts(&j, c.d.Host)
	if n := len(j.Sessions); n > 1 && v.Effect == "" && !slices.ContainsFunc(v.Sessions, func(s partView) bool { return s.Word != v.Word || s.Effect != "" }) {
		v.Sessions = nil
		v.say("each of " + wording.Count(n, "session") + " alone says the same")
	}
	if j.Floor > 0 && slices.ContainsFunc(parts, func(p partView) bool { return p.hasInterval }) {
		v.say("the intervals of ratios are widened by the noise floor of " + wording.Percent(j.Floor))
	}
	return v
}

// addEffect adds the effect of a claim, where it is shown, and what it was compared with.
func (c *composer) addEffect(v *claimView, block *article.Claim, j *claim.Judgement) {
	e := outcome.EffectOf(j)
	if v.Effect = e.With(); len(j.What) <= longestEffect {
		v.What = j.What
	}
	if e.HasInterval() && j.Floor > 0 { // unlike the one in a table: docs/method.md#claims-as-regions
		v.say("its interval is widened by the noise floor of " + wording.Percent(j.Floor))
	}
	if at := c.shownAt(block.Expect.Node, j.Effect.Cells); at != nil {
		v.Links = append(v.Links, *at)
	}
	v.line("claimed ", e.Claimed())
	v.line("published ", outcome.Published(c.d, j))
}

// line adds words to the line of a claim, if there are any.
func (v *claimView) line(before, words string) {
	if words != "" {
		v.Line = append(v.Line, before+words)
	}
}

// say adds sentences, without the empty ones.
func (v *claimView) say(words ...string) {
	for _, w := range words {
		if w != "" {
			v.Sentences = append(v.Sentences, wording.Sentence(w))
		}
	}
}

// runOf returns the experiments that a claim needs.
func (c *composer) runOf(block *article.Claim, j claim.Judgement) string {
	var names []string
	for _, cell := range outcome.CellsOf(j) {
		names = slice.Add(names, cell.Experiment.Plan.Name)
	}
	if name := block.Experiment.Value; len(names) == 0 && name != "" {
		names = []string{name}
	}
	return strings.Join(names, " ")
}

// mostInvalid is how many cells with invalid repetitions a claim names. Tables name all of them.
const mostInvalid = 3

// firstMarks leaves out all but the first marks of cells with invalid repetitions, unless only one would be left out.
func firstMarks(marks []string) []string {
	invalid, kept := 0, marks[:0:0]
	for _, m := range marks {
		if strings.Contains(m, " not valid: ") {
			invalid++
		}
		if invalid <= mostInvalid || !strings.Contains(m, " not valid: ") {
			kept = append(kept, m)
		}
	}
	if invalid <= mostInvalid+1 {
		return marks
	}
	return append(kept, fmt.Sprintf("and %d more cells like these", invalid-mostInvalid))
}

// withAllWords is the effect of a claim, or the count of its verdicts, with the repetitions too that only checks of
// their own result left out; empty if there are none.
func withAllWords(j *claim.Judgement) string {
	all := j.All
	if all == nil || all.Verdict == stats.NotMeasured || all.Effect == nil && len(all.Parts) == 0 {
		return ""
	}
	words := all.Tally()
	if all.Effect != nil {
		words = outcome.EffectOf(all).With()
		if all.Verdict == j.Verdict {
			words += ", the same verdict"
		}
	}
	return "with all repetitions: " + words
}

// neededWords says how many repetitions might decide an inconclusive claim.
func neededWords(j claim.Judgement) string {
	if j.Needed == 0 || j.Verdict != stats.Inconclusive {
		return ""
	}
	return "about " + wording.Count(j.Needed, "repetition") + " would have an even chance of deciding " +
		phrase.Verb(max(1, len(j.Parts)), "it", "each of them")
}

// partsOf returns the views of results that readers compare. Their ratios have one form: the form of whole, if it has an
// effect.
func partsOf(list []claim.Judgement, whole *claim.Judgement) []partView {
	views, effects := make([]partView, len(list)), make([]outcome.Effect, len(list))
	has := func(j *claim.Judgement) bool { return j.Effect != nil && j.Verdict != stats.NotMeasured }
	for i := range list {
		j := &list[i]
		views[i] = partView{Badge: VerdictBadge(j.Outcome()), What: j.What, Reason: outcome.Reason(j)}
		if has(j) {
			if effects[i] = outcome.EffectOf(j); whole != nil && has(whole) {
				effects[i] = effects[i].InFormOf(outcome.EffectOf(whole))
			}
		}
	}
	outcome.Align(effects)
	for i, e := range effects {
		if v := &views[i]; has(&list[i]) {
			v.Effect, v.Interval, v.hasInterval = e.Text(), e.Interval(), e.HasInterval()
		}
	}
	return views
}

// claimsData has a row for each claim, and for each comparison of one.
func (c *composer) claimsData() []byte {
	t := cellview.NewDataTable([]string{"claim", "part"}, "of", "verdict", "effect", "lo", "hi", "interval", "reason")
	var add func(name, part string, j *claim.Judgement)
	add = func(name, part string, j *claim.Judgement) {
		row := []any{j.What, string(j.Outcome()), nil, nil, nil, nil, j.Reason}
		if q := j.Effect; q != nil && j.Verdict != stats.NotMeasured {
			row[2], row[5] = q.Number, string(q.Kind)
			if q.Interval != nil {
				row[3], row[4] = q.Interval.Lo, q.Interval.Hi
			}
		}
		t.Add([]any{name, part}, row...)
		for i := range j.Parts {
			add(name, strings.TrimPrefix(fmt.Sprintf("%s.%d", part, i+1), "."), &j.Parts[i])
		}
	}
	for _, block := range c.doc.Claims {
		j := c.judgements[block.Name.Value]
		add(block.Name.Value, "", &j)
	}
	return t.CSV()
}

// claimSentence returns the text of a claim, else the words of the first link to it, else its test.
func (c *composer) claimSentence(claim *article.Claim) template.HTML {
	if claim.Text.Value != "" {
		shown, _ := c.prose.Inline(claim.Text.Value)
		return shown
	}
	if words := c.prose.ClaimWords[claim.Name.Value]; words != "" {
		return prose.Escaped(words)
	}
	return "<code>" + prose.Escaped(claim.Expect.Node.String()) + "</code>"
}

// saidView is what the text says of a claim: its sentence, or words of the author.
type saidView struct {
	Class, Href string
	Hypothesis  bool          // the words are none that the claim bears out
	Words       template.HTML // but for the last
	Last        template.HTML // word, or nothing if the interval is last
	Interval    string
	Tag         string // next to the glyph; for screen readers alone if all is as the words say
	Apart       bool   // the words have links of their own, so that only the mark leads to the claim
	Stop        bool
}

// Claim shows words that are bound to a claim, or without words its sentence, with a mark that leads to the claim.
// Words of the author that do not hold are quoted as a hypothesis.
func (c *composer) Claim(name string, words template.HTML, goesOn bool) template.HTML {
	o, verdict := c.outcome(name), c.verdict(name)
	v := saidView{Class: VerdictBadge(verdict).Class, Href: "#" + prose.ClaimID + name, Tag: o.Word}
	switch {
	case words == "":
		sentence, interval := o.Sentence.Unfinished().CutInterval()
		v.Stop, v.Interval, words = !goesOn, interval, sentence.HTML()
	case verdict != stats.Supported:
		v.Hypothesis, v.Tag, words = true, string(verdict), "“"+words+"”"
	}
	v.Words, v.Apart = words, strings.Contains(string(words), "<a ") || strings.Contains(string(words), "tabindex")
	i := strings.LastIndexByte(string(words), ' ') + 1
	if v.Interval == "" && !strings.ContainsAny(string(words[i:]), "<>") {
		v.Words, v.Last = words[:i], words[i:]
	}
	return c.Fill("said", v)
}

// Finding is the sentence of a claim for headings and titles.
func (c *composer) Finding(name string) string {
	return c.outcome(name).Sentence.Title(c.verdict(name)).Text()
}

// outcome returns what became of a claim. A sentence that leads to its own claim says nothing there.
func (c *composer) outcome(name string) outcome.Outcome {
	if _, ok := c.outcomes[name]; !ok {
		c.outcomes[name] = outcome.Outcome{Word: wording.NotMeasured}
		if j, ok := c.judgements[name]; ok {
			c.outcomes[name] = outcome.Of(c.d, j, c.prose.Inline)
		}
	}
	return c.outcomes[name]
}

// title shows a title, which may be the sentence of a claim.
func (c *composer) title(line string) (shown template.HTML, words string) {
	if name, ok := article.SentenceOf(line); ok {
		words = c.Finding(name)
		return prose.Escaped(words), words
	}
	return c.prose.Inline(line)
}

// caption shows a caption, which may be the sentence of a claim.
func (c *composer) caption(line string) template.HTML {
	if name, ok := article.SentenceOf(line); ok {
		return c.outcome(name).Sentence.HTML()
	}
	shown, _ := c.prose.Inline(line)
	return shown
}

// statedWords are the mark of a claim with what changed; empty if it was stated before, or if that is not known: the page
// says both once, of all claims.
func (c *composer) statedWords(block *article.Claim) string {
	s, _ := slice.Find(c.results.Stated(), func(s claim.StatedClaim) bool { return s.Claim == block.Name.Value })
	if s.Is == claim.StatedBefore || s.Is == claim.StatingIsNotKnown {
		return ""
	}
	if len(s.Changes) == 0 {
		return string(s.Is)
	}
	return string(s.Is) + ": " + strings.Join(s.Changes, "; ")
}

// stated sums up which claims were stated before they were measured, names those that are no longer made, and says what
// ranges beside numbers are.
func (c *composer) stated() string {
	counts := map[claim.Stating]int{}
	var gone []string
	for _, s := range c.results.Stated() {
		counts[s.Is]++
		if s.Is == claim.NoLongerMade {
			gone = append(gone, s.Claim)
		}
	}
	all := len(c.doc.Claims)
	if all == 0 || c.origin.Measured == 0 {
		return ""
	}
	words, measured := "", "they were measured"
	if c.mostSessions() > 1 {
		measured = "the newest session"
	}
	switch before, unknown := counts[claim.StatedBefore], counts[claim.StatingIsNotKnown]; {
	case unknown == all:
		words = "The records do not say what the article claimed when they were measured."
	case before == all:
		words = "All claims were stated, and committed, before " + measured + "."
	default:
		words = fmt.Sprintf("%d of %s %s stated, and committed, before %s.", before, wording.Count(all, "claim"),
			phrase.Verb(before, "was", "were"), measured)
		if unknown > 0 {
			words += fmt.Sprintf(" The records do not show when %d of them %s stated.", unknown, phrase.Verb(unknown, "was", "were"))
		}
	}
	if len(gone) > 0 {
		words += " No longer made: " + phrase.List(gone) + "."
	}
	return words + " Ranges are 95\u202f% intervals, unless they say otherwise."
}

// sessionsWords says on how many sessions the claims rest: "one session", each result on one, or the most of a claim.
//
// Source: docs/method.md#sessions.
func (c *composer) sessionsWords() string {
	switch most := c.mostSessions(); {
	case most > 1:
		return fmt.Sprintf("up to %d sessions", most)
	case len(c.origin.Runs) > 1:
		return "each result of one session"
	}
	return "one session"
}

// mostSessions returns how many sessions the claim with the most of them rests on.
func (c *composer) mostSessions() int {
	most := 1
	for _, j := range c.results.Claims {
		most = max(most, len(j.Sessions))
	}
	return most
}

// ofSession adds its session to the subtitle of a figure or table, if claims next to it rest on several.
func (c *composer) ofSession(sub string) string {
	if c.mostSessions() == 1 || sub == "" {
		return sub
	}
	return sub + "; the newest session alone"
}

// sessionsBeside says what goes after an effect that several sessions have measured: the effect of the other of two, or
// that the interval is between sessions.
func sessionsBeside(j *claim.Judgement) string {
	switch {
	case len(j.Sessions) == 0 || j.Effect == nil:
		return ""
	case j.Effect.Kind == stats.OverSessions:
		return fmt.Sprintf(" between %d sessions", j.Effect.N)
	case j.Sessions[1].Effect == nil:
		return ""
	}
	return ", in another session " + outcome.Said(j, j.Sessions[1].Effect)
}

// sessionParts lists what each session says of a claim alone. Where two agree, the first is left out: the line of the
// claim shows it. A session goes by its host, unless that is the host of the page, and by when it began: by the year if it
// is another one than that of the session before, and by the time of day if its host has another session on that day.
func sessionParts(j *claim.Judgement, host string) []partView {
	views := partsOf(slice.Map(j.Sessions, func(s claim.Session) claim.Judgement {
		return claim.Judgement{Test: j.Test, Verdict: s.Verdict, Effect: s.Effect}
	}), j)
	first, year := 0, ""
	if len(views) == 2 && j.Sessions[0].Verdict == j.Verdict && j.Sessions[1].Verdict == j.Verdict {
		first = 1
	}
	for i, s := range j.Sessions[first:] {
		isSameDay := func(o claim.Session) bool { return o.Host == s.Host && began(o, dayOnly) == began(s, dayOnly) }
		layout := dayOnly
		if y := began(s, " 2006"); y != year {
			layout, year = layout+" 2006", y
		}
		if slice.Count(j.Sessions, isSameDay) > 1 {
			layout += " 15:04"
		}
		v := &views[first+i]
		if v.What = began(s, layout); s.Host != host {
			v.What += ", " + s.Host
		}
	}
	return views[first:]
}

const dayOnly = "2\u00a0Jan"

// began says in a layout of package time when the runs of a session began, by their names.
func began(s claim.Session, layout string) string {
	return phrase.List(slice.Map(s.Runs, func(run string) string {
		name, _, _ := strings.Cut(run, "-")
		if t, err := time.Parse("20060102T150405Z", name); err == nil {
			return t.Format(layout)
		}
		return run
	}))
}
