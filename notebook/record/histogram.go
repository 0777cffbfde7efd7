package record

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
)

// Bars are the non-empty parts of a histogram. The HdrHistogram library keeps all parts, most of them empty: with it,
// judging ten thousand records took half a minute.
type Bars struct {
	highest int64   // largest value that the histogram can hold
	list    []bar   // smallest first
	seen    []int64 // values up to each bar
	cut     bool    // of further values only a lower bound is known
}

// A bar counts the values above the previous bar's bound, up to its own.
type bar struct {
	to, count int64 // to is the bound, in nanoseconds
}

// At returns the value of a rank in seconds, or why there is none. Ranks count from 1 for the smallest value. h is the
// bars' histogram, with its exact ends.
func (b *Bars) At(h Histogram, rank int64) (seconds float64, missing string) {
	if rank > h.Count {
		return 0, "among failures"
	}
	i, _ := slices.BinarySearch(b.seen, rank)
	switch {
	case i < len(b.list):
	case b.cut:
		return 0, "among those cut"
	default:
		return 0, fmt.Sprintf("> %g s", float64(b.highest)/1e9)
	}
	return min(max(float64(b.list[i].to)/1e9, h.Min), h.Max), ""
}

// WithCut returns bars with ranks among n attempts, some cut at the given ages, by the product-limit estimate.
//
// Source: docs/method.md#requests-that-were-cut; Kaplan and Meier 1958.
func (b *Bars) WithCut(ages *Bars, n int64) *Bars {
	const rounding = 1e-9
	out := &Bars{highest: b.highest, list: b.list, seen: make([]int64, len(b.list)), cut: true}
	cut, left, longer := ages.list, n, 1.0
	for _, age := range cut {
		left += age.count
	}
	for i, bar := range b.list {
		for ; len(cut) > 0 && cut[0].to < bar.to; cut = cut[1:] {
			left -= cut[0].count
		}
		longer *= 1 - float64(bar.count)/float64(left)
		left -= bar.count
		out.seen[i] = int64((1-longer)*float64(n) + rounding)
	}
	return out
}

// count sets seen to the number of values up to each bar.
func (b *Bars) count() *Bars {
	b.seen = make([]int64, len(b.list))
	seen := int64(0)
	for i, bar := range b.list {
		seen += bar.count
		b.seen[i] = seen
	}
	return b
}

// The two headers of a histogram: before and inside the compressed data.
//
// Source: HdrHistogram, "V2 encoding": AbstractHistogram.encodeIntoByteBuffer.
type (
	hdrOuter struct{ Cookie, Length uint32 }
	hdrInner struct {
		Cookie, Length, NormalizingOffset, Digits uint32
		Lowest, Highest                           int64
		Ratio                                     float64
	}
)

const (
	hdrCompressed = 0x1c849304
	hdrV2         = 0x1c849303
	hdrWordSize   = 0xf0     // bits of a cookie that this version ignores
	maxHDR        = 16 << 20 // bytes, a hundred times the load generator's
)

var errNoHistogram = errors.New("it is not a V2 histogram")

// Decode decodes the histogram.
func (h Histogram) Decode() (*Bars, error) {
	out := &Bars{}
	var err error
	out.highest, err = h.Each(func(_, to, count int64) error { out.list = append(out.list, bar{to, count}); return nil })
	return out.count(), err
}

// Each calls give for each bar, smallest first, until give returns an error; from and to are the smallest and largest
// value in nanoseconds. It returns the highest value that the histogram can hold.
func (h Histogram) Each(give func(from, to, count int64) error) (highest int64, err error) {
	head, counts, err := h.open()
	if err != nil {
		return 0, err
	}
	unit := bits.Len64(uint64(head.Lowest)) - 1
	// A bucket has 2^half parts, and the first twice as many.
	half := bits.Len64(uint64(2*math.Pow10(int(head.Digits)))-1) - 1
	for index := int64(0); len(counts) > 0; {
		count, n := binary.Varint(counts) // the format differs for counts above 2^55 only
		if n <= 0 {
			return 0, errNoHistogram
		}
		counts = counts[n:]
		if count <= 0 { // -n means n empty parts
			if index -= min(count, -1); index < 0 {
				return 0, errNoHistogram
			}
			continue
		}
		bucket, part := index>>half-1, index&(1<<half-1)+1<<half
		if bucket < 0 {
			bucket, part = 0, index
		}
		shift := int(bucket) + unit
		if shift+half+1 >= 63 {
			return 0, fmt.Errorf("%w: it has %d parts", errNoHistogram, index)
		}
		if err := give(part<<shift, part<<shift+1<<shift-1, count); err != nil {
			return 0, err
		}
		index++
	}
	return head.Highest, nil
}

// open decodes the header of a histogram and returns its encoded counts.
func (h Histogram) open() (head hdrInner, counts []byte, err error) {
	raw, err := base64.StdEncoding.DecodeString(h.HDR)
	if err != nil {
		return head, nil, err
	}
	var outer hdrOuter
	rest := bytes.NewReader(raw)
	if err := binary.Read(rest, binary.BigEndian, &outer); err != nil || outer.Cookie&^hdrWordSize != hdrCompressed {
		return head, nil, errNoHistogram
	}
	z, err := zlib.NewReader(rest)
	if err != nil {
		return head, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(z, maxHDR))
	if err != nil {
		return head, nil, err
	}
	n, err := binary.Decode(data, binary.BigEndian, &head)
	if err != nil || head.Cookie&^hdrWordSize != hdrV2 || head.Digits < 1 || head.Digits > 5 || head.Lowest < 1 ||
		head.NormalizingOffset != 0 || len(data)-n < int(head.Length) {
		return head, nil, errNoHistogram
	}
	return head, data[n:][:head.Length], nil
}

// SumBars adds up histograms.
func SumBars(histograms []*Bars) *Bars {
	out := &Bars{}
	for _, h := range histograms {
		out.highest, out.list = max(out.highest, h.highest), merge(out.list, h.list)
	}
	return out.count()
}

// merge returns the bars of two histograms in order, with equal ones added up.
func merge(a, b []bar) []bar {
	out := make([]bar, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].to < b[0].to:
			out, a = append(out, a[0]), a[1:]
		case a[0].to > b[0].to:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, bar{a[0].to, a[0].count + b[0].count})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
