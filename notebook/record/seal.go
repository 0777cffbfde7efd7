package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// A Seal holds a record to its content, and to the record that was saved before it in its run. It is no signature:
// whoever edits a record can seal it and all that follow anew.
//
// Source: docs/records.md#seals.
type Seal struct {
	Number int    `json:"number" range:"0.."` // of the record in its run, from 1
	Before string `json:"before,omitempty"`   // digest of the one before it; empty in the first
	Digest string `json:"digest"`             // of the content, Number and Before
}

// sealMember is how the last member of a record begins, in JSON without white space.
var sealMember = []byte(`,"seal":{`)

// contentOf is what is sealed of a record: its JSON without white space between tokens, and without the seal, which has
// to be its last member. It is nil if that is missing.
func contentOf(data []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, data) != nil {
		return nil
	}
	content := compact.Bytes()
	at := bytes.LastIndex(content, sealMember)
	if at < 0 || bytes.IndexByte(content[at:], '}') != len(content)-at-2 {
		return nil
	}
	return append(content[:at:at], '}')
}

// digest is that of the content of a record with this seal.
func (s *Seal) digest(content []byte) string {
	h := sha256.New()
	h.Write(content)
	fmt.Fprintf(h, "\n%d\n%s\n", s.Number, s.Before)
	return hex.EncodeToString(h.Sum(nil))
}

// fits reports whether the seal in a record is that of its content; not if it has none.
func (s *Seal) fits(data []byte) bool { return s != nil && s.Digest == s.digest(contentOf(data)) }

// sealed is the record as it stands on disk, sealed as the one that follows on another; nil for the first of a run.
func (r *Record) sealed(before *Seal) ([]byte, error) {
	r.Seal = &Seal{Number: 1}
	if before != nil {
		r.Seal = &Seal{Number: before.Number + 1, Before: before.Digest}
	}
	data, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	r.Seal.Digest = r.Seal.digest(contentOf(data))
	return r.Bytes()
}

// SealFits reports whether a record is as it was when it was sealed; false for one without a seal. It is known of
// records that were read.
func (r *Record) SealFits() bool { return r.sealFits }
