package expr

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func TestParseTemplate(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // the parts
		names      []string
	}{
		{"nothing", "", nil, nil},
		{"only text", "python3 -u $HOME/${X}/{{ y }}", []string{"python3 -u $HOME/${X}/{{ y }}"}, nil},
		{"one expression", "${{ matrix.n }}", []string{"${{ matrix.n }}"}, []string{"matrix.n"}},
		{"no spaces", "${{matrix.n}}", []string{"${{matrix.n}}"}, []string{"matrix.n"}},
		{"text around", "a ${{ profile }}.py", []string{"a ", "${{ profile }}", ".py"}, []string{"profile"}},
		{"a space makes it a text", " ${{ profile }}", []string{" ", "${{ profile }}"}, []string{"profile"}},
		{"two expressions", "${{ a }}${{ b * c }}", []string{"${{ a }}", "${{ b * c }}"}, []string{"a", "b", "c"}},
		{"closing braces in a string", `${{ "}}" }}`, []string{`${{ "}}" }}`}, nil},
		{"braces of a selector", "${{ a{b=c}}}", []string{"${{ a{b=c}}}"}, []string{`a{b="c"}`}},
		{"closing braces alone", "a }} b", []string{"a }} b"}, nil},
		{"a quote after an expression", "('${{ a }}')", []string{"('", "${{ a }}", "')"}, []string{"a"}},
		{"over two lines", "${{ a +\n b }}\n", []string{"${{ a +\n b }}", "\n"}, []string{"a", "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tmpl, err := ParseTemplate(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var parts, names []string
			for _, p := range tmpl.Parts {
				parts = append(parts, p.Text)
			}
			for _, s := range tmpl.Names() {
				names = append(names, s.String())
				if got := tt.text[s.Start:s.End]; got[0] != s.Name[0] {
					t.Errorf("%s stands at %q", s, got)
				}
			}
			if !reflect.DeepEqual(parts, tt.want) || !reflect.DeepEqual(names, tt.names) {
				t.Errorf("%q has parts %q, names %q", tt.text, parts, names)
			}
		})
	}
}

func TestParseTemplateProblems(t *testing.T) {
	for _, tt := range []problem{
		{"no end", "a «${{» matrix.n b", "${{ is never closed: write }} after the expression"},
		{"no end before the next one", "a «${{» matrix.n b ${{ c }}", "${{ is never closed: write }} after the expression"},
		{"one brace", "a «${{» matrix.n } b", "${{ is never closed: write }} after the expression"},
		{"spaced braces", "a ${{ matrix.n «}» } }}", "expected }}, found }"},
		{"nothing inside", "a «${{ }}» b", "the expression is empty: write a value, such as throughput or 100ms"},
		{"a problem inside", "a ${{ matrix.n + «*» }} b",
			"expected a value, found *: write a metric, such as throughput, or a number with its unit"},
		{"two values", "a ${{ b «c» }}", "expected an operator between b and c: write an operator, such as + or <, or a " +
			"comma between arguments; quote what is a text"},
		{"an open parenthesis", "a ${{ (b «}»} c)", "expected a closing ), found }"},
		{"an open string", "a ${{ «'b }} c»", "the string is not terminated: close it with '"},
		{"the second expression", "${{ a }} ${{ a < b «<» c }}", "comparisons do not chain: write a < b and b < c"},
	} {
		tt.run(t, func(text string) error {
			_, err := ParseTemplate(text)
			return err
		})
	}
}

// steps is an Env that knows the matrix, and leaves searches for later.
type steps struct{ cells }

func (s steps) Select(sel *Selector) (Value, error) {
	if sel.Name == "tune.workers" {
		return Value{}, fmt.Errorf("search of workers: %w", ErrDeferred)
	}
	return s.cells.Select(sel)
}

func (s steps) Call(*Call) (Value, error) { return Value{}, ErrDeferred }

func TestTemplateFillProblems(t *testing.T) {
	for _, tt := range []problem{
		{"an unknown name", "a ${{ «matrix.port» }}", `no metric "matrix.port"`},
		{"a list in a text", "a ${{ «words» }}", "words is a list of 2, but one value is needed: " +
			"pick one in braces, or reduce it by min max mean geomean median or count"},
	} {
		tt.run(t, func(text string) error {
			tmpl, err := ParseTemplate(text)
			if err != nil {
				return err
			}
			_, err = tmpl.Fill(steps{testCells})
			return err
		})
	}
}

func TestTemplateFill(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"all known", "a ${{ matrix.server }}", "a async"},
		{"only text", "a $b", "a $b"},
		{"nothing", "", ""},
		{"one expression", "${{ matrix.workers * 2 }}", "8"},
		{"a truth value", "${{ matrix.workers > 2 }}", "true"},
		{"a parameter is as it was written", "python${{ matrix.python }}", "python3.10"},
		{"what a value brings is not expanded", "a ${{ matrix.start }}", "a gunicorn -w ${{ tune.workers }}"},
		{"a search stays", "-w ${{ tune.workers }} ${{ matrix.server }}.py", "-w ${{ tune.workers }} async.py"},
		{"of an expression the rest stays", "${{ matrix.workers * tune.workers }}", "${{ 4 * tune.workers }}"},
		{"in the middle, too", "a${{ (tune.workers+matrix.workers)*matrix.workers }}b", "a${{ (tune.workers+4)*4 }}b"},
		{"a text becomes a string", "${{ matrix.server == 'a' or tune.workers > 2 }}",
			"${{ 'async' == 'a' or tune.workers > 2 }}"},
		{"a text with a template stays", "${{ tune.workers == matrix.start }}", "${{ tune.workers == matrix.start }}"},
		{"an argument", "/${{ random(1, matrix.workers) }}", "/${{ random(1, 4) }}"},
		{"what is drawn per request stays", "/${{ random(1, 9) }}/${{matrix.python}}", "/${{ random(1, 9) }}/3.10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tmpl, err := ParseTemplate(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tmpl.Fill(steps{testCells})
			if err != nil || got != tt.want {
				t.Errorf("%q fills to %q, %v; want %q", tt.text, got, err, tt.want)
			}
		})
	}
	for _, tt := range []problem{
		{"an unknown name", "${{ tune.workers }} ${{ «matrix.port» }}", `no metric "matrix.port"`},
		{"an unknown name beside a search", "${{ tune.workers + «matrix.port» }}", `no metric "matrix.port"`},
	} {
		tt.run(t, func(text string) error {
			tmpl, err := ParseTemplate(text)
			if err != nil {
				return err
			}
			_, err = tmpl.Fill(steps{testCells})
			if errors.Is(err, ErrDeferred) {
				t.Error("an unknown name is not known later")
			}
			return err
		})
	}
}
