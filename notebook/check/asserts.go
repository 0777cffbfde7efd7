package check

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// WrongAssertions reports text that some verdict of a claim would make wrong. It tries every verdict of each claim.
//
// Source: docs/claims.md#text-that-asserts.
func WrongAssertions(doc *article.Document, problems *source.Problems) {
	add := func(at source.Pos, hint, format string, args ...any) {
		problems.Add("asserts-what-does-not-hold", at, format, args...).Hint = hint
	}
	// A finding is shown only while its claims hold.
	statements := slices.DeleteFunc(doc.Statements(), func(s article.Statement) bool { return s.Is == "finding" })
	for _, s := range statements {
		var denying []string
		isTrue := false
		for _, v := range stats.Verdicts {
			switch {
			case !isShown(s.Part, s.Claim.Value, v):
			case v == stats.Supported:
				isTrue = true
			default:
				denying = append(denying, string(v))
			}
		}
		words := strings.Join(denying, " or ")
		switch name := s.Claim.Value; {
		case len(denying) == 0:
		case s.Is != "":
			add(s.Claim.Pos, "write "+s.Instead()+", or put it into ::: when "+name+" "+string(stats.Supported),
				"the words of this %s state claim %q, and are also shown if it is %s", s.Is, name, words)
		case !isTrue:
			add(s.Claim.Pos, "write "+s.Instead()+", or what was found without a link",
				"these words state claim %q, and are shown where it is %s", name, words)
		}
	}
	for _, c := range doc.Claims {
		checkSentences(c, add)
	}
}

// checkSentences reports sentences of a claim that do not depend on its outcome.
func checkSentences(c *article.Claim, add func(at source.Pos, hint, format string, args ...any)) {
	sentences := c.Says.All()
	for i, t := range sentences {
		isAs := func(o *source.Text) bool { return sameWords(t.Value, o.Value) }
		switch {
		case t.Value == "" || claim.FollowsOutcome(t.Value):
		case t == &c.Says.Always:
			add(t.Pos, "write {effect} or {verdict} into it, or a sentence for each verdict",
				"claim %q says the same with every verdict", c.Name.Value)
		case slices.ContainsFunc(sentences[:i], isAs):
			add(t.Pos, "write for each what is true with it alone, with {effect} or {verdict} in it, or leave it out",
				"claim %q says the same with two outcomes", c.Name.Value)
		case i > 0 && isAs(&c.Text):
			add(t.Pos, "write what was found instead", "claim %q says that it holds where it does not", c.Name.Value)
		}
	}
}

// isShown reports whether text in a part is shown if claim has verdict v and all other conditions hold.
func isShown(p *article.ConditionalPart, claim string, v stats.Verdict) bool {
	for ; p != nil; p = p.Outer {
		if p.Claim.Value == claim && !slices.Contains(p.Verdicts, v) {
			return false
		}
	}
	return true
}

// sameWords reports whether two sentences are equal, ignoring case, white space and full stops at the end.
func sameWords(a, b string) bool {
	plain := func(s string) string {
		return strings.ToLower(strings.TrimRight(strings.Join(strings.Fields(s), " "), "."))
	}
	return plain(a) == plain(b)
}

// UnsupportedAssertions warns about words bound to a claim that the records do not support.
//
// Source: docs/claims.md#sentences.
func UnsupportedAssertions(results *claim.Results, problems *source.Problems) {
	verdicts := map[string]stats.Verdict{}
	for _, j := range results.Claims {
		verdicts[j.Claim.Name.Value] = j.Verdict
	}
	for _, s := range results.Data.Doc.Statements() {
		verdict, isKnown := verdicts[s.Claim.Value]
		isShown := s.Is != "finding" && results.Applies(s.Part) // a finding is shown only while its claims hold
		if isKnown && verdict != stats.Supported && isShown {
			problems.Warn("asserts-what-does-not-hold", s.Claim.Pos, "these words state a claim that is %s here", verdict).
				Hint = "write " + s.Instead() + " for the sentence of what was measured, and says: in the claim for one of yours"
		}
	}
}

// Headlines warns about an article with claims but no headline claim: its standing is "measured" with all verdicts.
func Headlines(doc *article.Document, problems *source.Problems) {
	if len(doc.Claims) == 0 || slices.ContainsFunc(doc.Claims, func(c *article.Claim) bool { return c.Headline }) {
		return
	}
	problems.Warn("no-headline", doc.Claims[0].Name.Pos, "no claim is a headline, so no verdict counts for the article's "+
		"standing").Hint = "add headline: true to the claims that the article is about"
}

// Finding warns about a finding without a link to a claim: it would be shown with all verdicts.
func Finding(doc *article.Document, problems *source.Problems) {
	finding := doc.Front.Finding
	isInside := func(l *article.ClaimLink) bool {
		return finding.Pos.Start <= l.Name.Pos.Start && l.Name.Pos.Start < finding.Pos.End
	}
	if finding.Value != "" && !slices.ContainsFunc(doc.ClaimLinks, isInside) {
		problems.Warn("unbound-finding", finding.Pos, "no words of the finding are bound to a claim, so it is shown with any "+
			"results").Hint = "link its words to the claim that tests them: [words](claim:NAME), or write [](claim:NAME)"
	}
}
