package figure

import (
	"encoding/xml"
	"slices"
	"strings"
	"unicode/utf8"
)

// reader takes in a drawing piece by piece.
type reader interface {
	start(element string, attributes []xml.Attr) // which it must not keep
	words(text string)
	end(element string)
}

// scan reads a drawing as canvas writes it: elements and attributes by plain names, text, and no more of XML than that. It is false for
// anything else, also if it is fine XML; what has been read by then is worth nothing. Package encoding/xml takes in all of XML, and its
// time for that, which whoever renders would wait for.
func scan(svg string, r reader) bool {
	if !utf8.ValidString(svg) || strings.ContainsFunc(svg, func(c rune) bool { return c < ' ' && c != '\n' || c == '\uFFFE' || c == '\uFFFF' }) {
		return false
	}
	var open []string
	var attributes []xml.Attr
	for rest, first := svg, true; ; first = false {
		text, tag, found := strings.Cut(rest, "<")
		words, ok := unescape(text)
		if !ok || strings.Contains(text, ">") {
			return false
		}
		if text != "" {
			r.words(words)
		}
		if !found {
			return len(open) == 0
		}
		if !first && len(open) == 0 { // another element beside the first
			return false
		}
		if closing, ok := strings.CutPrefix(tag, "/"); ok {
			name, after := cutName(closing)
			last := len(open) - 1
			if rest, ok = strings.CutPrefix(after, ">"); !ok || last < 0 || open[last] != name {
				return false
			}
			open = open[:last]
			r.end(name)
			continue
		}
		name, after := cutName(tag)
		if name == "" {
			return false
		}
		if attributes, rest, ok = scanAttributes(attributes[:0], after); !ok {
			return false
		}
		r.start(name, attributes)
		switch {
		case strings.HasPrefix(rest, "/>"):
			rest = rest[len("/>"):]
			r.end(name)
		case strings.HasPrefix(rest, ">"):
			rest = rest[len(">"):]
			open = append(open, name)
		default:
			return false
		}
	}
}

// scanAttributes reads attributes, each after a space, and gives what follows them.
func scanAttributes(list []xml.Attr, rest string) (all []xml.Attr, after string, ok bool) {
	for strings.HasPrefix(rest, " ") {
		name, value := cutName(rest[1:])
		value, ok := strings.CutPrefix(value, `="`)
		if name == "" || !ok {
			return nil, "", false
		}
		value, after, ok := strings.Cut(value, `"`)
		if !ok || strings.ContainsAny(value, "<>") {
			return nil, "", false
		}
		if value, ok = unescape(value); !ok {
			return nil, "", false
		}
		list, rest = append(list, xml.Attr{Name: xml.Name{Local: name}, Value: value}), after
	}
	return list, rest, true
}

// cutName divides what begins with a name of ASCII letters and hyphens after it.
func cutName(s string) (name, rest string) {
	isPart := func(b byte) bool { return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b == '-' }
	n := 0
	for n < len(s) && isPart(s[n]) {
		n++
	}
	if strings.HasPrefix(s, "-") {
		n = 0
	}
	return s[:n], s[n:]
}

// escapes are what xml.EscapeText writes after an ampersand, with what it means.
var escapes = []struct{ written, means string }{
	{"#34;", `"`}, {"#39;", "'"}, {"amp;", "&"}, {"lt;", "<"}, {"gt;", ">"}, {"#x9;", "\t"}, {"#xA;", "\n"}, {"#xD;", "\r"},
}

// unescape is a text as it was before xml.EscapeText; false if that has not written it.
func unescape(text string) (string, bool) {
	at := strings.IndexByte(text, '&')
	if at < 0 {
		return text, true
	}
	var b strings.Builder
	for ; at >= 0; at = strings.IndexByte(text, '&') {
		b.WriteString(text[:at])
		text = text[at+1:]
		i := slices.IndexFunc(escapes, func(e struct{ written, means string }) bool { return strings.HasPrefix(text, e.written) })
		if i < 0 {
			return "", false
		}
		b.WriteString(escapes[i].means)
		text = text[len(escapes[i].written):]
	}
	b.WriteString(text)
	return b.String(), true
}
