package measure

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"benchbook/lab/starter"
	"benchbook/notebook/recordtest"
	"benchbook/runner/engine/enginetest/fake"
)

// The records that a run leaves fit their schema.
func TestRunLeavesRecordsThatFitTheirSchema(t *testing.T) {
	text, err := json.Marshal(starter.Of("record"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:benchbook:schema:record", parsed); err != nil {
		t.Fatal(err)
	}
	fits, err := c.Compile("urn:benchbook:schema:record")
	if err != nil {
		t.Fatal(err)
	}
	dir := writeProject(t, map[string]string{"a": buildingArticle})
	if err := runOn(t, dir, fake.New(fake.Script{Run: allGoesWell}), Options{}); err != nil {
		t.Fatal(err)
	}
	lines := recordtest.Lines(t, filepath.Join(dir, "experiments", "a", "records"))
	if len(lines) != 2 {
		t.Fatalf("%d records", len(lines))
	}
	for _, l := range lines {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(l.Text))
		if err == nil {
			err = fits.Validate(v)
		}
		if err != nil {
			t.Errorf("%s:%d: %v", l.File, l.Number, err)
		}
	}
}
