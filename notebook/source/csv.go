package source

import (
	"encoding/csv"
	"errors"
	"strings"
)

// CSV converts each line after the header to a mapping by column. Empty fields are left out. For text that is not CSV,
// it adds a problem and returns false.
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
	refuse := func(at Pos, hint, format string, args ...any) ([]*Node, bool) {
		problems.Add("bad-csv", at, format, args...).Hint = hint
		return nil, false
	}
	var names []Text
	seen := map[string]bool{}
	var rows []*Node
	for {
		fields, err := r.Read()
		syntax, isSyntax := errors.AsType[*csv.ParseError](err)
		switch {
		case isSyntax:
			return refuse(f.fieldPos(syntax.Line, max(syntax.Column, 1), 1),
				"every line needs as many fields as the first; put fields with commas or quotes into quotes",
				"this is not CSV: %v", syntax.Err)
		case err != nil && names == nil: // the file is empty
			return refuse(f.Whole, "begin the file with it", "there is no line with the names of columns")
		case err != nil:
			return rows, true
		case names == nil:
			for i := range fields {
				name := field(fields, i)
				if name.Value = strings.TrimSpace(name.Value); name.Value == "" || seen[name.Value] {
					return refuse(name.Pos, "name every column, each in another way", "column %d has no name of its own", i+1)
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
