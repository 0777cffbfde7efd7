package docker

import (
	"bytes"
	"testing"
)

func TestLastLines(t *testing.T) {
	tests := []struct{ output, want string }{
		{"", "    "},
		{"a\n", "    a"},
		{"a\nb\nc\n\n", "    b\n    c"},
	}
	for _, tt := range tests {
		if got := lastLines([]byte(tt.output), 2); got != tt.want {
			t.Errorf("lastLines(%q, 2) = %q, want %q", tt.output, got, tt.want)
		}
	}
}

func TestStepsPassOnInstructionsOnly(t *testing.T) {
	var log bytes.Buffer
	for _, message := range []string{"Step 1/2 : FROM debian", "\n", " ---> 5fd00f29a\n", "Step 2/2 : RUN make\n",
		"make: nothing to do\n", "#4 [last 1/2] FROM debian\n#4 DONE 0.1s\n\n#5 [2/2] RUN x\n#5 0.1 [1/2] x\n"} {
		if n, err := (steps{&log}).Write([]byte(message)); n != len(message) || err != nil {
			t.Fatalf("%q: %d, %v", message, n, err)
		}
	}
	const want = "Step 1/2 : FROM debian\nStep 2/2 : RUN make\n#4 [last 1/2] FROM debian\n#5 [2/2] RUN x\n"
	if got := log.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
