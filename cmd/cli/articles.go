package cli

import "benchbook/notebook/source"

type problemJSON struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"` // error or warning
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func problemsJSON(problems []*source.Problem) []problemJSON {
	out := []problemJSON{}
	for _, p := range problems {
		j := problemJSON{Severity: p.Severity.String(), Rule: p.Rule, Message: p.Message, Hint: p.Hint}
		if p.Pos.Source != nil {
			j.File = p.Pos.Source.Path
			j.Line, j.Column = p.Pos.Source.Position(p.Pos.Start)
		}
		out = append(out, j)
	}
	return out
}
