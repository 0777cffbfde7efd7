package measure

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"benchbook/internal/test/must"
	"benchbook/lab/starter"
	"benchbook/notebook/recordtest"
	"benchbook/runner/engine/enginetest/fake"
)

// The records that a run leaves fit their schema.
func TestRunLeavesRecordsThatFitTheirSchema(t *testing.T) {
	text := must.Get(json.Marshal(starter.Of("record")))
	parsed := must.Get(jsonschema.UnmarshalJSON(bytes.NewReader(text)))
	c := jsonschema.NewCompiler()
	must.Do(c.AddResource("urn:benchbook:schema:record", parsed))
	fits := must.Get(c.Compile("urn:benchbook:schema:record"))
	dir := writeProject(t, map[string]string{"a": buildingArticle})
	must.Do(runOn(t, dir, fake.New(fake.Script{Run: allGoesWell}), Options{}))
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
