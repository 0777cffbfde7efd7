package images

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
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
	Agent   agent.Program // reads our program, which idles beside what is asked

	engine engine.Engine
	now    map[string]string // by identity.what: id or digest; empty if there is none here
}

// PresentOn returns what is present on an engine, which its caller closes.
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
func identities(r *record.Record) []identity {
	var out []identity
	var programs map[string]string
	for fact, value := range r.Facts {
		switch {
		case strings.HasPrefix(fact, record.FactBase):
			for base := range strings.SplitSeq(value, "; ") {
				if i, ok := identityOf(base); ok {
					out = append(out, i)
				}
			}
		case strings.HasPrefix(fact, record.FactProgram):
			if programs == nil {
				programs = programWords(r.Definition)
			}
			word, named := programs[fact]
			if digest := digestOf(value); named && digest != "" {
				out = append(out, identity{what: "program " + word, then: digest})
			}
		}
	}
	slices.SortFunc(out, func(a, b identity) int { return strings.Compare(a.what+" "+a.then, b.what+" "+b.then) })
	return slices.Compact(out)
}

// identityOf parses what load.BasesInWords writes of one base: "REFERENCE ID" or "REFERENCE replaced by SUBSTITUTE ID".
func identityOf(base string) (i identity, ok bool) {
	name, rest, replaced := strings.Cut(base, record.ReplacedBy)
	if replaced {
		i.substitute, i.then, ok = strings.Cut(rest, " ")
	} else {
		name, i.then, ok = strings.Cut(base, " ")
	}
	i.what = "image " + name
	return i, ok
}

// change says in a sentence that this is another image or program now; empty if it is the same, or unknown.
func (i identity) change(now string) string {
	if now == "" || now == i.then {
		return ""
	}
	was := shortID(i.then)
	if i.substitute != "" {
		was = fmt.Sprintf("its substitute %s with %s", i.substitute, was)
	}
	return fmt.Sprintf("%s changed: was %s, is %s", i.what, was, shortID(now))
}

// shortID shortens a digest to what people compare.
func shortID(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

// programWords returns the words by which a trial names programs of the machine, by the facts that tell what these are.
func programWords(definition json.RawMessage) map[string]string {
	var d spec.Definition
	out := map[string]string{}
	if json.Unmarshal(definition, &d) != nil {
		return out // of another version
	}
	for _, u := range usesOf(&plan.Trial{Services: d.Services, Command: d.Command}) {
		if u.image.Machine {
			maps.Copy(out, u.programs())
		}
	}
	return out
}

// Look finds out what all that records name is now. It has to be called before the methods that compare.
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
			if _, known := p.now[i.what]; !known {
				is, err := p.ask(ctx, i.what)
				if err != nil {
					return err
				}
				p.now[i.what] = is
			}
		}
	}
	return nil
}

// ask asks the engine for the id of an image, or the digest of a program; empty if it has none.
func (p *Present) ask(ctx context.Context, what string) (string, error) {
	kind, name, _ := strings.Cut(what, " ")
	if kind == "program" {
		is, err := identify(ctx, p.engine, p.Agent, name)
		return digestOf(is), err
	}
	return p.engine.Find(ctx, name)
}

// Close closes the engine.
func (p *Present) Close() {
	if p != nil && p.engine != nil {
		_ = p.engine.Close() // nothing was changed in it
	}
}

// Changes returns a sentence for each image and program that has changed since records were measured. What is unknown
// then or now has not changed.
func (p *Present) Changes(records ...*record.Record) []string {
	if p == nil || len(p.now) == 0 {
		return nil
	}
	var out []string
	for _, r := range records {
		for _, i := range identities(r) {
			if words := i.change(p.now[i.what]); words != "" {
				out = slice.Add(out, words)
			}
		}
	}
	return out
}

// Current leaves out records that were measured with another image or program than is present, or on another number of
// CPUs, and older ones of the same trial: pages show the newest, with whatever engine they were measured. It also
// returns the runs of the records that it leaves out; they are not resumed.
func (p *Present) Current(of *plan.Plan, records []*record.Record) (current []*record.Record,
	outdated map[string]bool) {
	type trial struct{ article, host, profile, experiment, name, key string }
	trialOf := func(r *record.Record) trial { return trial{r.Article, r.Host, r.Profile, r.Experiment, r.Trial, r.Key} }
	last := map[trial]string{} // newest run that is outdated
	for _, r := range records {
		if len(p.Changes(r)) > 0 || of.PlacedOtherwise(r) != "" {
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
