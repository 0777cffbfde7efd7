package cellview

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/render/table"
)

// DataTable is the data of a table or figure, which CSV writes unrounded, in base units.
type DataTable struct {
	Columns []string
	Rows    [][]any // of strings, numbers, booleans, and nil for nothing
}

// NewDataTable has a column for each field, and more.
func NewDataTable(fields []string, more ...string) *DataTable {
	// A parameter of these names is called by its whole name in every file.
	columns := table.CSVHead(nil, fields, append(slices.Clone(more), "run", "host"))
	return &DataTable{Columns: columns[:len(columns)-2]}
}

// Add adds a row: the values of its fields, and more.
func (t *DataTable) Add(fields []any, more ...any) {
	t.Rows = append(t.Rows, append(slices.Clone(fields), more...))
}

// CSV writes the table. Numbers that are not finite are nothing.
func (t *DataTable) CSV() []byte {
	rows := slice.Map(t.Rows, func(row []any) []string { return slice.Map(row, csvText) })
	var b bytes.Buffer
	_ = table.WriteCSV(&b, slices.Concat([][]string{t.Columns}, rows)) // its errors are those of the buffer, which has none
	return b.Bytes()
}

func csvText(v any) string {
	x, isNumber := v.(float64)
	switch {
	case v == nil, isNumber && (math.IsNaN(x) || math.IsInf(x, 0)):
		return ""
	case isNumber:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// DataOf writes metrics of cells as CSV, a row for each metric of each cell; fields name the cells.
func DataOf(d *dataset.Dataset, cells []*dataset.Cell, fields []string, metrics []record.Metric,
	published article.PublishedRef) []byte {
	t := &DataTable{Columns: table.CSVHead([]string{"experiment"}, fields, []string{"metric", "unit", "repetitions", "value",
		"lo", "hi", "interval", "published", "missing", "state", "validity", "limited_by", "run", "host"})}
	for _, cell := range cells {
		host := ""
		if len(cell.Records) > 0 {
			host = cell.Records[0].Host
		}
		for _, m := range metrics {
			r := cell.Metric(m.Name)
			row := []any{m.Name, m.Unit, 0, nil, nil, nil, "", nil, r.Missing, StateOf(cell), r.Level,
				cell.Validity().LimitedBy().By, cell.Run, host}
			if r.Missing == "" {
				e := r.Estimate
				row[2], row[3], row[4], row[5], row[6] = e.N, e.Centre, e.Interval.Lo, e.Interval.Hi, e.Kind
			}
			if p, ok := PublishedOf(d, cell, m.Name, published); ok {
				row[7] = p.Number
			}
			t.Add(append([]any{cell.Experiment.Plan.Name}, FieldsOf(cell, fields)...), row...)
		}
	}
	return t.CSV()
}
