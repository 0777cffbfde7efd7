package main

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"strings"
	"testing"
)

// overwritten is a file of which a part is other than on disk.
type overwritten struct {
	io.ReaderAt
	from, to int64
}

func (o overwritten) ReadAt(p []byte, at int64) (int, error) {
	n, err := o.ReaderAt.ReadAt(p, at)
	for i := range p[:n] {
		if here := at + int64(i); o.from <= here && here < o.to {
			p[i] = 'x'
		}
	}
	return n, err
}

// A program is known by what the go command wrote into it, and by all of it where that is not there.
func TestBuildID(t *testing.T) {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	file, err := elf.NewFile(program)
	if err != nil {
		t.Fatal(err)
	}
	section := file.Section(".note.go.buildid")
	if section == nil {
		t.Fatal("the go command has written nothing into this program that it is known by")
	}
	const head = 16
	from, to := int64(section.Offset), int64(section.Offset+section.Size)
	tests := []struct {
		name    string
		program io.ReaderAt
		known   bool
	}{
		{"this program", program, true},
		{"another ID", overwritten{program, to - 10, to - 4}, true},
		{"no ID of the go command", overwritten{program, from + head, to}, false},
		{"no program", strings.NewReader("#!/bin/sh\n"), false},
	}
	own := buildID(program)
	for _, test := range tests {
		id := buildID(test.program)
		if (id != nil) != test.known {
			t.Errorf("%s: the ID is %q", test.name, id)
		}
		if same := bytes.Equal(id, own); same != (test.name == "this program") {
			t.Errorf("%s: it has the ID of this program: %v", test.name, same)
		}
	}
}
