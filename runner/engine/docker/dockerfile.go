package docker

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Dockerfile is a parsed Dockerfile.
type Dockerfile struct {
	Bases []Source // the images it is built from

	lines  []string // with line ends
	steps  []*parser.Node
	stages []instructions.Stage
	lex    *shell.Lex
}

// Source is an image that an instruction of a Dockerfile names.
type Source struct {
	Reference string // with arguments expanded
	Platform  string // value of --platform; empty for the engine's own
	Line      int    // first line of the instruction, counted from 1

	last  int                 // last line of the instruction
	stage *instructions.Stage // set for FROM
	word  string              // for other instructions: the reference as written
}

// DockerfileError is a mistake in a Dockerfile.
type DockerfileError struct {
	Line    int // counted from 1
	Message string
}

func (e *DockerfileError) Error() string {
	return fmt.Sprintf("Dockerfile line %d: %s", e.Line, e.Message)
}

// ReadDockerfile parses a Dockerfile with build arguments, up to the stage target, or the last one if target is empty.
// The error is a *DockerfileError.
func ReadDockerfile(text []byte, args map[string]string, target string) (*Dockerfile, error) {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, parseError(err)
	}
	d := &Dockerfile{lines: strings.SplitAfter(string(text), "\n"), steps: parsed.AST.Children,
		lex: shell.NewLex(parsed.EscapeToken)}
	stages, declared, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, parseError(err)
	}
	if len(stages) == 0 {
		return nil, &DockerfileError{1, "there is no FROM"}
	}
	if at, ok := stageNamed(stages, target); ok {
		stages = stages[:at+1]
	}
	d.stages = stages
	var values []string
	for _, arg := range declared {
		for _, pair := range arg.Args {
			if value, given := args[pair.Key]; given {
				values = append(values, pair.Key+"="+value)
			} else if pair.Value != nil {
				values = append(values, pair.Key+"="+d.expand(*pair.Value, values))
			}
		}
	}
	return d, d.readStages(values)
}

// parseError converts an error of the parser.
func parseError(err error) *DockerfileError {
	out := &DockerfileError{1, err.Error()}
	if at, ok := errors.AsType[*parser.LocationError](err); ok && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		out.Line = max(1, at.Locations[0][0].Start.Line)
	}
	if strings.Contains(out.Message, "no build stage in current context") {
		out.Message = "there is no FROM above it"
	}
	if m := lineMessage.FindStringSubmatch(out.Message); m != nil {
		out.Line, _ = strconv.Atoi(m[1])
		out.Message = strings.TrimPrefix(out.Message, m[0]+": ")
	}
	return out
}

// lineMessage matches the beginning of a parser's message about a line.
var lineMessage = regexp.MustCompile(`(?:dockerfile )?parse error(?: on)? line (\d+)`)

// stageNamed finds a stage by its name or number.
func stageNamed(stages []instructions.Stage, name string) (int, bool) {
	if at, ok := instructions.HasStage(stages, name); ok && name != "" {
		return at, true
	}
	at, err := strconv.Atoi(name)
	return at, err == nil && at >= 0 && at < len(stages)
}

// readStages adds the images that the stages refer to.
func (d *Dockerfile) readStages(values []string) error {
	for i := range d.stages {
		stage := &d.stages[i]
		from := Source{Reference: d.expand(stage.BaseName, values), Platform: d.expand(stage.Platform, values), stage: stage}
		if strings.Trim(from.Platform, "/") == "" { // from unset variables of BuildKit, such as TARGETOS/TARGETARCH
			from.Platform = ""
		}
		if from.Reference == "" {
			return &DockerfileError{stage.Location[0].Start.Line, fmt.Sprintf("FROM %s names no image: give its argument a "+
				"value, by ARG above it or in args", stage.BaseName)}
		}
		d.add(from, d.stages[:i], stage.Location)
		for _, command := range stage.Commands {
			var words []string
			switch c := command.(type) {
			case *instructions.CopyCommand:
				words = []string{c.From}
			case *instructions.RunCommand:
				for _, m := range instructions.GetMounts(c) {
					words = append(words, m.From)
				}
			}
			for _, word := range words {
				if word != "" {
					d.add(Source{Reference: word, word: word}, d.stages[:i+1], command.Location())
				}
			}
		}
	}
	return nil
}

// add adds an image to Bases, unless it is an earlier stage or scratch.
func (d *Dockerfile) add(s Source, earlier []instructions.Stage, at []parser.Range) {
	_, isStage := stageNamed(earlier, s.Reference)
	if isStage || s.Reference == "scratch" && s.stage != nil {
		return
	}
	s.Line, s.last = at[0].Start.Line, at[len(at)-1].End.Line
	d.Bases = append(d.Bases, s)
}

// expand replaces variables in word by values, given as KEY=VALUE. Unset variables become empty.
func (d *Dockerfile) expand(word string, values []string) string {
	expanded, _, err := d.lex.ProcessWord(word, shell.EnvsFromSlice(values))
	if err != nil {
		return word
	}
	return expanded
}

