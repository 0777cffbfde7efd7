package prose

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"benchbook/render/wording"
)

type listingView struct {
	Name  string // of a file; may be empty
	What  string // is in it
	Lines string
	Code  template.HTML
	Open  bool
}

// Listing shows code.
func (w *Writer) Listing(language string, code []byte) template.HTML {
	v := w.listingOf("", "", language, code)
	if language != "" {
		v.Lines = language + ", " + v.Lines
	}
	return w.page.Fill("listing", v)
}

// File shows a file in one line, which opens: its name, a description and its length. Without words it is what its
// first comment says, else its language.
func (w *Writer) File(name, what, lines, language string, code []byte, open bool) template.HTML {
	v := w.listingOf(name, lines, language, code)
	v.What, v.Open = cmp.Or(what, opening(code), language), open
	return w.page.Fill("file", v)
}

func (w *Writer) listingOf(name, lines, language string, code []byte) listingView {
	text := strings.TrimSuffix(string(code), "\n")
	marked, err := w.highlight(language, text)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("listing %q: %w", cmp.Or(name, firstLine(text)), err)
	}
	return listingView{Name: name, Lines: cmp.Or(lines, wording.Count(strings.Count(text, "\n")+1, "line")), Code: marked}
}

// opening is what the comment says that a file begins with; empty if it begins otherwise.
func opening(code []byte) string {
	first := strings.TrimSpace(firstLine(strings.TrimLeft(string(code), "\n")))
	if strings.HasPrefix(first, "#!") {
		return ""
	}
	for _, mark := range []string{"#", "//", "--", ";", `"""`, "/*"} {
		if words, ok := strings.CutPrefix(first, mark); ok {
			return strings.TrimSpace(strings.Trim(words, `"*/#`))
		}
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// patience is how long the highlighting of a listing may take. It is far more than any listing of people needs on the
// busiest machine: an article that needs it all was made to.
const patience = 30 * time.Second

// newLexers are chroma's lexers that know how they match by rules, each with a patience that no load of the machine
// uses up.
//
// As they come, a match that takes a quarter of a second by the clock counts as none and the text is marked otherwise,
// so that a page would depend on what else the machine did. Lexers that are made of others keep these to themselves,
// and are left out.
func newLexers() *chroma.LexerRegistry {
	registry := chroma.NewLexerRegistry()
	for _, lexer := range lexers.GlobalLexerRegistry.Lexers {
		if known, ok := lexer.(*chroma.RegexLexer); ok {
			// The only error is a pattern for names of files, which chroma has accepted before.
			if patient, err := chroma.NewLexer(known.Config(), func() chroma.Rules { return patientRules(known) }); err == nil {
				registry.Register(patient)
			}
		}
	}
	return registry
}

// patientRules returns a lexer's rules with an unreachable state whose one rule makes all others patient.
func patientRules(lexer *chroma.RegexLexer) chroma.Rules {
	known, err := lexer.Rules()
	if err != nil {
		return chroma.Rules{} // which has no root, and so is refused where it is used
	}
	rules := known.Clone()
	for _, list := range rules {
		for i, rule := range list {
			// Go's strings of several lines are read by a lexer for templates, which is one of those that keep others to
			// themselves.
			if lexer.Config().Name == "Go" && strings.HasPrefix(rule.Pattern, "(`)") {
				list[i].Type = chroma.LiteralString
			}
		}
	}
	rules["patience"] = []chroma.Rule{{Mutator: patient{}}}
	return rules
}

// patient is the rule that chroma asks, once all patterns of a lexer are compiled, how to change them.
type patient struct{}

func (patient) Mutate(*chroma.LexerState) error { return nil }

func (patient) MutateLexer(rules chroma.CompiledRules, state string, rule int) error {
	rules[state] = slices.Delete(rules[state], rule, rule+1)
	for _, list := range rules {
		for _, r := range list {
			r.Regexp.MatchTimeout = 2 * patience // so that none is ever used up: see highlight
		}
	}
	return nil
}

// highlight marks keywords, strings, comments and keys with four short elements, which are styled in listings. A language that
// nobody knows, and text that its lexer cannot read, stay plain.
//
// The error says that it took too long: what came of it by then would not be the same another time.
func (r *Renderer) highlight(language, text string) (marked template.HTML, err error) {
	key := code{language, text}
	if known, ok := r.listings.Load(key); ok {
		return known.(template.HTML), nil
	}
	if marked, err = r.tokenize(language, text); err == nil {
		r.listings.Store(key, marked)
	}
	return marked, err
}

type code struct{ language, text string }

// tokenize highlights without the cache.
func (r *Renderer) tokenize(language, text string) (marked template.HTML, err error) {
	plain := Code(text)
	if language == "" {
		return plain, nil
	}
	lexer := r.lexers.Get(language)
	if lexer == nil {
		return plain, nil
	}
	// Lexers panic at what they did not expect, which is the same each time.
	defer func() {
		if recover() != nil {
			marked = plain
		}
	}()
	began := time.Now()
	late := func() bool { return time.Since(began) >= patience }
	tokens, err := chroma.Coalesce(lexer).Tokenise(&chroma.TokeniseOptions{State: "root", EnsureLF: false}, text)
	if err != nil {
		return plain, nil
	}
	var b, all strings.Builder
	for token := tokens(); token != chroma.EOF && !late(); token = tokens() {
		all.WriteString(token.Value)
		element := tokenElement(token.Type)
		// In {a: 1, b: 2} the lexer for YAML takes "1, b" for a key.
		if i := strings.LastIndex(token.Value, ", "); element == "i" && i >= 0 {
			b.WriteString(string(Code(token.Value[:i+2])))
			token.Value = token.Value[i+2:]
		}
		shown := string(Code(token.Value))
		if element != "" && strings.TrimSpace(token.Value) != "" {
			shown = "<" + element + ">" + shown + "</" + element + ">"
		}
		b.WriteString(shown)
	}
	if late() {
		return plain, fmt.Errorf("highlighting %s took longer than %v; leave out the language of the listing", language,
			patience)
	}
	// The listing must show the file to the byte.
	if all.String() != text {
		return plain, nil
	}
	return template.HTML(alike.Replace(b.String())), nil
}

// alike joins elements that follow each other.
var alike = strings.NewReplacer("</u><u>", "", "</b> <b>", " ")

// codeEscapes are the characters that act between elements. Code is full of quotes, which act in attributes alone.
var codeEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\x00", "\ufffd")

// Code is text as the content of an element.
func Code(text string) template.HTML { return template.HTML(codeEscapes.Replace(text)) }

// tokenElement is the element of a token; empty for plain text.
func tokenElement(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Comment) && t != chroma.CommentPreproc && t != chroma.CommentPreprocFile:
		return "em"
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord, t == chroma.CommentPreproc:
		return "b"
	case t.InSubCategory(chroma.LiteralString):
		return "u"
	case t == chroma.NameTag, t == chroma.NameAttribute, t == chroma.NameProperty:
		return "i"
	}
	return ""
}
