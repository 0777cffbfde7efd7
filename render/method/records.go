package method

import (
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
)

// Records are all that a page rests on, the A/A copies included.
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

// Imported says that what is shown was read from output that somebody saved.
func Imported(d *dataset.Dataset) bool { return d.Host == record.ImportedHost }

// ImportedFrom names the tools that printed such output, with their versions as far as they told.
func ImportedFrom(d *dataset.Dataset) []string {
	var out []string
	for _, r := range Records(d) {
		if r.Imported != nil {
			out = append(out, strings.TrimSpace(r.Imported.Tool+" "+r.Imported.Version))
		}
	}
	return cellview.SortedSet(out)
}
