package plan

import (
	"path/filepath"
	"testing"
)

func TestLargeScript(t *testing.T) {
	_, problems := planIn(t, "name: e\nservices: {s: {image: x}}\nload: {target: http://s/, tool: k6, script: large.js}\n",
		func(dir, _ string) { sparse(filepath.Join(dir, "large.js"), 6<<30) })
	if len(problems) != 1 || problems[0].Rule != "too-large" || problems[0].Pos.Source == nil {
		t.Errorf("the problems are %v", problems)
	}
}
