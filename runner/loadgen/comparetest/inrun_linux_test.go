package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadRates(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"one.json": `{"parameters": [{"name": "tool", "value": "wrk"}], "load": {"completed": 20, "window": 2}}`,
		"two.jsonl": `{"parameters": [{"name": "tool", "value": "benchbook"}], "load": {"completed": 20, "window": 2}}
{"parameters": [{"name": "tool", "value": "benchbook"}], "load": {"completed": 20, "window": 1}}
`,
	} {
		path := filepath.Join(folder, "records", "host", "full", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rates, err := readRates(folder)
	if err != nil || rates["wrk"] != 10 || rates["benchbook"] != 15 {
		t.Errorf("got %v, %v; want 10 and 15", rates, err)
	}
	if rates, err := readRates(t.TempDir()); err == nil {
		t.Errorf("got %v without records", rates)
	}
}
