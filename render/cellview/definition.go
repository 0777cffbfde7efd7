package cellview

import (
	"encoding/json"
	"regexp"
	"strconv"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// A Definition is what was run in a cell, or would be.
type Definition struct{ spec.Definition }

// DefinitionOf takes the definition from the records of a cell, because the article may have changed since; without
// records it is the one of the plan.
func DefinitionOf(cell *dataset.Cell) Definition {
	read := func(raw json.RawMessage) (is Definition, ok bool) {
		err := json.Unmarshal(withTuned(cell, record.NewRedactor(raw).Definition(raw)), &is)
		return is, err == nil && (is.Load != nil || is.Command != nil)
	}
	if len(cell.Records) > 0 {
		// A record from before the definition had this form still has its plan.
		if was, ok := read(cell.Records[0].Definition); ok {
			return was
		}
	}
	planned, _ := read(cell.Trial.Definition)
	return planned
}

var tuned = regexp.MustCompile(`\$\{\{ *(tune\.[\w-]+) *\}\}`)

// withTuned puts the values that searches have chosen where a definition names them; without a choice the name stays.
func withTuned(cell *dataset.Cell, definition []byte) []byte {
	return tuned.ReplaceAllFunc(definition, func(written []byte) []byte {
		chosen := cell.Metric(string(tuned.FindSubmatch(written)[1]))
		if chosen.Missing != "" {
			return written
		}
		return strconv.AppendFloat(nil, chosen.Estimate.Centre, 'f', -1, 64)
	})
}
