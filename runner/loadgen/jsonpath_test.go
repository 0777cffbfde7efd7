package loadgen

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestLookUpJSON(t *testing.T) {
	const text = `{"ok": true, "id": 12345678901234567, "n": null, "items": [{"price": 5.0, "name": "x.y"}], "a.b": 1}`
	tests := []struct{ path, want, err string }{
		{"ok", "true", ""},
		{"id", "12345678901234567", ""},
		{"n", "null", ""},
		{"items.0.price", "5.0", ""},
		{"items.0.name", "x.y", ""},
		{"items.1", "", `there is no "1" in a list of 1`},
		{"items.-1", "", `there is no "-1" in a list of 1`},
		{"items.0.size", "", `there is no "size"`},
		{"items.0", "", "it is not a single value"},
		{"ok.x", "", `there is no "x" in a single value`},
		{"a.b", "", `there is no "a"`},
		{"", "", `there is no ""`},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			var doc any
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			if err := d.Decode(&doc); err != nil {
				t.Fatal(err)
			}
			got, err := LookUpJSON(doc, tt.path)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Errorf("got %q, %v; want %q, %s", got, err, tt.want, tt.err)
			}
		})
	}
}
