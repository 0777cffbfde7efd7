package images

import (
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/record"
	"benchbook/runner/agent"
	"benchbook/runner/engine"
	"benchbook/runner/load"
	"benchbook/runner/machine"
)

// packages lists the packages installed in an image, a name and a version a line, sorted. They name no place that anything
// came from.
type packages struct {
	Debian string `json:"debian"`
	Python string `json:"python"` // in addition to Debian's packages, in any environment
}

// pythonBelow separates the two lists that listPackages prints.
const pythonBelow = "-- python"

// listPackages asks an image with a shell for both lists. Packages of Debian that were removed and have left their
// settings behind do not count: the second letter of their state is not i. Python's packages are found by the folders that
// say what is installed, since an image may have several environments, and need not have pip any more.
//
// Source: dpkg-query(1); PEP 376 and the packaging specification "Recording installed projects".
const listPackages = `dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Version}\n' 2>/dev/null | sed -n 's/^.i.//p'
echo '` + pythonBelow + `'
find / -xdev \( -path /proc -o -path /sys -o -path /usr/lib/python3/dist-packages -o -name _vendor \) -prune \
  -o \( -name '*.dist-info' -o -name '*.egg-info' \) -print 2>/dev/null
exit 0`

// packageCache is where the packages of images are kept. The number is raised when they are to be found out anew.
const packageCache = "packages-2"

// packagesOf returns the packages installed in an image, or nothing if it has no shell. The answer is kept by the id of the
// image, which is a digest; an image that could not be asked is asked again.
func (s *Store) packagesOf(ctx context.Context, image engine.Prepared) (found packages, err error) {
	if machine.Cache(s.Cache).Read(packageCache, image.ID, &found) {
		return found, nil
	}
	printed, ok, err := runShell(ctx, s.Engine, "packages", image, s.Agent, listPackages)
	if !ok {
		return found, err
	}
	if found = parsePackages(printed); found != (packages{}) {
		machine.Cache(s.Cache).Write(packageCache, image.ID, found)
	}
	return found, nil
}

// runShell runs a script by the shell of an image, and returns what it printed; ok is false without a shell, or if the
// script failed. Program reads ours, which idles in the container.
func runShell(ctx context.Context, on engine.Engine, name string, image engine.Prepared, program agent.Program,
	script string, args ...string) (printed string, ok bool, err error) {
	data, err := program()
	if err != nil {
		return "", false, err
	}
	exit, err := load.Output(ctx, on, name, image, data, append([]string{"sh", "-c", script, "sh"}, args...)...)
	if errors.As(err, new(*engine.LeftError)) || ctx.Err() != nil {
		return "", false, err
	}
	return string(exit.Stdout), err == nil && exit.Code == 0, nil
}

// parsePackages reads what listPackages prints.
func parsePackages(printed string) packages {
	debian, python, _ := strings.Cut(printed, pythonBelow+"\n")
	return packages{Debian: strings.TrimSpace(debian), Python: projects(python)}
}

// eggPython is what setuptools adds to the names of folders: the Python that a project was installed for.
var eggPython = regexp.MustCompile(`-py\d.*$`)

// projects reads the paths of folders such as …/site-packages/flask-3.1.3.dist-info, of one project each.
func projects(paths string) string {
	var out []string
	for line := range strings.Lines(paths) {
		name := path.Base(strings.TrimSpace(line))
		rest, isEgg := strings.CutSuffix(name, ".egg-info")
		if isEgg {
			rest = eggPython.ReplaceAllString(rest, "")
		} else if rest, isEgg = strings.CutSuffix(name, ".dist-info"); !isEgg {
			continue
		}
		project, version, found := strings.Cut(rest, "-") // in names it is written "_"
		if !found {
			version = "unknown"
		}
		out = append(out, project+" "+version)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "\n")
}

// programs returns the words by which a command names programs, by the facts about them: the program that it begins with,
// and the programs in a script that is given to a shell.
func (u use) programs() map[string]string {
	if len(u.command) == 0 {
		return nil
	}
	out := map[string]string{record.FactProgram + u.name: u.command[0]}
	for _, word := range inScript(u.command) {
		out[record.FactProgram+u.name+"."+path.Base(word)] = word
	}
	return out
}

var shells = []string{"sh", "ash", "bash", "dash", "ksh", "zsh"}

// inScript returns the words at which a command begins in the script that a shell is given with -c.
func inScript(words []string) []string {
	isScript := func(w string) bool {
		return strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.Contains(w, "c")
	}
	i := slices.IndexFunc(words, isScript)
	if !slices.Contains(shells, path.Base(words[0])) || i < 0 || i+1 >= len(words) {
		return nil
	}
	return commandsIn(words[i+1])
}

var (
	quoted     = regexp.MustCompile(`'[^']*'|"(?:[^"\\]|\\.)*"`)
	separator  = regexp.MustCompile("[|&;\n(){}`]+")
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	plainWord  = regexp.MustCompile(`^[A-Za-z0-9_./+-]+$`)
)

// before are words that another command follows.
var before = []string{"!", "command", "do", "else", "env", "exec", "if", "nice", "nohup", "setsid", "then", "time",
	"until", "while"}

// commandsIn returns the words at which a command begins in a script, without expansions and quoted text.
func commandsIn(script string) []string {
	var out []string
	script = quoted.ReplaceAllString(script, `''`)
	for _, part := range separator.Split(script, -1) {
		for _, word := range strings.Fields(part) {
			if assignment.MatchString(word) {
				continue
			}
			if plainWord.MatchString(word) && !slices.Contains(out, word) {
				out = append(out, word)
			}
			if !slices.Contains(before, word) {
				break
			}
		}
	}
	return out
}

// identification is a shell's program that says which file a program of the machine is, without the folders above it,
// which may be somebody's; its digest; and the Debian package that it came with.
const identification = `file=$(readlink -f -- "$(command -v -- "$1")") && [ -f "$file" ] || exit 1
digest=$(sha256sum < "$file") && printf '%s sha256:%s' "${file##*/}" "${digest%% *}"
package=$(dpkg-query -S "$file" 2>/dev/null | head -n 1) && [ -n "$package" ] && dpkg-query -W -f ' ${Package} ${Version}' "${package%%:*}"
exit 0`

// unknownProgram is what identify returns for a program that the machine lacks, such as a file of the article.
const unknownProgram = "unknown"

// identify returns which file a program of an engine's machine is, as its fact says it.
func identify(ctx context.Context, on engine.Engine, own agent.Program, program string) (string, error) {
	image, err := on.Prepare(ctx, engine.Image{Machine: true}, io.Discard)
	if errors.As(err, new(*engine.ImageError)) {
		return unknownProgram, nil
	}
	if err != nil {
		return "", err
	}
	printed, ok, err := runShell(ctx, on, "program", image, own, identification, program)
	if !ok {
		return unknownProgram, err
	}
	return strings.TrimSpace(printed), nil
}

// digestOf returns the digest in a fact about a program; empty if it has none.
func digestOf(fact string) string {
	words := strings.Fields(fact)
	if len(words) < 2 || !strings.HasPrefix(words[1], "sha256:") {
		return ""
	}
	return words[1]
}
