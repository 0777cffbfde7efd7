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
	What  string // description
	Lines string
	Code  template.HTML
	Open  bool
}

// Listing renders code.
func (w *Writer) Listing(language string, code []byte) template.HTML {
	v := w.listingOf("", "", language, code)
	if language != "" {
		v.Lines = language + ", " + v.Lines
	}
	return w.page.Fill("listing", v)
}

// File renders a file as a line that unfolds, with its name, description and length. Without what, the description is
// its first comment, else its language; without lines, the length is counted.
func (w *Writer) File(name, what, lines, language string, code []byte, open bool) template.HTML {
	v := w.listingOf(name, lines, language, code)
	v.What, v.Open = cmp.Or(what, firstComment(code), language), open
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

// firstComment returns the first line of the comment at the start of a file, or "".
func firstComment(code []byte) string {
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

// patience limits the time for highlighting a listing. No honest listing needs it, even on a busy machine: only an
// article that attacks us does.
const patience = 30 * time.Second

// newLexers returns chroma's regexp lexers without their time limits.
//
// By default, a match that takes more than a quarter of a second fails, so that the highlighting would depend on the
// load of the machine. Lexers that delegate to others are left out, as the limits of those can't be changed.
func newLexers() *chroma.LexerRegistry {
	registry := chroma.NewLexerRegistry()
	for _, lexer := range lexers.GlobalLexerRegistry.Lexers {
		if known, ok := lexer.(*chroma.RegexLexer); ok {
			// The only possible error is an invalid file name pattern, which chroma has accepted before.
			if patient, err := chroma.NewLexer(known.Config(), func() chroma.Rules { return patientRules(known) }); err == nil {
				registry.Register(patient)
			}
		}
	}
	return registry
}

// patientRules returns a lexer's rules, plus an unreachable state whose rule changes the time limits.
func patientRules(lexer *chroma.RegexLexer) chroma.Rules {
	known, err := lexer.Rules()
	if err != nil {
		return chroma.Rules{} // without a root, Tokenise returns an error
	}
	rules := known.Clone()
	for _, list := range rules {
		for i, rule := range list {
			// The lexer for Go reads raw strings with a delegating lexer, for templates.
			if lexer.Config().Name == "Go" && strings.HasPrefix(rule.Pattern, "(`)") {
				list[i].Type = chroma.LiteralString
			}
		}
	}
	rules["patience"] = []chroma.Rule{{Mutator: patient{}}}
	return rules
}

// patient is a rule that chroma lets change a lexer's compiled rules.
type patient struct{}

func (patient) Mutate(*chroma.LexerState) error { return nil }

func (patient) MutateLexer(rules chroma.CompiledRules, state string, rule int) error {
	rules[state] = slices.Delete(rules[state], rule, rule+1)
	for _, list := range rules {
		for _, r := range list {
			r.Regexp.MatchTimeout = 2 * patience // never reached: tokenize fails before
		}
	}
	return nil
}

// highlight marks keywords, strings, comments and keys with short elements, which the style sheet colours in listings.
// Code in an unknown language, or that its lexer can't read, stays plain.
//
// It fails if that takes too long, as a partial result would not be reproducible.
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
	// Some lexers panic at unexpected text, but do so each time.
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
		// In {a: 1, b: 2}, the YAML lexer takes "1, b" for a key.
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

// alike joins adjacent elements.
var alike = strings.NewReplacer("</u><u>", "", "</b> <b>", " ")

// codeEscapes escapes the content of elements, but not quotes: code is full of them, and only attributes need that.
var codeEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\x00", "\ufffd")

// Code returns text as the content of an element.
func Code(text string) template.HTML { return template.HTML(codeEscapes.Replace(text)) }

// tokenElement returns the element for a token; "" for plain text.
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
