package render

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/stats"

	"benchbook/render/cellview"

	"benchbook/internal/slice"
	"benchbook/render/outcome"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

// claimView is a claim in two lines: its words, and what came out. The rest opens from there.
type claimView struct {
	ID       string
	Class    string
	Word     string
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
	Run       string // the experiments that measure it, as arguments of run
}

// partView is one comparison of a claim with several.
type partView struct {
	Class, Word, What, Effect, Interval, Reason string
	hasInterval                                 bool // that has a confidence
}

// longestEffect is how long the words may be behind an effect; longer ones list many cells, which the test below
// selects.
const longestEffect = 140

func (c *composer) claim(block *article.Claim) claimView {
	j := c.judgements[block.Name.Value]
	mark := VerdictBadge(j.Outcome())
	says, _ := c.claimSentence(block)
	v := claimView{ID: prose.ClaimID + block.Name.Value, Class: mark.Class, Word: mark.Word, Says: says,
		Headline: block.Headline}
	if block.Expect.Node != nil {
		v.Expect = prose.Code(block.Expect.Node.String())
	}
	line := func(words string) {
		if words != "" {
			v.Line = append(v.Line, words)
		}
	}
	line(statedWords(c.statedAs(block)))
	v.Run = c.runOf(block, j)
	add := func(words string) {
		if words != "" {
			v.Sentences = append(v.Sentences, wording.Sentence(words))
		}
	}
	isMeasured := j.Verdict != stats.NotMeasured // without a number no warning is needed
	if j.Effect != nil && isMeasured {
		e := outcome.EffectOf(&j)
		v.Effect, v.What = c.outcomes.of(block.Name.Value).Here, j.What
		if len(v.What) > longestEffect {
			v.What = ""
		}
		if e.HasInterval() {
			add("95\u202f% interval" + floorNote(j.Floor))
		}
		if at := c.shownAt(block.Expect.Node, j.Effect.Cells); at != nil {
			v.Links = append(v.Links, *at)
		}
		line(withPrefix("claimed ", e.Claimed()))
		line(withPrefix("published ", outcome.Published(c.d, &j)))
	}
	line(j.Tally())
	v.Parts, v.Matrix, v.Sessions = slice.Map(j.Parts, partOf), outcome.MatrixOf(&j), sessionParts(&j)
	switch {
	case !isMeasured:
		line(j.Reason)
	case v.Matrix == nil: // which shows what is open
		add(j.Reason)
	}
	line(neededWords(j))
	if isMeasured {
		if j.Invalid {
			add("one of its parts is not measured, because a cell is not valid")
		}
		for _, m := range j.Marks {
			add(m)
		}
		add(withAllWords(&j))
	}
	add(intervalsNote(v.Parts, j.Floor))
	if v.Matrix != nil {
		v.Parts = nil
	}
	return v
}

// runOf returns the experiments that a claim needs, as arguments of run; empty for an article that is of no project.
func (c *composer) runOf(block *article.Claim, j claim.Judgement) string {
	if c.options.Command != "" {
		return ""
	}
	var names []string
	for _, cell := range outcome.CellsOf(j) {
		names = slice.Add(names, c.doc.Slug+"#"+cell.Experiment.Plan.Name)
	}
	if name := block.Experiment.Value; len(names) == 0 && name != "" {
		names = []string{c.doc.Slug + "#" + name}
	}
	return strings.Join(names, " ")
}

// withAllWords is the effect of a claim, or the count of its verdicts, with the repetitions too that only checks of
// their own result left out; empty if there are none.
func withAllWords(j *claim.Judgement) string {
	all := j.All
	switch {
	case all == nil || all.Verdict == stats.NotMeasured:
		return ""
	case all.Effect == nil:
		return withPrefix("with all repetitions: ", all.Tally())
	}
	words := "with all repetitions: " + outcome.EffectOf(all).With()
	if all.Verdict == j.Verdict {
		words += ", the same verdict"
	}
	return words
}

// intervalsNote says what the intervals of parts are; empty if none has one.
func intervalsNote(parts []partView, floor float64) string {
	if !slices.ContainsFunc(parts, func(p partView) bool { return p.hasInterval }) {
		return ""
	}
	words := "with 95\u202f% intervals"
	if floor > 0 {
		words += ", for ratios" + floorNote(floor)
	}
	return words
}

// neededWords says how many repetitions might decide an inconclusive claim.
func neededWords(j claim.Judgement) string {
	if j.Needed == 0 || j.Verdict != stats.Inconclusive {
		return ""
	}
	it := "it"
	if len(j.Parts) > 0 {
		it = "each of them"
	}
	return "about " + wording.Count(j.Needed, "repetition") + " would have an even chance of deciding " + it
}

