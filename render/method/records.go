package method

import (
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
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

// Imported reports whether the results were read from saved output.
func Imported(d *dataset.Dataset) bool { return d.Host == record.ImportedHost }

// ImportedFrom names the tools that printed it, with their versions if known.
func ImportedFrom(d *dataset.Dataset) []string {
	var out []string
	for _, r := range Records(d) {
		if r.Imported != nil {
			out = append(out, strings.TrimSpace(r.Imported.Tool+" "+r.Imported.Version))
		}
	}
	return cellview.SortedSet(out)
}
