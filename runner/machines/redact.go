package machines

import (
	"os"
	"regexp"
	"strings"
	"unicode"

	"benchbook/notebook/record"
	"benchbook/runner/sysinfo"
)

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	urlHost = regexp.MustCompile(`(https?://)[^\s/"']+`)
)

// BuildOutput is the output of an image build as it may be shown: without the names of package mirrors, wherever
// programs say them, and without the sequences that colour a terminal.
func BuildOutput(s string) string {
	redact := record.NewRedactor(sysinfo.MirrorsOf(os.DirFS("/"), os.Environ())...)
	return redact.Text(Plain(urlHost.ReplaceAllString(s, "${1}…")))
}

// Plain is what a program wrote without the sequences that colour a terminal, or do worse to it.
func Plain(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return -1
		}
		return c
	}, escapes.ReplaceAllString(s, ""))
}
