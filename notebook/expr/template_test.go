package expr

import (
	"reflect"
	"testing"

	"benchbook/internal/test/must"
)

func TestParseTemplate(t *testing.T) {
	for _, tt := range []struct {
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			tmpl := must.Get(ParseTemplate(tt.text))
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
