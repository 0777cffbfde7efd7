package record

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Redacted stands where a secret stood.
const Redacted = "[redacted]"

// leastSecret is how long a secret has to be, in bytes, to be looked for outside the place where it is set. Shorter
// ones are words such as "trust" or "root", and taking those out of everything would destroy what a record says.
const leastSecret = 8

// leastRest is how many bytes of a secret are looked for where a text was cut.
const leastRest = 4

// A Redactor takes secrets out of what is kept or shown: the values of variables, build arguments and headers whose
// names look secret, the same values wherever else they appear, and what looks like a secret by what stands around it:
// tokens of a Bearer, passwords in URLs, parameters of a query, options of a command.
//
// The zero value knows no values, and finds secrets by what stands around them.
type Redactor struct {
	secrets []string        // longest first, so that one that begins another leaves no rest
	names   map[string]bool // of services, images and files, in lower case
	hosts   *regexp.Regexp  // whose names are not kept; nil for none
	// those that look like any word, where they can be nothing but hosts, between what stands around them; nil for none
	bare *regexp.Regexp
}

// NewRedactor returns a Redactor that knows the secrets in definitions of trials. What is no JSON has none.
func NewRedactor(definitions ...json.RawMessage) *Redactor {
	r := &Redactor{}
	var values []any
	for _, d := range definitions {
		if v, err := decode(d); err == nil {
			r.learnNames(v)
			values = append(values, v)
		}
	}
	for _, v := range values {
		r.walk(v)
	}
	return r
}

// Clone returns a Redactor of its own, so that what it learns is known to it alone.
func (r *Redactor) Clone() *Redactor {
	out := *r
	out.secrets = slices.Clone(r.secrets)
	return &out
}

func decode(data json.RawMessage) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // times are in nanoseconds, which float64 rounds
	err = d.Decode(&v)
	return v, err
}

// learnNames remembers the names of services, images and files, which are no secrets also if somebody made a password
// of one.
func (r *Redactor) learnNames(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			r.learnNames(item)
		}
	case map[string]any:
		for k, item := range v {
			if s, ok := item.(string); ok && slices.Contains([]string{"name", "path", "working_dir", "dockerfile", "hostname"},
				k) {
				if r.names == nil {
					r.names = map[string]bool{}
				}
				for _, part := range strings.FieldsFunc(strings.ToLower(s), func(c rune) bool {
					return !unicode.IsLetter(c) && !unicode.IsDigit(c)
				}) {
					r.names[part] = true
				}
			}
			r.learnNames(item)
		}
	}
}

// Learn remembers a value if its name looks secret, to find it elsewhere. It is not looked for if it is shorter than
// eight bytes, or a plain word that is also the name of a service, of an image or of a part of a path.
func (r *Redactor) Learn(name, value string) {
	if !LooksSecret(name) || len(value) < leastSecret || strings.Contains(value, Redacted) ||
		strings.HasPrefix(value, "${{") {
		return
	}
	r.learn(value)
	r.sort()
}

// LearnSecrets remembers the values of secrets, however long they are, to find them and their longer lines everywhere.
func (r *Redactor) LearnSecrets(values []string) {
	for _, value := range values {
		value = strings.TrimSpace(value)
		if value == "" {
			continue
		}
		r.learn(value)
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= leastSecret {
				r.learn(line)
			}
		}
	}
	r.sort()
}

// learn remembers a value as programs write it.
func (r *Redactor) learn(value string) {
	plain := !strings.ContainsFunc(value, func(c rune) bool { return c < 'a' || c > 'z' })
	if plain && r.names[value] {
		return
	}
	quoted := strconv.Quote(value)
	r.secrets = append(r.secrets, value, url.QueryEscape(value), url.PathEscape(value), quoted[1:len(quoted)-1])
}

