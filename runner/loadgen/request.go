package loadgen

import (
	"cmp"
	"fmt"
	"maps"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// target is a Target with its request rendered.
type target struct {
	name   string // the URL as the config has it
	url    *url.URL
	port   uint16
	method string
	text   []byte // the request: head and body
	origin int    // index in load.origins
	upTo   uint64 // drawn if the number is below this and not below the previous target's
}

// compile checks a target and renders its request.
func (t *Target) compile(keepAlive bool) (*target, error) {
	u, port, err := parseURL(t.URL)
	if err != nil {
		return nil, err
	}
	r := &target{name: t.URL, url: u, port: port, method: cmp.Or(t.Method, "GET")}
	if !isToken(r.method) || r.method == "CONNECT" {
		return nil, fmt.Errorf("method %q cannot be measured", r.method)
	}
	fields, err := t.fields(hostField(u, port), keepAlive)
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

// fields returns the headers of a target's request, including our own.
func (t *Target) fields(host string, keepAlive bool) (map[string]string, error) {
	fields := map[string]string{"Host": host, "User-Agent": "benchbook"}
	seen := make(map[string]bool)
	for name, value := range t.Headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name):
			return nil, fmt.Errorf("headers: %q is not the name of a header", name)
		case !isValue(value):
			return nil, fmt.Errorf("headers: the value of %q has a control character in it: %q", name, value)
		case seen[canonical]:
			return nil, fmt.Errorf("headers: %q is there twice; keep one", strings.ToLower(name))
		}
		switch canonical {
		case "Connection", "Content-Length", "Transfer-Encoding":
			return nil, fmt.Errorf("headers: %q is set from keepalive and the body; remove it", name)
		case "Host", "User-Agent":
			name = canonical // instead of ours
		}
		seen[canonical], fields[name] = true, value
	}
	if !keepAlive {
		fields["Connection"] = "close"
	}
	if len(t.Body) > 0 || slices.Contains([]string{"POST", "PUT", "PATCH"}, t.Method) {
		fields["Content-Length"] = strconv.Itoa(len(t.Body))
	}
	return fields, nil
}

// encode percent-encodes the bytes that package url leaves in a query and that would break a request line.
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

// mix is one step of SplitMix64: it turns close numbers into unrelated ones.
//
// Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// tokenBytes are the bytes of a token (RFC 9110, 5.6.2).
var tokenBytes = func() (is [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		is[c] = true
	}
	return is
}()

// isToken reports whether s can be a method or the name of a header.
func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return len(s) > 0
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
