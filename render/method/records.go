package method

import (
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// Records returns all records behind a page, with the A/A copies.
func Records(d *dataset.Dataset) []*record.Record {
	var out []*record.Record
	for _, e := range d.Experiments {
		for _, cell := range e.Cells {
			out = append(out, cell.Records...)
		}
		if e.Calibration != nil {
			out = append(out, e.Calibration.Records...)
		}
	}
	return out
}
