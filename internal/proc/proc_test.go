package proc

import (
	"os"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const rest = " S 12 1 1 0 -1 4194560 1 2 3 4 150 25 7 8 20 0 1 0 98765 1 2 3\n"
	for _, tt := range []struct {
		name, text string
		want       Process // zero for an error
	}{
		{"a process", "34 (sh)" + rest, Process{PID: 34, Parent: 12, Name: "sh", State: 'S', Start: "98765", User: 1500 * time.Millisecond,
			System: 250 * time.Millisecond, ChildUser: 70 * time.Millisecond, ChildSystem: 80 * time.Millisecond}},
		{"parentheses in its name", "34 (a) (b) c)" + rest, Process{PID: 34, Parent: 12, Name: "a) (b) c", State: 'S', Start: "98765",
			User: 1500 * time.Millisecond, System: 250 * time.Millisecond, ChildUser: 70 * time.Millisecond,
			ChildSystem: 80 * time.Millisecond}},
		{"cut off", "34 (sh) S 12 1 1", Process{}},
		{"no name", "34 sh" + rest, Process{}},
		{"no number", "x (sh)" + rest, Process{}},
		{"nothing", "", Process{}},
	} {
		got, err := Parse([]byte(tt.text))
		if (err != nil) != (tt.want == Process{}) || err == nil && got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Skip("there is no /proc")
	}
	if got, err := Parse(own); err != nil || got.PID != os.Getpid() || got.Parent != os.Getppid() {
		t.Errorf("of this process: got %+v, %v", got, err)
	}
}
