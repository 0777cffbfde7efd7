package render

import (
	"fmt"
	"html/template"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// mediaFolder is where pictures of an article lie, below its page.
const mediaFolder = "media"

// pictures are the kinds of files that an article may show.
var pictures = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"}

// image shows a picture of the article's own folder, which becomes a file of the page. Pictures elsewhere are not
// loaded, since a page asks nobody for anything: they become links.
func (c *composer) image(n ast.Node, source []byte) template.HTML {
	i := n.(*ast.Image)
	written, words := string(i.Destination), strings.TrimSpace(c.plain(i, source))
	if u, err := url.Parse(written); err == nil && u.Scheme == "" && u.Host == "" && u.Path != "" {
		file, err := c.picture(u.Path)
		if err == nil {
			to := url.URL{Path: file}
			return template.HTML(`<img src="` + template.HTMLEscapeString(to.String()) + `" alt="` +
				template.HTMLEscapeString(words) + `" loading="lazy">`)
		}
		c.warnf("the picture %q is not shown: %v", written, err)
		return template.HTML(template.HTMLEscapeString(words))
	}
	href, ok := c.destination(written)
	if words == "" {
		words = "picture"
	}
	if !ok {
		return template.HTML(template.HTMLEscapeString(words))
	}
	return anchorTag(href, template.HTML(template.HTMLEscapeString(words)))
}

// picture takes a picture of the article's folder into the page and gives its path there.
func (c *composer) picture(name string) (string, error) {
	const largest = 8 << 20
	name = path.Clean(name)
	if !slices.Contains(pictures, strings.ToLower(path.Ext(name))) {
		return "", fmt.Errorf("it is none of %s", strings.Join(pictures, " "))
	}
	to := path.Join(mediaFolder, name)
	if slices.ContainsFunc(c.files, func(f File) bool { return f.Path == to }) {
		return to, nil
	}
	// A Root does not follow links that lead out of the folder.
	root, err := os.OpenRoot(c.doc.Dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return "", fmt.Errorf("it is not in the folder of the article: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil {
		return "", err
	}
	if len(data) > largest {
		return "", fmt.Errorf("it is larger than %d MiB", largest>>20)
	}
	if strings.EqualFold(path.Ext(name), ".svg") {
		if err := harmlessSVG(data); err != nil {
			return "", err
		}
	}
	c.files = append(c.files, File{to, data})
	return to, nil
}
