package docker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slice"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func TestBases(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		args       map[string]string
		target     string
		want       string // references, with platforms, or the error
	}{
		{"one base", "FROM debian:12\nRUN true\n", nil, "", "debian:12"},
		{"lines of another system", "FROM debian:12\r\nRUN true\r\n", nil, "", "debian:12"},
		{"a byte order mark", "\ufeffFROM debian", nil, "", "debian"},
		{"stages", "FROM golang AS build\nFROM debian\nCOPY --from=build /x /x", nil, "", "golang, debian"},
		{"a stage from a stage", "FROM a AS Build\nFROM build AS next\nFROM NEXT", nil, "", "a"},
		{"nothing", "FROM scratch\nCOPY a /a", nil, "", ""},
		{"a platform", "FROM --platform=linux/arm64 debian", nil, "", "debian linux/arm64"},
		{"the engine's platform", "FROM --platform=${BUILDPLATFORM} a\nFROM --platform=$TARGETOS/$TARGETARCH b", nil, "",
			"a, b"},
		{"an argument", "ARG V=12\nFROM debian:$V-slim", nil, "", "debian:12-slim"},
		{"a given argument", "ARG V=12\nFROM debian:${V}", map[string]string{"V": "13"}, "", "debian:13"},
		{"arguments in an argument", "ARG A=debian\nARG B=$A:12\nFROM ${B}", nil, "", "debian:12"},
		{"a default in its place", "ARG V\nFROM debian:${V:-12}", nil, "", "debian:12"},
		{"an argument of a stage", "ARG V=12\nFROM debian:$V\nARG V=13\nFROM debian:$V", nil, "", "debian:12, debian:12"},
		{"a continued line", "FROM \\\n  # FROM a\n  debian:12 \\\n  AS x\nRUN true", nil, "", "debian:12"},
		{"another escape", "# escape=`\nFROM `\n debian\nRUN dir c:\\\nFROM x", nil, "", "debian, x"},
		{"copied from an image", "FROM debian\nCOPY --chown=0 --from=nginx:1 /a /b\nCOPY --from=0 /a /b", nil, "",
			"debian, nginx:1"},
		{"text in heredocs", "FROM a\nRUN <<A cat <<-\"B\"\nFROM b\nA\nFROM c\n\tB\nCOPY --from=d /d /d\n", nil, "", "a, d"},
		{"mounted from images", "FROM a AS b\nRUN --mount=type=bind,from=c:1,target=/c --mount=from=b,target=/b x\n", nil, "",
			"a, c:1"},
		{"up to a target", "FROM a AS one\nFROM b AS two\nFROM c", nil, "two", "a, b"},
		{"up to a numbered target", "FROM a\nFROM b\nFROM c", nil, "0", "a"},

		{"empty", "", nil, "", "Dockerfile line 1: file with no instructions"},
		{"no FROM", "ARG a\n", nil, "", "Dockerfile line 1: there is no FROM"},
		{"an instruction before FROM", "\nRUN true\nFROM a\n", nil, "", "Dockerfile line 2: there is no FROM above it"},
		{"FROM alone", "\nFROM\n", nil, "", "Dockerfile line 2: FROM requires either one or three arguments"},
		{"an unknown instruction", "FROM a\n\nFLY away\n", nil, "", "Dockerfile line 3: unknown instruction: FLY"},
		{"an argument without a value", "ARG V\nFROM $V", nil, "",
			"Dockerfile line 2: FROM $V names no image: give its argument a value, by ARG above it or in args"},
		{"an escape that is none", "# escape=x\nFROM a", nil, "",
			"Dockerfile line 1: invalid escape token 'x' does not match ` or \\"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := ReadDockerfile([]byte(tt.text), tt.args, tt.target)
			got := fmt.Sprint(err)
			if err == nil {
				words := slice.Map(d.Bases,
					func(base Source) string { return strings.TrimSpace(base.Reference + " " + base.Platform) })
				got = strings.Join(words, ", ")
			} else if !errors.As(err, new(*DockerfileError)) {
				t.Errorf("got a %T", err)
			}
			assert.Equal(t, got, tt.want)
		})
	}
}

