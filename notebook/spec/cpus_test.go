package spec

import (
	"strings"
	"testing"

	"benchbook/internal/test/assert"
)

func TestParseCPUSet(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []int
		ok         bool
	}{
		{"one", "3", []int{3}, true},
		{"ranges", "0-2, 5", []int{0, 1, 2, 5}, true},
		{"empty", "", nil, false},
		{"backwards", "2-1", nil, false},
		{"negative", "-1", nil, false},
		{"more than there are", "0-5000", nil, false},
		{"the same again and again", strings.Repeat("0-4096,", 1000) + "0", nil, false},
	} {
		got, ok := ParseCPUSet(tt.text)
		assert.Equal(t, ok, tt.ok, "%s", tt.name)
		assert.Equal(t, CPUSet(got), CPUSet(tt.want), "%s", tt.name)
	}
}
