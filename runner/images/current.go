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

// Present knows what images and programs that records name are now on an engine. Nothing is fetched or built. The zero
// value and nil know nothing, and so find no change.
//
// Built images are compared by what they were built from, as each build of the same inputs may have another id. A
// substitute of a base image is built here too: it changes only if the image itself has taken its place.
type Present struct {
	// Connect connects to the engine when the first record names something that can be compared. After an error that
	// wraps engine.ErrUnavailable everything stays unknown.
	Connect func(context.Context) (engine.Engine, error)
	Agent   agent.Program // reads our program, which idles next to the others

	engine engine.Engine
	now    map[string]string // by identity.what: id or digest; empty if it is not here
}

// PresentOn returns the images and programs present on an engine, which its caller closes.
func PresentOn(e engine.Engine, program agent.Program) *Present {
	return &Present{Agent: program, Connect: func(context.Context) (engine.Engine, error) { return e, nil }}
}

// identity is an image or program that a record names.
type identity struct {
	what       string // "image REFERENCE", or "program WORD" with the word of the article
	then       string // its id or digest
	substitute string // image that was used instead of it, to which then belongs; empty for none
}

// identities returns what can be compared of a record, sorted.
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
		for base := range strings.SplitSeq(value, "; ") { // as load.BasesInWords writes them
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

// change says in a sentence that this is another image or program now; empty if it is the same, or unknown.
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

// programWords returns the words by which a record's trial names programs of the machine, by the facts that say what
// these are.
func programWords(r *record.Record) map[string]string {
	var d spec.Definition
	out := map[string]string{}
	if json.Unmarshal(r.Definition, &d) != nil {
		return out // a definition of another version
	}
	for _, u := range usesOf(&plan.Trial{Services: d.Services, Command: d.Command}) {
		if u.image.OnMachine() {
			maps.Copy(out, u.programs())
		}
	}
	return out
}

// Look finds all images and programs that records name. It has to be called before the methods that compare.
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

// Close closes the engine.
func (p *Present) Close() {
	if p != nil && p.engine != nil {
		_ = p.engine.Close() // nothing was changed in it
	}
}

// Changes returns a sentence for each image and program that has changed since records were measured. One
// that was or is unknown counts as unchanged.
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

// Current leaves out records that were measured with another image or program than is present, and older ones of
// the same trial: pages show the newest, of any engine. It also returns the runs of the
// records that it leaves out; they are not resumed.
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
