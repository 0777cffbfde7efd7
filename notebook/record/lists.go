package record

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// listFacts are the prefixes of facts that are long lists, the same in all repetitions.
var listFacts = []string{"packages.", "pip.", FactClaims}

// IsList reports whether a fact is a long list, such as packages.server with a name and a version on each line.
func IsList(fact string) bool {
	return slices.ContainsFunc(listFacts, func(prefix string) bool { return strings.HasPrefix(fact, prefix) })
}

func listDigest(list string) string {
	sum := sha256.Sum256([]byte(list))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Condense replaces lists among the facts by their digests, and moves lists whose digest is not in have to Lists. The
// records of one run and experiment share have, so that each list is kept once. Expand undoes it.
func (r *Record) Condense(have map[string]bool) {
	for fact, list := range r.Facts {
		if !IsList(fact) || list == "" {
			continue
		}
		digest := listDigest(list)
		r.Facts[fact] = digest
		if have[digest] {
			continue
		}
		have[digest] = true
		if r.Lists == nil {
			r.Lists = map[string]string{}
		}
		r.Lists[digest] = list
	}
}

// Expand puts the lists of records back into their facts. A digest whose list is missing stays.
func Expand(records []*Record) {
	lists := map[string]string{}
	for _, r := range records {
		for digest, list := range r.Lists {
			if listDigest(list) == digest { // else the list was edited
				lists[digest] = list
			}
		}
	}
	for _, r := range records {
		for fact, value := range r.Facts {
			if list, ok := lists[value]; ok && IsList(fact) {
				r.Facts[fact] = list
			}
		}
	}
}
