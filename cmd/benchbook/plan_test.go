package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"benchbook/lab/forecast"
	"benchbook/notebook/record"
)

// What plan says about placement is what a run does.
func TestPlacementIsTheRunners(t *testing.T) {
	dir := initialised(t, "command")
	mustRun(t, scripted(), "-C", dir, "run", "--repetitions", "1")
	records, _, err := record.Dir(filepath.Join(dir, "experiments", "command", "records")).Read()
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	var printed forecast.PlanJSON
	if err := json.Unmarshal([]byte(mustRun(t, scripted(), "-C", dir, "plan", "--json")), &printed); err != nil {
		t.Fatal(err)
	}
	if says, did := printed.Experiments[0].Trials[0].CPUs, records[0].Facts["placement.load"]; says != did || says == "" {
		t.Errorf("plan says %q, the run did %q", says, did)
	}
}
