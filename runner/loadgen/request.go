package loadgen

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/expr"
)

// request is what a target sends, ready to be written.
type request struct {
	name   string   // the URL as the config has it
	url    *url.URL // without templates
	method string
	static []byte // the whole text, nil if part of it is drawn

	pieces []piece // of a text with drawn numbers
	body   int     // bytes of the literal pieces of the body
	drawn  []int   // indexes of the drawn pieces of the body
}

// piece is a literal text, a drawn number, or the length of the body.
type piece struct {
	text    string
	low     int64
	span    uint64 // how many numbers there are from low on
	content pieceKind
}

type pieceKind uint8

const (
	literal pieceKind = iota
	random
	length
)

// compile checks a target and renders its requests.
func (t *Target) compile(keepAlive bool) (*request, error) {
	uri, u, err := compileURL(t.URL)
	if err != nil {
		return nil, err
	}
	r := &request{name: t.URL, url: u, method: cmp.Or(t.Method, "GET")}
	if !isToken(r.method) || r.method == "CONNECT" {
		return nil, fmt.Errorf("method %q cannot be measured", r.method)
	}
	body, err := split(string(t.Body))
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	fields, err := t.fields(u, keepAlive)
	if err != nil {
		return nil, err
	}
	r.add(piece{text: r.method + " "})
	r.add(uri...)
	r.add(piece{text: " HTTP/1.1\r\n"})
	names := slices.Sorted(maps.Keys(fields))
	host := slices.Index(names, "Host")
	for _, name := range slices.Concat(names[host:host+1], names[:host], names[host+1:]) {
		r.add(piece{text: name + ": "})
		r.add(fields[name]...)
		r.add(piece{text: "\r\n"})
	}
	r.add(piece{text: "\r\n"})
	for _, p := range body {
		if p.content != literal {
			r.drawn = append(r.drawn, len(r.pieces))
		}
		r.body += len(p.text)
		r.add(p)
	}
	if !slices.ContainsFunc(r.pieces, func(p piece) bool { return p.content == random }) {
		r.static, r.pieces = r.append(nil, 0), nil
	}
	return r, nil
}

// fields returns the headers of a target, ours included.
func (t *Target) fields(u *url.URL, keepAlive bool) (fields map[string][]piece, err error) {
	fields = map[string][]piece{"Host": {{text: hostField(u)}}, "User-Agent": {{text: "benchbook"}}}
	seen := make(map[string]bool)
	for name, value := range t.Headers {
		if name, err = checkField(name, value); err != nil {
			return nil, err
		}
		lower := strings.ToLower(name)
		if seen[lower] {
			return nil, fmt.Errorf("headers: %q is there twice; keep one", lower)
		}
		seen[lower] = true
		if fields[name], err = split(value); err != nil {
			return nil, fmt.Errorf("headers: %q: %w", name, err)
		}
	}
	if !keepAlive {
		fields["Connection"] = []piece{{text: "close"}}
	}
	if len(t.Body) > 0 || slices.Contains([]string{"POST", "PUT", "PATCH"}, t.Method) {
		fields["Content-Length"] = []piece{{content: length}}
	}
	return fields, nil
}

func (r *request) add(pieces ...piece) { r.pieces = append(r.pieces, pieces...) }

// checkField checks a header, and returns its name in our spelling if we would send one too.
func checkField(name, value string) (string, error) {
	if !isToken(name) {
		return "", fmt.Errorf("headers: %q is not the name of a header", name)
	}
	if !isValue(value) {
		return "", fmt.Errorf("headers: the value of %q has a control character in it: %q", name, value)
	}
	for _, own := range []string{"Connection", "Content-Length", "Transfer-Encoding"} {
		if strings.EqualFold(name, own) {
			return "", fmt.Errorf("headers: %q is set from keepalive and the body; remove it", name)
		}
	}
	for _, own := range []string{"Host", "User-Agent"} {
		if strings.EqualFold(name, own) {
			return own, nil
		}
	}
	return name, nil
}

