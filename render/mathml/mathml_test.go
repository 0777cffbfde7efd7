package mathml

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestConvert(t *testing.T) {
	tests := []struct{ name, tex, want string }{
		{"letters and numbers", `2x = 10.5`, `<mn>2</mn><mi>x</mi><mo>=</mo><mn>10.5</mn>`},
		{"Little's law", `L = \lambda W`, `<mi>L</mi><mo>=</mo><mi>λ</mi><mi>W</mi>`},
		{"an index and a power", `x_i^2`, `<msubsup><mi>x</mi><mrow><mi>i</mi></mrow><mrow><mn>2</mn></mrow></msubsup>`},
		{"a power of one digit", `x^10`, `<msup><mi>x</mi><mrow><mn>1</mn></mrow></msup><mn>0</mn>`},
		{"a prime", `f'`, `<msup><mi>f</mi><mrow><mo>′</mo></mrow></msup>`},
		{"a fraction", `\frac{a}{b}`, `<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>`},
		{"a fraction of digits", `\frac12`, `<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>`},
		{"roots", `\sqrt x \sqrt[3]{y}`, `<msqrt><mi>x</mi></msqrt><mroot><mrow><mi>y</mi></mrow><mrow><mn>3</mn></mrow></mroot>`},
		{"a sum", `\sum_{i=1}^n`, `<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mrow><mi>n</mi></mrow></munderover>`},
		{"words", `t_\text{90 \% of a}`, ``},
		{"words without commands", `t_{\text{per core}}`, `<msub><mi>t</mi><mrow><mtext>per` + "\u00a0" + `core</mtext></mrow></msub>`},
		{"brackets that grow", `\left( x \right]`, `<mrow><mo>(</mo><mi>x</mi><mo>]</mo></mrow>`},
		{"a minus", `a - b`, `<mi>a</mi><mo>−</mo><mi>b</mi>`},
		{"markup is text", `a < b \& "c"`, `<mi>a</mi><mo>&lt;</mo><mi>b</mi><mo>&amp;</mo><mo>&#34;</mo><mi>c</mi><mo>&#34;</mo>`},
		{"cases", `\begin{cases} 1 & x \\ 0 \end{cases}`,
			`<mrow><mo>{</mo><mtable class="cases"><mtr><mtd><mn>1</mn></mtd><mtd><mi>x</mi></mtd></mtr><mtr><mtd><mn>0</mn></mtd></mtr></mtable></mrow>`},
		{"a function", `n \log_2 n`, `<mi>n</mi><mspace width="0.17em"></mspace><msub><mi mathvariant="normal">log</mi><mrow><mn>2</mn></mrow></msub>` +
			`<mspace width="0.17em"></mspace><mi>n</mi>`},
		{"bold", `\mathbf{Ab1}`, `<mi>𝐀𝐛𝟏</mi>`},
		{"an accent", `\bar x`, `<mover accent="true"><mrow><mi>x</mi></mrow><mo>¯</mo></mover>`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Convert(test.tex, false)
			if test.want == "" {
				if !errors.Is(err, ErrSyntax) {
					t.Errorf("got %s, %v, want an error", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got = strings.TrimPrefix(got, "<math><semantics><mrow>")
			got, _, _ = strings.Cut(got, "</mrow><annotation")
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestConvertRefuses(t *testing.T) {
	tests := []struct {
		name, tex string
		want      error
	}{
		{"an unknown command", `\href{javascript:alert(1)}{x}`, ErrUnknown},
		{"an unknown environment", `\begin{tikz}\end{tikz}`, ErrUnknown},
		{"a brace that is not closed", `\frac{a`, ErrSyntax},
		{"a brace that is not opened", `a}`, ErrSyntax},
		{"a missing argument", `\sqrt`, ErrSyntax},
		{"an index of nothing", `x_`, ErrSyntax},
		{"two indices", `x_1_2`, ErrSyntax},
		{"an environment without end", `\begin{cases} 1`, ErrSyntax},
		{"another end", `\begin{cases} 1 \end{matrix}`, ErrSyntax},
		{"a bracket that is none", `\left x \right)`, ErrSyntax},
		{"too deep", strings.Repeat("{", 1000) + strings.Repeat("}", 1000), ErrSyntax},
		{"roots too deep", strings.Repeat(`\sqrt`, 100_000) + "x", ErrSyntax},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := Convert(test.tex, true); !errors.Is(err, test.want) {
				t.Errorf("got %s, %v, want %v", got, err, test.want)
			}
		})
	}
}

// Whatever an author types, what comes out is balanced, and has no elements or attributes but those of formulas.
func FuzzConvert(f *testing.F) {
	for _, tex := range []string{`\frac{a}{b}^2`, `\left\{ x_i' \right.`, `\begin{aligned} a &= b \\ c \end{aligned}`, `<script>`, `\text{</math>}`, `é_ü`} {
		f.Add(tex)
	}
	f.Fuzz(func(t *testing.T, tex string) {
		got, err := Convert(tex, true)
		if err != nil {
			if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrSyntax) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		var open []string
		for z := html.NewTokenizer(strings.NewReader(got)); ; {
			switch kind := z.Next(); kind {
			case html.ErrorToken:
				if z.Err() != io.EOF || len(open) > 0 {
					t.Fatalf("%v, still open %q in %s", z.Err(), open, got)
				}
				return
			case html.StartTagToken:
				token := z.Token()
				if !strings.HasPrefix(token.Data, "m") && token.Data != "semantics" && token.Data != "annotation" {
					t.Fatalf("an element %q in %s", token.Data, got)
				}
				for _, a := range token.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "href" || a.Key == "style" {
						t.Fatalf("an attribute %q in %s", a.Key, got)
					}
				}
				open = append(open, token.Data)
			case html.EndTagToken:
				name := z.Token().Data
				if len(open) == 0 || open[len(open)-1] != name {
					t.Fatalf("</%s> ends %q in %s", name, open, got)
				}
				open = open[:len(open)-1]
			case html.CommentToken, html.DoctypeToken, html.SelfClosingTagToken:
				t.Fatalf("a token of kind %v in %s", kind, got)
			}
		}
	})
}
