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
// which means the same as long as the table is the same.
type decoder struct {
	hpack *hpack.Decoder

	head
	size    int
	ordered bool    // a field without a colon has come
	keeps   bool    // fields are wanted
	fields  []Field // those wanted

	last     []byte // the last block that left the table as it was; empty if the table has changed since
	lastHead head
}

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
	if !keeps && len(d.last) > 0 && bytes.Equal(block, d.last) {
		return d.lastHead, nil
	}
	d.head, d.size, d.ordered, d.keeps, d.fields = head{length: -1}, 0, false, keeps, d.fields[:0]
	if _, err := d.hpack.Write(block); err != nil {
		return head{}, err
	}
	if err := d.hpack.Close(); err != nil {
		return head{}, err
	}
	if leavesTable(block) {
		d.last, d.lastHead = append(d.last[:0], block...), d.head
	} else {
		d.last = d.last[:0]
	}
	return d.head, nil
}

// leavesTable says that a block, which is a right one, leaves the table as it is: that each of its fields is one of the
// table.
func leavesTable(block []byte) bool {
	const indexed, long = 0x80, 0x7f
	for i := 0; i < len(block); i++ {
		if block[i]&indexed == 0 {
			return false
		}
		if block[i]&long == long { // the number goes on
			for i++; i < len(block) && block[i]&indexed != 0; i++ {
			}
		}
	}
	return true
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
