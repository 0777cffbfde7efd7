package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"benchbook/render"
)

// keptDir is where a site keeps the pages that it was made of, for the next build. Nobody reads it but that.
const keptDir = ".benchbook-pages"

func keptFile(slug string) string { return path.Join(keptDir, slug) }

// isKept reports whether a file of a site is nothing that anybody reads, but what builds keep for later ones.
func isKept(name string) bool { return strings.HasPrefix(name, keptDir+"/") }

// Kept gives the page of an article as the last build into a folder kept it, if it was made of the same inputs. If it was not, or if
// whatever is kept is damaged, ok is false: the page can be rendered at any time.
func Kept(dir, slug, inputs string) (page *render.Page, ok bool) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, false
	}
	defer root.Close()
	_, packed, ok := readKept(root, slug, inputs)
	if !ok {
		return nil, false
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, false
	}
	page = &render.Page{}
	if err := gob.NewDecoder(r).Decode(page); err != nil || page.Slug != slug || page.Inputs != inputs {
		return nil, false
	}
	return page, true
}

// readKept reads a file that keep wrote, if it is whole and of these inputs: all of it, and the page packed in it.
func readKept(root *os.Root, slug, inputs string) (whole, packed []byte, ok bool) {
	if inputs == "" || !filepath.IsLocal(slug) {
		return nil, nil, false
	}
	whole, err := root.ReadFile(filepath.FromSlash(keptFile(slug)))
	if err != nil {
		return nil, nil, false
	}
	head, packed, _ := bytes.Cut(whole, []byte("\n"))
	return whole, packed, string(head) == keptHead(inputs, packed)
}

// keptHead is the first line of a file that is kept: of what the page was made, and what follows.
func keptHead(inputs string, packed []byte) string {
	sum := sha256.Sum256(packed)
	return inputs + " " + hex.EncodeToString(sum[:])
}

// keep adds the pages whose inputs are known to the files of a site, for the next build.
func keep(files map[string][]byte, dir string, pages []*render.Page, o Options) error {
	root, err := os.OpenRoot(dir)
	if err == nil { // else it is not there yet
		defer root.Close()
	}
	w, failed := gzip.NewWriterLevel(nil, gzip.BestSpeed) // one for all: it is large
	if failed != nil {
		return failed
	}
	for _, p := range pages {
		if p.Draft && !o.Drafts || p.Inputs == "" || strings.ContainsAny(p.Inputs, " \n") {
			continue
		}
		if err == nil {
			if whole, _, ok := readKept(root, p.Slug, p.Inputs); ok {
				files[keptFile(p.Slug)] = whole
				continue
			}
		}
		var packed bytes.Buffer
		w.Reset(&packed)
		if err := gob.NewEncoder(w).Encode(p); err != nil {
			return fmt.Errorf("keeping the page of %s: %w", p.Slug, err)
		}
		if err := w.Close(); err != nil {
			return fmt.Errorf("keeping the page of %s: %w", p.Slug, err)
		}
		files[keptFile(p.Slug)] = append([]byte(keptHead(p.Inputs, packed.Bytes())+"\n"), packed.Bytes()...)
	}
	return nil
}
