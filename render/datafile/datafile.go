// Package datafile writes the data of tables and figures as CSV and JSON: unrounded, in base units.
package datafile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plaintext"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/render/cellview"
	"benchbook/render/csvtext"
	"benchbook/slice"
)

// About is what a table or figure shows and where that is from, by name: title, finding, source, run, host, revision,
// address and licence. All files of it carry those that have words.
//
// Source: docs/results.md#provenance-of-files.
type About [][2]string

// aboutNames are columns of every CSV; where rows have a run and a host of their own, those.
var aboutNames = []string{"run", "host", "revision", "title", "finding", "source", "address", "licence"}

func (a About) words(name string) string {
	for _, fact := range a {
		if fact[0] == name {
			return fact[1]
		}
	}
	return ""
}

// head is a head of columns in which those of About have their names for themselves.
func head(before, fields, after []string) []string {
	out := csvtext.Head(before, fields, slice.Add(slices.Clone(after), aboutNames...))
	return out[:len(before)+len(fields)+len(after)]
}

// addTo adds what rows of CSV do not say themselves.
func (a About) addTo(rows [][]string) [][]string {
	own := rows[0]
	for _, name := range aboutNames {
		if slices.Contains(own, name) {
			continue
		}
		rows[0] = append(slices.Clip(rows[0]), name)
		for i := range rows[1:] {
			rows[i+1] = append(rows[i+1], a.words(name))
		}
	}
	return rows
}

// datum is one metric of one cell: unrounded, in base units.
type datum struct {
	datumStart
	// of the checks of each repetition, those that are not ok, as JSON: a list of datumFinding under "findings"
	findings []byte
	datumEnd
}

type datumStart struct {
	Experiment  string         `json:"experiment"`
	Fields      []datumField   `json:"-"`
	Parameters  map[string]any `json:"parameters"`
	Metric      string         `json:"metric"`
	Unit        string         `json:"unit"`
	Repetitions int            `json:"repetitions"`
	Value       *float64       `json:"value"` // null if it was not measured
	Lo          *float64       `json:"lo"`    // null where the interval has no end
	Hi          *float64       `json:"hi"`
	Interval    string         `json:"interval"`         // how it was made
	Pooled      *float64       `json:"pooled,omitempty"` // percentile of the answers of all repetitions together
	Published   *float64       `json:"published,omitempty"`
	Missing     string         `json:"missing,omitempty"` // why there is no value
	// measured with an older version, or not finished; empty if neither
	State  string    `json:"state,omitempty"`
	Values []float64 `json:"values"` // one per valid repetition
	// ok, warn, invalid or not checked, as far as the metric is concerned
	Validity string `json:"validity"`
}

type datumEnd struct {
	LimitedBy string `json:"limited_by"` // empty if nothing that was sampled was more than 85 % full
	Run       string `json:"run,omitempty"`
	Host      string `json:"host,omitempty"`
}

// object encodes the datum as JSON. Findings are already encoded, as they are the same for all metrics of a cell.
func (d datum) object() ([]byte, error) {
	out, err := json.Marshal(d.datumStart)
	if err != nil {
		return nil, err
	}
	end, err := json.Marshal(d.datumEnd)
	if err != nil {
		return nil, err
	}
	out = append(append(out[:len(out)-1], `,"findings":`...), d.findings...)
	return append(append(out, ','), end[1:]...), nil
}

type datumField struct{ Name, Value string }

type datumFinding struct {
	Repetition int    `json:"repetition"`
	Check      string `json:"check"`
	Level      string `json:"level"`
	Words      string `json:"words"`
}

// Encoder writes metrics of the cells of a dataset; it reads each cell once for all files.
type Encoder struct {
	dataset *dataset.Dataset
	facts   map[*dataset.Cell]cellFacts
}

func NewEncoder(d *dataset.Dataset) *Encoder { return &Encoder{d, map[*dataset.Cell]cellFacts{}} }

// Encode writes metrics of cells as CSV and JSON; fields name the cells.
func (e *Encoder) Encode(about About, cells []*dataset.Cell, fields []string, metrics []record.Metric,
	published article.PublishedRef) (csv, json []byte, err error) {
	var data []datum
	for _, cell := range cells {
		for _, m := range metrics {
			d, err := e.datum(cell, fields, m, published)
			if err != nil {
				return nil, nil, err
			}
			data = append(data, d)
		}
	}
	json, err = writeJSON(about, data, datum.object)
	return writeCSV(about.addTo(lines(fields, data))), json, err
}

