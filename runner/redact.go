package runner

import "regexp"

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	urlHost = regexp.MustCompile(`(https?://)[^\s/"']+`)
)

// BuildOutput is the output of an image build as it may be shown: without the names of package mirrors, and without the
// sequences that colour a terminal.
func BuildOutput(s string) string {
	return escapes.ReplaceAllString(urlHost.ReplaceAllString(s, "${1}…"), "")
}
