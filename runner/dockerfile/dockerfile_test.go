package dockerfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// refs are the references and platforms of bases, in order.
func refs(d File) []string {
	var all []string
	for _, base := range d.Bases {
		all = append(all, strings.TrimSpace(base.Reference+" "+base.Platform))
	}
	return all
}

func TestParseDockerfile(t *testing.T) {
	tests := []struct {
		name, text string
		args       map[string]string
		target     string
		want       []string
	}{
		{"one base", "FROM debian:12\nRUN true\n", nil, "", []string{"debian:12"}},
		{"no newline at the end", "FROM debian:12", nil, "", []string{"debian:12"}},
		{"lines of another system", "FROM debian:12\r\nRUN true\r\n", nil, "", []string{"debian:12"}},
		{"a byte order mark", "\ufeffFROM debian", nil, "", []string{"debian"}},
		{"lower case and blanks", "\n  from\t debian:12  as  base\n", nil, "", []string{"debian:12"}},
		{"an image called from", "from from", nil, "", []string{"from"}},
		{"stages", "FROM golang AS build\nFROM debian\nCOPY --from=build /x /x", nil, "", []string{"golang", "debian"}},
		{"a stage from a stage", "FROM a AS Build\nFROM build AS next\nFROM NEXT", nil, "", []string{"a"}},
		{"a stage called as its base", "FROM debian AS debian\nFROM debian", nil, "", []string{"debian"}},
		{"nothing", "FROM scratch\nCOPY a /a", nil, "", nil},
		{"a platform", "FROM --platform=linux/arm64 debian", nil, "", []string{"debian linux/arm64"}},
		{"an argument", "ARG V=12\nFROM debian:$V-slim", nil, "", []string{"debian:12-slim"}},
		{"a given argument", "ARG V=12\nFROM debian:${V}", map[string]string{"V": "13"}, "", []string{"debian:13"}},
		{"an argument without a default", "ARG V\nFROM debian:${V}", map[string]string{"V": "13"}, "", []string{"debian:13"}},
		{"arguments in an argument", "ARG A=debian\nARG B=$A:12\nFROM ${B}", nil, "", []string{"debian:12"}},
		{"two arguments on a line", "ARG A=debian B=\"12\"\nFROM $A:$B", nil, "", []string{"debian:12"}},
		{"a default in its place", "ARG V\nFROM debian:${V:-12}", nil, "", []string{"debian:12"}},
		{"an alternative", "ARG V=1\nFROM debian${V:+:12}", nil, "", []string{"debian:12"}},
		{"an argument that was not declared", "FROM debian${V}", map[string]string{"V": ":13"}, "", []string{"debian"}},
		{"an argument of a stage", "ARG V=12\nFROM debian:$V\nARG V=13\nFROM debian:$V", nil, "",
			[]string{"debian:12", "debian:12"}},
		{"comments", "# FROM a\n  # FROM b\nFROM c\n", nil, "", []string{"c"}},
		{"a line that goes on", "FROM \\\n  # FROM a\n\n  debian:12 \\\n  AS x\nRUN true", nil, "", []string{"debian:12"}},
		{"FROM in a command", "FROM debian\nRUN echo \\\nFROM x", nil, "", []string{"debian"}},
		{"two escapes end a line", "FROM debian\nRUN echo \\\\\nFROM x", nil, "", []string{"debian", "x"}},
		{"another escape", "# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n debian\nRUN dir c:\\\nFROM x", nil, "",
			[]string{"debian", "x"}},
		{"copied from an image", "FROM debian\nCOPY --chown=0 --from=nginx:1 /a /b\nCOPY --from=0 /a /b", nil, "",
			[]string{"debian", "nginx:1"}},
		{"what stands in heredocs", "FROM a\nRUN <<A cat <<-\"B\"\nFROM b\nA\nFROM c\n\tB\nCOPY --from=d /d /d\n", nil, "",
			[]string{"a", "d"}},
		{"mounted from images", "FROM a AS b\nRUN --mount=type=bind,from=c:1,target=/c --mount=from=b --mount=target=/x x\n" +
			"RUN --mount=from=0 --mount=type=bind,target=/d,from=d y --mount=from=e", nil, "", []string{"a", "c:1", "d"}},
		{"a platform of BuildKit", "FROM --platform=${BUILDPLATFORM} a\nFROM --platform=$TARGETOS/$TARGETARCH b", nil, "",
			[]string{"a", "b"}},
		{"up to a target", "FROM a AS one\nFROM b AS two\nFROM c", nil, "two", []string{"a", "b"}},
		{"up to a numbered target", "FROM a\nFROM b\nFROM c", nil, "0", []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse(tt.text, tt.args, tt.target)
			if got := refs(d); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestParseDockerfileProblems(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "Dockerfile line 1: there is no FROM"},
		{"no FROM", "RUN true\n", "Dockerfile line 1: there is no FROM"},
		{"FROM alone", "\nFROM\n", "Dockerfile line 2: FROM wants an image, and AS NAME or nothing after it"},
		{"no name after AS", "FROM a AS\n", "Dockerfile line 1: FROM wants an image, and AS NAME or nothing after it"},
		{"an argument without a value", "ARG V\nFROM $V",
			"Dockerfile line 2: FROM $V names no image: give its argument a value, by ARG above it or in args"},
		{"a comment behind it", "FROM a # b", "Dockerfile line 1: FROM wants an image, and AS NAME or nothing after it"},
		{"an escape that is none", "# escape=x\nFROM a", "Dockerfile line 1: escape is \"x\", but can only be ` or \\"},
		{"a name over two lines", "FROM debian\\\n:12", "Dockerfile line 1: the name of an image must stand on one line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text, nil, "")
			var p *Problem
			if !errors.As(err, &p) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestReplace(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a base", "FROM debian:12 AS x\n", "FROM NEW0 AS x\n"},
		{"a base called as its stage", "FROM debian AS debian\n", "FROM NEW0 AS debian\n"},
		{"a base with a platform of the same name", "FROM --platform=debian debian\n", "FROM --platform=debian NEW0\n"},
		{"an argument", "ARG V=1\nFROM debian:${V}\r\n", "ARG V=1\nFROM NEW0\r\n"},
		{"a line that goes on", "FROM \\\n # debian\n debian\\\n AS x\n", "FROM \\\n # debian\n NEW0\\\n AS x\n"},
		{"two on one line", "FROM a\nRUN --mount=from=b,target=/b --mount=type=bind,from=c x b c\n",
			"FROM NEW0\nRUN --mount=from=NEW1,target=/b --mount=type=bind,from=NEW2 x b c\n"},
		{"one base twice on a line", "FROM a\nRUN --mount=from=b --mount=from=b b\n",
			"FROM NEW0\nRUN --mount=from=NEW1 --mount=from=NEW2 b\n"},
		{"two bases", "FROM a\nCOPY --from=b /b /b\n", "FROM NEW0\nCOPY --from=NEW1 /b /b\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse(tt.text, nil, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Replace(map[int]string{0: "NEW0", 1: "NEW1", 2: "NEW2"}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := d.Replace(nil); got != tt.text {
				t.Errorf("replacing nothing gave %q, want %q", got, tt.text)
			}
		})
	}
}

// Whatever a Dockerfile is like, replacing its bases keeps its lines, and what it is built from then is what replaced
// them; a problem lies inside it.
func FuzzDockerfile(f *testing.F) {
	// The Dockerfiles of the project's own articles are as good as any.
	own, _ := filepath.Glob("../../experiments/*/*ockerfile*")
	for _, name := range own {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(string(text))
		}
	}
	f.Add("ARG V=12\nFROM --platform=linux/amd64 debian:${V} AS a\nFROM a\nCOPY --from=nginx /a \\\n /b\n")
	f.Add("# escape=`\nFROM from AS `\n from\n")
	f.Add("FROM --platform=$BUILDPLATFORM a\nRUN --mount=from=b,target=/b --mount=from=b <<A cat <<-'B'\nFROM b\nA\n\tB\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text, nil, "")
		var p *Problem
		if errors.As(err, &p) {
			if p.Line < 1 || p.Line > strings.Count(text, "\n")+1 {
				t.Errorf("line %d of %q", p.Line, text)
			}
			return
		}
		for _, port := range d.Exposed() {
			if !strings.Contains(text, port) && !strings.Contains(text, "$") {
				t.Errorf("%q exposes %s", text, port)
			}
		}
		by := make(map[int]string)
		for i := range d.Bases {
			by[i] = fmt.Sprintf("replaced.example/number:%d", i)
		}
		replaced := d.Replace(by)
		if strings.Count(replaced, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q has other lines than %q", replaced, text)
		}
		again, err := Parse(replaced, nil, "")
		if err != nil || len(again.Bases) != len(d.Bases) {
			t.Fatalf("%q became %q, with bases %+v, %v", text, replaced, again.Bases, err)
		}
		for i, base := range again.Bases {
			if base.Reference != by[i] {
				t.Errorf("base %d of %q is %q, want %q", i, replaced, base.Reference, by[i])
			}
		}
	})
}

