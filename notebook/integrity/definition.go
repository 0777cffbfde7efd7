package integrity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// definitions reads the definitions of records. It remembers the last, which all repetitions of a trial share.
type definitions struct {
	last    json.RawMessage
	read    *spec.Definition // nil for one that was not in this form
	digests []string         // that the definition may have in a record
}

func (d *definitions) of(r *record.Record) {
	if d.last != nil && bytes.Equal(d.last, r.Definition) {
		return
	}
	d.last, d.read, d.digests = r.Definition, nil, nil
	var compact bytes.Buffer
	if json.Compact(&compact, r.Definition) != nil {
		return
	}
	digest := func(data []byte) {
		sum := sha256.Sum256(data)
		d.digests = append(d.digests, hex.EncodeToString(sum[:]))
	}
	digest(compact.Bytes()) // with secrets taken out of it
	var read spec.Definition
	if json.Unmarshal(r.Definition, &read) == nil {
		d.read = &read
		if again, err := json.Marshal(read); err == nil {
			digest(again) // with the keys in the order of the plan
		}
	}
}

// check asks whether the definition of a record is that of its digest, its key that of its inputs, and its load the one
// that the definition asks for.
func (d *definitions) check(f finder) {
	if len(f.Inputs) == 0 {
		return
	}
	d.of(f.Record)
	h := sha256.New()
	for _, in := range f.Inputs {
		fmt.Fprintln(h, in.Name, in.Digest)
		if in.Name != "definition" || len(d.digests) == 0 {
			continue
		}
		known := false
		for _, digest := range d.digests {
			known = known || digest == in.Digest
		}
		f.invalid(!known, "its definition is not the one that its digest is of")
	}
	// that of a definition with secrets is taken without them, and the key with them
	isSecret := bytes.Contains(f.Definition, []byte(record.Redacted))
	f.invalid(!isSecret && hex.EncodeToString(h.Sum(nil)[:16]) != f.Key, "its key is not that of its inputs")
	if d.read != nil && f.Load != nil && f.Failure == "" {
		d.checkLoad(f)
	}
}

// thinkOf is how many seconds clients think behind a request by a definition: of journeys the mean over what was asked.
func thinkOf(want *spec.Load, l *record.Load) float64 {
	if len(want.Steps) == 0 {
		return want.Think.Seconds()
	}
	sum, requests := 0.0, 0.0
	for _, s := range want.Steps {
		if found := l.Step(s.Name); found != nil {
			sum += s.Think.Seconds() * float64(found.Attempted)
			requests += float64(found.Attempted)
		}
	}
	return sum / max(1, requests)
}

// checkLoad asks whether the load was the one that the definition asks for. What a search has found stands in the place
// of what is defined, and other tools say themselves how long they took.
func (d *definitions) checkLoad(f finder) {
	want, l := d.read.Load, f.Load
	if want == nil {
		f.invalid(true, "it has a load, and its definition has none")
		return
	}
	if len(d.read.Deferred) > 0 || l.Tool != "" || want.Tool != "" || len(want.Stages) > 0 {
		return
	}
	f.invalid(l.Connections != want.Connections, "it had %d connections, and its definition has %d", l.Connections,
		want.Connections)
	f.invalid(max(1, l.Streams) != max(1, want.Streams) || l.Protocol != want.Protocol,
		"it had %d streams of protocol %q, and its definition has %d of %q", l.Streams, l.Protocol, want.Streams,
		want.Protocol)
	think := thinkOf(want, l)
	f.invalid(!near(l.Think, think), "its clients thought for %v s, and by its definition for %v s", l.Think, think)
	f.invalid(want.Requests == 0 && math.Abs(l.Window-want.Duration.Seconds()) > 0.01*want.Duration.Seconds(),
		"its window is %v s, and by its definition %v s", l.Window, want.Duration.Seconds())
	most := int64(want.Requests)
	if want.Cut && want.Duration > 0 { // those under way when the time is over count
		most += int64(want.Clients())
	}
	f.invalid(want.Requests > 0 && l.Attempted > most, "%d requests were attempted, and its definition has %d",
		l.Attempted, want.Requests)
	f.invalid(l.FailuresMax != want.FailuresMax, "it expects a share of %v of failures, and its definition %v",
		l.FailuresMax, want.FailuresMax)
}
