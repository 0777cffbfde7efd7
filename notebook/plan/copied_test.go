package plan

import "testing"

func TestCopied(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile string
		has, lacks       string
	}{
		{"a file", "FROM x\nCOPY a.py /srv/", "a.py", "b.py"},
		{"a destination is no source", "COPY a.py b.py", "a.py", "b.py"},
		{"several, over lines", "COPY --chown=1 a.py \\\n  src/b.py /srv/", "src/b.py", "b.py"},
		{"a folder", "copy src /srv", "src/deep/b.py", "srcs/b.py"},
		{"a pattern", "ADD src/*.py /srv/", "src/b.py", "b.py"},
		{"a list", `COPY ["a b.py", "c.py", "/srv/"]`, "c.py", "d.py"},
		{"from another stage", "COPY --from=build a.py /", "", "a.py"},
		{"all", "COPY ./ /srv", "any/thing", ""},
		{"a variable", "COPY ${NAME} /srv", "any/thing", ""},
		{"a mount", "RUN --mount=type=bind,target=/src make", "any/thing", ""},
		{"a folder in a mount", "RUN --mount=type=bind,source=lib,target=/src make", "lib/b.py", ""},
		{"nothing", "FROM x", "", "a.py"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := copiedBy(test.dockerfile)
			if test.has != "" && !c.has(test.has) {
				t.Errorf("it lacks %s: %q", test.has, c)
			}
			if test.lacks != "" && c.has(test.lacks) {
				t.Errorf("it has %s: %q", test.lacks, c)
			}
		})
	}
}
