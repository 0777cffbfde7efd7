package plan

import (
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/journey"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// checkSteps reports values that a step of a load uses before they are known, or that nobody knows. Templates of other
// kinds are filled in already.
func checkSteps(l *article.Load, planned *spec.Load, problems *source.Problems) {
	var known, later []string // names of values
	if planned.Data != nil {
		if d, err := journey.ParseData(planned.Data.File.Data); err == nil {
			for _, column := range d.Columns {
				known = append(known, "data."+column)
			}
		}
	}
	extracted := func(s *article.LoadStep) (names []string) {
		for _, e := range s.Extract {
			names = append(names, "steps."+e.Name.Value)
		}
		return names
	}
	for i := range l.Steps {
		later = append(later, extracted(&l.Steps[i])...)
	}
	for i := range l.Steps {
		s := &l.Steps[i]
		c := valueCheck{s.Name.Value, known, later, l.Data != nil && planned.Data == nil, problems}
		headers, body := s.Headers, s.Body
		if headers == nil {
			headers = l.Headers
		}
		if body.IsZero() {
			body = l.Body
		}
		c.text(s.URL)
		c.text(body)
		for _, h := range headers {
			c.text(h.Value)
		}
		known = append(known, extracted(s)...)
	}
}

// valueCheck looks at the values that one step uses.
type valueCheck struct {
	step         string
	known, later []string // names of values before the step, and of all that are extracted
	anyData      bool     // there are data that cannot be read, which was reported
	problems     *source.Problems
}

func (c valueCheck) text(t source.Text) {
	template, err := expr.ParseTemplate(t.Value)
	if err != nil {
		return // reported when the article was read
	}
	for _, name := range template.Names() {
		head, _, _ := strings.Cut(name.Name, ".")
		switch {
		case head != "data" && head != "steps", slices.Contains(c.known, name.Name), head == "data" && c.anyData:
			continue
		}
		e := &expr.Error{Span: name.Span, Hint: "write data: FILE.csv for the load, or extract: {NAME: json:PATH} in an " +
			"earlier step"}
		if len(c.known) > 0 {
			e.Hint = source.Suggest(name.Name, c.known)
		}
		switch {
		case slices.Contains(c.later, name.Name):
			e.Msg = "step " + c.step + " uses " + name.Name + " before it is extracted"
			e.Hint = "extract it in an earlier step, or move the step behind that"
		case head == "data":
			e.Msg = "the data have no column " + strings.TrimPrefix(name.Name, "data.")
		default:
			e.Msg = "no step extracts " + strings.TrimPrefix(name.Name, "steps.")
		}
		article.AddExprError(t, e, c.problems)
	}
}
