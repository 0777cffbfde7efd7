package source

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// CSV makes a mapping of each line after the first, which names the columns. Empty fields are left out. It is false for
// text that is not CSV, which is a problem.
func CSV(f Fragment, problems *Problems) ([]*Node, bool) {
	r := csv.NewReader(strings.NewReader(f.Text))
	r.ReuseRecord = true
	field := func(fields []string, i int) Text {
		line, column := r.FieldPos(i)
		t := Text{Value: fields[i], Pos: f.fieldPos(line, column, len(fields[i]))}
		if data := t.Pos.Source.Data; t.Pos.Start < len(data) && data[t.Pos.Start] == '"' {
			t.Pos.End = min(t.Pos.End+2, len(data))
		}
		return t
	}
	var names []Text
	var rows []*Node
	for {
		fields, err := r.Read()
		var syntax *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			if names == nil {
				problems.Add("bad-csv", f.Whole, "there is no line with the names of columns").
					Hint = "begin the file with it"
				return nil, false
			}
			return rows, true
		case errors.As(err, &syntax):
			problems.Add("bad-csv", f.fieldPos(syntax.Line, max(syntax.Column, 1), 1), "this is not CSV: %v", syntax.Err).
				Hint = "every line needs as many fields as the first; put fields with commas or quotes into quotes"
			return nil, false
		case err != nil:
			problems.Add("bad-csv", f.Whole, "this is not CSV: %v", err)
			return nil, false
		}
		if names == nil {
			seen := map[string]bool{}
			for i := range fields {
				name := field(fields, i)
				if name.Value = strings.TrimSpace(name.Value); name.Value == "" || seen[name.Value] {
					problems.Add("bad-csv", name.Pos, "column %d has no name of its own", i+1).
						Hint = "name every column, each in another way"
					return nil, false
				}
				seen[name.Value] = true
				names = append(names, name)
			}
			continue
		}
		row := &Node{Kind: Map, Text: Text{Pos: field(fields, 0).Pos}}
		for i, name := range names {
			if text := field(fields, i); text.Value != "" {
				row.Fields = append(row.Fields, Field{Key: name, Value: &Node{Kind: Scalar, Text: text}})
			}
		}
		rows = append(rows, row)
	}
}
