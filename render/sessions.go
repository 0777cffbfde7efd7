package render

import (
	"fmt"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/stats"

	"benchbook/render/outcome"
)

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
	}
	other := j.Sessions[1]
	if other.Effect == nil {
		return ""
	}
	return ", in another session " + outcome.Said(j, other.Effect)
}

// sessionParts lists what each session says of a claim alone.
func sessionParts(j *claim.Judgement) []partView {
	views := partsOf(slice.Map(j.Sessions, func(s claim.Session) claim.Judgement {
		return claim.Judgement{Test: j.Test, Verdict: s.Verdict, Effect: s.Effect}
	}), j)
	for i, s := range j.Sessions {
		views[i].What = phrase.List(s.Runs) + ", " + s.Host
	}
	return views
}
