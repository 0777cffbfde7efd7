package loadgen

import (
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

// Request is what a target sends, ready to be written for every request.
type Request struct {
	URL    *url.URL // without templates
	Method string
	Static []byte // the whole text, nil if part of it is drawn

	pieces []piece // of a text that is not always the same
	body   int     // bytes of the body that always are
	drawn  []int   // the pieces of the body that are not
}

// A piece of a request is a literal text, a number that is drawn, or the length of the body.
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

// Compile checks a target and turns it into the text of its requests.
func (t *Target) Compile(keepAlive bool) (*Request, error) {
	pieces, u, err := compileURL(t.URL)
	if err != nil {
		return nil, err
	}
	if err := t.validateFields(); err != nil {
		return nil, err
	}
	r := &Request{URL: u, Method: cmp.Or(t.Method, "GET")}
	body, err := split(string(t.Body))
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	fields := map[string][]piece{"Host": {{text: hostField(u)}}, "User-Agent": {{text: "benchbook"}}}
	for name, value := range t.Headers {
		if fields[ours(name)], err = split(value); err != nil {
			return nil, fmt.Errorf("headers: %q: %w", name, err)
		}
	}
	if !keepAlive {
		fields["Connection"] = []piece{{text: "close"}}
	}
	if len(t.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH" {
		fields["Content-Length"] = []piece{{content: length}}
	}
	r.pieces = append([]piece{{text: r.Method + " "}}, pieces...)
	r.pieces = append(r.pieces, piece{text: " HTTP/1.1\r\n"})
	field := func(name string) {
		r.pieces = append(r.pieces, piece{text: name + ": "})
		r.pieces = append(r.pieces, fields[name]...)
		r.pieces = append(r.pieces, piece{text: "\r\n"})
		delete(fields, name)
	}
	field("Host")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field(name)
	}
	r.addBody(body)
	if !slices.ContainsFunc(r.pieces, func(p piece) bool { return p.content == random }) {
		r.Static, r.pieces = r.Append(nil, 0), nil
	}
	return r, nil
}

// addBody ends the head and adds what follows it.
func (r *Request) addBody(body []piece) {
	r.pieces = append(r.pieces, piece{text: "\r\n"})
	for _, p := range body {
		if p.content != literal {
			r.drawn = append(r.drawn, len(r.pieces))
		}
		r.body += len(p.text)
		r.pieces = append(r.pieces, p)
	}
}

// ours is the name of a field in our own spelling, if we would set it too.
func ours(name string) string {
	for _, own := range []string{"Host", "User-Agent"} {
		if strings.EqualFold(name, own) {
			return own
		}
	}
	return name
}

// compileURL returns what stands between the method and the version, and the URL with a word in place of each number
// that is drawn.
func compileURL(text string) ([]piece, *url.URL, error) {
	parts, err := split(text)
	if err != nil {
		return nil, nil, fmt.Errorf("target: %w", err)
	}
	// A URL is percent-encoded as a whole, so the places of numbers are marked by words that encoding leaves alone.
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

// encode percent-encodes what package url leaves as it is in a query, and what would end or break a request line.
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

// split takes a text with templates apart.
func split(text string) ([]piece, error) {
	t, err := expr.ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	var pieces []piece
	for _, part := range t.Parts {
		if part.Expr == nil {
			pieces = append(pieces, piece{text: part.Text})
			continue
		}
		p, err := drawn(part)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

// drawn reads the bounds of random.
func drawn(part expr.Part) (piece, error) {
	call, ok := part.Expr.(*expr.Call)
	if !ok || call.Name != "random" {
		return piece{}, fmt.Errorf("%s cannot be used in requests; write ${{ random(1, 100) }}", part.Text)
	}
	var bounds [2]int64
	for i, arg := range call.Args {
		v, err := expr.Eval(arg, nothing{})
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

// nothing is an expr.Env for numbers only: whatever else an article may name, its plan has filled in.
type nothing struct{}

func (nothing) Select(s *expr.Selector) (expr.Value, error) {
	return expr.Value{}, fmt.Errorf("%q is not known when requests are sent", s.Name)
}

func (nothing) Call(c *expr.Call) (expr.Value, error) {
	return expr.Value{}, fmt.Errorf("%s is not known when requests are sent", c.Name)
}

// Append writes the request for a draw: the same one gives the same text again.
func (r *Request) Append(b []byte, draw uint64) []byte {
	if r.Static != nil {
		return append(b, r.Static...)
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
				n += digits(r.pieces[i].number(draw, i))
			}
			b = strconv.AppendInt(b, int64(n), 10)
		}
	}
	return b
}

// number is that of the piece with index i.
func (p *piece) number(draw uint64, i int) int64 {
	high, _ := bits.Mul64(mix(draw+uint64(i)), p.span)
	return p.low + int64(high)
}

func digits(n int64) int {
	var text [20]byte
	return len(strconv.AppendInt(text[:0], n, 10))
}

// mix is one step of SplitMix64: it spreads numbers that are close to each other over all of 64 bits.
//
// Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
