package http2

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/net/http2/hpack"

	"benchbook/runner/httpsyntax"
)

// head is what a field block says.
type head struct {
	status  int   // 0 in trailers
	length  int64 // Content-Length, or -1
	mistake error // why it may not be so, nil if it may
}

// decoder decodes the field blocks of a connection. It remembers the last one: servers mostly send the same again,
// which means the same unless the table has changed meanwhile.
type decoder struct {
	hpack *hpack.Decoder

	head
	size    int
	ordered bool    // a field without a colon has come
	keeps   bool    // fields are wanted
	fields  []Field // those wanted

	last     []byte // the last block
	lastHead head
	effect   effect
	repeats  int // how often it came before, in a row
}

// An effect is what a block does to the table, and the table to it.
type effect uint8

const (
	changes effect = iota // it changes the table, and refers to what is in it
	adds                  // it adds fields to the table, and refers to none there
	leaves                // it leaves the table as it is
)

// saturated is how often a block that adds the same fields has to come until the table has nothing else in it, so that
// it stays as it is when the block comes once more: each field takes at least 32 bytes of it (RFC 7541, 4.1).
const saturated = defaultTable/32 + 1

// Field is one of an answer.
type Field struct{ Name, Value string }

func newDecoder() *decoder {
	d := &decoder{}
	d.hpack = hpack.NewDecoder(defaultTable, d.take)
	d.hpack.SetMaxStringLength(MaxHeader)
	return d
}

// decode reads a block, and keeps its fields if they are wanted. The error says that the table is lost.
func (d *decoder) decode(block []byte, keeps bool) (head, error) {
	same := bytes.Equal(block, d.last) && len(block) > 0
	if same && !keeps && (d.effect == leaves || d.effect == adds && d.repeats >= saturated) {
		return d.lastHead, nil
	}
	d.head, d.size, d.ordered, d.keeps, d.fields = head{length: -1}, 0, false, keeps, d.fields[:0]
	if _, err := d.hpack.Write(block); err != nil {
		return head{}, err
	}
	if err := d.hpack.Close(); err != nil {
		return head{}, err
	}
	if same {
		d.repeats++
	} else {
		d.last, d.effect, d.repeats = append(d.last[:0], block...), effectOf(block), 0
	}
	d.lastHead = d.head
	return d.head, nil
}

// effectOf is the effect of a block, which is a right one. Source: RFC 7541, 6.
func effectOf(block []byte) effect {
	const static = 61 // fields of the table that never changes
	out, refers := leaves, false
	for len(block) > 0 {
		first, index, strings := block[0], 0, 1
		switch {
		case first&0x80 != 0:
			index, block = number(block, 7)
			strings = 0
		case first&0x40 != 0:
			index, block = number(block, 6)
			out = adds
		case first&0x20 != 0: // the size of the table
			return changes
		default:
			index, block = number(block, 4)
		}
		if refers = refers || index > static; index == 0 {
			strings = 2 // the name, too
		}
		for range strings {
			n := 0
			n, block = number(block, 7)
			block = block[min(n, len(block)):]
		}
	}
	if out == adds && refers {
		return changes
	}
	return out
}

// number reads one whose first bits are the last ones of a byte. Source: RFC 7541, 5.1.
func number(b []byte, bits int) (n int, rest []byte) {
	if len(b) == 0 {
		return 0, nil
	}
	n = int(b[0]) & (1<<bits - 1)
	b = b[1:]
	if n < 1<<bits-1 {
		return n, b
	}
	for shift := 0; len(b) > 0; shift += 7 {
		n += int(b[0]&0x7f) << min(shift, 28)
		last := b[0] < 0x80
		if b = b[1:]; last {
			break
		}
	}
	return n, b
}

func (d *decoder) wrong(what string) {
	if d.mistake == nil {
		d.mistake = errors.New(what)
	}
}

// take takes a field.
func (d *decoder) take(f hpack.HeaderField) {
	if d.size += int(f.Size()); d.size > MaxHeader {
		d.wrong("the fields of an answer have more than " + strconv.Itoa(MaxHeader) + " bytes")
		return
	}
	if f.IsPseudo() {
		d.takeStatus(f)
		return
	}
	d.ordered = true
	switch {
	case !isFieldName(f.Name) || !httpsyntax.IsValue(f.Value):
		d.wrong("an answer has the field " + strconv.Quote(f.Name) + ": " + strconv.Quote(f.Value))
	case IsConnectionField(f.Name, f.Value):
		d.wrong("an answer has the field " + f.Name + ", which does not exist in HTTP/2")
	case f.Name == "content-length":
		n, err := strconv.ParseInt(f.Value, 10, 64)
		if err != nil || n < 0 || !httpsyntax.IsDigit(f.Value[0]) || d.length >= 0 && d.length != n {
			d.wrong("the length of an answer is " + strconv.Quote(f.Value))
		}
		d.length = n
	}
	if d.keeps {
		d.fields = append(d.fields, Field{f.Name, f.Value})
	}
}

func (d *decoder) takeStatus(f hpack.HeaderField) {
	n, err := strconv.Atoi(f.Value)
	if f.Name != ":status" || d.ordered || d.status != 0 || err != nil || len(f.Value) != 3 || n < 100 || n == 101 {
		d.wrong("an answer has the field " + f.Name + ": " + strconv.Quote(f.Value))
		return
	}
	d.status = n
}

// isFieldName says that a name can be one in HTTP/2, which has none in capitals.
func isFieldName(name string) bool {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return false
		}
	}
	return httpsyntax.IsToken(name)
}
