package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// computeKey sets the key of a trial, from its definition, the digests of its files, and the version of what samples
// mean. Fields that were added to articles later are left out of the definition while they are empty, so that old keys
// stay valid: see TestKeysStay.
func computeKey(t *Trial, e *Experiment) {
	d := spec.Definition{Services: t.Services, Load: t.Load, Command: t.Command, Calibration: t.Calibration,
		Shared: e.Shared, Tune: t.Tune, Capacity: t.Capacity, Setup: e.Setup, Prepare: t.Prepare,
		Hosts: e.Hosts, Deferred: t.Deferred, Cold: e.Cold}
	for _, m := range e.Metrics {
		if m.Stream != "" {
			d.Metrics = append(d.Metrics, spec.FoundMetric{Name: m.Name, Unit: m.Unit, Written: m.Written,
				Service: m.Service, Stream: m.Stream, Regex: m.Regex, JSON: m.JSON})
		}
	}
	definition, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err)) // cannot fail: only strings, finite numbers and maps of them
	}
	t.Definition = definition
	t.Inputs = nil
	input := func(name, digest string) { t.Inputs = append(t.Inputs, record.Input{Name: name, Digest: digest}) }
	input("definition", Digest(definition))
	semantics := record.CommandSemantics
	if t.Load != nil {
		semantics = record.LoadSemantics
	}
	input("semantics", strconv.Itoa(semantics))
	if slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return s.Origin != nil }) {
		input("semantics of origins", strconv.Itoa(record.OriginSemantics))
	}
	if slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return s.Link != nil }) {
		input("semantics of links", strconv.Itoa(record.LinkSemantics))
	}
	if e.Engine != spec.DefaultEngine { // the default was once the only engine, and old keys stay valid
		input("engine", string(e.Engine))
	}
	t.eachFile(func(of string, f spec.File) { input(of+": "+f.Path, f.Digest) })
	h := sha256.New()
	for _, in := range t.Inputs {
		fmt.Fprintln(h, in.Name, in.Digest)
	}
	t.Key = hex.EncodeToString(h.Sum(nil)[:16])
}

// eachFile calls visit with every file of the trial, and the name of the service, command or load that uses it.
func (t *Trial) eachFile(visit func(of string, f spec.File)) {
	all := func(of string, image spec.Image, others ...spec.File) {
		if image.Build != nil {
			others = slices.Concat(image.Build.Files, others)
		}
		for _, f := range others {
			visit(of, f)
		}
	}
	for _, s := range t.Services {
		all(s.Name, s.Image, s.Configs...)
		for _, v := range s.Volumes {
			all(s.Name, spec.Image{}, v.Files...)
		}
	}
	if c := t.Command; c != nil {
		all("command", c.Image, c.Configs...)
	} else if l := t.Load; l != nil {
		if l.Driver != nil {
			all(LoadName, l.Driver.Image, l.Driver.Configs...)
		}
		if l.Script != nil {
			all(LoadName, spec.Image{}, *l.Script)
		}
	}
}
