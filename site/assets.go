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

// Files of the theme that pages load, and the script in each page's head.
const (
	styleFile  = "style.css"
	scriptFile = "benchbook.js"
	iconFile   = "favicon.svg"
	fontsDir   = "fonts"
	early      = "early.js"
)

// assets are the files that pages load. Names hold a digest of the contents, so browsers may keep them for ever and
// never mix an old style with a new page.
type assets struct {
	files map[string][]byte // by path
	names map[string]string // path by the name in the theme
	early template.JS

	style, script []byte            // as in the theme
	fonts         map[string][]byte // by the name in the theme
}

// newAssets reads the theme; more is CSS that follows the style of the theme.
func newAssets(theme fs.FS, more []byte) (*assets, error) {
	a := &assets{files: map[string][]byte{}, names: map[string]string{}, fonts: map[string][]byte{}}
	all := map[string][]byte{}
	err := fs.WalkDir(theme, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all[name], err = fs.ReadFile(theme, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the theme: %w", err)
	}
	for name, data := range all {
		switch {
		case path.Dir(name) != fontsDir:
		case path.Ext(name) == ".woff2":
			a.fonts[name] = data
			a.add(name, data)
		default: // the licence
			a.files[name] = data
		}
	}
	a.early = template.JS(bytes.TrimSpace(all[early]))
	a.style, a.script = slices.Concat(all[styleFile], more), all[scriptFile]
	a.add(styleFile, a.withFonts(func(name string) string { return a.names[name] }))
	a.add(scriptFile, a.script)
	a.add(iconFile, all[iconFile])
	return a, nil
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

// withFonts returns the style sheet with other addresses of fonts.
func (a *assets) withFonts(address func(name string) string) []byte {
	style := a.style
	for name := range a.fonts {
		style = bytes.ReplaceAll(style, []byte("url("+name+")"), []byte("url("+address(name)+")"))
	}
	return style
}

// isReserved reports whether the site uses a name at its top. It ignores case, as many file systems do.
func isReserved(name string) bool {
	ours := []string{fontsDir, tagsFolder, indexFile, missingFile, feedFile, "style.*.css", "benchbook.*.js",
		"favicon.*.svg", "search.*.js"}
	return slices.ContainsFunc(ours, func(pattern string) bool {
		is, err := path.Match(pattern, strings.ToLower(name))
		return err == nil && is
	})
}

// policy allows a page the files of the site, and inline scripts by their digests.
func policy(scripts ...string) string {
	return "default-src 'none'; script-src 'self'" + digests(scripts) + "; style-src 'self'; font-src 'self'; " +
		"img-src 'self'; base-uri 'none'; form-action 'none'"
}

// policyOfSingle allows a page only what is inside, by its digests.
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
