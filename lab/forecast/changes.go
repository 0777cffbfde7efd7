package forecast

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// changes says what differs between what a record was measured with and what the article says now, one sentence to a
// difference: files by name, all else path by path. There is at least one sentence if the keys differ.
func changes(t *plan.Trial, r *record.Record) []string {
	if t.Key == r.Key {
		return nil // the digest of a definition with secrets differs: records have that of one without
	}
	out, redefined := inputChanges(t.Inputs, r.Inputs)
	if redefined {
		edits, err := record.DefinitionEdits(t.Definition, r.Definition)
		if err != nil {
			return append(out, err.Error())
		}
		var secret []string
		for _, e := range edits {
			if e.Secret {
				secret = append(secret, e.Path+" changed (its value is not recorded)")
				continue
			}
			out = append(out, e.String())
		}
		if len(out) == 0 {
			out = secret // which have changed only if nothing else has
		}
	}
	if len(out) == 0 {
		out = append(out, "the definition is the same, written by another version of benchbook")
	}
	return out
}

// inputChanges says which inputs differ, and whether the definition is one of them.
func inputChanges(now, then []record.Input) (out []string, redefined bool) {
	const semantics = "semantics of "
	digests := map[string]string{}
	for _, in := range then {
		digests[in.Name] = in.Digest
	}
	for _, in := range now {
		was, ok := digests[in.Name]
		delete(digests, in.Name)
		switch {
		case was == in.Digest:
		case in.Name == "definition":
			redefined = true
		case in.Name == "semantics":
			out = append(out, fmt.Sprintf("semantics of samples: version %s, was %s", in.Digest, was))
		case strings.HasPrefix(in.Name, semantics):
			if ok { // else the definition says that there is one now
				out = append(out, fmt.Sprintf("semantics of %s: version %s, was %s", strings.TrimPrefix(in.Name, semantics),
					in.Digest, was))
			}
		case !ok:
			out = append(out, in.Name+" is new")
		default:
			out = append(out, in.Name+" changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if !strings.HasPrefix(name, semantics) {
			out = append(out, name+" was removed")
		}
	}
	return out, redefined
}
