// Package spec has the parts of a trial: its containers, their images and files, and the load or command.
//
// It is plain data and imports nothing of ours, so that plans, engines, records and pages mean the same by it. The JSON
// of a Definition enters the keys of trials: a field keeps its name and its place, and a new one is left out while it
// has no value. The other tags say how an article writes a field: see source.Decoder.
package spec

import (
	"encoding/json"
	"slices"
)

// Definition is what identifies a trial, and what its records carry of it.
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

// UnmarshalJSON reads a definition, which somebody may have edited: services that are null are dropped.
func (d *Definition) UnmarshalJSON(data []byte) error {
	type plain Definition
	err := json.Unmarshal(data, (*plain)(d))
	d.Services = slices.DeleteFunc(d.Services, func(s *Service) bool { return s == nil })
	return err
}

// FoundMetric is a metric that is found in what something wrote. Metrics that are computed from others can be computed
// from any record, so they are no part of a definition.
type FoundMetric struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Written string `json:"written,omitempty"` // the unit of the numbers that are found, such as ms, if it is not Unit
	Service string `json:"service,omitempty"` // whose log is searched, if Stream is log
	Stream  string `json:"stream"`            // log, stdout or prepare
	Regex   string `json:"regex,omitempty"`   // the first group of the last match is the number
	JSON    string `json:"json,omitempty"`    // a path with dots to the number
}
