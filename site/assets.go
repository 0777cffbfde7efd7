package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"benchbook/render/figure"
	"benchbook/site/theme"
)

// Files of the theme that pages load.
const (
	styleFile  = "style.css"
	scriptFile = "benchbook.js"
	iconFile   = "favicon.svg"
	fontsDir   = "fonts"
)

// assets holds the files that pages load. Their names have a digest of the contents, so browsers may cache them forever
// and never mix an old style with a new page.
type assets struct {
	files map[string][]byte // by path
	names map[string]string // paths by the name in the theme
	early template.JS       // the script in each page's head

	style, script []byte
	fonts         map[string][]byte // by the name in the theme
}

// newAssets reads the theme; more is CSS to add after ours.
func newAssets(more []byte) *assets {
	read := func(name string) []byte {
		data, err := theme.Files.ReadFile(name)
		if err != nil {
			panic(err) // the theme is part of the program
		}
		return data
	}
	a := &assets{files: map[string][]byte{}, names: map[string]string{}, fonts: map[string][]byte{},
		early: template.JS(bytes.TrimSpace(read("early.js"))), script: read(scriptFile),
		style: slices.Concat([]byte(figure.CSS), read(styleFile), more)}
	fonts, _ := fs.Glob(theme.Files, fontsDir+"/*")
	for _, name := range fonts {
		if path.Ext(name) == ".woff2" {
			a.fonts[name] = read(name)
			a.add(name, a.fonts[name])
		} else { // the licence
			a.files[name] = read(name)
		}
	}
	a.add(styleFile, a.withFonts(func(name string) string { return a.names[name] }))
	a.add(scriptFile, a.script)
	a.add(iconFile, read(iconFile))
	return a
}

func (a *assets) add(name string, data []byte) {
	a.names[name] = hashed(name, data)
	a.files[a.names[name]] = data
}

// hashed puts a digest of the contents before the extension: "style.3f2a….css".
func hashed(name string, data []byte) string {
	sum := sha256.Sum256(data)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
}

// withFonts returns the style sheet with the fonts at the given addresses.
func (a *assets) withFonts(address func(name string) string) []byte {
	style := a.style
	for name := range a.fonts {
		style = bytes.ReplaceAll(style, []byte("url("+name+")"), []byte("url("+address(name)+")"))
	}
	return style
}

// isReserved reports whether the site uses a name at its top level. It ignores case, as many file systems do.
func isReserved(name string) bool {
	ours := []string{fontsDir, tagsFolder, indexFile, missingFile, feedFile, "style.*.css", "benchbook.*.js",
		"favicon.*.svg", "search.*.js"}
	return slices.ContainsFunc(ours, func(pattern string) bool {
		is, err := path.Match(pattern, strings.ToLower(name))
		return err == nil && is
	})
}

// policy returns a content security policy that allows the files of the site, and inline scripts by their digests.
func policy(scripts ...string) string {
	return "default-src 'none'; script-src 'self'" + digests(scripts) + "; style-src 'self'; font-src 'self'; " +
		"img-src 'self'; base-uri 'none'; form-action 'none'"
}

// policyOfSingle returns a content security policy that allows only the given style and scripts, and data URIs.
func policyOfSingle(style string, scripts ...string) string {
	return "default-src 'none'; script-src" + digests(scripts) + "; style-src" + digests([]string{style}) +
		"; font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
}

func digests(texts []string) string {
	out := ""
	for _, text := range texts {
		sum := sha256.Sum256([]byte(text))
		out += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return out
}
