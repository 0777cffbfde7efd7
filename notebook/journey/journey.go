// Package journey reads what the steps of a load say beside their requests: where values are found in answers, and rows
// of data.
package journey

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Extraction is where a value is found in an answer. One of its fields is set.
type Extraction struct {
	Header  string         // its name
	Path    string         // of JSON, with dots
	Pattern *regexp.Regexp // whose first group is the value
}

// Forms are the ways to write an Extraction.
const Forms = "write json:dotted.path, header:NAME, or regex:PATTERN with a group"

var fieldName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// ParseExtraction reads json:PATH, header:NAME or regex:PATTERN.
func ParseExtraction(text string) (Extraction, error) {
	form, what, _ := strings.Cut(text, ":")
	what = strings.TrimSpace(what)
	switch form {
	case "json":
		if what == "" {
			return Extraction{}, errors.New("json: has no path")
		}
		return Extraction{Path: what}, nil
	case "header":
		if !fieldName.MatchString(what) {
			return Extraction{}, fmt.Errorf("%q is not the name of a header", what)
		}
		return Extraction{Header: what}, nil
	case "regex":
		pattern, err := regexp.Compile(what)
		if err != nil {
			return Extraction{}, fmt.Errorf("the pattern cannot be read: %s",
				strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		if pattern.NumSubexp() == 0 {
			return Extraction{}, errors.New("the pattern has no group, so there is no value to take")
		}
		return Extraction{Pattern: pattern}, nil
	}
	return Extraction{}, fmt.Errorf("%q does not say where the value is", text)
}

// MaxData is how many bytes a file of data may have: it travels with the settings of the load generator.
const MaxData = 512 << 10

// Data are rows of values, one for each journey.
type Data struct {
	Columns []string
	Rows    [][][]byte // by row and column
}

// ParseData reads CSV: a line with the names of columns, and at least one row. An error names the line.
func ParseData(text []byte) (*Data, error) {
	if len(text) > MaxData {
		return nil, fmt.Errorf("it has %d bytes, more than %d KiB", len(text), MaxData>>10)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	columns, err := r.Read()
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
		if columns[i] == "" || slices.Contains(columns[:i], columns[i]) {
			return nil, fmt.Errorf("column %d has no name of its own", i+1)
		}
	}
	d := &Data{Columns: columns}
	for err == nil {
		var fields []string
		if fields, err = r.Read(); err != nil {
			break
		}
		row := make([][]byte, len(fields))
		for i, field := range fields {
			row[i] = []byte(field)
		}
		d.Rows = append(d.Rows, row)
	}
	switch syntax, is := errors.AsType[*csv.ParseError](err); {
	case is:
		return nil, fmt.Errorf("line %d: %w", syntax.Line, syntax.Err)
	case !errors.Is(err, io.EOF):
		return nil, err
	case len(d.Rows) == 0:
		return nil, errors.New("it has no rows below a line with the names of columns")
	}
	return d, nil
}
