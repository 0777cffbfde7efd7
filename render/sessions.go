package render

import (
	"fmt"

	"benchbook/internal/slice"
	"benchbook/notebook/claim"
	"benchbook/notebook/stats"

	"benchbook/render/outcome"
	"benchbook/render/wording"
)

// sessionsWords says on how many sessions the claims rest: "one session", or the most of a claim.
//
// Source: docs/method.md#sessions.
func (c *composer) sessionsWords() string {
	most := 1
	for _, j := range c.results.Claims {
		most = max(most, len(j.Sessions))
	}
	if most == 1 {
		return "one session"
	}
	return fmt.Sprintf("up to %d sessions", most)
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
	return ", in another session " + outcome.EffectOf(&claim.Judgement{Test: j.Test, Effect: other.Effect}).With()
}

// sessionParts lists what each session says of a claim alone.
func sessionParts(j *claim.Judgement) []partView {
	return slice.Map(j.Sessions, func(s claim.Session) partView {
		mark := VerdictBadge(s.Verdict)
		v := partView{Class: mark.Class, Word: mark.Word, What: wording.List(slice.Map(s.Runs, func(run string) string {
			return "run " + run
		})) + " on " + s.Host}
		if s.Effect != nil && s.Verdict != stats.NotMeasured {
			e := outcome.EffectOf(&claim.Judgement{Test: j.Test, Effect: s.Effect})
			v.Effect, v.Interval, v.hasInterval = e.Text(), e.Interval(), e.HasInterval()
		}
		return v
	})
}
