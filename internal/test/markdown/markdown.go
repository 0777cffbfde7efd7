// Package markdown splits pages of the manual into prose and fenced blocks, for tests of their examples.
package markdown

import (
	"fmt"
	"strings"

	"benchbook/internal/test/must"
)

// A Page is a parsed Markdown file.
type Page struct {
	Name     string
	Text     string
	Fences   []Fence
	Headings []string          // with their # signs
	Sections map[string]string // prose by heading, without its # signs
}

// A Fence is a fenced block with the nearest heading above it.
type Fence struct {
	Ticks      int
	Info       string
	Heading    string
	Line       int // of the opening fence, from 1
	Start, End int // offsets of the body in the page
	Body       string
}

// Read reads a page. It panics if a fence is never closed.
func Read(name string) *Page {
	p := &Page{Name: name, Text: must.Read(name), Sections: map[string]string{}}
	var open *Fence
	offset, number, heading := 0, 0, ""
	for line := range strings.Lines(p.Text) {
		number++
		trimmed := strings.TrimRight(line, "\n")
		ticks := len(trimmed) - len(strings.TrimLeft(trimmed, "`"))
		switch {
		case open != nil && ticks >= open.Ticks && len(trimmed) == ticks:
			open.End, open.Body = offset, p.Text[open.Start:offset]
			p.Fences = append(p.Fences, *open)
			open = nil
		case open != nil:
		case ticks >= 3:
			open = &Fence{Ticks: ticks, Info: trimmed[ticks:], Heading: heading, Line: number, Start: offset + len(line)}
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimLeft(trimmed, "# ")
			p.Headings = append(p.Headings, trimmed)
			p.Sections[heading] += ""
		default:
			p.Sections[heading] += line
		}
		offset += len(line)
	}
	if open != nil {
		panic(fmt.Sprintf("%s:%d: the fence is never closed", name, open.Line))
	}
	return p
}