func (r *Redactor) sort() {
	slices.SortFunc(r.secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	r.secrets = slices.Compact(r.secrets)
}

var (
	privateKey = regexp.MustCompile(`(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*(?:(-----END [A-Z ]*PRIVATE KEY-----)|$)`)
	// A password may hold an @, and a long user of HTTP alone is a token.
	urlSecret = regexp.MustCompile(`(://[^\s:/@"']*:)[^\s/?#"']+(@)`)
	urlToken  = regexp.MustCompile(`(?i)(https?://)[^\s:/?#@"']{16,}(@)`)
	// What GitHub, GitLab, npm, Slack, Stripe and PyPI make tokens of.
	token = regexp.MustCompile(`\b(?:gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|` +
		`xox[abeoprs]-[A-Za-z0-9-]{10,}|[rs]k_live_[A-Za-z0-9]{16,}|pypi-[A-Za-z0-9_-]{50,})`)
	// The whole of these headers is secret, to the end of the line or of the quotes they stand in.
	header = regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?[ \t]*:[ \t]*)("[^"]*"|'[^']*'|[^"'\r\n]+)`)
	bearer = regexp.MustCompile(`(?i)\b(bearer[ \t]+)[A-Za-z0-9._~+/=-]{8,}`)
	// A name with a value: a parameter of a query, an option, an assignment, a header, a key of JSON or YAML.
	assignment = regexp.MustCompile(
		`([-?&]*)([A-Za-z][A-Za-z0-9_.-]*)(["']?)([ \t]*[=:][ \t]*)("[^"]*"|'[^']*'|[^\s"'&;]+)`)
	// A template of an article or a variable of a shell, where something else is put; or what turns something on or off.
	reference = regexp.MustCompile(`^["']?(?:\$\{\{|\$\w+["']?$|\$\{\w+\}["']?$)|^(?i:true|false|none|null)[),;\]}]*$`)
	// An option whose value is the next word.
	option = regexp.MustCompile(`(^|[\s"'])(--?)([A-Za-z][A-Za-z0-9_-]*)([ \t]+)("[^"]*"|'[^']*'|[^\s"'-][^\s"']*)`)
)

// Text is s without secrets.
func (r *Redactor) Text(s string) string {
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, Redacted)
	}
	s = r.withoutRests(s)
	if r.hosts != nil {
		s = r.hosts.ReplaceAllString(s, Redacted)
	}
	if r.bare != nil {
		s = r.bare.ReplaceAllString(s, "${1}"+Redacted+"${2}")
	}
	// Most texts have nothing that such a pattern needs, and to find that out by the pattern takes much longer.
	if strings.Contains(s, "PRIVATE KEY") {
		s = privateKey.ReplaceAllString(s, "${1}"+Redacted+"${2}")
	}
	if strings.Contains(s, "://") && strings.Contains(s, "@") {
		s = urlSecret.ReplaceAllString(s, "${1}"+Redacted+"${2}")
		s = urlToken.ReplaceAllString(s, "${1}"+Redacted+"${2}")
	}
	if strings.ContainsAny(s, "_-") {
		s = token.ReplaceAllString(s, Redacted)
	}
	blank, lower := strings.ContainsAny(s, " \t"), strings.ToLower(s)
	if strings.Contains(lower, "authorization") || strings.Contains(lower, "cookie") {
		s = header.ReplaceAllString(s, "${1}${2}"+Redacted)
	}
	if strings.Contains(lower, "bearer") {
		s = bearer.ReplaceAllString(s, "${1}"+Redacted)
	}
	s = assignments(s)
	if !blank || !strings.Contains(s, "-") {
		return s
	}
	return option.ReplaceAllStringFunc(s, func(match string) string {
		m := option.FindStringSubmatch(match)
		if !LooksSecret(m[3]) || reference.MatchString(m[5]) {
			return match
		}
		return m[1] + m[2] + m[3] + m[4] + Redacted
	})
}

// cut marks where a text was cut; a character that was cut as well is before it.
var cut = regexp.MustCompile(`(?:\\x[0-9a-f]{2})*(?:\.\.\.|…)`)

