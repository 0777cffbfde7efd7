package site

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/html"

	"benchbook/render"
)

func (b *builder) single(p *render.Page) error {
	main, err := b.inlined(p)
	if err != nil {
		return fmt.Errorf("putting article %s into a single file: %w", p.Slug, err)
	}
	v := layoutView{Title: p.Title + " · " + b.options.Title, Description: p.Finding, Main: template.HTML(main),
		NoIndex: p.Draft, Inline: &inlineView{Style: template.CSS(b.inlineStyle), Script: template.JS(b.assets.script),
			Home: b.options.BaseURL}}
	if b.options.BaseURL != "" {
		v.Canonical = b.absolute(p.Slug + "/index.html") // the page that this is a copy of
	}
	icon := b.assets.files[b.assets.names[iconFile]]
	v.Icon = template.URL(dataURI(iconFile, icon))
	v.linked(pageAt{of: p})
	v.Policy = policy(true, []string{string(b.assets.early), string(b.assets.script)},
		[]string{b.inlineStyle})
	page, err := b.layout(v)
	if err != nil {
		return err
	}
	return b.addFile(p.Slug+".html", page)
}

// inlined returns the main element of a page with its files inside. Links to other articles lead to their single files.
func (b *builder) inlined(p *render.Page) (string, error) {
	files := map[string][]byte{}
	for _, f := range p.Files {
		files[f.Path] = f.Data
	}
	z := html.NewTokenizer(strings.NewReader(string(p.HTML)))
	var out bytes.Buffer
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return "", err
			}
			return out.String(), nil
		}
		raw := bytes.Clone(z.Raw()) // all that is not rewritten stays as it is, to the byte
		if token := z.Token(); kind == html.StartTagToken && (token.Data == "a" || token.Data == "img") {
			if inline(&token, files) {
				out.WriteString(token.String())
				continue
			}
		}
		out.Write(raw)
	}
}

// inline rewrites the address in a tag, and reports whether it changed.
func inline(t *html.Token, files map[string][]byte) bool {
	for i, a := range t.Attr {
		if a.Key != "href" && a.Key != "src" {
			continue
		}
		u, err := url.Parse(a.Val)
		if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
			return false
		}
		if data, ok := files[u.Path]; ok {
			t.Attr[i].Val = dataURI(u.Path, data)
			for k := range t.Attr {
				if t.Attr[k].Key == "download" {
					t.Attr[k].Val = path.Base(u.Path)
				}
			}
			return true
		}
		if slug, rest, ok := strings.Cut(strings.TrimPrefix(u.Path, "../"), "/"); ok && rest == indexFile {
			u.Path = slug + ".html"
			t.Attr[i].Val = u.String()
			return true
		}
	}
	return false
}

func dataURI(name string, data []byte) string {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // the same on machines with other tables
	case ".woff2":
		kind = "font/woff2"
	case ".csv":
		kind = "text/csv"
	case ".svg":
		kind = "image/svg+xml"
	}
	kind = cmp.Or(kind, "application/octet-stream")
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}
