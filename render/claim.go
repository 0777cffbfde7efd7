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

// claimView is a claim in two lines, its text and its outcome; the details unfold.
type claimView struct {
	Badge
	ID       string
	Says     template.HTML
	Headline bool
	Effect   string   // with its interval
	What     string   // is compared, such as "throughput, async over sync"; may be empty
	Line     []string // after the effect: the claimed and published size, and what might decide the claim
	// Sentences give the reasons and caveats of the verdict.
	Sentences []string
	Links     []link
	Parts     []partView
	Matrix    *outcome.Matrix // instead of Parts
	Sessions  []partView      // if there are several
	Expect    template.HTML
	Run       string // names of the experiments that measure it
	Article   string // their slug; empty if they can't be run by name
}

// partView is one comparison of a claim, or the claim in one session or set of records.
type partView struct {
	Badge
	What, Effect, Interval, Reason string
	hasInterval                    bool // Interval is a confidence interval
}

// longestEffect limits the length of claimView.What. Longer texts list many cells, which the expression shows better.
const longestEffect = 140

func (c *composer) claim(block *article.Claim) claimView {
	j := c.judgements[block.Name.Value]
	v := claimView{Badge: VerdictBadge(j.Outcome()), ID: prose.ClaimID + block.Name.Value, Headline: block.Headline,
		Says: c.claimSentence(block), Expect: prose.Code(block.Expect.Node.String())}
	if c.options.Command == "" {
		v.Article, v.Run = c.doc.Slug, c.runOf(block, j)
	}
	v.line("", c.statedWords(block))
	isMeasured := j.Verdict != stats.NotMeasured
	if j.Effect != nil && isMeasured {
		c.addEffect(&v, block, &j)
	}
	v.line("", j.Tally())
	parts := partsOf(j.Parts, nil)
	if v.Matrix = outcome.MatrixOf(&j); v.Matrix == nil {
		v.Parts = parts
	}
	switch {
	case !isMeasured:
		v.line("", j.Reason)
	case len(parts) == 0: // else each part has its own reason
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

// addEffect adds the effect of a claim, a link to it, and the claimed and published sizes.
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

// line appends words to the second line of a claim, unless they are empty.
func (v *claimView) line(before, words string) {
	if words != "" {
		v.Line = append(v.Line, before+words)
	}
}

// say appends words as sentences, except empty ones.
func (v *claimView) say(words ...string) {
	for _, w := range words {
		if w != "" {
			v.Sentences = append(v.Sentences, wording.Sentence(w))
		}
	}
}

// runOf returns the names of the experiments that a claim needs, separated by spaces.
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

// mostInvalid is how many cells with invalid repetitions a claim names. Tables name all.
const mostInvalid = 3

// firstMarks replaces all but the first mostInvalid marks of invalid cells by a count, unless that saves just one.
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

// withAllWords says what the claim comes to if repetitions excluded because of their own result count; "" if there are
// none.
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

// neededWords says how many repetitions might decide an inconclusive claim; "" for others.
func neededWords(j claim.Judgement) string {
	if j.Needed == 0 || j.Verdict != stats.Inconclusive {
		return ""
	}
	return "about " + wording.Count(j.Needed, "repetition") + " would have an even chance of deciding " +
		phrase.Verb(max(1, len(j.Parts)), "it", "each of them")
}

// partsOf returns the views of parts or sessions. Readers compare them, so all ratios have one form: the form of whole,
// unless it is nil or has no effect.
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

// claimsData returns CSV with a row for each claim and for each of its comparisons.
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

// claimSentence returns the text of a claim, else the words of the first link to it, else its expression.
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

// saidView is a statement of a claim in the text: its sentence, or the author's words.
type saidView struct {
	Class, Href string
	Hypothesis  bool          // the claim does not support the words
	Words       template.HTML // without Last
	Last        template.HTML // word, kept with the glyph; empty if the interval or markup is last
	Interval    string
	Tag         string // next to the glyph; only for screen readers if "as claimed"
	Apart       bool   // only the glyph links to the claim, as the words contain links
	Stop        bool   // ends with a full stop
}

// Claim renders words bound to a claim, or its sentence if there are none, with a mark that links to the claim.
// Words that the claim does not support are quoted as a hypothesis. If goesOn, the sentence has no full stop.
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

// Finding returns the sentence of a claim for headings and titles.
func (c *composer) Finding(name string) string {
	return c.outcome(name).Sentence.Title(c.verdict(name)).Text()
}

// outcome returns the outcome of a claim. A sentence that refers to its own claim finds "not measured", not a loop.
func (c *composer) outcome(name string) outcome.Outcome {
	if _, ok := c.outcomes[name]; !ok {
		c.outcomes[name] = outcome.Outcome{Word: wording.NotMeasured}
		if j, ok := c.judgements[name]; ok {
			c.outcomes[name] = outcome.Of(c.d, j, c.prose.Inline)
		}
	}
	return c.outcomes[name]
}

// title renders a title, which may be the sentence of a claim, and returns it as text, too.
func (c *composer) title(line string) (shown template.HTML, words string) {
	if name, ok := article.SentenceOf(line); ok {
		words = c.Finding(name)
		return prose.Escaped(words), words
	}
	return c.prose.Inline(line)
}

// caption renders a caption, which may be the sentence of a claim.
func (c *composer) caption(line string) template.HTML {
	if name, ok := article.SentenceOf(line); ok {
		return c.outcome(name).Sentence.HTML()
	}
	shown, _ := c.prose.Inline(line)
	return shown
}

// statedWords says that a claim was not stated before it was measured, and what changed. It is empty for one stated
// before, or if that is unknown: method stated says so once for all claims.
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

// stated counts the claims stated before they were measured, names those no longer made, and explains the ranges.
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

// sessionsWords says how many sessions a claim rests on: "one session", "up to 3 sessions".
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

// mostSessions returns the largest number of sessions of a claim, at least 1.
func (c *composer) mostSessions() int {
	most := 1
	for _, j := range c.results.Claims {
		most = max(most, len(j.Sessions))
	}
	return most
}

// ofSession adds to the subtitle of a figure or table that it shows the newest session, if claims rest on several.
func (c *composer) ofSession(sub string) string {
	if c.mostSessions() == 1 || sub == "" {
		return sub
	}
	return sub + "; the newest session alone"
}

// sessionsBeside returns the words after an effect of several sessions: that its interval is between sessions, or the
// effect in the other of two.
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

// sessionParts returns the verdict and effect of each session alone. If both of two agree with the claim, the first is
// left out: the line of the claim shows it. A session is named by its day, with the year if that changes, the time of
// day if its host has another session on that day, and the host unless it is the given one.
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

// began formats when the runs of a session began, which it reads from their names.
func began(s claim.Session, layout string) string {
	return phrase.List(slice.Map(s.Runs, func(run string) string {
		name, _, _ := strings.Cut(run, "-")
		if t, err := time.Parse("20060102T150405Z", name); err == nil {
			return t.Format(layout)
		}
		return run
	}))
}