// Bases are replaced, the usual # syntax= is left out, and lines keep their numbers.
func TestReplaceBases(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a base", "FROM debian:12 AS x\n", "FROM NEW0 AS x\n"},
		{"a base called as its stage", "FROM debian AS debian\n", "FROM NEW0 AS debian\n"},
		{"a base with a platform", "FROM --platform=debian debian\n", "FROM --platform=debian NEW0\n"},
		{"a continued line", "FROM \\\n # debian\n debian\\\n AS x\nRUN x\n", "FROM NEW0 AS x\n\n\n\nRUN x\n"},
		{"mounts", "FROM a\nRUN --mount=from=b,target=/b --mount=type=bind,from=c x from=b c\n",
			"FROM NEW0\nRUN --mount=from=NEW1,target=/b --mount=type=bind,from=NEW2 x from=b c\n"},
		{"a copy", "FROM a\nCOPY \\\n  --from=b /b /b\n", "FROM NEW0\nCOPY \\\n  --from=NEW1 /b /b\n"},
		{"the usual syntax", "# syntax=docker/dockerfile:1\nFROM a\n", "\nFROM NEW0\n"},
		{"the usual syntax above another directive", "# syntax=docker/dockerfile:1\n# escape=`\n\nFROM a\n",
			"# escape=`\n\n\nFROM NEW0\n"},
		{"another syntax", "# syntax=example/other:1\nFROM a\n", "# syntax=example/other:1\nFROM NEW0\n"},
	} {
		d := must.Get(ReadDockerfile([]byte(tt.text), nil, ""))
		assert.Equal(t, string(d.replace([]string{"NEW0", "NEW1", "NEW2"}, false)), tt.want, "%s", tt.name)
	}
}

// Replacing the bases of any Dockerfile keeps its lines, and the result is built from the new bases.
func FuzzDockerfile(f *testing.F) {
	own, _ := filepath.Glob("../../../experiments/*/*ockerfile*")
	for _, name := range own {
		if text, err := os.ReadFile(name); err == nil {
			f.Add(string(text))
		}
	}
	f.Add("ARG V=12\nFROM --platform=linux/amd64 debian:${V} AS a\nFROM a\nCOPY --from=nginx /a \\\n /b\n")
	f.Add("# escape=`\nFROM from AS `\n from\n")
	f.Add("FROM --platform=$BUILDPLATFORM a\nRUN --mount=from=b,target=/b <<A cat <<-'B'\nFROM b\nA\n\tB\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ReadDockerfile([]byte(text), nil, "")
		if problem := (*DockerfileError)(nil); errors.As(err, &problem) {
			if problem.Line < 1 || problem.Line > strings.Count(text, "\n")+1 {
				t.Errorf("line %d of %q", problem.Line, text)
			}
			return
		}
		d.Exposed()
		var names []string
		for i := range d.Bases {
			names = append(names, fmt.Sprintf("replaced.example/number:%d", i))
		}
		replaced := d.replace(names, false)
		if got, want := strings.Count(string(replaced), "\n"), strings.Count(text, "\n"); got != want && got != want+1 {
			t.Errorf("%q has other lines than %q", replaced, text)
		}
		again, err := ReadDockerfile(replaced, nil, "")
		if err != nil || len(again.Bases) != len(d.Bases) {
			t.Fatalf("%q became %q, with %v", text, replaced, err)
		}
		for i, base := range again.Bases {
			if d.Bases[i].stage != nil && base.Reference != names[i] {
				t.Errorf("base %d of %q is %q, want %q", i, replaced, base.Reference, names[i])
			}
		}
	})
}

