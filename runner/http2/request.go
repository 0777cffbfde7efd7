package http2

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// Request is what is sent for a target: its fields, encoded for what a connection has seen of them, and its body.
type Request struct {
	// first puts the fields that all requests of a server share into the table of the connection, again refers to them
	// there; nil for requests that differ from each other. plain uses no table.
	first, again, plain []byte
	body                []byte
	toHEAD              bool
}

// Body is what is sent behind the fields.
func (r *Request) Body() []byte { return r.body }

// Encoder encodes requests that differ from each other, one after the other.
type Encoder struct {
	request Request
	out     bytes.Buffer
	hpack   *hpack.Encoder
}

// NewEncoder makes an Encoder, which uses no table.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.hpack = hpack.NewEncoder(&e.out)
	e.hpack.SetMaxDynamicTableSize(0)
	_ = e.hpack.WriteField(hpack.HeaderField{Name: ":method", Value: "GET"}) // after which nothing is said of the size
	return e
}

// Encode turns the text of a request in HTTP/1.1 into one that is good until the next call.
func (e *Encoder) Encode(text []byte, secure bool) (*Request, error) {
	fields, body, err := fieldsOf(text, secure)
	if err != nil {
		return nil, err
	}
	e.out.Reset()
	for _, f := range fields {
		if err := e.hpack.WriteField(f); err != nil {
			return nil, err
		}
	}
	e.request = Request{plain: e.out.Bytes(), body: body, toHEAD: fields[0].Value == "HEAD"}
	return &e.request, nil
}

// Compile encodes the requests that are sent to one server again and again, given their texts in HTTP/1.1.
func Compile(texts [][]byte, secure bool) ([]*Request, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	var all [][]hpack.HeaderField
	var requests []*Request
	for _, text := range texts {
		fields, body, err := fieldsOf(text, secure)
		if err != nil {
			return nil, err
		}
		all = append(all, fields)
		requests = append(requests, &Request{body: body, toHEAD: fields[0].Value == "HEAD"})
	}
	for i, r := range requests {
		none := func(hpack.HeaderField) bool { return false }
		r.plain = newTable().encode(all[i], none)
		table, shared := newTable(), sharedBy(all)
		r.first = table.encode(all[i], shared)
		r.again = table.encode(all[i], shared)
	}
	return requests, nil
}

// sharedBy says which fields all requests have, as far as they fit into a table. All requests have these in the same
// order, so whichever is sent first leaves the same table behind.
func sharedBy(all [][]hpack.HeaderField) func(hpack.HeaderField) bool {
	shared := map[hpack.HeaderField]bool{}
	room := uint32(defaultTable)
	for _, f := range all[0] {
		isIn := func(fields []hpack.HeaderField) bool { return slices.Contains(fields, f) }
		if f.Size() <= room && !slices.ContainsFunc(all, func(fields []hpack.HeaderField) bool { return !isIn(fields) }) {
			shared[f] = true
			room -= f.Size()
		}
	}
	return func(f hpack.HeaderField) bool { return shared[f] }
}

// table encodes as a server that it has sent the same fields to before understands.
type table struct {
	out    bytes.Buffer
	shared *hpack.Encoder
	alone  *Encoder
}

func newTable() *table {
	t := &table{alone: NewEncoder()}
	t.shared = hpack.NewEncoder(&t.out)
	return t
}

func (t *table) encode(fields []hpack.HeaderField, shared func(hpack.HeaderField) bool) []byte {
	t.out.Reset()
	for _, f := range fields {
		if shared(f) {
			_ = t.shared.WriteField(f) // a buffer takes everything
			continue
		}
		t.alone.out.Reset()
		_ = t.alone.hpack.WriteField(f)
		t.out.Write(t.alone.out.Bytes())
	}
	return bytes.Clone(t.out.Bytes())
}

// fieldsOf takes the text of a request in HTTP/1.1 apart, the fields that begin with a colon first.
func fieldsOf(text []byte, secure bool) (fields []hpack.HeaderField, body []byte, err error) {
	head, body, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	method, rest, _ := strings.Cut(lines[0], " ")
	path, version, ok := strings.Cut(rest, " ")
	if !ok || version != "HTTP/1.1" {
		return nil, nil, fmt.Errorf("the request line is %q", lines[0])
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	fields = []hpack.HeaderField{{Name: ":method", Value: method}, {Name: ":scheme", Value: scheme}, {Name: ":authority"},
		{Name: ":path", Value: path}}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.Trim(value, " \t")
		switch {
		case name == "host":
			fields[2].Value = value
		case IsConnectionField(name, value):
			return nil, nil, errors.New(name + " does not exist in HTTP/2")
		default:
			fields = append(fields, hpack.HeaderField{Name: name, Value: value})
		}
	}
	return fields, body, nil
}

// IsConnectionField says that a field is about a connection of HTTP/1.1, so that there is none in HTTP/2. The name is
// in lower case. Source: RFC 9113, 8.2.2.
func IsConnectionField(name, value string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return true
	case "te":
		return value != "trailers"
	}
	return false
}
