package record

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// Decode agrees with the library, for every size of a histogram.
func TestBarsAreThoseOfTheLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for _, tt := range []struct {
		lowest, highest int64
		digits          int
	}{{1, 60e9, 3}, {1, 120e9, 3}, {1, 60e9, 2}, {1000, 60e9, 3}, {1, 10_000, 1}, {1, 1e15, 4}} {
		h := hdrhistogram.New(tt.lowest, tt.highest, tt.digits)
		for range 2000 {
			value := min(tt.highest, tt.lowest+int64(random.ExpFloat64()*float64(random.Int64N(tt.highest))/10))
			must.Do(h.RecordValues(value, 1+random.Int64N(3)*random.Int64N(1e6)))
		}
		encoded := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
		got := must.Get((Histogram{HDR: string(encoded)}).Decode())
		var want []bar
		for _, b := range h.Distribution() {
			if b.Count > 0 {
				want = append(want, bar{b.To, b.Count})
			}
		}
		assert.Slice(t, got.list, want, "bars of %+v", tt)
		assert.Equal(t, got.highest, tt.highest, "the end of %+v", tt)
	}
}

// Any text is either rejected, or read as ordered bars without empty ones.
func FuzzDecodeHistogram(f *testing.F) {
	h := hdrhistogram.New(1, 60e9, 3)
	for _, value := range []int64{1e6, 1e6, 2e9} {
		must.Do(h.RecordValue(value))
	}
	encoded := must.Get(h.Encode(hdrhistogram.V2CompressedEncodingCookieBase))
	f.Add(string(encoded))
	f.Add("")
	f.Add("HISTFAAAAAA=")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := (Histogram{HDR: text}).Decode()
		if err != nil {
			return
		}
		last := int64(-1)
		for _, b := range d.list {
			if b.to <= last || b.count <= 0 {
				t.Fatalf("a bar %+v after %d", b, last)
			}
			last = b.to
		}
	})
}

// A sum has the counts of all histograms, with each bound once and in order.
func TestSum(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	var all []*Bars
	want := map[int64]int64{}
	for range 7 {
		h, to := &Bars{highest: random.Int64N(1000)}, int64(0)
		for range random.IntN(40) {
			to += 1 + random.Int64N(5)
			b := bar{to, 1 + random.Int64N(9)}
			h.list, want[to] = append(h.list, b), want[to]+b.count
		}
		all = append(all, h)
	}
	got, last := SumBars(all), int64(0)
	for _, b := range got.list {
		if b.to <= last || b.count != want[b.to] {
			t.Errorf("%+v after %d, want %d of it", b, last, want[b.to])
		}
		last = b.to
	}
	assert.Equal(t, len(got.list), len(want), "bars")
}

// A rank has the bound of its bar, within the ends of the histogram.
func TestBarsAt(t *testing.T) {
	b := (&Bars{highest: 9e9, list: []bar{{1e9, 2}, {3e9, 1}, {5e9, 4}}}).count()
	h := Histogram{Count: 8, Min: 1, Max: 4.5}
	for rank, want := range map[int64]float64{1: 1, 2: 1, 3: 3, 4: 4.5, 7: 4.5} {
		got, missing := b.At(h, rank)
		assert.Equal(t, [2]any{got, missing}, [2]any{want, ""}, "rank %d", rank)
	}
	for rank, want := range map[int64]string{8: "> 9 s", 9: "among failures"} {
		_, missing := b.At(h, rank)
		assert.Equal(t, missing, want, "rank %d", rank)
	}
}

// A histogram with a hostile header is rejected, or stays small in memory.
func TestHistogramBombs(t *testing.T) {
	packed := func(claimed uint32, head hdrInner, payload []byte) string {
		inner, _ := binary.Append(nil, binary.BigEndian, head) // cannot fail: both headers have fixed sizes
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
		b, err := (Histogram{HDR: text}).Decode()
		if err == nil && len(b.list) > 1000 {
			t.Errorf("%s: %d bars", name, len(b.list))
		}
	}
}
