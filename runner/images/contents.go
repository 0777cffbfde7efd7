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

// packages lists the packages installed in an image: sorted lines of a name and a version, without their origin.
type packages struct {
	Debian string `json:"debian"`
	Python string `json:"python"` // not from Debian's packages, in any environment
}

// pythonBelow separates the two lists that listPackages prints.
const pythonBelow = "-- python"

// listPackages is a shell script that prints both lists. It skips removed Debian packages that left their settings: the
// second letter of their state is not i. It finds Python packages by their metadata folders, because an image may have
// several environments and no pip.
//
// Source: dpkg-query(1); PEP 376 and the packaging specification "Recording installed projects".
const listPackages = `dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Version}\n' 2>/dev/null | sed -n 's/^.i.//p'
echo '` + pythonBelow + `'
find / -xdev \( -path /proc -o -path /sys -o -path /usr/lib/python3/dist-packages -o -name _vendor \) -prune \
  -o \( -name '*.dist-info' -o -name '*.egg-info' \) -print 2>/dev/null
exit 0`

// packageCache is the name of the cache of packages. Increment its number to list all packages again.
const packageCache = "packages-2"

// packagesOf returns the packages installed in an image, or none if it has no shell. It caches non-empty results by the
// image ID, which is a digest.
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

// runShell runs a script with the shell of an image and returns its output. It returns false if there is no shell or
// the script failed. Program is our agent, which idles in the container.
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

// parsePackages parses the output of listPackages.
func parsePackages(printed string) packages {
	debian, python, _ := strings.Cut(printed, pythonBelow+"\n")
	return packages{Debian: strings.TrimSpace(debian), Python: projects(python)}
}

// eggPython matches the Python version that setuptools appends to names of folders.
var eggPython = regexp.MustCompile(`-py\d.*$`)

// projects parses paths of metadata folders, such as …/site-packages/flask-3.1.3.dist-info, into a list of projects.
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
		project, version, found := strings.Cut(rest, "-") // names have "_" for "-"
		if !found {
			version = "unknown"
		}
		out = append(out, project+" "+version)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), "\n")
}

// programs returns the words that name programs in a command, by their facts: its first word, and the programs in a
// shell script.
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

// inScript returns the command words of the script that a shell gets with -c.
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

// before lists words that precede another command.
var before = []string{"!", "command", "do", "else", "env", "exec", "if", "nice", "nohup", "setsid", "then", "time",
	"until", "while"}

// commandsIn returns the words of a script in command position, except expansions and quoted text.
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

// identification is a shell script that prints the file name of a program, its digest, and its Debian package. It omits
// folders, which may be personal.
const identification = `file=$(readlink -f -- "$(command -v -- "$1")") && [ -f "$file" ] || exit 1
digest=$(sha256sum < "$file") && printf '%s sha256:%s' "${file##*/}" "${digest%% *}"
package=$(dpkg-query -S "$file" 2>/dev/null | head -n 1) && [ -n "$package" ] && dpkg-query -W -f ' ${Package} ${Version}' "${package%%:*}"
exit 0`

// unknownProgram is the result of identify for a program that the machine lacks, such as a file of the article.
const unknownProgram = "unknown"

// identify returns the fact about a program of the engine's machine: its file name, digest and Debian package.
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

// digestOf returns the digest in a fact about a program, or "".
func digestOf(fact string) string {
	words := strings.Fields(fact)
	if len(words) < 2 || !strings.HasPrefix(words[1], "sha256:") {
		return ""
	}
	return words[1]
}
