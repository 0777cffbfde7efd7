package images

import (
	"context"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

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
