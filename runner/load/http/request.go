package http

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/expr"
)

// Request is what a target sends, ready to be written for every request.
type Request struct {
	URL    *url.URL // without templates
	Method string
	Static []byte // the whole text, nil if part of it is drawn, or differs by client

	pieces []piece // of a text that is not always the same
	body   int     // bytes of the body that always are
	drawn  []int   // the pieces of the body that are not
}

// A piece of a request is a literal text, a number that is drawn, the length of the body, or something that a client
// of a load with steps has: the value of a variable, or its cookies.
type piece struct {
	text     string
	low      int64
	span     uint64 // how many numbers there are from low on
	variable int    // its place in Config.Variables
	content  pieceKind
	in       place
}

type pieceKind uint8

const (
	literal pieceKind = iota
	random
	length
	variable
	cookies
)

// A place is where the value of a variable stands, which says how it is written.
type place uint8

const (
	inBody   place = iota // as it is
	inField               // without line ends and other control characters
	inURL                 // percent-encoded
	wholeURL              // as a path with its query, or a URL of which these are taken
)

// Values are what a client of a load with steps sends besides what is the same for all.
type Values struct {
	Variables [][]byte // in the order of Config.Variables
	Cookies   []byte   // "a=b; c=d"; empty for none
}

// Compile checks a target and turns it into the text of its requests.
func (t *Target) Compile(keepAlive bool) (*Request, error) { return t.compile(keepAlive, nil) }

// compile is Compile; of a step it is told the variables that it may use, which are not nil then.
func (t *Target) compile(keepAlive bool, variables names) (*Request, error) {
	pieces, u, err := compileURL(t.URL, variables)
	if err != nil {
		return nil, err
	}
	if err := t.validateFields(); err != nil {
		return nil, err
	}
	r := &Request{URL: u, Method: cmp.Or(t.Method, "GET")}
	body, err := variables.split(string(t.Body), inBody)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	fields := map[string][]piece{"Host": {{text: HostField(u)}}, "User-Agent": {{text: "benchbook"}}}
	for name, value := range t.Headers {
		if fields[ours(name)], err = variables.split(value, inField); err != nil {
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
	if variables != nil {
		r.addCookies(t.Headers)
	}
	r.addBody(body)
	if variables == nil && !slices.ContainsFunc(r.pieces, func(p piece) bool { return p.content == random }) {
		r.Static, r.pieces = r.Append(nil, 0), nil
	}
	return r, nil
}

// addCookies puts those that servers have set into the head, unless the author sets them.
func (r *Request) addCookies(headers map[string]string) {
	isCookie := func(name string) bool { return strings.EqualFold(name, "Cookie") }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(headers)), isCookie) {
		r.pieces = append(r.pieces, piece{content: cookies})
	}
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
func compileURL(text string, variables names) ([]piece, *url.URL, error) {
	parts, err := variables.split(text, inURL)
	if err != nil {
		return nil, nil, fmt.Errorf("target: %w", err)
	}
	if len(parts) > 1 && parts[1].content == variable && endsWithHost.MatchString(parts[0].text) &&
		(len(parts) == 2 || parts[2].text != "" && strings.ContainsAny(parts[2].text[:1], "/?&")) {
		parts[0].text += "/"
		parts[1].in = wholeURL
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

// endsWithHost is the beginning of a URL up to its path.
var endsWithHost = regexp.MustCompile(`^[a-zA-Z]+://[^/?#]+$`)

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

// names are the variables that templates may use; nil outside of steps.
type names []string

// split takes a text with templates apart, given where its values stand.
func (n names) split(text string, in place) ([]piece, error) {
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
		p, err := n.variable(part, in)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

// variable reads the name of a variable, or the bounds of random.
func (n names) variable(part expr.Part, in place) (piece, error) {
	name, ok := part.Expr.(*expr.Selector)
	if !ok || n == nil {
		return drawn(part)
	}
	i := slices.Index(n, name.Name)
	if i < 0 || len(name.Matches) > 0 {
		return piece{}, fmt.Errorf("%s is not known to steps; they have a column of the data, as data.NAME, and what steps "+
			"extract, as steps.NAME", part.Text)
	}
	return piece{content: variable, variable: i, in: in}, nil
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
	return r.AppendWith(b, draw, nil)
}

// AppendWith is Append for a request that is not Static, with the values of a client if it is of a step.
func (r *Request) AppendWith(b []byte, draw uint64, v *Values) []byte {
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
				if p := &r.pieces[i]; p.content == variable {
					n += len(v.Variables[p.variable])
				} else {
					n += digits(p.number(draw, i))
				}
			}
			b = strconv.AppendInt(b, int64(n), 10)
		case variable:
			b = p.in.append(b, v.Variables[p.variable])
		case cookies:
			if len(v.Cookies) > 0 {
				b = append(append(append(b, "Cookie: "...), v.Cookies...), "\r\n"...)
			}
		}
	}
	return b
}

// append writes a value as it may stand in a place.
func (in place) append(b, value []byte) []byte {
	const hex = "0123456789ABCDEF"
	if in == wholeURL {
		value = pathOf(value)
	}
	for _, c := range value {
		isControl := c < ' ' || c >= 0x7f
		switch {
		case in == inField && isControl && c != '\t' && c < 0x80:
			b = append(b, ' ')
		case in == inURL && !isUnreserved(c), in == wholeURL && (isControl || c == ' '):
			b = append(b, '%', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

// isUnreserved says that a byte means nothing else in a URL. Source: RFC 3986, 2.3.
func isUnreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// pathOf is the path and query of a URL, or of what is that already, without the slash that it begins with.
func pathOf(value []byte) []byte {
	if endsWithHost.Match(value) {
		return nil
	}
	if scheme := bytes.Index(value, []byte("://")); scheme > 0 && !bytes.ContainsAny(value[:scheme], "/?#") {
		rest := value[scheme+len("://"):]
		value = rest[max(0, bytes.IndexAny(rest, "/?#")):]
	}
	value, _, _ = bytes.Cut(bytes.TrimPrefix(value, []byte("/")), []byte("#"))
	return value
}

// number is that of the piece with index i.
func (p *piece) number(draw uint64, i int) int64 {
	high, _ := bits.Mul64(Mix(draw+uint64(i)), p.span)
	return p.low + int64(high)
}

func digits(n int64) int {
	var text [20]byte
	return len(strconv.AppendInt(text[:0], n, 10))
}

// Mix is one step of SplitMix64: it spreads numbers that are close to each other over all of 64 bits.
//
// Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
func Mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
