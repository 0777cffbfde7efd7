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
)

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
	machine, err := on.Prepare(ctx, engine.Image{Machine: true}, io.Discard)
	if errors.As(err, new(*engine.ImageError)) {
		return unknownProgram, nil
	}
	if err != nil {
		return "", err
	}
	printed, ok, err := runShell(ctx, on, "program", machine, own, identification, program)
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
