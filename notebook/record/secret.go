package record

import (
	"regexp"
	"slices"
	"strings"
)

var (
	nameWord = regexp.MustCompile(`[A-Za-z0-9]+`)
	camel    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	// Words that make a name secret, whatever stands around them in the same word.
	secretWord = regexp.MustCompile(`passw|passphrase|passcode|secret|credential|jwt|sessionid|sessid|webhook|` +
		`(?:api|access|account|app|auth|encryption|gpg|license|master|private|session|shared|signing|ssh)keys?$`)
	secretEnd = regexp.MustCompile(`(?:pass|pwd|token|auth)$`)
)

// secretParts are those that every secret name has one of, so that all others are told from it without looking at their
// words.
var secretParts = []string{"pass", "secret", "cred", "key", "jwt", "pwd", "token", "auth", "bearer", "cookie",
	"private", "signature", "pat", "sas", "dsn", "conn", "sess", "webhook", "sig"}

// Words that make a name secret if they are a word of it.
var secretWords = []string{"authorization", "bearer", "cookie", "cred", "creds", "private", "signature"}

// Last words of secret names: GITHUB_PAT is a personal access token, SAS a shared access signature, and a DSN holds a
// password.
var secretLast = []string{"pat", "sas", "dsn", "session"}

// Two words that make a name secret.
var secretPairs = [][2][]string{
	{{"conn", "connection"}, {"str", "string", "strings"}},
	{{"session"}, {"id"}},
	{{"sas"}, {"url", "uri"}},
	{{"access", "auth", "bearer", "refresh"}, {"tokens"}},
	{{"access", "api", "auth", "encryption", "private", "secret", "signing"}, {"keys"}},
}

// Words that end like secret ones, and are not.
var harmlessWords = []string{"bypass", "compass", "surpass", "overpass", "underpass", "trespass", "oldpwd"}

// Words before "key" that make something else of it than a secret.
var harmlessKeys = []string{"public", "primary", "foreign", "sort", "partition", "cache", "routing", "row", "group",
	"map", "index", "unique", "idempotency", "socket", "surrogate", "by", "per"}

// Last words of names that say something about a secret and do not hold it: POSTGRES_HOST_AUTH_METHOD, PASSWORD_FILE.
var aboutSecrets = []string{"method", "mode", "type", "kind", "algorithm", "alg", "file", "path", "dir", "count",
	"length", "len", "size", "limit", "ttl", "timeout", "expiry", "expires", "enabled", "disabled", "required", "prefix",
	"format", "version", "policy", "provider", "host", "port", "user", "username", "name"}

// First words of options that turn off what is named after them: --no-password has no value.
var withoutSecrets = []string{"no", "without", "disable", "skip"}

// ambiguous are names that look secret and are ordinary words as well, in lower case.
var ambiguous = map[string]bool{"auth": true, "pass": true, "token": true, "private": true, "cookie": true,
	"signature": true, "bearer": true,
	"cred": true, "creds": true, "pat": true, "sas": true, "dsn": true, "session": true, "sig": true}

// LooksSecret says whether a variable, build argument, header, parameter or option of this name holds a secret, judged
// by the words of the name: DB_PASS, api-key, X-Auth-Token and dbPassword do, POSTGRES_HOST_AUTH_METHOD, MAX_TOKENS and
// SORT_KEY do not. "-" and "_" and capitals mean the same.
func LooksSecret(name string) bool {
	if name == "PWD" {
		return false // the working directory, to a shell
	}
	if !hasSecretPart(name) {
		return false
	}
	words := nameWord.FindAllString(strings.ToLower(camel.ReplaceAllString(name, "$1-$2")), -1)
	if len(words) == 0 || len(words) > 1 && (slices.Contains(aboutSecrets, words[len(words)-1]) ||
		slices.Contains(withoutSecrets, words[0])) {
		return false
	}
	for i := range words {
		if isSecretWord(words, i) {
			return true
		}
	}
	return false
}

func hasSecretPart(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(lower, part) })
}

// isSecretWord says whether the word at i, with the one before it, is one of a secret.
func isSecretWord(words []string, i int) bool {
	w, before := words[i], ""
	if i > 0 {
		before = words[i-1]
	}
	isPair := func(pair [2][]string) bool { return slices.Contains(pair[0], before) && slices.Contains(pair[1], w) }
	switch {
	case i > 0 && slices.ContainsFunc(secretPairs, isPair):
		return true
	case slices.Contains(harmlessWords, w):
		return false
	case slices.Contains(secretWords, w), secretWord.MatchString(w), secretEnd.MatchString(w):
		return true
	case i == len(words)-1 && slices.Contains(secretLast, w), len(words) == 1 && w == "sig":
		return true
	}
	return w == "key" && i > 0 && !slices.Contains(harmlessKeys, before)
}

var optionWord = regexp.MustCompile(`^--?([A-Za-z][A-Za-z0-9_-]*)$`)

// SecretOption is the name of an option of a command if the word after it is secret: password for --password. Else it
// is empty.
func SecretOption(word string) string {
	if !strings.HasPrefix(word, "-") {
		return ""
	}
	if m := optionWord.FindStringSubmatch(word); m != nil && LooksSecret(m[1]) {
		return m[1]
	}
	return ""
}