func (e *Encoder) datum(cell *dataset.Cell, fields []string, m record.Metric, published article.PublishedRef) (datum,
	error) {
	r := cell.Metric(m.Name)
	d := datum{datumStart: datumStart{Experiment: cell.Experiment.Plan.Name, Parameters: map[string]any{}, Metric: m.Name,
		Unit: m.Unit, Missing: r.Missing, State: cellview.StateOf(cell), Values: r.Values},
		datumEnd: datumEnd{Run: e.dataset.RunName(cell.Run)}}
	if d.Values == nil {
		d.Values = []float64{}
	}
	for _, name := range fields {
		v, _ := cellview.Field(cell, name)
		d.Fields = append(d.Fields, datumField{name, v})
		d.Parameters[name] = v
	}
	if len(cell.Records) > 0 {
		d.Host = cell.Records[0].Host
	}
	facts, err := e.factsOf(cell)
	d.Validity, d.LimitedBy, d.findings = r.Level.String(), facts.limitedBy, facts.findings
	if r.Missing == "" {
		d.Repetitions, d.Interval = r.Estimate.N, string(r.Estimate.Kind)
		d.Value, d.Lo, d.Hi = finite(r.Estimate.Centre), finite(r.Estimate.Interval.Lo), finite(r.Estimate.Interval.Hi)
	}
	d.Pooled = r.Pooled
	if p, ok := cellview.PublishedOf(e.dataset, cell, m.Name, published); ok {
		d.Published = finite(p.Number)
	}
	return d, err
}

// Table holds data of a figure that are not metrics of cells.
type Table struct {
	Columns []string
	Rows    [][]any // of strings, numbers, booleans, and nil for nothing
}

func NewTable(fields []string, more ...string) *Table {
	return &Table{Columns: head(nil, fields, more)}
}

// Add adds a row: the values of its fields, and more.
func (t *Table) Add(fields []any, more ...any) {
	t.Rows = append(t.Rows, append(slices.Clone(fields), more...))
}

// Join adds the rows of another panel, preceded by its facet if it has one. Either table may be nil.
func (t *Table) Join(by, facet string, o *Table) *Table {
	if o == nil {
		return t
	}
	if by != "" {
		o.Columns = head(nil, []string{by}, o.Columns)
		for i, row := range o.Rows {
			o.Rows[i] = append([]any{facet}, row...)
		}
	}
	if t == nil {
		return o
	}
	t.Rows = append(t.Rows, o.Rows...)
	return t
}

// Encode gives the table as CSV and JSON.
func (t *Table) Encode(about About) (csv, text []byte, err error) {
	rows := [][]string{t.Columns}
	list := make([]map[string]any, 0, len(t.Rows))
	for _, row := range t.Rows {
		line, object := make([]string, len(row)), map[string]any{}
		for i, v := range row {
			object[t.Columns[i]] = v
			switch v := v.(type) {
			case nil:
			case float64:
				line[i] = strconv.FormatFloat(v, 'g', -1, 64)
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		rows = append(rows, line)
		list = append(list, object)
	}
	text, err = writeJSON(about, list, func(row map[string]any) ([]byte, error) { return json.Marshal(row) })
	return writeCSV(about.addTo(rows)), text, err
}

// cellFacts is what data files repeat for each metric of a cell.
type cellFacts struct {
	limitedBy string
	findings  []byte // as of datum
}

func (e *Encoder) factsOf(cell *dataset.Cell) (cellFacts, error) {
	if facts, ok := e.facts[cell]; ok {
		return facts, nil
	}
	findings := []datumFinding{}
	for _, f := range cell.Validity().Findings() {
		if f.Level != validity.OK {
			findings = append(findings, datumFinding{f.Repetition, f.Check, f.Level.String(), f.Words})
		}
	}
	written, err := json.Marshal(findings)
	facts := cellFacts{cell.Validity().LimitedBy().By, written}
	e.facts[cell] = facts
	return facts, err
}

// finite returns v, or nil for what JSON cannot hold.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// writeJSON writes an object of what the data are about, with a row to a line under "data".
func writeJSON[T any](about About, list []T, object func(T) ([]byte, error)) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{")
	for _, fact := range about {
		if fact[1] != "" {
			words, _ := json.Marshal(fact[1]) // a string can always be written
			b.WriteString(strconv.Quote(fact[0]) + ":" + string(words) + ",\n")
		}
	}
	b.WriteString(`"data":[`)
	for i, v := range list {
		data, err := object(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n ")
		b.Write(data)
	}
	b.WriteString("\n]}\n")
	// which is kept for long, without the room to grow; in JSON its signs mean what they stand for
	return bytes.Clone(plaintext.Bytes(b.Bytes())), nil
}

func lines(fields []string, data []datum) [][]string {
	rows := [][]string{head([]string{"experiment"}, fields, []string{"metric", "unit", "repetitions", "value",
		"lo", "hi", "interval", "published", "missing", "state", "validity", "limited_by", "run", "host"})}
	for _, d := range data {
		row := []string{d.Experiment}
		for _, f := range d.Fields {
			row = append(row, f.Value)
		}
		rows = append(rows, append(row, d.Metric, d.Unit, strconv.Itoa(d.Repetitions), digits(d.Value), digits(d.Lo),
			digits(d.Hi), d.Interval, digits(d.Published), d.Missing, d.State, d.Validity, d.LimitedBy, d.Run, d.Host))
	}
	return rows
}

func writeCSV(rows [][]string) []byte {
	var b bytes.Buffer
	_ = csvtext.Write(&b, rows) // its errors are those of the buffer, which has none
	return bytes.Clone(b.Bytes())
}

func digits(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
