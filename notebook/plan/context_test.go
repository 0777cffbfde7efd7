package plan

import (
	"testing"
)

func TestInlineDockerfile(t *testing.T) {
	source := text(block("name: e\nservices:\n  s:\n    build:\n      dockerfile_inline: |\n        FROM debian\n        RUN false\nload: {target: http://s/}\n"))
	b := mustPlan(t, source, Options{}, map[string]string{"app.py": "x"}).Trials[0].Services[0].Image.Build
	if len(b.Files) != 2 || string(b.Files[0].Data) != "FROM debian\nRUN false\n" || b.Dockerfile != b.Files[0].Path {
		t.Errorf("the build is %+v", b)
	}
	at := b.At(2)
	if got := string(at.Source.Data[at.Start:at.End]); got != "RUN false" {
		t.Errorf("its second line is said to be %q", got)
	}
}
