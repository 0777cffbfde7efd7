package loadgen

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is what a target sends.
type request struct {
	name   string // the URL as the config has it
	url    *url.URL
	method string
	text   []byte // head and body
}

// compile checks a target and renders its request.
func (t *Target) compile(keepAlive bool) (*request, error) {
	u, err := parseURL(t.URL)
	if err != nil {
		return nil, err
	}
	r := &request{name: t.URL, url: u, method: cmp.Or(t.Method, "GET")}
	if !isToken(r.method) || r.method == "CONNECT" {
		return nil, fmt.Errorf("method %q cannot be measured", r.method)
	}
	fields, err := t.fields(u, keepAlive)
	if err != nil {
		return nil, err
	}
	r.text = fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, encode(u.RequestURI()), fields["Host"])
	delete(fields, "Host")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		r.text = fmt.Appendf(r.text, "%s: %s\r\n", name, fields[name])
	}
	r.text = append(append(r.text, "\r\n"...), t.Body...)
	return r, nil
}

// fields returns the headers of a target, ours included.
func (t *Target) fields(u *url.URL, keepAlive bool) (fields map[string]string, err error) {
	fields = map[string]string{"Host": hostField(u), "User-Agent": "benchbook"}
	seen := make(map[string]bool)
	for name, value := range t.Headers {
		if name, err = checkField(name, value); err != nil {
			return nil, err
		}
		lower := strings.ToLower(name)
		if seen[lower] {
			return nil, fmt.Errorf("headers: %q is there twice; keep one", lower)
		}
		seen[lower], fields[name] = true, value
	}
	if !keepAlive {
		fields["Connection"] = "close"
	}
	if len(t.Body) > 0 || slices.Contains([]string{"POST", "PUT", "PATCH"}, t.Method) {
		fields["Content-Length"] = strconv.Itoa(len(t.Body))
	}
	return fields, nil
}

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
