package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The records that a run leaves fit the schema that the command prints.
func TestRunLeavesRecordsThatFitTheirSchema(t *testing.T) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(mustRun(t, scripted(), "schema", "record"))))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:benchbook:schema:record", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("urn:benchbook:schema:record")
	if err != nil {
		t.Fatal(err)
	}
	dir := initialised(t, "http")
	mustRun(t, scripted(), "-C", dir, "run", "--repetitions", "1")
	files, err := filepath.Glob(filepath.Join(dir, "experiments", "*", "records", "*", "*", "*", "*.json"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d records, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
