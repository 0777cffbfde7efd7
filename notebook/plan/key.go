package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"benchbook/notebook/inputs"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// seal computes what identifies a trial: its definition, the files in it by their digests, and the number of what our samples
// mean. Nothing found out at run time enters. What older versions could not say is left out where it is not said, so that
// keys stay: see TestKeysStay.
func seal(t *Trial, e *Experiment) {
	d := spec.Definition{Services: t.Services, Load: t.Load, Command: t.Command, Calibration: t.Calibration,
		Shared: e.Shared, Tune: t.Tune, Capacity: t.Capacity, Setup: e.Setup, Prepare: t.Prepare, Conclude: t.Conclude,
		Cleanup: e.Cleanup, Hosts: e.Hosts, Deferred: t.Deferred}
	for _, m := range e.Metrics {
		if m.Stream != "" {
			d.Metrics = append(d.Metrics, spec.FoundMetric{Name: m.Name, Unit: m.Unit, Written: m.Written,
				Service: m.Service, Stream: m.Stream, Regex: m.Regex, JSON: m.JSON})
		}
	}
	definition, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err)) // only strings, finite numbers and their maps
	}
	t.Definition = definition
	t.Inputs = []record.Input{{Name: "definition", Digest: inputs.Digest(definition)}, {Name: "semantics", Digest: strconv.Itoa(t.semantics())}}
	if slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return s.Origin != nil }) {
		t.Inputs = append(t.Inputs, record.Input{Name: "semantics of origins", Digest: strconv.Itoa(record.OriginSemantics)})
	}
	if slices.ContainsFunc(t.Services, func(s *spec.Service) bool { return s.Link != nil }) {
		t.Inputs = append(t.Inputs, record.Input{Name: "semantics of links", Digest: strconv.Itoa(record.LinkSemantics)})
	}
	if e.Engine != spec.DefaultEngine {
		// Docker is not in it, as it was the only engine for a while.
		t.Inputs = append(t.Inputs, record.Input{Name: "engine", Digest: string(e.Engine)})
	}
	if e.Cluster != "" {
		// Nodes have the same names in every cluster.
		t.Inputs = append(t.Inputs, record.Input{Name: "cluster", Digest: e.Cluster})
	}
	for _, s := range t.Services {
		t.Inputs = append(t.Inputs, fileInputs(s.Name, s.Image, s.Configs)...)
		for _, v := range s.Volumes {
			t.Inputs = append(t.Inputs, fileInputs(s.Name, spec.Image{}, v.Files)...)
		}
	}
	if t.Command != nil {
		t.Inputs = append(t.Inputs, fileInputs("command", t.Command.Image, t.Command.Configs)...)
	}
	h := sha256.New()
	for _, in := range t.Inputs {
		fmt.Fprintln(h, in.Name, in.Digest)
	}
	t.Key = hex.EncodeToString(h.Sum(nil)[:16])
}

// semantics is the number of what the samples of a trial mean.
func (t *Trial) semantics() int {
	if t.Load != nil {
		return record.LoadSemantics
	}
	return record.CommandSemantics
}

func fileInputs(name string, image spec.Image, configs []spec.File) (out []record.Input) {
	if image.Build != nil {
		for _, f := range image.Build.Files {
			out = append(out, record.Input{Name: name + ": " + f.Path, Digest: f.Digest})
		}
	}
	for _, f := range configs {
		out = append(out, record.Input{Name: name + ": " + f.Path, Digest: f.Digest})
	}
	return out
}
