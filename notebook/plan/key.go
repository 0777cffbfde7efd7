package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
)

// found is what enters a key of a metric that is found in what something wrote. Metrics that are computed from others can
// be computed from any record, so they do not enter.
type found struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Written string `json:"written,omitempty"`
	Service string `json:"service,omitempty"`
	Stream  string `json:"stream"`
	Regex   string `json:"regex,omitempty"`
	JSON    string `json:"json,omitempty"`
}

// seal computes what identifies a trial: its definition, the files in it by their digests, and the number of what our samples
// mean. Nothing found out at run time enters. What older versions could not say is left out where it is not said, so that
// keys stay: see TestKeysStay.
func seal(t *Trial, e *Experiment) {
	var metrics []found
	for _, m := range e.Metrics {
		if m.Stream != "" {
			metrics = append(metrics, found{m.Name, m.Unit, m.Written, m.Service, m.Stream, m.Regex, m.JSON})
		}
	}
	definition, err := json.Marshal(struct {
		Services    []*Service        `json:"services,omitempty"`
		Load        *Load             `json:"load,omitempty"`
		Command     *Command          `json:"command,omitempty"`
		Calibration bool              `json:"calibration,omitempty"`
		Shared      []string          `json:"shared,omitempty"`
		Tune        []Search          `json:"tune,omitempty"`
		Capacity    *Capacity         `json:"capacity,omitempty"`
		Setup       []Hook            `json:"setup,omitempty"`
		Prepare     []Hook            `json:"prepare,omitempty"`
		Conclude    []Hook            `json:"conclude,omitempty"`
		Cleanup     []Hook            `json:"cleanup,omitempty"`
		Metrics     []found           `json:"metrics,omitempty"`
		Hosts       map[string]string `json:"hosts,omitempty"`
		Deferred    []Deferred        `json:"deferred,omitempty"`
	}{t.Services, t.Load, t.Command, t.Calibration, e.Shared, t.Tune, t.Capacity, e.Setup, t.Prepare, t.Conclude, e.Cleanup, metrics,
		e.Hosts, t.Deferred})
	if err != nil {
		panic(fmt.Sprintf("plan: %v", err)) // only strings, finite numbers and their maps
	}
	t.Definition = definition
	t.Inputs = []record.Input{{Name: "definition", Digest: digest(definition)}, {Name: "semantics", Digest: strconv.Itoa(t.semantics())}}
	if slices.ContainsFunc(t.Services, func(s *Service) bool { return s.Origin != nil }) {
		t.Inputs = append(t.Inputs, record.Input{Name: "semantics of origins", Digest: strconv.Itoa(record.OriginSemantics)})
	}
	if slices.ContainsFunc(t.Services, func(s *Service) bool { return s.Link != nil }) {
		t.Inputs = append(t.Inputs, record.Input{Name: "semantics of links", Digest: strconv.Itoa(record.LinkSemantics)})
	}
	if e.Engine != article.Docker {
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
			t.Inputs = append(t.Inputs, fileInputs(s.Name, Image{}, v.Files)...)
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

func fileInputs(name string, image Image, configs []File) (out []record.Input) {
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
