package record

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Redacted replaces a secret.
const Redacted = "[redacted]"

// LeastSecret is the shortest value in bytes that a Redactor removes: shorter ones occur in too many words.
const LeastSecret = 4

// leastLine is the shortest line in bytes that is also removed by itself from a longer value.
const leastLine = 8

// A Redactor removes values from texts: plain, escaped for JSON or a URL, and in base64, also within a longer text.
//
// Source: docs/records.md#secrets.
type Redactor struct {
	forms    []string // longest first
	replacer *strings.Replacer
}

// NewRedactor returns a Redactor of values and of their longer lines.
func NewRedactor(values ...string) *Redactor {
	r := &Redactor{}
	for _, value := range values {
		value = strings.TrimSpace(value)
		if len(value) < LeastSecret {
			continue
		}
		r.forms = append(r.forms, formsOf(value)...)
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= leastLine {
				r.forms = append(r.forms, formsOf(line)...)
			}
		}
	}
	slices.SortFunc(r.forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	r.forms = slices.Compact(r.forms)
	var pairs []string
	for _, form := range r.forms {
		pairs = append(pairs, form, Redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
	return r
}

// formsOf returns the ways in which programs write a value.
func formsOf(value string) []string {
	unquoted := func(s string) string { return s[1 : len(s)-1] }
	quoted, _ := json.Marshal(value) // a string has no error
	out := []string{value, url.QueryEscape(value), url.PathEscape(value), unquoted(strconv.Quote(value)),
		unquoted(strconv.QuoteToASCII(value)), unquoted(string(quoted))}
	encodings := []string{base64.StdEncoding.EncodeToString([]byte(value)),
		base64.RawStdEncoding.EncodeToString([]byte(value))}
	for before := range 3 {
		encodings = append(encodings, base64Within(value, before))
	}
	for _, text := range encodings {
		out = append(out, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return out
}

// base64Within returns the base64 characters that depend on value alone, if before bytes of a group of three precede it
// in a longer text.
func base64Within(value string, before int) string {
	text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + value))
	const bits = 6 // per character
	return text[(before*8+bits-1)/bits : (before+len(value))*8/bits]
}

// Text returns s without the values.
func (r *Redactor) Text(s string) string { return r.withoutRests(r.replacer.Replace(s)) }

// cut matches where a text was cut, with the remaining bytes of a cut character.
var cut = regexp.MustCompile(`(?:\\x[0-9a-f]{2})*(?:\.\.\.|…)`)

// withoutRests removes the beginnings and ends of values next to where a text was cut.
func (r *Redactor) withoutRests(s string) string {
	for _, at := range slices.Backward(cut.FindAllStringIndex(s, -1)) {
		before, after, begins, ends := s[:at[0]], s[at[1]:], 0, 0 // bytes of values on both sides
		for _, form := range r.forms {
			for n := LeastSecret; n < min(len(form), len(s)); n++ {
				if strings.HasSuffix(before, form[:n]) {
					begins = max(begins, n)
				}
				if strings.HasPrefix(after, form[len(form)-n:]) {
					ends = max(ends, n)
				}
			}
		}
		if begins > 0 {
			before = before[:len(before)-begins] + Redacted
		}
		if ends > 0 {
			after = Redacted + after[ends:]
		}
		s = before + s[at[0]:at[1]] + after
	}
	return s
}

// jsonString matches a JSON string, with the colon after a key.
var jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"\s*:?`)

// JSON returns data without the values in its strings. Keys and their order stay.
func (r *Redactor) JSON(data json.RawMessage) json.RawMessage {
	if len(r.forms) == 0 {
		return data
	}
	return jsonString.ReplaceAllFunc(data, func(quoted []byte) []byte {
		var text string
		if bytes.HasSuffix(quoted, []byte(":")) || json.Unmarshal(quoted, &text) != nil {
			return quoted
		}
		without := r.Text(text)
		out, err := json.Marshal(without)
		if err != nil || without == text {
			return quoted
		}
		return out
	})
}

// Redact removes values and this machine's folders from all that programs wrote, and from facts. Definitions hold no
// such values.
func (r *Record) Redact(values []string) {
	redact := NewRedactor(values...)
	text := func(s string) string { return withoutFolders(redact.Text(s)) }
	for name, fact := range r.Facts {
		if !strings.HasPrefix(name, "host.") {
			r.Facts[name] = text(fact)
		}
	}
	if r.Load != nil {
		r.Load.Driver = text(r.Load.Driver)
	}
	for name, why := range r.Missing {
		r.Missing[name] = text(why)
	}
	r.Failure, r.Log, r.Output = text(r.Failure), text(r.Log), text(r.Output)
	if r.Search != nil {
		r.Search.Reason = text(r.Search.Reason)
		for i := range r.Search.Probes {
			p := &r.Search.Probes[i]
			p.Invalid, p.Failure, p.Disturbed = text(p.Invalid), text(p.Failure), text(p.Disturbed)
		}
	}
}

// commonFolders are the same on many machines and in containers.
var commonFolders = []string{"", "/", "/root", "/tmp", "/var/tmp"}

// withoutFolders replaces the home folder by ~ and the temporary one by $TMPDIR.
func withoutFolders(s string) string {
	home, _ := os.UserHomeDir() // empty if it is not known
	for _, of := range [][2]string{{strings.TrimRight(os.TempDir(), "/"), "$TMPDIR"}, {home, "~"}} {
		if folder := of[0]; !slices.Contains(commonFolders, folder) && strings.Contains(s, folder) {
			s = regexp.MustCompile(regexp.QuoteMeta(folder)+`\b`).ReplaceAllLiteralString(s, of[1])
		}
	}
	return s
}
