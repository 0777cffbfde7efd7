package render

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/files"
	"benchbook/notebook/article"
)

// mediaFolder is where pictures of an article lie, below its page.
const mediaFolder = "media"

// pictures are the kinds of files that an article may show.
var pictures = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"}

// image shows a picture of the article's own folder, which becomes a file of the page. Pictures elsewhere are not
// loaded, since a page asks nobody for anything: they become links.
func (c *composer) image(n ast.Node, source []byte) template.HTML {
	i := n.(*ast.Image)
	written, words := article.Resolve(i.Destination), strings.TrimSpace(c.plain(i, source))
	if name, ok := localPicture(written); ok {
		file, err := c.picture(name)
		if err != nil {
			if c.docs != nil { // of articles DeadLinks says it
				c.warnf("the picture %q is not shown: %v", written, err)
			}
			return template.HTML(template.HTMLEscapeString(words))
		}
		to := url.URL{Path: file}
		return template.HTML(`<img src="` + template.HTMLEscapeString(to.String()) + `" alt="` +
			template.HTMLEscapeString(words) + `" loading="lazy">`)
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

// localPicture is the path of a picture that lies beside the article; ok is false for one that is elsewhere.
func localPicture(written string) (name string, ok bool) {
	u, err := url.Parse(written)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return "", false
	}
	return path.Clean(u.Path), true
}

// picture takes a picture of the article's folder into the page and gives its path there.
func (c *composer) picture(name string) (string, error) {
	to := mediaFile(name)
	if c.hasFile(to) {
		return to, nil
	}
	data, err := readPicture(c.doc.Dir, name)
	if err != nil {
		return "", err
	}
	c.files = append(c.files, File{to, data})
	return to, nil
}

// mediaFile is where a picture of the article lies, below its page.
func mediaFile(name string) string { return path.Join(mediaFolder, name) }

func (c *composer) hasFile(name string) bool {
	return slices.ContainsFunc(c.files, func(f File) bool { return f.Path == name })
}

// readPicture reads a picture of a folder, which may be shown as it is.
func readPicture(dir, name string) ([]byte, error) {
	const largest = 8 << 20
	if !slices.Contains(pictures, strings.ToLower(path.Ext(name))) {
		return nil, fmt.Errorf("it is none of %s", strings.Join(pictures, " "))
	}
	// A Root does not follow links that lead out of the folder.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, _, err := files.ReadIn(root, name, largest)
	switch {
	case errors.Is(err, files.ErrNotRegular), errors.Is(err, files.ErrTooLarge):
		return nil, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is no such file in its folder")
	case err != nil:
		return nil, errors.New("it is not in its folder: " + files.Reason(err))
	}
	if strings.EqualFold(path.Ext(name), ".svg") {
		if err := harmlessSVG(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}