// replace returns the text with its bases replaced by names, which have the same order. Line numbers stay. Without
// syntax it drops the usual # syntax=, because the engine's own frontend needs no registry and mostly suffices.
func (d *Dockerfile) replace(names []string, syntax bool) []byte {
	lines := slices.Clone(d.lines)
	for i, base := range d.Bases {
		instruction := lines[base.Line-1 : base.last]
		if base.stage == nil {
			named := regexp.MustCompile(`(--(?:from=|mount=(?:\S*,)?from=))` + regexp.QuoteMeta(base.word) + `([,\s]|$)`)
			for j := range instruction {
				instruction[j] = named.ReplaceAllString(instruction[j], "${1}"+names[i]+"${2}")
			}
			continue
		}
		from := "FROM "
		if base.stage.Platform != "" {
			from += "--platform=" + base.stage.Platform + " "
		}
		from += names[i]
		if base.stage.Name != "" {
			from += " AS " + base.stage.Name
		}
		for j := range instruction {
			instruction[j] = "\n"
		}
		instruction[0] = from + "\n"
	}
	value, _, at, ok := parser.ParseDirective("syntax", []byte(strings.Join(d.lines, "")))
	if ok && !syntax && usualSyntax.MatchString(value) {
		// Keep other directives first: put the blank line that replaces it before the first instruction.
		line := at[0].Start.Line
		lines = slices.Insert(slices.Delete(lines, line-1, line), d.steps[0].StartLine-1-1, "\n")
	}
	return []byte(strings.Join(lines, ""))
}

// usualSyntax matches the value of # syntax= for Docker's own frontend.
var usualSyntax = regexp.MustCompile(`^(docker\.io/)?docker/dockerfile(:|@|$)`)

// Patterns for messages of builders. The classic builder announces each step. On a failure BuildKit quotes the lines
// or, up to Docker 20.10, the instruction with variables expanded.
var (
	classicStep   = regexp.MustCompile(`(?m)^Step (\d+)/\d+ : `)
	failedExcerpt = regexp.MustCompile(`(?s).*\n-{20}\n.*?(\d+) \| >>> `)
	failedStep    = regexp.MustCompile(`(?s).*\n > \[[^\]\n]*\] ([^\n]+):\n`)
)

// failedLine returns the line of the Dockerfile at which the builder failed, or 0 if unknown.
func (d *Dockerfile) failedLine(output []byte, err error) int {
	m := lineMessage.FindSubmatch([]byte(err.Error()))
	if m == nil {
		m = failedExcerpt.FindSubmatch(output)
	}
	if m != nil {
		line, _ := strconv.Atoi(string(m[1]))
		return line
	}
	if all := classicStep.FindAllSubmatch(output, -1); len(all) > 0 {
		// Builders append steps of their own, such as for labels.
		if step, _ := strconv.Atoi(string(all[len(all)-1][1])); step >= 1 && step <= len(d.steps) {
			return d.steps[step-1].StartLine
		}
		return 0
	}
	if m = failedStep.FindSubmatch(output); m == nil {
		return 0
	}
	line, longest, failed := 0, 0, strings.Join(strings.Fields(string(m[1])), " ")
	for _, step := range d.steps {
		begins, _, _ := strings.Cut(strings.Join(strings.Fields(step.Original), " "), "$")
		if strings.HasPrefix(failed, begins) && len(begins) > longest {
			line, longest = step.StartLine, len(begins)
		}
	}
	return line
}

// tcpPort matches a single TCP port of EXPOSE.
var tcpPort = regexp.MustCompile(`^([1-9]\d{0,4})(?i:/tcp)?$`)

// Exposed returns the TCP ports that the last stage and the stages it is based on expose. Ports of base images are
// unknown. Ranges are left out, because services rarely listen on all of their ports.
func (d *Dockerfile) Exposed() []string {
	ports := make([][]string, len(d.stages))
	var values []string
	for i, stage := range d.stages {
		if at, ok := instructions.HasStage(d.stages[:i], d.expand(stage.BaseName, values)); ok {
			ports[i] = slices.Clone(ports[at])
		}
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.EnvCommand:
				for _, pair := range c.Env {
					values = append(values, pair.Key+"="+d.expand(pair.Value, values))
				}
			case *instructions.ArgCommand:
				for _, pair := range c.Args {
					if pair.Value != nil {
						values = append(values, pair.Key+"="+d.expand(*pair.Value, values))
					}
				}
			case *instructions.ExposeCommand:
				for _, word := range c.Ports {
					m := tcpPort.FindStringSubmatch(d.expand(word, values))
					if m != nil && !slices.Contains(ports[i], m[1]) {
						ports[i] = append(ports[i], m[1])
					}
				}
			}
		}
	}
	return ports[len(ports)-1]
}
