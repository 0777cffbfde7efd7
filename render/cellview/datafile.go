// Package datafile writes the data of tables and figures as CSV: unrounded, in base units.
package cellview

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"

	"benchbook/render/table"
)

// Cells writes metrics of cells as CSV, a row for each metric of each cell; fields name the cells.
func DataOf(d *dataset.Dataset, cells []*dataset.Cell, fields []string, metrics []record.Metric,
	published article.PublishedRef) []byte {
	rows := [][]string{table.CSVHead([]string{"experiment"}, fields, []string{"metric", "unit", "repetitions", "value",
		"lo", "hi", "interval", "published", "missing", "state", "validity", "limited_by", "run", "host"})}
	for _, cell := range cells {
		for _, m := range metrics {
			rows = append(rows, rowOf(d, cell, fields, m, published))
		}
	}
	return writeCSV(rows)
}

func rowOf(d *dataset.Dataset, cell *dataset.Cell, fields []string, m record.Metric,
	published article.PublishedRef) []string {
	row := []string{cell.Experiment.Plan.Name}
	for _, name := range fields {
		v, _ := Field(cell, name)
		row = append(row, v)
	}
	r := cell.Metric(m.Name)
	repetitions, value, lo, hi, interval, number, host := 0, "", "", "", "", "", ""
	if r.Missing == "" {
		repetitions, interval = r.Estimate.N, string(r.Estimate.Kind)
		value = digits(r.Estimate.Centre)
		lo, hi = digits(r.Estimate.Interval.Lo), digits(r.Estimate.Interval.Hi)
	}
	if p, ok := PublishedOf(d, cell, m.Name, published); ok {
		number = digits(p.Number)
	}
	if len(cell.Records) > 0 {
		host = cell.Records[0].Host
	}
	return append(row, m.Name, m.Unit, strconv.Itoa(repetitions), value, lo, hi, interval, number, r.Missing,
		StateOf(cell), r.Level.String(), cell.Validity().LimitedBy().By, cell.Run, host)
}

// Table holds data of a figure that are not metrics of cells.
type DataTable struct {
	Columns []string
	Rows    [][]any // of strings, numbers, booleans, and nil for nothing
}

func NewDataTable(fields []string, more ...string) *DataTable {
	// A parameter of these names is called by its whole name, as in Cells.
	columns := table.CSVHead(nil, fields, append(slices.Clone(more), "run", "host"))
	return &DataTable{Columns: columns[:len(columns)-2]}
}

// Add adds a row: the values of its fields, and more.
func (t *DataTable) Add(fields []any, more ...any) {
	t.Rows = append(t.Rows, append(slices.Clone(fields), more...))
}

// CSV writes the table.
func (t *DataTable) CSV() []byte {
	rows := [][]string{t.Columns}
	for _, row := range t.Rows {
		line := make([]string, len(row))
		for i, v := range row {
			switch v := v.(type) {
			case nil:
			case float64:
				line[i] = strconv.FormatFloat(v, 'g', -1, 64)
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		rows = append(rows, line)
	}
	return writeCSV(rows)
}

func writeCSV(rows [][]string) []byte {
	var b bytes.Buffer
	_ = table.WriteCSV(&b, rows) // its errors are those of the buffer, which has none
	return bytes.Clone(b.Bytes())
}

// digits is empty for what is not a finite number.
func digits(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
