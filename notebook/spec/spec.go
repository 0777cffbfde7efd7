// Package spec defines the parts of a trial: services, images, files, and the load or command.
//
// It is plain data and imports nothing else of notebook, so that plans, engines, records and pages can share it. The
// JSON of a Definition enters the keys of trials: fields keep their names and order, and new ones are omitted while
// empty. The other tags say how articles write a field: see source.Decoder.
package spec

import (
	"encoding/json"
	"slices"
)

// Definition is what identifies a trial. Records contain it.
type Definition struct {
	Services    []*Service        `json:"services,omitempty"`
	Load        *Load             `json:"load,omitempty"`
	Command     *Command          `json:"command,omitempty"`
	Calibration bool              `json:"calibration,omitempty"`
	Shared      []string          `json:"shared,omitempty"`
	Tune        []Search          `json:"tune,omitempty"`
	Capacity    *Capacity         `json:"capacity,omitempty"`
	Setup       []Hook            `json:"setup,omitempty"`
	Prepare     []Hook            `json:"prepare,omitempty"`
	Metrics     []FoundMetric     `json:"metrics,omitempty"`
	Hosts       map[string]string `json:"hosts,omitempty"`
	Deferred    []Deferred        `json:"deferred,omitempty"`
	Cold        bool              `json:"cold,omitempty"` // the page cache is dropped before each measurement
}

// UnmarshalJSON decodes a definition, which may have been edited: services that are null are dropped.
func (d *Definition) UnmarshalJSON(data []byte) error {
	type plain Definition
	err := json.Unmarshal(data, (*plain)(d))
	d.Services = slices.DeleteFunc(d.Services, func(s *Service) bool { return s == nil })
	return err
}

// FoundMetric is a metric that is found in output. Metrics that are computed from others can be computed from any
// record, so they are not in a definition.
type FoundMetric struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Written string `json:"written,omitempty"` // unit of the numbers as found, such as ms, if it is not Unit
	Service string `json:"service,omitempty"` // whose log is searched, if Stream is log
	Stream  string `json:"stream"`            // log, stdout or prepare
	Regex   string `json:"regex,omitempty"`   // the first group of the last match is the number
	JSON    string `json:"json,omitempty"`    // path to the number, with dots
}
