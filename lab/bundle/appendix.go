package bundle

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"benchbook/internal/slice"
	"benchbook/lab/measure"
	"benchbook/lab/show"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/render/cellview"
	"benchbook/render/outcome"
	"benchbook/runner/images"
)

// An appendix is what committees for artifacts ask for.
type appendix struct {
	Title, Abstract, Bundle, Slug, Author string
	Host, Cores, Memory, Engine, Version  string
	Images, Rights                        []string
	Minutes                               string // of the machine, for all experiments
	Claims                                []appendixClaim
	Experiments                           []appendixExperiment
}

type appendixClaim struct {
	ID, Name, Sentence, Word, By string
}

type appendixExperiment struct {
	ID, Name, Description, Minutes, Command, Supports string
	Cells                                             int
}

// writeAppendix writes the appendix to a file, as LaTeX if its name ends in .tex, else as Markdown.
func (b *builder) writeAppendix(file, bundle string) error {
	d, err := show.ShownDataset(b.Session, b.project, b.article)
	if err != nil {
		return err
	}
	x, layout := b.appendix(d, bundle), appendixMarkdown
	if strings.EqualFold(filepath.Ext(file), ".tex") {
		layout = appendixLaTeX
	}
	var out bytes.Buffer
	if err := layout.Execute(&out, x); err != nil {
		return err
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(b.Words(), "the appendix is %s\n", file)
	return nil
}

func (b *builder) appendix(d *dataset.Dataset, bundle string) *appendix {
	doc := b.article.Doc
	x := &appendix{Title: doc.Front.Title.OneLine().Value, Author: b.project.Author.Value, Slug: doc.Slug,
		Abstract: doc.Front.Description.OneLine().Value, Bundle: filepath.Base(bundle), Version: b.Version,
		Rights: measure.Rights(b.project, []*plan.Plan{b.plan}),
		Images: imagesOf(b.plan)}
	for _, r := range d.Records() {
		x.Host, x.Engine = r.Facts["host.cpu"], strings.TrimSpace(r.Facts["engine.name"]+" "+r.Facts["engine.version"])
		x.Cores, x.Memory = r.Facts["host.cores"], r.Facts["host.memory"]
	}
	ids, total := map[string]string{}, time.Duration(0)
	for i, e := range d.Experiments {
		one := appendixExperiment{ID: fmt.Sprintf("E%d", i+1), Name: e.Plan.Name, Description: e.Plan.Description,
			Command: "benchbook run " + doc.Slug + "#" + e.Plan.Name, Cells: len(e.Cells)}
		took := cellview.OriginOf(e.AllCells()).Took
		ids[e.Plan.Name], total = one.ID, total+took
		one.Minutes = minutes(took)
		x.Experiments = append(x.Experiments, one)
	}
	x.Minutes = minutes(total)
	x.addClaims(d, ids)
	if x.Abstract == "" && len(x.Claims) > 0 {
		x.Abstract = x.Claims[0].Sentence
	}
	return x
}

// addClaims adds the headline claims, or all claims of an article without, and to each experiment the claims that rest
// on it.
func (x *appendix) addClaims(d *dataset.Dataset, ids map[string]string) {
	judged := claim.JudgeAll(d).Claims
	if headlines := slice.Filter(judged, func(j claim.Judgement) bool { return j.Claim.Headline.V }); len(headlines) > 0 {
		judged = headlines
	}
	for i, j := range judged {
		o := outcome.Of(d, j, outcome.Options{})
		c := appendixClaim{ID: fmt.Sprintf("C%d", i+1), Name: j.Claim.Name.Value,
			Sentence: strings.ReplaceAll(o.Sentence.Text(), "\u00a0", " "), Word: o.Word}
		var by []string
		for _, cell := range outcome.CellsOf(j) {
			by = slice.Add(by, ids[cell.Experiment.Plan.Name])
		}
		c.By = strings.Join(by, ", ")
		x.Claims = append(x.Claims, c)
		for k := range x.Experiments {
			if e := &x.Experiments[k]; slices.Contains(by, e.ID) {
				e.Supports = strings.TrimPrefix(e.Supports+", "+c.ID, ", ")
			}
		}
	}
}

// imagesOf names the images that a plan uses; builds are named by what uses them.
func imagesOf(p *plan.Plan) []string {
	names := map[string]bool{}
	for _, e := range p.Experiments {
		for _, t := range e.Trials {
			for of, i := range images.Of(p.Article, t) {
				switch {
				case i.Build != nil:
					names["a build for "+of] = true
				case i.Name != "":
					names[i.Name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// minutes writes how long a machine takes.
func minutes(d time.Duration) string {
	switch m := int(d.Round(time.Minute).Minutes()); {
	case d == 0:
		return "not measured yet"
	case m < 1:
		return "less than a machine-minute"
	case m == 1:
		return "1 machine-minute"
	default:
		return fmt.Sprintf("%d machine-minutes", m)
	}
}

var appendixFunctions = template.FuncMap{"tex": tex, "md": show.Escape,
	"list": func(words []string) string { return strings.Join(words, ", ") }}

// texCharacters are the characters that LaTeX acts on.
var texCharacters = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`,
	"{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "−", "$-$", "±", `$\pm$`, "µ", `$\mu$`,
	"×", `$\times$`, "\u202f", `\,`, "\u00a0", "~")

func tex(text string) string { return texCharacters.Replace(strings.Join(strings.Fields(text), " ")) }

var appendixMarkdown = template.Must(template.New("").Funcs(appendixFunctions).Parse(`# Artifact appendix: {{md .Title}}
{{with .Abstract}}
{{md .}}
{{end}}
## What is needed

- The file {{md .Bundle}}, and benchbook{{with .Version}} {{md .}}{{end}} (one static binary for Linux; no root).
- A machine: results here are of {{with .Host}}{{md .}}{{else}}none yet{{end}}{{with .Cores}}, {{md .}}{{end}}{{with .Memory}}, {{md .}} of memory{{end}}. Claims are ratios, so other machines can repeat them.
{{with .Engine}}- The engine {{md .}}.
{{end}}{{with .Images}}- Images: {{md (list .)}}.
{{end}}- What it may do: {{with .Rights}}{{md (list .)}}{{else}}nothing beyond containers{{end}}; ` + "`benchbook repro`" + ` says so and asks before anything runs.

## Set-up: 5 minutes of a person

` + "```sh" + `
benchbook doctor
benchbook repro {{.Bundle}}
` + "```" + `

This measures everything ({{.Minutes}}), and prints each claim there and here. With ` + "`--quick`" + ` it decides the claims below first.
Then ` + "`_site/index.html`" + ` in the folder that it made shows both side by side.

## Claims

{{range .Claims}}- **{{.ID}}** ({{md .Name}}): {{md .Sentence}} *{{.Word}}*{{with .By}}; shown by {{.}}{{end}}.
{{end}}
## Experiments

{{range .Experiments}}- **{{.ID}}** ({{md .Name}}): {{with .Description}}{{md .}} {{end}}1 minute of a person, {{.Minutes}}, {{.Cells}} cells{{with .Supports}}; supports {{.}}{{end}}.
  ` + "`{{.Command}}`" + `
{{end}}
Each command is run in the folder that ` + "`repro`" + ` made. A claim holds there if the output of ` + "`benchbook show {{.Slug}}`" + ` says *supported*.
`))

var appendixLaTeX = template.Must(template.New("").Funcs(appendixFunctions).Parse(`\appendix
\section{Artifact Appendix: {{tex .Title}}}
{{with .Abstract}}
\subsection{Abstract}
{{tex .}}
{{end}}
\subsection{Description and requirements}
\begin{itemize}
\item The file \texttt{ {{- tex .Bundle -}} }, and benchbook{{with .Version}} {{tex .}}{{end}} (one static binary for Linux; no root).
\item A machine: results here are of {{with .Host}}{{tex .}}{{else}}none yet{{end}}{{with .Cores}}, {{tex .}}{{end}}{{with .Memory}}, {{tex .}} of memory{{end}}. Claims are ratios, so other machines can repeat them.
{{with .Engine}}\item The engine {{tex .}}.
{{end}}{{with .Images}}\item Images: {{tex (list .)}}.
{{end}}\item What it may do: {{with .Rights}}{{tex (list .)}}{{else}}nothing beyond containers{{end}}; \texttt{benchbook repro} says so and asks before anything runs.
\end{itemize}

\subsection{Set-up (5 minutes of a person)}
\begin{verbatim}
benchbook doctor
benchbook repro {{.Bundle}}
\end{verbatim}
This measures everything ({{.Minutes}}), and prints each claim there and here. With \texttt{--quick} it decides the claims below first.

\subsection{Claims}
\begin{description}
{{range .Claims}}\item[({{.ID}})] {{tex .Sentence}} \emph{ {{- .Word -}} }{{with .By}}; shown by {{.}}{{end}}.
{{end}}\end{description}

\subsection{Experiments}
\begin{description}
{{range .Experiments}}\item[({{.ID}})] {{with .Description}}{{tex .}} {{end}}1 minute of a person, {{.Minutes}}, {{.Cells}} cells{{with .Supports}}; supports {{.}}{{end}}. \texttt{ {{- tex .Command -}} }
{{end}}\end{description}
`))
