package prose

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/files"
	"benchbook/notebook/article"
)

// mediaFolder holds the pictures of an article, below its page.
const mediaFolder = "media"

var pictures = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"}

// image shows a picture of the article's folder and adds it to the page. Others become links, since pages load nothing
// from elsewhere.
func (w *Writer) image(n ast.Node, source []byte) template.HTML {
	i := n.(*ast.Image)
	written, words := article.Resolve(i.Destination), strings.TrimSpace(w.Plain(i, source))
	if name, ok := localPicture(written); ok {
		to, err := w.addPicture(name)
		if err != nil { // DeadLinks says why
			return Escaped(words)
		}
		return `<img src="` + Escaped(to) + `" alt="` + Escaped(words) + `"` + titleOf(i.Title) + ` loading="lazy">`
	}
	href, err := w.follow(written)
	words = cmp.Or(words, "picture")
	if err != nil {
		return Escaped(words)
	}
	return Link(href, i.Title, Escaped(words))
}

// localPicture returns the path of a picture in the article's folder; ok is false for others.
func localPicture(written string) (name string, ok bool) {
	u, err := url.Parse(written)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return "", false
	}
	return path.Clean(u.Path), true
}

// addPicture adds a picture of the folder to the page and returns its address there.
func (w *Writer) addPicture(name string) (string, error) {
	to := path.Join(mediaFolder, name)
	if !slices.Contains(w.pictures, to) {
		data, err := readPicture(w.doc.Dir, name)
		if err != nil {
			return "", err
		}
		w.pictures = append(w.pictures, to)
		w.page.AddFile(to, data)
	}
	return (&url.URL{Path: to}).String(), nil
}

// readPicture reads a picture that is harmless to show.
func readPicture(dir, name string) ([]byte, error) {
	const largest = 8 << 20
	if !slices.Contains(pictures, strings.ToLower(path.Ext(name))) {
		return nil, fmt.Errorf("it is not one of %s", strings.Join(pictures, " "))
	}
	// A Root does not follow links that lead out of the folder.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, _, err := files.ReadIn(root, name, largest)
	if err != nil {
		return nil, errors.New(files.Reason(err))
	}
	return data, nil
}