func TestExposed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "FROM debian\nCMD server\n", ""},
		{"several", "FROM debian\nEXPOSE 8080/tcp 53/udp\nexpose 8080 9000\n", "8080 9000"},
		{"by variables", "FROM debian\nARG A=81\nENV B=82 C=$A\nENV D 83\nEXPOSE $A ${B} $C ${D} ${E:-84} $F\n",
			"81 82 83 84"},
		{"of an earlier stage", "FROM node AS base\nEXPOSE 80\nFROM go AS build\nEXPOSE 81\nFROM --platform=linux/amd64 " +
			"Base\nEXPOSE 82\n", "80 82"},
		{"of an image called like one before", "FROM node\nEXPOSE 80\nFROM node\n", ""},
		{"a range", "FROM debian\nEXPOSE 8000-8010 0 800000\n", ""},
		{"in a heredoc", "FROM debian\nRUN <<EOF\nEXPOSE 80\nEOF\nEXPOSE 81\n", "81"},
	} {
		d := must.Get(ReadDockerfile([]byte(tt.text), nil, ""))
		assert.Slice(t, slices.Sorted(slices.Values(d.Exposed())), strings.Fields(tt.want), "%s", tt.name)
	}
}

// The cause and line of a failed build are found in the output of the docker command.
func TestBuilderError(t *testing.T) {
	const (
		classic = "Step 1/3 : FROM debian\n ---> 80be27846494\nStep 2/3 : ARG V=7\n ---> Running in 1\nStep 3/3 : RUN exit 3\n" +
			" ---> Running in 1\nRemoving intermediate container 1\n" +
			"The command '/bin/sh -c exit 3' returned a non-zero code: 3\n"
		docker20 = "#5 [last 2/2] RUN --mount=type=cache,target=/c   echo got 7; exit 3\n#5 ERROR: executor failed\n" +
			"------\n > [last 2/2] RUN --mount=type=cache,target=/c   echo got 7; exit 3:\n------\n" +
			"executor failed running [/bin/sh -c exit 3]: exit code: 3\n"
		docker28 = "#5 ERROR: failed\n------\n > [last 2/2] RUN --mount=type=cache echo got 7; exit 3:\n0.4 got 7\n" +
			"------\nDockerfile:3\n--------------------\n   2 |     ARG V=7\n   3 | >>> RUN --mount=type=cache \\\n" +
			"   4 | >>>   echo got $V; exit 3\n   5 |     \n--------------------\n" +
			"ERROR: failed to build: failed to solve: process \"exit 3\" did not complete successfully: exit code: 3\n\n" +
			"View build details: somewhere\n"
		syntax = "#2 DONE 0.1s\nERROR: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend " +
			"dockerfile.v0: failed to create LLB definition: dockerfile parse error line 5: unknown instruction: FLY\n"
		elsewhere = "ERROR: failed to solve: debian: error getting credentials\n"
	)
	recipe := must.Get(ReadDockerfile([]byte("FROM debian\nARG V=7\n"+
		"RUN --mount=type=cache,target=/c \\\n  echo got $V; exit 3\nRUN x\n"), nil, ""))
	for _, tt := range []struct {
		output, want string
		line         int
	}{
		{classic, "The command '/bin/sh -c exit 3' returned a non-zero code: 3", 3},
		{docker20, "executor failed running [/bin/sh -c exit 3]: exit code: 3", 3},
		{docker28, `process "exit 3" did not complete successfully: exit code: 3`, 3},
		{syntax, "dockerfile parse error line 5: unknown instruction: FLY", 5},
		{elsewhere, "debian: error getting credentials", 0},
		{"", "", 0},
	} {
		got := builderError([]byte(tt.output))
		if line := recipe.failedLine([]byte(tt.output), errors.New(got)); got != tt.want || line != tt.line {
			t.Errorf("got %q at line %d, want %q at line %d", got, line, tt.want, tt.line)
		}
	}
}
