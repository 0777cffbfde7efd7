package record

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lineOf returns a record of a run as a line, with some text in it replaced by another.
func lineOf(t *testing.T, repetition int, old, new string) string {
	t.Helper()
	data, err := repetitions(repetition)[0].Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(line.String(), old) {
		t.Fatalf("%q is not in %s", old, &line)
	}
	return strings.Replace(line.String(), old, new, 1)
}

// Whatever the file of a run holds, good lines are read and each other line is named with its reason.
func TestOddLines(t *testing.T) {
	good, other := lineOf(t, 1, "", ""), lineOf(t, 2, "", "")
	value := func(v string) string { return good + "\n" + lineOf(t, 2, `"value":12`, `"value":`+v) }
	for _, test := range []struct {
		name, text   string
		records, bad int
		err          string // a part of the first
	}{
		{"NaN", value("NaN"), 1, 1, "not a record"},
		{"infinite", value("Infinity"), 1, 1, "not a record"},
		{"beyond all numbers", value("1e999"), 1, 1, "not a record"},
		{"negative", good + "\n" + lineOf(t, 2, `"planned":5`, `"planned":-5`), 1, 1, "cannot be less than 0"},
		{"a schema of tomorrow", good + "\n" + lineOf(t, 2, `"schema_version":1`, `"schema_version":2`), 1, 1, "version 2"},
		{"a start in the year 9999", lineOf(t, 2, `"2001-`, `"9999-`), 1, 0, ""},
		{"a start in no year", good + "\n" + lineOf(t, 2, `"2001-`, `"20010-`), 1, 1, "not a record"},
		{"torn at the end", good + "\n" + other[:len(other)/2], 1, 1, "ends too early"},
		{"torn in the middle", other[:len(other)/2] + "\n" + good, 1, 1, "ends too early"},
		{"two in a line", good + other, 0, 1, "not a record"},
		{"half of one and another in a line", other[:len(other)/2] + good, 0, 1, "not a record"},
		{"a line twice, of which results count one", good + "\n" + good, 2, 0, ""},
		{"zeros", good + "\n" + strings.Repeat("\x00", 4096), 1, 1, "not a record"},
		{"line ends of Windows", good + "\r\n" + other + "\r\n", 2, 0, ""},
		{"text that is none", good + "\n" + lineOf(t, 2, `"connects"`, "\"\xff\xfe\""), 1, 1, "invalid metric"},
		{"nested a million times", good + "\n" + strings.Repeat("[", 1_000_000), 1, 1, "not a record"},
		{"a key twice", good + "\n" + lineOf(t, 2, `"repetition":2`, `"repetition":9,"repetition":2`), 2, 0, ""},
		{"200,000 bad lines", good + strings.Repeat("\nx", 200_000), 1, 200_000, "not a record"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := Dir(t.TempDir())
			r := sample()
			path := filepath.Join(string(dir), PackPath(r.Host, r.Profile, r.Run))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(test.text), 0o644)); err != nil {
				t.Fatal(err)
			}
			records, bad, err := dir.Read()
			if err != nil || len(records) != test.records || len(bad) != test.bad {
				t.Fatalf("%d records, %d bad, %v; want %d and %d", len(records), len(bad), err, test.records, test.bad)
			}
			if test.bad > 0 && !strings.Contains(bad[0].Err.Error(), test.err) {
				t.Errorf("got %v, want %q", bad[0].Err, test.err)
			}
		})
	}
}

// A histogram is refused, or is small in memory, whatever it says of itself.
func TestHistogramBombs(t *testing.T) {
	packed := func(claimed uint32, head hdrInner, payload []byte) string {
		inner, _ := binary.Append(nil, binary.BigEndian, head) // of numbers alone, as is the other
		var body bytes.Buffer
		z := zlib.NewWriter(&body)
		if _, err := z.Write(append(inner, payload...)); errors.Join(err, z.Close()) != nil {
			t.Fatal(err)
		}
		outer, _ := binary.Append(nil, binary.BigEndian, hdrOuter{hdrCompressed | 0x10, cmp.Or(claimed, uint32(body.Len()))})
		return base64.StdEncoding.EncodeToString(append(outer, body.Bytes()...))
	}
	head := func(length uint32) hdrInner {
		return hdrInner{Cookie: hdrV2 | 0x10, Length: length, Digits: 3, Lowest: 1, Highest: 60e9, Ratio: 1}
	}
	huge := head(8)
	huge.Digits, huge.Highest = 5, 1<<62
	for name, text := range map[string]string{
		"zeros without end":      packed(0, head(1<<31), make([]byte, 64<<20)),
		"a length that lies":     packed(1<<31, head(8), []byte{2, 2}),
		"counts beyond its size": packed(0, head(20), bytes.Repeat([]byte{0xff}, 20)),
		"places beyond its size": packed(0, head(9), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"a range of all numbers": packed(0, huge, []byte{2, 2, 2, 2, 2, 2, 2, 2}),
	} {
		began := time.Now()
		b, err := new(Decoder).Decode(Histogram{HDR: text})
		if err == nil && len(b.list) > 1000 {
			t.Errorf("%s: %d bars", name, len(b.list))
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

// Two writers at once save each record once, and each file is whole.
func TestTwoWriters(t *testing.T) {
	dir := Dir(t.TempDir())
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for i := range 20 {
				if err := dir.Save(repetitions(1 + i)[0]); err != nil && !strings.Contains(err.Error(), "exists already") {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if records, bad, err := dir.Read(); err != nil || len(bad) > 0 || len(records) != 20 {
		t.Errorf("%d records, %v, %v; want 20", len(records), bad, err)
	}
}
