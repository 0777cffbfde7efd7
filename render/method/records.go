package method

import (
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// Records returns all records behind a page, with the A/A copies.
func Records(d *dataset.Dataset) []*record.Record {
	var out []*record.Record
	for _, e := range d.Experiments {
		out = append(out, dataset.RecordsOf(e.AllCells())...)
	}
	return out
}