// withoutRests takes out what is left of secrets at the places where a text was cut.
func (r *Redactor) withoutRests(s string) string {
	if len(r.secrets) == 0 {
		return s
	}
	for _, at := range slices.Backward(cut.FindAllStringIndex(s, -1)) {
		before, after, begins, ends := s[:at[0]], s[at[1]:], 0, 0 // bytes of secrets at both sides
		for _, secret := range r.secrets {
			for n := leastRest; n < min(len(secret), len(s)); n++ {
				if strings.HasSuffix(before, secret[:n]) {
					begins = max(begins, n)
				}
				if strings.HasPrefix(after, secret[len(secret)-n:]) {
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

// assignments redacts the values of names that look secret. Words that mean something else as well count only where
// they can be nothing but a name: with others ("auth_token"), in quotes, as an option or in a query.
func assignments(s string) string {
	if !assignsSecret(s) {
		return s
	}
	return assignment.ReplaceAllStringFunc(s, func(match string) string {
		m := assignment.FindStringSubmatch(match)
		mark, name, quote, sign, value := m[1], m[2], m[3], m[4], m[5]
		clear := mark != "" || quote != "" || !ambiguous[strings.ToLower(name)] || strings.TrimSpace(sign) == "=" &&
			strings.EqualFold(name, "token")
		if LooksSecret(name) && clear && !reference.MatchString(value) {
			return mark + name + quote + sign + Redacted
		}
		return mark + name + quote + sign + assignments(value) // http://s/?token=x is a value of "http"
	})
}

// assignsSecret says whether some name with a value has a part of a secret name. It is faster than assignment.
func assignsSecret(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '=' && s[i] != ':' {
			continue
		}
		before := strings.TrimRight(s[:i], " \t")
		if n := len(before); n > 0 && (before[n-1] == '"' || before[n-1] == '\'') {
			before = before[:n-1]
		}
		start := len(before)
		for start > 0 && isNameByte(before[start-1]) {
			start--
		}
		if hasSecretPart(before[start:]) {
			return true
		}
	}
	return false
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

// Parameters are parameters without those that are secret. Their names have to say so plainly: an article about ways to
// authenticate may well compare an "auth" with another.
func (r *Redactor) Parameters(list []Parameter) []Parameter {
	out := slices.Clone(list)
	for i, p := range out {
		if LooksSecret(p.Name) && !ambiguous[strings.ToLower(p.Name)] {
			out[i].Value = Redacted
		} else {
			out[i].Value = r.Text(p.Value)
		}
	}
	return out
}

// Definition is a trial's definition without secrets. It stays JSON.
func (r *Redactor) Definition(data json.RawMessage) json.RawMessage {
	v, err := decode(data)
	if err != nil {
		return data
	}
	out, err := json.Marshal(r.walk(v))
	if err != nil {
		return data
	}
	return out
}

// Shown is Definition, but a definition without secrets stays as it is, with its keys in their order.
func (r *Redactor) Shown(data json.RawMessage) json.RawMessage {
	v, err := decode(data)
	if err != nil {
		return data
	}
	whole, err := json.Marshal(v)
	if without := r.Definition(data); err == nil && !bytes.Equal(whole, without) {
		return without
	}
	return data
}

// Inputs are inputs of which that of the definition tells nothing about its secrets: the digest of a whole definition
// would let a weak password be guessed and tried, so it is taken without them.
func (r *Redactor) Inputs(list []Input, definition json.RawMessage) []Input {
	without := r.Shown(definition)
	if bytes.Equal(definition, without) {
		return list
	}
	out := slices.Clone(list)
	for i := range out {
		if out[i].Name == "definition" {
			sum := sha256.Sum256(without)
			out[i].Digest = hex.EncodeToString(sum[:])
		}
	}
	return out
}

// walk redacts JSON in place, and learns the secrets on its way.
func (r *Redactor) walk(v any) any {
	switch v := v.(type) {
	case string:
		return r.Text(v)
	case []any:
		option := ""
		for i, item := range v {
			word, _ := item.(string)
			if option != "" && !strings.HasPrefix(word, "-") {
				v[i] = r.under(option, item)
			} else {
				v[i] = r.walk(item)
			}
			option = SecretOption(word)
		}
	case map[string]any:
		for k, item := range v {
			list, isList := item.([]any)
			places, isMap := item.(map[string]any)
			switch {
			case k == "extract" && isMap: // a token is somewhere in an answer, and not here
				for name, where := range places {
					places[name] = r.walk(where)
				}
			case k == "environment" && isList:
				for i, item := range list {
					list[i] = r.variable(item)
				}
			default:
				v[k] = r.under(k, item)
			}
		}
	}
	return v
}

// under redacts what stands under a key.
func (r *Redactor) under(key string, v any) any {
	if value, ok := v.(string); ok && LooksSecret(key) {
		r.Learn(key, value)
		return hidden(value)
	}
	return r.walk(v)
}

// variable redacts NAME=value.
func (r *Redactor) variable(v any) any {
	s, ok := v.(string)
	if !ok {
		return r.walk(v)
	}
	name, value, found := strings.Cut(s, "=")
	if !found {
		return r.Text(s)
	}
	value, _ = r.under(name, value).(string)
	return name + "=" + value
}

// hidden is a secret value as it is shown; that there is none is no secret.
func hidden(value string) string {
	if value == "" {
		return ""
	}
	return Redacted
}

// Hide also takes names of hosts out of texts, however they are written. Those without a dot may be words: they are
// taken out of URLs, and where a program says that it looks for a host or cannot reach it, unless a service or an image
// has that name.
func (r *Redactor) Hide(hosts []string) {
	var dotted, bare []string
	for _, host := range hosts {
		switch quoted := regexp.QuoteMeta(host); {
		case strings.Contains(host, "."):
			dotted = append(dotted, quoted)
		case !r.isName(host):
			bare = append(bare, quoted)
		}
	}
	if len(dotted) > 0 {
		r.hosts = regexp.MustCompile(`(?i)\b(?:` + strings.Join(dotted, "|") + `)\b`)
	}
	if len(bare) > 0 {
		r.bare = regexp.MustCompile(`(?i)(://(?:[^\s/@"']*@)?|\b(?:resolv(?:e|ing)|lookup|connect(?:ing)? to|host|proxy|ENOTFOUND)\b[:=\s'"]+)(?:` +
			strings.Join(bare, "|") + `)(\.?(?:[^\w.-]|$))`)
	}
}

// isName reports whether all parts of a word are those of names of services, images or files.
func (r *Redactor) isName(word string) bool {
	for part := range strings.SplitSeq(strings.ToLower(word), "-") {
		if !r.names[part] {
			return false
		}
	}
	return true
}

// Redact takes the secrets out of a record that is about to be saved, and the names of hosts and the values of more
// secrets out of whatever programs wrote.
func (r *Record) Redact(hosts, secrets []string) {
	redact := NewRedactor(r.Definition)
	r.Inputs, r.Definition = redact.Inputs(r.Inputs, r.Definition), redact.Definition(r.Definition)
	r.Parameters, r.Labels = redact.Parameters(r.Parameters), redact.Parameters(r.Labels)
	redact.Hide(hosts) // from here on: what the author wrote is public
	redact.LearnSecrets(secrets)
	if line, ok := r.Facts["tool.line"]; ok {
		r.Facts["tool.line"] = redact.Text(line)
	}
	if r.Load != nil {
		r.Load.Driver = redact.Text(r.Load.Driver)
	}
	for name, why := range r.Missing {
		r.Missing[name] = redact.Text(why)
	}
	r.Failure, r.Log, r.Output = redact.Text(r.Failure), redact.Text(r.Log), redact.Text(r.Output)
	if r.Search != nil {
		r.Search.Reason = redact.Text(r.Search.Reason)
		for i := range r.Search.Probes {
			p := &r.Search.Probes[i]
			p.Invalid, p.Failure, p.Disturbed = redact.Text(p.Invalid), redact.Text(p.Failure), redact.Text(p.Disturbed)
		}
	}
}
