package bundle

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab/measure"
	"benchbook/lab/show"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/render/cellview"
	"benchbook/render/outcome"
)

// An appendix is the artifact appendix that committees of conferences ask for.
type appendix struct {
	Title, Abstract, Bundle, Slug        string
	Host, Cores, Memory, Engine, Version string
	Rights                               []string
	Minutes                              string // machine time for all experiments
	Claims                               []appendixClaim
	Experiments                          []appendixExperiment
}

type appendixClaim struct {
	ID, Name, Sentence, Word, By string
}

type appendixExperiment struct {
	ID, Name, Description, Minutes, Command, Supports string
	Cells                                             int
}

// writeAppendix writes the appendix of a bundle to a file: LaTeX if its name ends in .tex, else Markdown.
func (b *builder) writeAppendix(file, bundle string) error {
	layout := appendixMarkdown
	if strings.EqualFold(filepath.Ext(file), ".tex") {
		layout = appendixLaTeX
	}
	var out bytes.Buffer
	if err := layout.Execute(&out, b.appendix(bundle)); err != nil {
		return err
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(b.Words(), "the appendix is %s\n", file)
	return nil
}

func (b *builder) appendix(bundle string) *appendix {
	doc, d := b.article.Doc, b.shown
	x := &appendix{Title: doc.Front.Title.OneLine().Value, Slug: doc.Slug,
		Abstract: doc.Front.Description.OneLine().Value, Bundle: filepath.Base(bundle), Version: b.Version,
		Rights: measure.Rights(b.project, []*plan.Plan{b.article.Planned})}
	for _, r := range d.Records {
		x.Host, x.Engine = r.Facts["host.cpu"], strings.TrimSpace(r.Facts["engine.name"]+" "+r.Facts["engine.version"])
		x.Cores, x.Memory = r.Facts["host.cores"], r.Facts["host.memory"]
	}
	total := time.Duration(0)
	for i, e := range d.Experiments {
		took := cellview.OriginOf(e.AllCells()).Took
		total += took
		x.Experiments = append(x.Experiments, appendixExperiment{ID: fmt.Sprintf("E%d", i+1), Name: e.Plan.Name,
			Description: e.Plan.Description, Minutes: minutes(took), Command: "benchbook run " + doc.Slug + "#" + e.Plan.Name,
			Cells: len(e.Cells)})
	}
	x.Minutes = minutes(total)
	x.addClaims(d)
	if x.Abstract == "" && len(x.Claims) > 0 {
		x.Abstract = x.Claims[0].Sentence
	}
	return x
}

// addClaims adds the headline claims, or all claims if there are none, linked to the experiments they rest on.
func (x *appendix) addClaims(d *dataset.Dataset) {
	judged := claim.JudgeAll(d).Claims
	if headlines := slice.Filter(judged, func(j claim.Judgement) bool { return j.Claim.Headline }); len(headlines) > 0 {
		judged = headlines
	}
	for i, j := range judged {
		o, id := outcome.Of(d, j, nil), fmt.Sprintf("C%d", i+1)
		var by []string
		for k := range x.Experiments {
			e := &x.Experiments[k]
			if slices.ContainsFunc(outcome.CellsOf(j), func(c *dataset.Cell) bool { return c.Experiment.Plan.Name == e.Name }) {
				by, e.Supports = append(by, e.ID), strings.TrimPrefix(e.Supports+", "+id, ", ")
			}
		}
		x.Claims = append(x.Claims, appendixClaim{ID: id, Name: j.Claim.Name.Value,
			Sentence: strings.ReplaceAll(o.Sentence.Text(), "\u00a0", " "), Word: o.Word, By: strings.Join(by, ", ")})
	}
}

// minutes writes a duration in machine-minutes.
func minutes(d time.Duration) string {
	switch m := int(d.Round(time.Minute).Minutes()); {
	case d == 0:
		return "not measured yet"
	case m < 1:
		return "less than a machine-minute"
	default:
		return phrase.Count(m, "machine-minute")
	}
}

// texCharacters escapes characters that have a meaning in LaTeX or need a command.
var texCharacters = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`,
	"{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "−", "$-$", "±", `$\pm$`, "µ", `$\mu$`,
	"×", `$\times$`, "\u202f", `\,`, "\u00a0", "~")

func tex(text string) string { return texCharacters.Replace(strings.Join(strings.Fields(text), " ")) }

// appendixIn returns a template of the appendix in one markup language. formats has the markup of each kind of part, in
// which TEXT stands for the escaped text and RAW for the text itself.
func appendixIn(escape func(string) string, formats map[string]string) *template.Template {
	parts := template.FuncMap{"count": phrase.Count,
		"words": func(words []string) string { return strings.Join(words, ", ") }}
	for name, format := range formats {
		parts[name] = func(texts ...string) string {
			text := strings.Join(texts, "")
			return strings.NewReplacer("TEXT", escape(text), "RAW", text).Replace(format)
		}
	}
	return template.Must(template.New("").Funcs(parts).Parse(appendixText))
}

var appendixMarkdown = appendixIn(show.Escape, map[string]string{"text": "TEXT", "title": "# TEXT", "section": "## TEXT",
	"emphasis": "*TEXT*", "code": "`RAW`", "shell": "```sh\nRAW\n```", "list": "", "point": "-", "label": "- **TEXT**",
	"endlist": ""})

var appendixLaTeX = appendixIn(tex, map[string]string{"text": "TEXT", "title": "\\appendix\n\\section{TEXT}",
	"section": `\subsection{TEXT}`, "emphasis": `\emph{TEXT}`, "code": `\texttt{TEXT}`,
	"shell": "\\begin{verbatim}\nRAW\n\\end{verbatim}", "list": `\begin{itemize}`, "point": `\item`,
	"label": `\item[(TEXT)]`, "endlist": `\end{itemize}`})

const appendixText = `{{title (print "Artifact appendix: " .Title)}}
{{with .Abstract}}
{{text .}}
{{end}}
{{section "What is needed"}}

{{list}}
{{point}} The file {{code .Bundle}}, and benchbook{{with .Version}} {{text .}}{{end}} (one static binary for Linux; no root).
{{point}} A machine: results here are of {{with .Host}}{{text .}}{{else}}none yet{{end}}{{with .Cores}}, {{text .}}{{end}}{{with .Memory}}, {{text .}} of memory{{end}}. Claims are ratios, so other machines can repeat them.
{{with .Engine}}{{point}} The engine {{text .}}.
{{end}}{{point}} What it may do: {{with .Rights}}{{text (words .)}}{{else}}nothing beyond containers{{end}}; {{code "benchbook repro"}} says so and asks before anything runs.
{{endlist}}

{{section "Set-up: 5 minutes of a person"}}

{{shell (print "benchbook doctor\nbenchbook repro " .Bundle)}}

This measures everything ({{.Minutes}}), and prints each claim there and here. With {{code "--quick"}} it decides the claims below first.
Then {{code "_site/index.html"}} in the folder that it made shows both side by side.

{{section "Claims"}}

{{list}}
{{range .Claims}}{{label .ID}} ({{text .Name}}): {{text .Sentence}} {{emphasis .Word}}{{with .By}}; shown by {{.}}{{end}}.
{{end}}{{endlist}}

{{section "Experiments"}}

{{list}}
{{range .Experiments}}{{label .ID}} ({{text .Name}}): {{with .Description}}{{text .}} {{end}}1 minute of a person, {{.Minutes}}, {{count .Cells "cell"}}{{with .Supports}}; supports {{.}}{{end}}.
  {{code .Command}}
{{end}}{{endlist}}

Each command is run in the folder that {{code "repro"}} made. A claim holds there if the output of {{code (print "benchbook show " .Slug)}} says {{emphasis "supported"}}.
`
