package render

import (
	"html/template"
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"benchbook/render/number"
)

// listingView is a listing in the template.
type listingView struct {
	Name  string // of a file; may be empty
	Lines string
	Code  template.HTML
}

// listing shows code. Lines says what stands beside the name; empty counts them.
func (c *composer) listing(name, lines, language string, code []byte) template.HTML {
	text := strings.TrimRight(string(code), "\n")
	if lines == "" {
		lines = number.Count(strings.Count(text, "\n")+1, "line")
		if name == "" && language != "" {
			lines = language + ", " + lines
		}
	}
	return c.fill("listing", listingView{name, lines, highlight(language, text)})
}

// highlight marks keywords, strings, comments and keys with the four classes of the style sheet. A language that
// nobody knows, and text that its lexer cannot read, stay plain.
func highlight(language, text string) template.HTML {
	lexer := lexers.Get(language)
	if lexer == nil {
		return template.HTML(template.HTMLEscapeString(text))
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(&chroma.TokeniseOptions{State: "root", EnsureLF: false}, text)
	if err != nil {
		return template.HTML(template.HTMLEscapeString(text))
	}
	var b, all strings.Builder
	for token := tokens(); token != chroma.EOF; token = tokens() {
		all.WriteString(token.Value)
		class := tokenClass(token.Type)
		// In {a: 1, b: 2} the lexer for YAML takes "1, b" for a key.
		if i := strings.LastIndex(token.Value, ", "); class == "y" && i >= 0 {
			template.HTMLEscape(&b, []byte(token.Value[:i+2]))
			token.Value = token.Value[i+2:]
		}
		if class == "" || strings.TrimSpace(token.Value) == "" {
			template.HTMLEscape(&b, []byte(token.Value))
			continue
		}
		b.WriteString(`<span class="` + class + `">`)
		template.HTMLEscape(&b, []byte(token.Value))
		b.WriteString("</span>")
	}
	// What is shown must be what was written, to the byte.
	if all.String() != text {
		return template.HTML(template.HTMLEscapeString(text))
	}
	return template.HTML(b.String())
}

// tokenClass is the class of a kind of token; empty for what is not marked.
func tokenClass(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Comment) && t != chroma.CommentPreproc && t != chroma.CommentPreprocFile:
		return "c"
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord, t == chroma.CommentPreproc:
		return "k"
	case t.InSubCategory(chroma.LiteralString):
		return "s"
	case t == chroma.NameTag, t == chroma.NameAttribute, t == chroma.NameProperty:
		return "y"
	}
	return ""
}
