package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The files of a theme that pages load, and the script in each page's head.
const (
	styleFile  = "style.css"
	scriptFile = "benchbook.js"
	iconFile   = "favicon.svg"
	fontsDir   = "fonts"
	early      = "early.js"
)

const (
	indexFile   = "index.html"
	missingFile = "404.html"
)

// assets are what pages load besides their own files. Names hold a digest of the contents, so browsers may keep them
// for ever and never mix an old style with a new page; files that pages do not load, such as a licence, keep their
// names.
type assets struct {
	files map[string][]byte // by path
	names map[string]string // path by the name in the theme
	early template.JS

	style, script []byte            // as pages would load them from within themselves
	fonts         map[string][]byte // by the name in the theme
}

func newAssets(theme fs.FS) (*assets, error) {
	a := &assets{files: map[string][]byte{}, names: map[string]string{}, fonts: map[string][]byte{}}
	read := func(name string) ([]byte, error) {
		data, err := fs.ReadFile(theme, name)
		if err != nil {
			return nil, fmt.Errorf("reading the theme: %w", err)
		}
		return data, nil
	}
	script, err := read(early)
	if err != nil {
		return nil, err
	}
	a.early = template.JS(bytes.TrimSpace(script))
	err = fs.WalkDir(theme, fontsDir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := read(name)
		if err == nil && path.Ext(name) == ".woff2" {
			a.fonts[name] = data
			a.add(name, data)
		} else if err == nil {
			a.files[name], a.names[name] = data, name
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if a.style, err = read(styleFile); err != nil {
		return nil, err
	}
	a.add(styleFile, a.withFonts(func(name string) string { return a.names[name] }))
	if a.script, err = read(scriptFile); err != nil {
		return nil, err
	}
	a.add(scriptFile, a.script)
	icon, err := read(iconFile)
	if err != nil {
		return nil, err
	}
	a.add(iconFile, icon)
	return a, nil
}

func (a *assets) add(name string, data []byte) string {
	a.names[name] = hashed(name, data)
	a.files[a.names[name]] = data
	return a.names[name]
}

// hashed puts a digest of the contents before the extension: "style.3f2a….css".
func hashed(name string, data []byte) string {
	sum := sha256.Sum256(data)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
}

func hashedPattern(name string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + ".*" + ext
}

// withFonts is the style sheet with other addresses of fonts.
func (a *assets) withFonts(address func(name string) string) []byte {
	style := a.style
	for name := range a.fonts {
		style = bytes.ReplaceAll(style, []byte("url("+name+")"), []byte("url("+address(name)+")"))
	}
	return style
}

func (a *assets) inlineStyle() []byte {
	return a.withFonts(func(name string) string { return dataURI(name, a.fonts[name]) })
}

// isOurs reports whether a name at the top of the site is taken. It ignores case, as many file systems do.
func isOurs(name string) bool {
	ours := []string{fontsDir, tagsFolder, indexFile, missingFile, feedFile, mapFile, hashedPattern(styleFile),
		hashedPattern(scriptFile), hashedPattern(iconFile), hashedPattern(searchFile)}
	return slices.ContainsFunc(ours, func(pattern string) bool {
		is, err := path.Match(pattern, strings.ToLower(name))
		return err == nil && is
	})
}

// policy allows a browser files of the site, and inline scripts and styles by their digests.
func policy(inline bool, scripts []string, styles []string) string {
	from := func(kind string, self bool, texts []string) string {
		words := []string{kind}
		if self {
			words = append(words, "'self'")
		}
		for _, text := range texts {
			if text == "" {
				continue
			}
			sum := sha256.Sum256([]byte(text))
			words = append(words, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
		return strings.Join(words, " ")
	}
	rest := []string{"font-src 'self'", "img-src 'self'"}
	if inline {
		rest = []string{"font-src data:", "img-src data:"}
	}
	return strings.Join(slices.Concat([]string{"default-src 'none'", from("script-src", !inline, scripts),
		from("style-src", !inline, styles)}, rest, []string{"base-uri 'none'", "form-action 'none'"}), "; ")
}
