package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// article measures the responder with our generator and with wrk, in turn.
const article = `---
title: In a run
date: 2026-11-27
---

` + "```yaml experiment" + `
name: inrun
services:
  server:
    build: .
    command: ["/bench-load", "respond", "0.0.0.0:8080", "false"]
    expose: ["8080"]
matrix:
  tool: [benchbook, wrk]
  connections: [16]
load:
  target: http://server:8080/
  tool: ${{ matrix.tool }}
  connections: ${{ matrix.connections }}
  threads: 1
  duration: 2s
  warmup: 1s
repetitions: ROUNDS
` + "```\n"

// inRun compares in containers of runs: ours with wrk in the same run, and with ours of the base in a run just before
// or after.
func (s *settings) inRun() error {
	var toWrk, toBase []float64
	for round := range s.rounds {
		programs := []string{s.ours}
		if s.base != "" {
			programs = append(programs, s.base)
		}
		if round%2 == 1 && s.base != "" {
			programs = []string{s.base, s.ours}
		}
		found := make(map[string]map[string]float64)
		for _, program := range programs {
			rates, err := runWith(program)
			if err != nil {
				return err
			}
			found[program] = rates
		}
		ours := found[s.ours]
		toWrk = append(toWrk, ours["benchbook"]/ours["wrk"])
		if s.base != "" {
			toBase = append(toBase, ours["benchbook"]/found[s.base]["benchbook"])
		}
	}
	s.print("in a run, 16 connections: requests/s, ratio to wrk", toWrk, 1.00, 0)
	if s.base != "" {
		s.print("in a run, 16 connections: requests/s, ratio to base", toBase, 0.95, 0)
	}
	if s.missed {
		return errMissed
	}
	return nil
}

// runWith runs the article once, and returns the throughput by tool: the mean over its repetitions.
func runWith(program string) (map[string]float64, error) {
	project, err := os.MkdirTemp("", "bench-in-run")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(project)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(project, "experiments", "inrun")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		path, text string
		mode       os.FileMode
	}{
		{filepath.Join(project, "benchbook.yaml"), "title: In a run\n", 0o644},
		{filepath.Join(folder, "article.md"), strings.ReplaceAll(article, "ROUNDS", "3"), 0o644},
		{filepath.Join(folder, "Dockerfile"), "FROM scratch\nCOPY bench-load /bench-load\n", 0o644},
		{filepath.Join(folder, "bench-load"), string(self), 0o755},
	} {
		if err := os.WriteFile(f.path, []byte(f.text), f.mode); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(program, "run", "inrun")
	cmd.Dir = project
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s run: %w: %s", program, err, out)
	}
	rates, err := readRates(folder)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return rates, nil
}

// readRates reads the records of a run, one JSON value for each repetition.
func readRates(folder string) (map[string]float64, error) {
	sums, counts := make(map[string]float64), make(map[string]float64)
	err := filepath.WalkDir(filepath.Join(folder, "records"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(filepath.Ext(path), ".json") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for records := json.NewDecoder(bytes.NewReader(text)); records.More(); {
			var r struct {
				Parameters []struct{ Name, Value string }
				Load       *struct{ Completed, Window float64 }
			}
			if err := records.Decode(&r); err != nil {
				return err
			}
			if r.Load != nil && len(r.Parameters) > 0 {
				sums[r.Parameters[0].Value] += r.Load.Completed / r.Load.Window
				counts[r.Parameters[0].Value]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for tool := range sums {
		sums[tool] /= counts[tool]
	}
	if sums["benchbook"] == 0 || sums["wrk"] == 0 {
		return nil, fmt.Errorf("no throughput of both generators: %v", sums)
	}
	return sums, nil
}
