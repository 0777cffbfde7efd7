package render

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
	"benchbook/render/cellview"
	"benchbook/render/csvtext"
)

// dataFolder is where the data of tables and figures lie, below their page.
const dataFolder = "data"

// datum is one metric of one cell as a data file has it: unrounded, in base units.
type datum struct {
	datumStart
	findings []byte // of the checks of each repetition, those that are not ok, as JSON: a list of datumFinding under "findings"
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
	State       string         `json:"state,omitempty"`   // measured with an older version, or not finished; empty if neither
	Values      []float64      `json:"values"`            // one per valid repetition
	Validity    string         `json:"validity"`          // ok, warn, invalid or not checked, as far as the metric is concerned
}

type datumEnd struct {
	LimitedBy string `json:"limited_by"` // empty if nothing that was sampled was more than 85 % full
	Run       string `json:"run,omitempty"`
	Host      string `json:"host,omitempty"`
}

// object is the datum as JSON. Findings are put in as they are: those of many repetitions are most of it, and the same for all metrics of
// a cell.
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

// dataFiles adds what a table or figure shows as CSV and JSON, and gives the links.
func (c *composer) dataFiles(label string, cells []*dataset.Cell, fields []string, metrics []record.Metric,
	published article.PublishedRef) []link {
	var data []datum
	for _, cell := range cells {
		for _, m := range metrics {
			data = append(data, c.datum(cell, fields, m, published))
		}
	}
	files := []File{
		{dataFolder + "/" + label + ".csv", writeCSV(lines(fields, data))},
		{dataFolder + "/" + label + ".json", writeJSON(c, data, datum.object)},
	}
	c.files = append(c.files, files...)
	return []link{{files[0].Path, "CSV"}, {files[1].Path, "JSON"}}
}

func (c *composer) datum(cell *dataset.Cell, fields []string, m record.Metric, published article.PublishedRef) datum {
	r := cell.Metric(m.Name)
	d := datum{datumStart: datumStart{Experiment: cell.Experiment.Plan.Name, Parameters: map[string]any{}, Metric: m.Name, Unit: m.Unit,
		Missing: r.Missing, State: cellview.StateOf(cell), Values: r.Values}, datumEnd: datumEnd{Run: c.d.RunName(cell.Run)}}
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
	facts := c.factsOf(cell)
	d.Validity, d.LimitedBy, d.findings = r.Level.String(), facts.limitedBy, facts.findings
	if r.Missing == "" {
		d.Repetitions, d.Interval = r.Estimate.N, string(r.Estimate.Kind)
		d.Value, d.Lo, d.Hi = finite(r.Estimate.Centre), finite(r.Estimate.Interval.Lo), finite(r.Estimate.Interval.Hi)
	}
	d.Pooled = r.Pooled
	if p, ok := c.publishedOf(cell, m.Name, published); ok {
		d.Published = finite(p.Number)
	}
	return d
}

// sheet is what a figure shows that is more than metrics of cells, as its data files have it: unrounded, in base units.
type sheet struct {
	head []string
	rows [][]any // of strings, numbers, booleans, and nil for nothing
}

// newSheet makes one of cells that are named by some fields.
func newSheet(fields []string, more ...string) *sheet {
	return &sheet{head: csvtext.Head(nil, fields, more)}
}

// add adds a row: the values of its fields, and more.
func (s *sheet) add(fields []any, more ...any) {
	s.rows = append(s.rows, append(slices.Clone(fields), more...))
}

// join adds the rows of another part of a figure, with what it is faceted by before them if it is.
func (s *sheet) join(p *panel, o *sheet) *sheet {
	if o == nil {
		return s
	}
	if by := p.block.Facet.Value; by != "" {
		o.head = csvtext.Head(nil, []string{by}, o.head)
		for i, row := range o.rows {
			o.rows[i] = append([]any{p.facet}, row...)
		}
	}
	if s == nil {
		return o
	}
	s.rows = append(s.rows, o.rows...)
	return s
}

// sheetFiles adds a sheet as CSV and JSON, and gives the links.
func (c *composer) sheetFiles(label string, s *sheet) []link {
	rows := [][]string{s.head}
	list := make([]map[string]any, 0, len(s.rows))
	for _, row := range s.rows {
		line, object := make([]string, len(row)), map[string]any{}
		for i, v := range row {
			object[s.head[i]] = v
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
	object := func(row map[string]any) ([]byte, error) { return json.Marshal(row) }
	files := []File{{dataFolder + "/" + label + ".csv", writeCSV(rows)}, {dataFolder + "/" + label + ".json", writeJSON(c, list, object)}}
	c.files = append(c.files, files...)
	return []link{{files[0].Path, "CSV"}, {files[1].Path, "JSON"}}
}

// cellFacts are what data files say of a cell beside each of its metrics.
type cellFacts struct {
	limitedBy string
	findings  []byte // as of datum
}

// factsOf looks at a cell once for all files.
func (c *composer) factsOf(cell *dataset.Cell) cellFacts {
	facts, ok := c.cells[cell]
	if !ok {
		findings := []datumFinding{}
		for _, f := range cell.Findings() {
			if f.Level != dataset.OK {
				findings = append(findings, datumFinding{f.Repetition, f.Check, f.Level.String(), f.Words})
			}
		}
		written, err := json.Marshal(findings)
		if err != nil && c.err == nil {
			c.err = err
		}
		facts = cellFacts{cell.LimitedBy().By, written}
		c.cells[cell] = facts
	}
	return facts
}

// finite is v, or nil for what JSON has no number for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// writeJSON writes a list, an element to a line.
func writeJSON[T any](c *composer, list []T, object func(T) ([]byte, error)) []byte {
	var b bytes.Buffer
	b.WriteString("[")
	for i, v := range list {
		data, err := object(v)
		if err != nil && c.err == nil {
			c.err = err
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n ")
		b.Write(data)
	}
	b.WriteString("\n]\n")
	return bytes.Clone(plaintext.Bytes(b.Bytes())) // which is kept for long, without the room to grow; in JSON its signs mean what they stand for
}

// lines are the data as rows of a CSV file, with their head.
func lines(fields []string, data []datum) [][]string {
	rows := [][]string{csvtext.Head([]string{"experiment"}, fields, []string{"metric", "unit", "repetitions", "value", "lo", "hi",
		"interval", "published", "missing", "state", "validity", "limited_by", "run", "host"})}
	for _, d := range data {
		row := []string{d.Experiment}
		for _, f := range d.Fields {
			row = append(row, f.Value)
		}
		rows = append(rows, append(row, d.Metric, d.Unit, strconv.Itoa(d.Repetitions), digits(d.Value), digits(d.Lo), digits(d.Hi),
			d.Interval, digits(d.Published), d.Missing, d.State, d.Validity, d.LimitedBy, d.Run, d.Host))
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
