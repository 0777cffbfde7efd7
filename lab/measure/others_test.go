package measure

import (
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
)

// A server on this machine is named among the programs that used its CPUs, and a remote one is not.
func TestOthers(t *testing.T) {
	for _, tt := range []struct {
		name string
		load *spec.Load
		want string
	}{
		{"a command", nil, "Other programs used the CPUs meanwhile: python3 40 %."},
		{"a server here", &spec.Load{Target: "http://127.0.0.1:8080/"},
			"Other programs, and a server on this machine, used the CPUs meanwhile: python3 40 %."},
		{"a remote server", &spec.Load{Target: "http://api.example/"}, "Other programs used the CPUs meanwhile: python3 40 %."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := othersOf(&dataset.Experiment{Cells: []*dataset.Cell{{Trial: &plan.Trial{Load: tt.load},
				Records: []*record.Record{{Facts: map[string]string{record.FactOthers: "python3 40 %"}}}}}})
			if len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
