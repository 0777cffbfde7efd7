package dataset

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"benchbook/notebook/record"
)

// bars are the parts of a histogram that something fell into. The library's own form has a place for every part, of which
// nearly all are empty: an article of ten thousand records took half a minute to judge with it.
type bars struct {
	highest int64 // value that the histogram can hold
	list    []bar // smallest first
}

// A bar is how many values are at most so large, and larger than those of the bar before.
type bar struct {
	to, count int64 // to is the largest value that falls into it
}

// A decoder reads the histogram of a record.
type decoder func(record.Histogram) (*bars, error)

// decode reads each histogram of the cell once. The caller has locked the cell.
func (c *Cell) decode(h record.Histogram) (*bars, error) {
	if d, ok := c.decoded[h.HDR]; ok {
		return d, nil
	}
	i, ok := c.Experiment.inflaters.Get().(*inflater)
	if !ok {
		i = &inflater{}
	}
	d, err := i.decode(h)
	c.Experiment.inflaters.Put(i)
	if err == nil {
		if c.decoded == nil {
			c.decoded = map[string]*bars{}
		}
		c.decoded[h.HDR] = d
	}
	return d, err
}

// The two headers of a histogram: that of what is compressed, and the one inside.
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
	hdrWordSize   = 0xf0     // bits of a cookie that tell nothing in this version
	maxHDR        = 16 << 20 // bytes; the load generator's are a hundredth of it
)

var errNoHistogram = errors.New("it is no V2 histogram")

// An inflater uncompresses histograms, one at a time. It is made once for many, since it is large.
type inflater struct {
	z    io.ReadCloser
	data bytes.Buffer
}

// inflate gives what r holds, until the next call.
func (i *inflater) inflate(r io.Reader) ([]byte, error) {
	var err error
	if i.z == nil {
		i.z, err = zlib.NewReader(r)
	} else {
		err = i.z.(zlib.Resetter).Reset(r, nil) // as zlib says of every reader that it makes
	}
	if err != nil {
		return nil, err
	}
	i.data.Reset()
	_, err = i.data.ReadFrom(io.LimitReader(i.z, maxHDR))
	return i.data.Bytes(), err
}

// decode reads a histogram.
func decode(h record.Histogram) (*bars, error) { return new(inflater).decode(h) }

func (i *inflater) decode(h record.Histogram) (*bars, error) {
	raw, err := base64.StdEncoding.DecodeString(h.HDR)
	if err != nil {
		return nil, err
	}
	var outer hdrOuter
	rest := bytes.NewReader(raw)
	if err := binary.Read(rest, binary.BigEndian, &outer); err != nil || outer.Cookie&^hdrWordSize != hdrCompressed {
		return nil, errNoHistogram
	}
	data, err := i.inflate(rest)
	if err != nil {
		return nil, err
	}
	var inner hdrInner
	n, err := binary.Decode(data, binary.BigEndian, &inner)
	if err != nil || inner.Cookie&^hdrWordSize != hdrV2 || inner.Digits < 1 || inner.Digits > 5 || inner.Lowest < 1 || inner.NormalizingOffset != 0 {
		return nil, errNoHistogram
	}
	if data = data[n:]; len(data) < int(inner.Length) {
		return nil, errNoHistogram
	}
	return inner.bars(data[:inner.Length])
}

// bars reads counts: a number for each part in turn, or if it is negative so many empty ones.
func (head hdrInner) bars(data []byte) (*bars, error) {
	unit := bits.Len64(uint64(head.Lowest)) - 1
	resolution := uint64(2)
	for range head.Digits {
		resolution *= 10
	}
	half := bits.Len64(resolution-1) - 1 // a bucket has 2^half parts, and the first twice as many
	out := &bars{highest: head.Highest}
	index := int64(0)
	for len(data) > 0 {
		count, n, err := zigZag(data)
		if err != nil {
			return nil, err
		}
		data = data[n:]
		if count <= 0 {
			if index -= min(count, -1); index < 0 {
				return nil, errNoHistogram
			}
			continue
		}
		bucket, part := index>>half-1, index&(1<<half-1)+1<<half
		if bucket < 0 {
			bucket, part = 0, index
		}
		shift := int(bucket) + unit
		if shift+half+1 >= 63 {
			return nil, fmt.Errorf("%w: it has %d parts", errNoHistogram, index)
		}
		out.list = append(out.list, bar{part<<shift + 1<<shift - 1, count})
		index++
	}
	return out, nil
}

// zigZag reads a signed number of up to nine bytes, seven bits to a byte and eight in the ninth, and how many bytes it took.
func zigZag(data []byte) (x int64, n int, err error) {
	var u uint64
	for n = 0; n < len(data); n++ {
		if n == 8 {
			u |= uint64(data[n]) << 56
			return int64(u>>1) ^ -int64(u&1), 9, nil
		}
		u |= uint64(data[n]&0x7f) << (7 * n)
		if data[n] < 0x80 {
			return int64(u>>1) ^ -int64(u&1), n + 1, nil
		}
	}
	return 0, 0, errNoHistogram
}

// sum adds up histograms. Their bars are in order, so there is nothing to sort, and most of what falls into the same place in one
// repetition does so in the others.
func sum(histograms []*bars) *bars {
	total := 0
	for _, h := range histograms {
		total += len(h.list)
	}
	out, spare := &bars{list: make([]bar, 0, total)}, make([]bar, 0, total)
	for _, h := range histograms {
		out.highest = max(out.highest, h.highest)
		out.list, spare = merge(spare[:0], out.list, h.list), out.list
	}
	return out
}

// merge appends the bars of two histograms, in order.
func merge(out, a, b []bar) []bar {
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
