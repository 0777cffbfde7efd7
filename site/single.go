package site

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"html/template"
	"mime"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/html"

	"benchbook/render"
)

// singles adds a file for each article, with all it needs inside.
func (b *builder) singles(pages []*render.Page) {
	style := string(b.assets.withFonts(func(name string) string { return dataURI(name, b.assets.fonts[name]) }))
	for _, p := range pages {
		v := layoutView{Title: p.Title + " · " + b.options.Title, Description: p.Finding, Main: template.HTML(inlined(p)),
			Card:   &cardView{"article", p.Title, p.Finding, ""},
			Inline: &inlineView{template.CSS(style), template.JS(b.assets.script), b.options.BaseURL},
			Icon:   template.URL(dataURI(iconFile, b.assets.files[b.assets.names[iconFile]])),
			Policy: policyOfSingle(style, string(b.assets.early), string(b.assets.script))}
		if b.options.BaseURL != "" {
			v.Canonical = b.absolute(p.Slug + "/" + indexFile)
		}
		b.add(p.Slug+".html", File{Data: b.layout(v)})
	}
}

// inlined returns the main element of a page with its files inside. Links to other articles lead to their single files.
func inlined(p *render.Page) string {
	files := map[string][]byte{}
	for _, f := range p.Files {
		files[f.Path] = f.Data
	}
	z := html.NewTokenizer(strings.NewReader(string(p.HTML)))
	var out strings.Builder
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() { // which is the end of a text
		raw := bytes.Clone(z.Raw())
		if token := z.Token(); (kind == html.StartTagToken || kind == html.SelfClosingTagToken) && (token.Data == "a" || token.Data == "img") &&
			inline(&token, files) {
			out.WriteString(token.String())
			continue
		}
		out.Write(raw)
	}
	return out.String()
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

// kinds are types of files that some systems do not know.
var kinds = map[string]string{".woff2": "font/woff2", ".csv": "text/csv", ".svg": "image/svg+xml", ".png": "image/png"}

func dataURI(name string, data []byte) string {
	kind := cmp.Or(kinds[path.Ext(name)], mime.TypeByExtension(path.Ext(name)), "application/octet-stream")
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}