// What only BuildKit has is said at its line, and what merely looks like it is left alone.
func TestBuildKitSyntax(t *testing.T) {
	const needs = " needs BuildKit: "
	for _, tt := range []struct{ name, text, want string }{
		{"a heredoc", "FROM debian\n\nRUN <<EOF\necho a\nEOF\n",
			"Dockerfile line 3: the heredoc <<EOF" + needs +
				"write a file beside the Dockerfile and COPY it, or join the lines with && and \\"},
		{"a heredoc of a file", "FROM debian\nCOPY <<-'END' /a\n\ta\n\tEND\n",
			"Dockerfile line 2: the heredoc <<-'END'" + needs +
				"write a file beside the Dockerfile and COPY it, or join the lines with && and \\"},
		{"a mount", "FROM debian\nRUN --mount=type=cache,target=/c \\\n pip install x\n",
			"Dockerfile line 2: RUN --mount" + needs + "COPY what it mounts; without a cache it only takes longer"},
		{"a link", "FROM debian\ncopy --link a /a\n", "Dockerfile line 2: COPY --link" + needs + "leave it out"},
		{"another frontend", "# syntax=example/other:1\nFROM debian\n",
			"Dockerfile line 1: # syntax=example/other:1" + needs + "write it as a Dockerfile, without this line"},
		{"the usual frontend", "# syntax=docker/dockerfile:1.4\nFROM debian\n", ""},
		{"the engine's platform", "FROM --platform=$BUILDPLATFORM debian\n",
			"Dockerfile line 1: FROM --platform=$BUILDPLATFORM" + needs + "leave it out"},
		{"its architecture", "FROM debian\nARG A TARGETARCH\n",
			"Dockerfile line 2: ARG TARGETARCH" + needs + "give it a value there"},
		{"an architecture with a value", "ARG TARGETARCH=arm\nFROM debian\nARG TARGETOS=linux\nARG TARGETARCH TARGET\n", ""},
		{"a platform that was given", "ARG TARGETARCH=arm64\nFROM --platform=linux/${TARGETARCH} debian\n", ""},
		{"flags that it has", "FROM debian AS a\nFROM debian\nCOPY --from=a --chown=1:1 /a /a\nRUN x --mount=y\n", ""},
		{"what is none", "FROM debian\nRUN bash -c 'cat <<<EOF' && echo $((1 << 3))\nRUN cat <<EOF\n", ""},
	} {
		d, err := Parse(tt.text, nil, "")
		got := ""
		if len(d.Needs) > 0 {
			n := d.Needs[0]
			got = fmt.Sprintf("Dockerfile line %d: %s%s%s", n.First, n.What, needs, n.Instead)
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}
