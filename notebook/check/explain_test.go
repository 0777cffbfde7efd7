package check

import (
	"slices"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	rules := Rules()
	if len(rules) < 100 || !slices.Contains(rules, "unknown-key") {
		t.Fatalf("%d rules", len(rules))
	}
	for _, rule := range rules {
		text, ok := Explain(rule)
		if !ok || len(text) < 40 || strings.Contains(text, ".md)") {
			t.Errorf("%s: %v\n%s", rule, ok, text)
		}
	}
	if text, ok := Explain("unknown"); ok {
		t.Errorf("a rule that is none has %q", text)
	}
}