// compileURL returns the pieces of the request target, and the URL with a word for each drawn number.
func compileURL(text string) ([]piece, *url.URL, error) {
	parts, err := split(text)
	if err != nil {
		return nil, nil, fmt.Errorf("target: %w", err)
	}
	// A URL is percent-encoded as a whole, so drawn numbers are marked by words that encoding leaves alone.
	mark := "RANDOM"
	for strings.Contains(text, mark) {
		mark += "M"
	}
	var marked strings.Builder
	for i, p := range parts {
		if p.content != literal {
			fmt.Fprintf(&marked, "%s%d.", mark, i)
		} else {
			marked.WriteString(p.text)
		}
	}
	u, err := parseURL(marked.String())
	if err != nil {
		return nil, nil, err
	}
	rest := encode(u.RequestURI())
	var pieces []piece
	for i, p := range parts {
		if p.content == literal {
			continue
		}
		before, after, found := strings.Cut(rest, fmt.Sprintf("%s%d.", mark, i))
		if !found {
			return nil, nil, errors.New("target: ${{ }} can stand in the path and the query of a URL only")
		}
		pieces = append(pieces, piece{text: before}, p)
		rest = after
	}
	return append(pieces, piece{text: rest}), u, nil
}

// encode percent-encodes what package url leaves alone in a query, and would break a request line.
func encode(uri string) string {
	var b strings.Builder
	for _, c := range []byte(uri) {
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// split splits a text at its templates.
func split(text string) ([]piece, error) {
	t, err := expr.ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	var pieces []piece
	for _, part := range t.Parts {
		p := piece{text: part.Text}
		if part.Expr != nil {
			if p, err = drawn(part); err != nil {
				return nil, err
			}
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

// drawn reads random(LOW, HIGH).
func drawn(part expr.Part) (piece, error) {
	call, ok := part.Expr.(*expr.Call)
	if !ok || call.Name != "random" {
		return piece{}, fmt.Errorf("%s cannot be used in requests; write ${{ random(1, 100) }}", part.Text)
	}
	var bounds [2]int64
	for i, arg := range call.Args {
		v, err := expr.Eval(arg, numbers{})
		if err != nil {
			return piece{}, err
		}
		const exact = 1 << 53 // whole numbers up to here are exact
		if v.Kind != expr.KindNumber || v.Dimension != expr.Plain || v.Number != float64(int64(v.Number)) ||
			max(v.Number, -v.Number) > exact {
			return piece{}, fmt.Errorf("%s: the bounds of random must be whole numbers; write ${{ random(1, 100) }}", part.Text)
		}
		bounds[i] = int64(v.Number)
	}
	if bounds[0] > bounds[1] {
		return piece{}, fmt.Errorf("%s: nothing lies between %d and %d; swap them", part.Text, bounds[0], bounds[1])
	}
	return piece{content: random, low: bounds[0], span: uint64(bounds[1]-bounds[0]) + 1}, nil
}

// numbers is an expr.Env without names: the plan has filled those in.
type numbers struct{}

func (numbers) Select(s *expr.Selector) (expr.Value, error) {
	return expr.Value{}, fmt.Errorf("%q is not known when requests are sent", s.Name)
}

func (numbers) Call(c *expr.Call) (expr.Value, error) {
	return expr.Value{}, fmt.Errorf("%s is not known when requests are sent", c.Name)
}

// append writes the request for a draw. The same draw gives the same text.
func (r *request) append(b []byte, draw uint64) []byte {
	if r.static != nil {
		return append(b, r.static...)
	}
	for i := range r.pieces {
		p := &r.pieces[i]
		switch p.content {
		case literal:
			b = append(b, p.text...)
		case random:
			b = strconv.AppendInt(b, p.number(draw, i), 10)
		case length:
			n := r.body
			for _, i := range r.drawn {
				var digits [20]byte
				n += len(strconv.AppendInt(digits[:0], r.pieces[i].number(draw, i), 10))
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	return b
}

// number is the number drawn for the piece with index i.
func (p *piece) number(draw uint64, i int) int64 {
	high, _ := bits.Mul64(mix(draw+uint64(i)), p.span)
	return p.low + int64(high)
}

// mix is one step of SplitMix64, which spreads close numbers over 64 bits.
//
// Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// isToken reports whether s can be a method or the name of a header (RFC 9110, 5.6.2).
func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && !isMark(c) {
			return false
		}
	}
	return len(s) > 0
}

// isMark reports whether c is one of !#$%&'*+-.^_`|~, by its bit in two words.
func isMark(c byte) bool {
	const low = 1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' | 1<<'-' | 1<<'.'
	const high = 1<<('^'-64) | 1<<('_'-64) | 1<<('`'-64) | 1<<('|'-64) | 1<<('~'-64)
	return c < 64 && uint64(low)>>c&1 == 1 || c >= 64 && c < 128 && uint64(high)>>(c-64)&1 == 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isValue reports whether s can be the value of a header (RFC 9110, 5.5).
func isValue[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// cutField splits a header line into name and value. It is not ok without a name.
func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	return name, bytes.Trim(value, " \t"), ok && isToken(name)
}
