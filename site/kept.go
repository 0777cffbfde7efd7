package site

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"benchbook/render"
)

// keptDir is where a site keeps the pages that it was made of, for the next build. Nobody reads it but that.
const keptDir = ".benchbook-pages"

func keptFile(slug string) string { return path.Join(keptDir, slug) }

// isKept reports whether a file of a site is nothing that anybody reads, but what builds keep for later ones.
func isKept(name string) bool { return strings.HasPrefix(name, keptDir+"/") }

// Packed is a page that waits for its site to be made. It takes a tenth of the memory, so that a thousand of them can wait.
type Packed struct {
	// Page is what an index tells of the page: all of it but the HTML and Files. Of Subpages it has where they are.
	Page *render.Page

	packed []byte       // Page and the rest, see pack; nil where whole is there
	whole  *render.Page // of a page that waits as it is
}

// Whole is a page that waits as it is, which saves time where there are few.
func Whole(page *render.Page) *Packed { return &Packed{Page: headOf(page), whole: page} }

// headOf is what Packed has of a page in Page.
func headOf(page *render.Page) *render.Page {
	head := *page
	head.HTML, head.Files, head.Subpages = "", nil, nil
	for _, s := range page.Subpages {
		head.Subpages = append(head.Subpages, render.Subpage{Path: s.Path})
	}
	return &head
}

// bulk is what of a page is large.
type bulk struct {
	HTML     string
	Files    []render.File
	Subpages []render.Subpage
	// SameFiles are the indexes of those Subpages, here without Files, that have the Files of the page: mostly that of the newest run.
	SameFiles []int
}

// bulkOf gives what of a page is large, each file once.
func bulkOf(page *render.Page) bulk {
	b := bulk{HTML: string(page.HTML), Files: page.Files, Subpages: slices.Clone(page.Subpages)}
	for i, s := range b.Subpages {
		if len(s.Files) > 0 && slices.EqualFunc(s.Files, page.Files, func(x, y render.File) bool { return x.Path == y.Path && bytes.Equal(x.Data, y.Data) }) {
			b.Subpages[i].Files, b.SameFiles = nil, append(b.SameFiles, i)
		}
	}
	return b
}

// packer and unpacker compress what coder has written, and are used by many at a time. What can be written can be read: text that is no
// UTF-8, such as that of a theme, and lists of any length. Options that they do not take are errors of the program, which the first test
// would show.
var (
	coder, errCoder       = cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	decoder, errDecoder   = cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: math.MaxInt32, MaxMapPairs: math.MaxInt32}.DecMode()
	packer, errPacker     = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<18))
	unpacker, errUnpacker = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0))
)

// Pack packs a page, which stays as it is. An error is one of the program.
func Pack(page *render.Page) (*Packed, error) {
	head := headOf(page)
	packed, err := pack(head, page)
	if err != nil {
		return nil, err
	}
	return &Packed{Page: head, packed: packed}, nil
}

// pack gives the length of the head of a page when packed, the head, and the rest: many want the head alone.
func pack(head, page *render.Page) ([]byte, error) {
	first, err := packPart(head)
	if err != nil {
		return nil, fmt.Errorf("packing the page of %s: %w", page.Slug, err)
	}
	rest, err := packPart(bulkOf(page))
	if err != nil {
		return nil, fmt.Errorf("packing the page of %s: %w", page.Slug, err)
	}
	return slices.Concat(binary.AppendUvarint(nil, uint64(len(first))), first, rest), nil
}

func packPart(part any) ([]byte, error) {
	if err := cmp.Or(errCoder, errDecoder, errPacker, errUnpacker); err != nil {
		return nil, err
	}
	data, err := coder.Marshal(part)
	if err != nil {
		return nil, err
	}
	return packer.EncodeAll(data, nil), nil
}

// unpackPart undoes packPart.
func unpackPart(packed []byte, part any) error {
	data, err := unpacker.DecodeAll(packed, nil)
	if err != nil {
		return err
	}
	return decoder.Unmarshal(data, part)
}

// parts gives the head and the rest of what pack packed.
func parts(packed []byte) (head, rest []byte, err error) {
	size, n := binary.Uvarint(packed)
	if n <= 0 || size > uint64(len(packed)-n) {
		return nil, nil, errors.New("it is cut off")
	}
	return packed[n : n+int(size)], packed[n+int(size):], nil
}

// Unpack gives the whole page.
func (p *Packed) Unpack() (*render.Page, error) {
	if p.whole != nil {
		return p.whole, nil
	}
	_, packed, err := parts(p.packed)
	var rest bulk
	if err == nil {
		err = unpackPart(packed, &rest)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking the page of %s: %w", p.Page.Slug, err)
	}
	page := *p.Page
	page.HTML, page.Files, page.Subpages = template.HTML(rest.HTML), rest.Files, rest.Subpages
	for _, i := range rest.SameFiles {
		page.Subpages[i].Files = page.Files
	}
	return &page, nil
}

// unpackHead gives what Page of a Packed has.
func unpackHead(packed []byte) (*render.Page, error) {
	first, _, err := parts(packed)
	if err != nil {
		return nil, err
	}
	head := &render.Page{}
	return head, unpackPart(first, head)
}

// Kept gives the page of an article as the last build into a folder kept it, if it was made of the same inputs. If it was not, or if
// whatever is kept is damaged, ok is false: the page can be rendered at any time.
func Kept(dir, slug, inputs string) (page *Packed, ok bool) {
	if inputs == "" || !filepath.IsLocal(slug) {
		return nil, false
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, false
	}
	defer root.Close()
	whole, err := readIn(root, keptFile(slug))
	if err != nil {
		return nil, false
	}
	first, packed, _ := bytes.Cut(whole, []byte("\n"))
	if string(first) != keptHead(inputs, packed) {
		return nil, false
	}
	head, err := unpackHead(packed)
	if err != nil || head.Slug != slug || head.Inputs != inputs {
		return nil, false
	}
	return &Packed{Page: head, packed: packed}, true
}

// keptHead is the first line of a file that is kept: of what the page was made, and what follows.
func keptHead(inputs string, packed []byte) string {
	sum := sha256.Sum256(packed)
	return inputs + " " + hex.EncodeToString(sum[:])
}

// kept is a page as a site keeps it for the next build; nil if it is not known what it was made of.
func (p *Packed) kept() ([]byte, error) {
	if p.Page.Inputs == "" || strings.ContainsAny(p.Page.Inputs, " \n") {
		return nil, nil
	}
	packed := p.packed
	if p.whole != nil {
		var err error
		if packed, err = pack(p.Page, p.whole); err != nil {
			return nil, err
		}
	}
	return append([]byte(keptHead(p.Page.Inputs, packed)+"\n"), packed...), nil
}
