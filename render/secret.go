package render

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// redactor knows the secrets of all cells, and those that the page finds in its experiments.
func (c *composer) redactor() *record.Redactor {
	type key struct{}
	if c.redact == nil {
		c.redact = dataset.Once(c.d, key{}, func() *record.Redactor {
			var definitions []json.RawMessage
			for _, e := range c.d.Experiments {
				for _, cell := range e.Cells {
					definitions = append(definitions, cell.Trial.Definition)
				}
			}
			return record.NewRedactor(definitions...)
		}).Clone()
	}
	return c.redact
}

// experimentListing returns the YAML of an experiment without secrets, by the rules for records.
func (c *composer) experimentListing(b *article.Block) []byte {
	redact := c.redactor()
	var spans []source.Pos
	if b.Experiment != nil {
		spans = secretSpans(b.Experiment.Node, redact, nil)
	}
	slices.SortFunc(spans, func(x, y source.Pos) int { return cmp.Compare(x.Start, y.Start) })
	var out strings.Builder
	at := 0
	for _, span := range spans {
		start, end := yamlOffset(b, span.Start), yamlOffset(b, span.End)
		if span.Source != b.Place.Source || start < at || end < start {
			continue
		}
		out.WriteString(redact.Text(string(b.YAML[at:start])))
		out.WriteString(record.Redacted)
		at = end
		if end > start && b.YAML[end-1] == '\n' {
			out.WriteByte('\n')
		}
	}
	out.WriteString(redact.Text(string(b.YAML[at:])))
	c.secrets = c.secrets || out.String() != string(b.YAML)
	return []byte(out.String())
}

// secretSpans returns the places of values that are secret by their key, variable or option. Values of a matrix are
// shown in tables, so they are not secret.
func secretSpans(n *yamltext.Node, redact *record.Redactor, spans []source.Pos) []source.Pos {
	secret := func(name string, value source.Text, at source.Pos) {
		if value.Value != "" && !strings.HasPrefix(value.Value, "${{") {
			redact.Learn(name, value.Value)
			spans = append(spans, at)
		}
	}
	option := ""
	for _, item := range n.Items {
		name, value, isVariable := strings.Cut(item.Text.Value, "=")
		switch {
		case item.Kind != yamltext.Scalar:
			spans = secretSpans(item, redact, spans)
		case option != "" && !strings.HasPrefix(item.Text.Value, "-"):
			secret(option, item.Text, item.Text.Pos)
		case isVariable && record.LooksSecret(name) && !strings.ContainsAny(name, " \t"):
			from := len(item.Text.Value) - len(value)
			secret(name, source.Text{Value: value}, item.Text.At(from, len(item.Text.Value)))
		}
		option = record.SecretOption(item.Text.Value)
	}
	for _, field := range n.Fields {
		switch {
		case field.Key.Value == "matrix":
		case field.Value.Kind != yamltext.Scalar:
			spans = secretSpans(field.Value, redact, spans)
		case record.LooksSecret(field.Key.Value):
			secret(field.Key.Value, field.Value.Text, field.Value.Text.Pos)
		}
	}
	return spans
}

// yamlOffset converts a byte of the source to a place in the block's YAML. Lines may have lost indentation, so it
// counts from their ends.
func yamlOffset(b *article.Block, offset int) int {
	source := b.Place.Source
	fence, _ := source.Position(b.Place.Start)
	line, _ := source.Position(offset)
	at := 0
	for range line - fence - 1 {
		next := bytes.IndexByte(b.YAML[at:], '\n')
		if next < 0 {
			return len(b.YAML)
		}
		at += next + 1
	}
	if line <= fence {
		return 0
	}
	end := len(b.YAML)
	if next := bytes.IndexByte(b.YAML[at:], '\n'); next >= 0 {
		end = at + next
	}
	rest := len(source.Data) - offset
	if next := bytes.IndexByte(source.Data[min(offset, len(source.Data)):], '\n'); next >= 0 {
		rest = next
	}
	return max(at, end-rest)
}
