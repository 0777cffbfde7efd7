package figure

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
)

// knownTags are the table tags that WOFF2 writes as a number, in its order; "_" stands for a space.
//
// Source: W3C, WOFF File Format 2.0, section 4.1.
const knownTags = "cmap head hhea hmtx maxp name OS/2 post cvt_ fpgm glyf loca prep CFF_ VORG " +
	"EBDT EBLC gasp hdmx kern " +
	"LTSH PCLT VDMX vhea vmtx BASE GDEF GPOS GSUB EBSC JSTF MATH CBDT CBLC COLR CPAL SVG_ sbix acnt avar bdat bloc " +
	"bsln cvar fdsc feat fmtx fvar gvar hsty just lcar mort morx opbd prop trak Zapf Silf Glat Gloc Feat Sill"

// woffHeader is the length of the header before the table directory, and sfntEntry that of one entry of the
// directory in the unpacked font, both in bytes.
const (
	woffHeader = 48
	sfntEntry  = 16
)

// maxFont bounds what a font may unpack to, in bytes: far above any subset, far below what hurts.
const maxFont = 16 << 20

// woffTable is one table of a font.
type woffTable struct {
	tag  string
	size int
	data []byte
}

// unpackWOFF2 turns a WOFF2 file with PostScript outlines (CFF, as Inter's) into the OpenType font it was made from.
//
// Such a file holds the font's tables unchanged, one after the other, in one brotli stream. Tables that WOFF2
// rearranges, as the outlines of TrueType fonts, are an error, as is a file that is cut short or no WOFF2.
//
// Source: W3C, WOFF File Format 2.0.
func unpackWOFF2(file []byte) ([]byte, error) {
	if len(file) < woffHeader || string(file[:4]) != "wOF2" {
		return nil, errors.New("not a WOFF2 file")
	}
	flavor := file[4:8]
	count := int(binary.BigEndian.Uint16(file[12:]))
	packed := int64(binary.BigEndian.Uint32(file[20:]))

	in := bytes.NewReader(file[woffHeader:])
	tables := make([]woffTable, count)
	total := 0
	for i := range tables {
		t, err := readWOFF2Table(in)
		if err != nil {
			return nil, fmt.Errorf("table %d of %d: %w", i+1, count, err)
		}
		if total += t.size; total > maxFont {
			return nil, fmt.Errorf("the font unpacks to more than %d bytes", maxFont)
		}
		tables[i] = t
	}
	flat := make([]byte, total)
	if _, err := io.ReadFull(brotli.NewReader(io.LimitReader(in, packed)), flat); err != nil {
		return nil, fmt.Errorf("unpacking the tables: %w", err)
	}
	for i := range tables {
		tables[i].data, flat = flat[:tables[i].size], flat[tables[i].size:]
	}
	return joinTables(flavor, tables), nil
}

// readWOFF2Table reads one entry of the table directory.
func readWOFF2Table(in *bytes.Reader) (t woffTable, err error) {
	flags, err := in.ReadByte()
	if err != nil {
		return t, err
	}
	tags := strings.Fields(knownTags)
	if n := int(flags & 0x3f); n < len(tags) {
		t.tag = strings.ReplaceAll(tags[n], "_", " ")
	} else {
		var tag [4]byte
		if _, err := io.ReadFull(in, tag[:]); err != nil {
			return t, err
		}
		t.tag = string(tag[:])
	}
	// Outlines are rearranged unless marked otherwise, any other table only if marked so.
	if version := flags >> 6; t.tag == "glyf" || t.tag == "loca" || version != 0 {
		return t, fmt.Errorf("table %q is rearranged: use a font with PostScript outlines", t.tag)
	}
	t.size, err = readBase128(in)
	return t, err
}

// readBase128 reads a number written seven bits to a byte, the high bit saying that more follow.
func readBase128(in *bytes.Reader) (n int, err error) {
	for range 5 {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		n = n<<7 | int(b&0x7f)
		if b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errors.New("a length of more than five bytes")
}

// joinTables writes tables as an OpenType font. Checksums and search hints stay zero: go-text, which alone reads the
// result, looks at neither.
func joinTables(flavor []byte, tables []woffTable) []byte {
	slices.SortFunc(tables, func(a, b woffTable) int { return strings.Compare(a.tag, b.tag) })
	out := append([]byte{}, flavor...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(tables)))
	out = append(out, make([]byte, 6)...)
	start := len(out) + sfntEntry*len(tables)
	var body []byte
	for _, t := range tables {
		out = append(out, t.tag...)
		out = binary.BigEndian.AppendUint32(out, 0)
		out = binary.BigEndian.AppendUint32(out, uint32(start+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(t.size))
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	return append(out, body...)
}
