package record

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// listFacts are the beginnings of the names of facts that are long lists, and the same in all repetitions.
var listFacts = []string{"packages.", "pip."}

// IsList says whether a fact is a list with one thing and its version to a line, such as packages.server.
func IsList(fact string) bool {
	return slices.ContainsFunc(listFacts, func(prefix string) bool { return strings.HasPrefix(fact, prefix) })
}

// listDigest is what stands in the place of a list.
func listDigest(list string) string {
	sum := sha256.Sum256([]byte(list))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// isDigest says whether a fact has been replaced by a digest. No list is: its lines have two words, or it is empty.
func isDigest(value string) bool {
	rest, ok := strings.CutPrefix(value, "sha256:")
	return ok && len(rest) == 2*sha256.Size && strings.Trim(rest, "0123456789abcdef") == ""
}

// Condense puts the lists among the facts under their digests: into Lists if have does not know them, which then does.
// Records of one run and experiment that are condensed with the same have thus hold each list once. Expand undoes it.
func (r *Record) Condense(have map[string]bool) {
	for fact, list := range r.Facts {
		if !IsList(fact) || list == "" || isDigest(list) {
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

// Expand puts lists back among the facts of records, from whichever of the records holds them. A digest whose list none
// of them holds stays: it still tells equal from different.
func Expand(records []*Record) {
	lists := map[string]string{}
	for _, r := range records {
		for digest, list := range r.Lists {
			if listDigest(list) == digest { // somebody may have edited it
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
