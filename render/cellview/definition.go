package cellview

import (
	"encoding/json"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// A definition is what was carried out, or would be, in a cell.
type Definition struct{ spec.Definition }

// DefinitionOf is what the records of a cell say was done, and only without any what the plan says: the article may have
// changed since.
func DefinitionOf(cell *dataset.Cell) Definition {
	read := func(raw json.RawMessage) (is Definition, ok bool) {
		err := json.Unmarshal(record.NewRedactor(raw).Definition(raw), &is)
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
