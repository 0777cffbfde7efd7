package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
)

// Present knows the current state on an engine of the images and programs that records name. It pulls and builds
// nothing. The zero value and nil know nothing, so they find no changes.
//
// Built images are compared by their bases, because builds of the same inputs may differ in ID. So may substitutes of
// base images; a substitute counts as changed only if the engine now has the image itself.
type Present struct {
	// Connect connects to the engine. It is called for the first record that names something to compare. After an error
	// that wraps engine.ErrUnavailable, everything stays unknown.
	Connect func(context.Context) (engine.Engine, error)
	Agent   agent.Program // our program, which idles in containers

	engine engine.Engine
	now    map[string]string // ID or digest by identity.what; empty if absent
}

// PresentOn returns a Present for an engine, which the caller closes.
func PresentOn(e engine.Engine, program agent.Program) *Present {
	return &Present{Agent: program, Connect: func(context.Context) (engine.Engine, error) { return e, nil }}
}

// identity is an image or program that a record names.
type identity struct {
	what       string // "image REFERENCE", or "program WORD" with the article's word
	then       string // recorded ID or digest
	substitute string // image used in its place, which then identifies; empty without one
}

// identities returns the images and programs of a record that can be compared, sorted.
func identities(r *record.Record) (out []identity) {
	programs := sync.OnceValue(func() map[string]string { return programWords(r) })
	for fact, value := range r.Facts {
		if strings.HasPrefix(fact, record.FactProgram) {
			if word, ok := programs()[fact]; ok && digestOf(value) != "" {
				out = append(out, identity{what: "program " + word, then: digestOf(value)})
			}
		}
		if !strings.HasPrefix(fact, record.FactBase) {
			continue
		}
		for base := range strings.SplitSeq(value, "; ") { // in the format of load.BasesInWords
			name, used, isReplaced := strings.Cut(base, record.ReplacedBy)
			if !isReplaced {
				used = base
			}
			substitute, digest, ok := strings.Cut(used, " ")
			if !isReplaced {
				name, substitute = substitute, ""
			}
			if ok {
				out = append(out, identity{"image " + name, digest, substitute})
			}
		}
	}
	slices.SortFunc(out, func(a, b identity) int { return strings.Compare(a.what+" "+a.then, b.what+" "+b.then) })
	return slices.Compact(out)
}

// change returns a sentence if the image or program differs now; empty if it is the same or unknown.
func (i identity) change(now string) string {
	if now == "" || now == i.then {
		return ""
	}
	short := func(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }
	was := short(i.then)
	if i.substitute != "" {
		was = fmt.Sprintf("its substitute %s with %s", i.substitute, was)
	}
	return fmt.Sprintf("%s changed: was %s, is %s", i.what, was, short(now))
}

// programWords returns the words that name programs of the machine in a record's trial, by their facts.
func programWords(r *record.Record) map[string]string {
	var d spec.Definition
	out := map[string]string{}
	if json.Unmarshal(r.Definition, &d) != nil {
		return out // from another version of benchbook
	}
	for _, u := range usesOf(&plan.Trial{Services: d.Services, Command: d.Command}) {
		if u.image.OnMachine() {
			maps.Copy(out, u.programs())
		}
	}
	return out
}

// Look looks up all images and programs that records name. Call it before Changes and Current.
func (p *Present) Look(ctx context.Context, records []*record.Record) error {
	if p == nil || p.Connect == nil {
		return nil
	}
	for _, r := range records {
		for _, i := range identities(r) {
			if p.engine == nil {
				e, err := p.Connect(ctx)
				if errors.Is(err, engine.ErrUnavailable) {
					p.Connect = nil
					return nil
				}
				if err != nil {
					return err
				}
				p.engine, p.now = e, map[string]string{}
			}
			if _, known := p.now[i.what]; known {
				continue
			}
			kind, name, _ := strings.Cut(i.what, " ")
			var now string
			var err error
			if kind == "program" {
				now, err = identify(ctx, p.engine, p.Agent, name)
				now = digestOf(now)
			} else {
				now, err = p.engine.Find(ctx, name)
			}
			if err != nil {
				return err
			}
			p.now[i.what] = now
		}
	}
	return nil
}

// Close closes the engine if Look has connected to it.
func (p *Present) Close() {
	if p != nil && p.engine != nil {
		_ = p.engine.Close() // the engine was only read
	}
}

// Changes returns a sentence for each image and program that has changed since records were measured. Unknown ones
// count as unchanged.
func (p *Present) Changes(records ...*record.Record) (out []string) {
	if p == nil || len(p.now) == 0 {
		return nil
	}
	for _, r := range records {
		for _, i := range identities(r) {
			if words := i.change(p.now[i.what]); words != "" {
				out = slice.Add(out, words)
			}
		}
	}
	return out
}

// Current drops records whose images or programs have changed, and older records of the same trials. It also returns
// the runs of dropped records, which must not be resumed.
func (p *Present) Current(records []*record.Record) (current []*record.Record, outdated map[string]bool) {
	type trial struct{ article, host, profile, experiment, name, key string }
	trialOf := func(r *record.Record) trial { return trial{r.Article, r.Host, r.Profile, r.Experiment, r.Trial, r.Key} }
	last := map[trial]string{} // newest run that is outdated
	for _, r := range records {
		if len(p.Changes(r)) > 0 {
			last[trialOf(r)] = max(last[trialOf(r)], r.Run)
		}
	}
	outdated = map[string]bool{}
	for _, r := range records {
		if r.Run <= last[trialOf(r)] {
			outdated[r.Run] = true
		} else {
			current = append(current, r)
		}
	}
	return current, outdated
}
