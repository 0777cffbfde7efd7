package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
)

func TestStatusesAreDocumented(t *testing.T) {
	manual := read(t, filepath.Join("..", "..", "docs", "command.md"))
	for _, s := range lab.Statuses {
		words, _, _ := strings.Cut(s.Meaning, " (")
		if row := fmt.Sprintf("\n| %d | %s", s.Status, words); !strings.Contains(manual, row) {
			t.Errorf("the manual has no row %q", row)
		}
	}
}
