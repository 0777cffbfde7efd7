package results

import (
	"strings"
	"testing"

	"benchbook/notebook/record"
)

// Of a load by several generators each has a row.
func TestRowsOfSeveralGenerators(t *testing.T) {
	var names []string
	for _, row := range loadRows(&record.Load{Generators: []record.Generator{{Attempted: 50, Busy: 0.25},
		{After: 0.0001, Attempted: 1, Busy: -1}}}) {
		if strings.HasPrefix(row[0], "generator ") {
			names = append(names, row[0]+": "+strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(row[1]))
		}
	}
	for _, row := range loadRows(&record.Load{Generators: []record.Generator{{Busy: -1, Host: "load", Uncertain: 0.0002},
		{Busy: -1, Host: "load-2", Uncertain: 0.0002}}}) {
		if row[0] == "generator 2 of 2" && (!strings.HasPrefix(row[1], "on load-2: ") ||
			!strings.Contains(row[1], "its clock known to ± 200")) {
			t.Errorf("on several nodes the row is %q", row)
		}
	}
	if len(names) != 2 || !strings.HasPrefix(names[0], "generator 1 of 2: 50 requests, begun 0") ||
		!strings.Contains(names[0], "25 %") ||
		!strings.HasPrefix(names[1], "generator 2 of 2: 1 request, begun 100 µs after the first") ||
		!strings.HasSuffix(names[1], "busiest thread unknown") {
		t.Errorf("rows %q", names)
	}
}
