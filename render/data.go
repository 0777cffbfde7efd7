package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// dataFolder is where the data of tables and figures lie, below their page.
const dataFolder = "data"

// datum is one metric of one cell as a data file has it: unrounded, in base units.
type datum struct {
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
	Values      []float64      `json:"values"`            // one per valid repetition
	Validity    string         `json:"validity"`          // ok, warn, invalid or not checked, as far as the metric is concerned
	Findings    []datumFinding `json:"findings"`          // of the checks of each repetition, those that are not ok
	LimitedBy   string         `json:"limited_by"`        // empty if nothing that was sampled was more than 85 % full
	Run         string         `json:"run,omitempty"`
	Host        string         `json:"host,omitempty"`
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
		{dataFolder + "/" + label + ".csv", writeCSV(fields, data)},
		{dataFolder + "/" + label + ".json", c.writeJSON(data)},
	}
	c.files = append(c.files, files...)
	return []link{{files[0].Path, "CSV"}, {files[1].Path, "JSON"}}
}

func (c *composer) datum(cell *dataset.Cell, fields []string, m record.Metric, published article.PublishedRef) datum {
	r := cell.Metric(m.Name)
	d := datum{Experiment: cell.Experiment.Plan.Name, Parameters: map[string]any{}, Metric: m.Name, Unit: m.Unit,
		Missing: r.Missing, Values: r.Values, Run: cell.Run}
	if d.Values == nil {
		d.Values = []float64{}
	}
	for _, name := range fields {
		v, _ := field(cell, name)
		d.Fields = append(d.Fields, datumField{name, v})
		d.Parameters[name] = v
	}
	if len(cell.Records) > 0 {
		d.Host = cell.Records[0].Host
	}
	d.Validity, d.LimitedBy, d.Findings = r.Level.String(), cell.LimitedBy().By, []datumFinding{}
	for _, f := range cell.Findings() {
		if f.Level != dataset.OK {
			d.Findings = append(d.Findings, datumFinding{f.Repetition, f.Check, f.Level.String(), f.Words})
		}
	}
	if r.Missing == "" {
		d.Repetitions, d.Interval = r.Estimate.N, string(r.Estimate.Kind)
		d.Value, d.Lo, d.Hi = finite(r.Estimate.Centre), finite(r.Estimate.Interval.Lo), finite(r.Estimate.Interval.Hi)
	}
	d.Pooled = r.Pooled
	if p, ok := c.d.Published(cell, m.Name, published.Name.Value); ok && published.Shown {
		d.Published = finite(p.Number)
	}
	return d
}

// finite is v, or nil for what JSON has no number for.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func (c *composer) writeJSON(data []datum) []byte {
	if data == nil {
		data = []datum{}
	}
	out, err := json.MarshalIndent(data, "", " ")
	if err != nil && c.err == nil {
		c.err = err
	}
	return append(out, '\n')
}

func writeCSV(fields []string, data []datum) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b) // its errors are those of the buffer, which has none
	head := append([]string{"experiment"}, fields...)
	_ = w.Write(append(head, "metric", "unit", "repetitions", "value", "lo", "hi",
		"interval", "published", "missing", "validity", "limited_by", "run", "host"))
	for _, d := range data {
		row := []string{d.Experiment}
		for _, f := range d.Fields {
			row = append(row, f.Value)
		}
		_ = w.Write(append(row, d.Metric, d.Unit, strconv.Itoa(d.Repetitions), digits(d.Value), digits(d.Lo), digits(d.Hi),
			d.Interval, digits(d.Published), d.Missing, d.Validity, d.LimitedBy, d.Run, d.Host))
	}
	w.Flush()
	return b.Bytes()
}

func digits(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
