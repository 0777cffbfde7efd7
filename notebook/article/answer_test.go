package article

import (
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	const head, claim = "---\ntitle: T\n---\n\n", "\n```yaml claim\n{name: c, expect: 'throughput{a=\"1\"} > 5/s'}\n```\n"
	for _, tt := range []struct {
		name, text string
		blocks     int      // of the answer
		want       []string // rule: part of the message
	}{
		{"none", "Text.\n", 0, nil},
		{"paragraphs and a list", "::: answer\nOne.\n\n- Two.\n:::\n\nText.\n", 2, nil},
		{"parts", "::: answer\nOne.\n\n::: when c supported\nYes.\n:::\n::: when c else\n:::\n:::\n" + claim, 3, nil},
		{"two", "::: answer\nOne.\n:::\n\n::: answer\nTwo.\n:::\n", 1, []string{"misplaced-block: an answer already"}},
		{"a heading", "::: answer\n## One\n:::\n", 1, []string{"misplaced-block: has a heading"}},
		{"a block", "::: answer\n```yaml table\n{label: tbl-x, rows: [a], columns: [throughput]}\n```\n:::\n", 1,
			[]string{"misplaced-block: a table block cannot be in the answer"}},
		{"in a part", "::: when c supported\n::: answer\nOne.\n:::\n:::\n::: when c else\n:::\n" + claim, 1,
			[]string{"misplaced-block: cannot depend on an outcome"}},
		{"never closed", "::: answer\nOne.\n", 0, []string{"unclosed-fence: never closed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := parseText(t, head+tt.text)
			blocks := 0
			if doc.Answer != nil {
				blocks = doc.Answer.ChildCount()
			}
			if blocks != tt.blocks {
				t.Errorf("the answer has %d blocks, want %d", blocks, tt.blocks)
			}
			var got []string
			for _, p := range doc.Problems.Sorted() {
				if p.Rule == "misplaced-block" || p.Rule == "unclosed-fence" {
					got = append(got, p.Rule+": "+p.Message)
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("problems %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				rule, message, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], rule) || !strings.Contains(got[i], message) {
					t.Errorf("problem %q, want %q", got[i], want)
				}
			}
		})
	}
}
