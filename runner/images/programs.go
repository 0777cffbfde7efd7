package images

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// programsOf are the words by which a service, or the command, of a trial names programs, by the facts that tell what
// these are: the program that it begins with, and of a script that is given to a shell those that the script names.
func programsOf(t *plan.Trial, name string) map[string]string {
	var words []string
	for _, s := range t.Services {
		if s.Name == name {
			words = slices.Concat(s.Entrypoint, s.Command)
		}
	}
	if t.Command != nil && t.Command.Service == "" && name == "command" {
		words = t.Command.Run
	}
	if t.Load != nil && t.Load.Driver != nil && name == driverName {
		words = t.Load.Driver.Command
	}
	if len(words) == 0 {
		return nil
	}
	out := map[string]string{record.FactProgram + name: words[0]}
	for _, word := range inScript(words) {
		out[record.FactProgram+name+"."+path.Base(word)] = word
	}
	return out
}

var shells = []string{"sh", "ash", "bash", "dash", "ksh", "zsh"}

// inScript are the words that stand where a command begins in the script that a shell is given with -c.
func inScript(words []string) []string {
	if !slices.Contains(shells, path.Base(words[0])) {
		return nil
	}
	i := slices.IndexFunc(words, func(w string) bool {
		return strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.Contains(w, "c")
	})
	if i < 0 || i+1 >= len(words) {
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

// commandsIn finds the words that stand where a command begins in a script, as far as that can be told without running
// it: no expansions, and nothing within quotes.
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
