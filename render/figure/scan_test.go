package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

// pieces are those that a reader was given, in words.
type pieces []string

func (p *pieces) start(element string, attributes []xml.Attr) {
	*p = append(*p, fmt.Sprintf("start %s %q", element, attributes))
}
func (p *pieces) words(text string)  { *p = append(*p, fmt.Sprintf("words %q", text)) }
func (p *pieces) end(element string) { *p = append(*p, "end "+element) }

// xmlPieces are those of any XML that has nothing but elements and text.
func xmlPieces(svg []byte) (p pieces, err error) {
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			p.start(t.Name.Local, t.Attr)
		case xml.CharData:
			p.words(string(t))
		case xml.EndElement:
			p.end(t.Name.Local)
		default:
			return nil, fmt.Errorf("%T", t)
		}
	}
}

// agree looks that what scan reads is what is written, if it reads it.
func agree(t *testing.T, svg []byte) (read bool) {
	t.Helper()
	var got pieces
	if !scan(string(svg), &got) {
		return false
	}
	want, err := xmlPieces(svg)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("in %s\nthere are %q, want %q (%v)", svg, got, want, err)
	}
	return true
}

// Every drawing of ours is read, as it is written.
func TestScanDrawings(t *testing.T) {
	m := fonts(t).Metrics()
	for name, f := range figures(t) {
		for _, width := range []Width{Full, Narrow} {
			svg, err := f.Draw(m, width)
			if err != nil {
				t.Fatal(err)
			}
			if !agree(t, svg) {
				t.Errorf("%s, %d wide, is not read", name, width)
			}
		}
	}
}

// What a drawing of ours does not have is left to those who know all of XML.
func TestScan(t *testing.T) {
	tests := []struct {
		svg  string
		want bool
	}{
		{"<svg></svg>", true},
		{"<svg/>\n", true},
		{`<g class="a" aria-label="&#34;x&#34; &amp; &lt;y&gt;&#xA;"><text x="1">a &lt; b &amp;amp; c</text></g>`, true},
		{"words", true},
		{`<g  class="a"/>`, false},
		{`<g class='a'/>`, false},
		{`<g x:class="a"/>`, false},
		{`<g class="a>b"/>`, false},
		{`<g class="&nbsp;"/>`, false},
		{`<g class="a`, false},
		{"<g>&quot;</g>", false},
		{"<g>a > b</g>", false},
		{"<g>\r</g>", false},
		{"<g>\xff</g>", false},
		{"<g>\uffff</g>", false},
		{"<g><!-- x --></g>", false},
		{"<g><![CDATA[x]]></g>", false},
		{`<?xml version="1.0"?><g/>`, false},
		{"<g><text></g></text>", false},
		{"<g>", false},
		{"</g>", false},
		{"<g/><g/>", false},
		{"<-g/>", false},
		{"< g/>", false},
	}
	for _, tt := range tests {
		if got := agree(t, []byte(tt.svg)); got != tt.want {
			t.Errorf("%q is read: %v, want %v", tt.svg, got, tt.want)
		}
	}
}

// Whatever scan reads is what is written.
func FuzzScan(f *testing.F) {
	svg, err := figures(f)["one row"].Draw(fonts(f).Metrics(), Narrow)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(svg)
	f.Add([]byte(`<g class="a" aria-label="&#34;&amp;&lt;"><text x="1">a &lt; b</text>` + "\n</g>\n"))
	f.Fuzz(func(t *testing.T, svg []byte) { agree(t, svg) })
}