func withPrefix(before, words string) string {
	if words == "" {
		return ""
	}
	return before + words
}

func partOf(j claim.Judgement) partView {
	mark := VerdictBadge(j.Outcome())
	v := partView{Class: mark.Class, Word: mark.Word, What: j.What, Reason: j.Reason}
	if j.Effect != nil && j.Verdict != stats.NotMeasured {
		e := outcome.EffectOf(&j)
		v.Effect, v.Interval, v.hasInterval = e.Text(), e.Interval(), e.HasInterval()
	}
	return v
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

// floorNote says that an interval is widened, unlike those in tables: docs/method.md#claims-as-regions.
func floorNote(floor float64) string {
	if floor == 0 {
		return ""
	}
	return " widened by the noise floor of " + wording.Percent(floor)
}

// claimSentence returns the text of a claim, else the words of the first link to it, else its test.
func (c *composer) claimSentence(claim *article.Claim) (template.HTML, string) {
	if claim.Text.Value != "" {
		return c.prose.Inline(claim.Text.Value)
	}
	if words := c.prose.ClaimWords[claim.Name.Value]; words != "" {
		return template.HTML(template.HTMLEscapeString(words)), words
	}
	test := claim.Name.Value
	if claim.Expect.Node != nil {
		test = claim.Expect.Node.String()
	}
	return template.HTML("<code>" + template.HTMLEscapeString(test) + "</code>"), test
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
	o, verdict := c.outcomes.of(name), c.judgements.verdict(name)
	v := saidView{Class: VerdictBadge(verdict).Class, Href: "#" + prose.ClaimID + name, Tag: o.Word}
	switch {
	case words == "":
		sentence := o.Sentence.Unfinished()
		v.Stop = !goesOn
		if last := len(sentence) - 1; last >= 0 && sentence[last].Kind == outcome.Interval {
			v.Interval, sentence = sentence[last].Text, sentence[:last]
		}
		words = sentence.HTML()
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
	return c.outcomes.of(name).Sentence.Title(c.judgements.verdict(name)).Text()
}

// outcomes are what became of the claims of a page, made when they are asked for.
type outcomes struct {
	page  *composer
	known map[string]outcome.Outcome
}

// of returns what became of a claim. A sentence that leads to its own claim says nothing there.
func (o outcomes) of(name string) outcome.Outcome {
	if _, ok := o.known[name]; !ok {
		o.known[name] = outcome.Outcome{Word: wording.NotMeasured}
		if j, ok := o.page.judgements[name]; ok {
			o.known[name] = outcome.Of(o.page.d, j, outcome.Options{Markdown: o.page.prose.Inline})
		}
	}
	return o.known[name]
}

// title shows a title, which may be the sentence of a claim.
func (o outcomes) title(line string) (shown template.HTML, words string) {
	if name, ok := article.SentenceOf(line); ok {
		words = o.page.Finding(name)
		return template.HTML(template.HTMLEscapeString(words)), words
	}
	return o.page.prose.Inline(line)
}

// caption shows a caption, which may be the sentence of a claim.
func (o outcomes) caption(line string) template.HTML {
	if name, ok := article.SentenceOf(line); ok {
		return o.of(name).Sentence.HTML()
	}
	shown, _ := o.page.prose.Inline(line)
	return shown
}

// statedAs compares a claim with the article as it was before measuring.
func (c *composer) statedAs(block *article.Claim) claim.StatedClaim {
	known, _ := slice.Find(c.results.Stated(), func(s claim.StatedClaim) bool { return s.Claim == block.Name.Value })
	return known
}

// statedWords are the mark of a claim with what changed; empty if it is not known, which the page says once.
func statedWords(s claim.StatedClaim) string {
	if s.Is == claim.StatingIsNotKnown {
		return ""
	}
	if len(s.Changes) == 0 {
		return string(s.Is)
	}
	return string(s.Is) + ": " + strings.Join(s.Changes, "; ")
}

// stated sums up which claims were stated before they were measured, and names those that are no longer made.
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
	var words []string
	switch before := counts[claim.StatedBefore]; {
	case all == 0 || c.origin.Measured == 0:
		return ""
	case counts[claim.StatingIsNotKnown] == all:
		words = append(words, "The records do not say what the article claimed when they were measured.")
	case before == all:
		words = append(words, "All claims were stated, and committed, before they were measured.")
	default:
		words = append(words, fmt.Sprintf("%d of %s stated, and committed, before being measured.", before,
			wording.Count(all, "claim")))
	}
	if len(gone) > 0 {
		words = append(words, "No longer made: "+wording.List(gone)+".")
	}
	return strings.Join(words, " ")
}
