package cli

import (
	"errors"
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

// Of two errors the one that says more decides the status.
func TestPrecedenceOfStatuses(t *testing.T) {
	order := []int{lab.StatusUsage, lab.StatusInterrupted, lab.StatusFailed, lab.StatusGate}
	for i, want := range order {
		for _, other := range order[i:] {
			a, b := lab.WithStatus(want, errors.New("a")), lab.WithStatus(other, errors.New("b"))
			for _, got := range []error{lab.Worse(a, b), lab.Worse(b, a), lab.Worse(nil, a), lab.Worse(a, nil)} {
				if s, ok := errors.AsType[*lab.StatusError](got); !ok || s.Status != want {
					t.Errorf("of %d and %d it is %v", want, other, got)
				}
			}
		}
	}
}
