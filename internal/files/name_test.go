package files_test

import (
	"strings"
	"testing"

	"benchbook/internal/files"
)

func TestIsName(t *testing.T) {
	for _, good := range []string{"full", "2x", "ci-fast", "c2-39de7f", "größe", "実験", "a b", "v1.2", "_x",
		strings.Repeat("x", files.MaxName)} {
		if !files.IsName(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", ".", "..", "../evil", "ci/fast", `ci\fast`, "/etc", ".hidden", "-rf", "a\x00b",
		"a\nb", "a\x1bb", "a\u202eb", "a\u200bb",
		"a\u00a0b", "a ", "a.", "\xff", "C:", "a#b", strings.Repeat("x", files.MaxName+1)} {
		if files.IsName(bad) {
			t.Errorf("%q is a name", bad)
		}
	}
}
