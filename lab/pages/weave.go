package pages

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site/theme"
)

// drawings is the folder of woven figures next to a Markdown file. It has a folder for each article.
const drawings = "woven"

// drawing is the SVG of a figure and the place of the mark that needs it.
type drawing struct {
	svg []byte
	at  source.Pos
}

type weaver struct {
	*lab.Session
	project  *article.Project
	articles []*lab.Article
	check    bool // write nothing, and report differences as problems
	renderer *render.Renderer
	known    slice.Memo[string, *known] // by slug
	problems source.Problems
	woven    []WovenFile
}

// A WovenFile is a file with filled marks.
type WovenFile struct {
	File    string `json:"file"`
	Parts   int    `json:"parts"`
	Written int    `json:"written"` // number of changed files, including figures
}

// known is an article that a mark names.
type known struct {
	doc   *article.Document
	parts render.Parts
	err   error // why it cannot be shown
}

// Weave fills the marks of Markdown files. With check it writes nothing and reports differences as problems.
func Weave(a *lab.Session, names []string, check bool) error {
	project, list, err := a.Select(nil)
	if err != nil {
		return err
	}
	w := &weaver{Session: a, project: project, articles: list, check: check, woven: []WovenFile{}}
	if w.renderer, err = render.New(theme.Files); err != nil {
		return lab.Failure(err)
	}
	for _, name := range names {
		if err := w.file(name); err != nil {
			return err
		}
	}
	err = a.Print(w.woven, func() {
		for _, f := range w.woven {
			fmt.Fprintf(a.Stdout, "%s: %s, %s\n", f.File, phrase.Count(f.Parts, "part"), w.done(f.Written))
		}
	})
	if err != nil || w.problems.Empty() {
		return err
	}
	lab.PrintProblems(a.Stderr, w.problems.Sorted())
	return lab.Failure(errors.New(phrase.Count(w.problems.Len(), "problem")))
}

// file fills the marks of a file. Marks that cannot be filled keep their text.
func (w *weaver) file(name string) error {
	name = w.At(name)
	src, ok := source.Read(name, filepath.ToSlash(terminal.Relative(name)), &w.problems)
	if !ok || !source.Fits(src, &w.problems) {
		return nil
	}
	marks := marksIn(src, &w.problems)
	bodies := make([]string, len(marks))
	out := map[string]drawing{} // by their paths below the folder of the file
	for i, m := range marks {
		bodies[i] = m.text()
		body, err := w.fill(m, filepath.Dir(name), out)
		if err != nil {
			w.problems.Add("bad-mark", m.at, "%s", terminal.ErrorText(err))
			continue
		}
		if bytes.Contains(src.Data, []byte("\r\n")) {
			body = strings.ReplaceAll(body, "\n", "\r\n")
		}
		if at, words := differs(m, body); words != "" && w.check {
			w.problems.Add("not-woven", at, "%s", words).Hint = "run benchbook weave " + src.Path
		}
		bodies[i] = body
	}
	for _, n := range typedNumbers(src, marks) {
		line, column := src.Position(n.Start)
		fmt.Fprintf(w.Stderr, "%s:%d:%d: %q is typed next to a value of the records: make it a value too [typed-number]\n",
			src.Path, line, column, src.Data[n.Start:n.End])
	}
	changed, err := w.write(src, filepath.Dir(name), out)
	if text := woven(src, marks, bodies); err == nil && !w.check && !bytes.Equal(text, src.Data) {
		changed, err = changed+1, write(followed(name), text)
	}
	if err == nil && w.problems.Empty() {
		w.woven = append(w.woven, WovenFile{src.Path, len(marks), changed})
	}
	return err
}

func (w *weaver) done(changed int) string {
	switch {
	case w.check:
		return "all as the records have it"
	case changed == 0:
		return "nothing changed"
	}
	return phrase.Count(changed, "file") + " written"
}

// write writes the drawings of src that have changed, below folder. With check it reports them as problems instead.
func (w *weaver) write(src *source.Source, folder string, out map[string]drawing) (changed int, err error) {
	for _, below := range slices.Sorted(maps.Keys(out)) {
		name := filepath.Join(folder, below)
		is, _, err := files.Read(name, 1<<30)
		switch {
		case err == nil && bytes.Equal(is, out[below].svg):
			continue
		case w.check:
			w.problems.Add("not-woven", out[below].at, "%s is not what the records give",
				filepath.ToSlash(terminal.Relative(name))).Hint = "run benchbook weave " + src.Path
			continue
		}
		if leadsOut(folder, filepath.Dir(below)) {
			return changed, lab.Failure(fmt.Errorf("%s was not written: a link leads out of %s", terminal.Relative(name),
				terminal.Relative(folder)))
		}
		if err := write(name, out[below].svg); err != nil { // replaces a link of that name
			return changed, err
		}
		changed++
	}
	return changed, nil
}

// leadsOut creates the folder below in folder, and reports whether a link would lead out of folder.
func leadsOut(folder, below string) bool {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return false // the write will fail and give the reason
	}
	defer root.Close()
	err = root.MkdirAll(below, 0o755)
	_, ofSystem := errors.AsType[syscall.Errno](err) // such as a full disk: the write will report it
	return err != nil && !ofSystem
}

func write(name string, data []byte) error {
	if err := files.Write(name, data); err != nil {
		return lab.Failure(fmt.Errorf("%s was not written: %s", terminal.Relative(name), files.Reason(err)))
	}
	return nil
}

// followed returns the file that a link leads to, or name if it cannot be followed.
func followed(name string) string {
	if to, err := filepath.EvalSymlinks(name); err == nil {
		return to
	}
	return name
}

func (w *weaver) article(slug string) *known {
	c, ok := slice.Find(w.articles, func(c *lab.Article) bool { return c.Slug == slug })
	if !ok {
		return &known{err: fmt.Errorf("no article %q: %s", slug, source.Suggest(slug, lab.SlugsOf(w.articles)))}
	}
	d, err := w.dataset(c)
	if err != nil {
		return &known{err: fmt.Errorf("article %s: %w", slug, err)}
	}
	options := render.Options{Address: w.project.URL.Value, Licence: w.project.Licence.Value}
	return &known{doc: c.Doc, parts: w.renderer.Parts(d, options)}
}

func (w *weaver) dataset(c *lab.Article) (*dataset.Dataset, error) {
	if _, err := w.Check(w.project, []*lab.Article{c}, plan.Options{}); err != nil {
		return nil, err
	}
	if !c.Problems.Empty() {
		return nil, fmt.Errorf("it has problems: benchbook check %s", c.Slug)
	}
	// No host counts as this machine, so the text does not depend on the machine that writes or checks it.
	o := lab.DatasetOptions(w.project, c, "")
	records, bad, err := w.Records(w.project, c)
	if err != nil {
		return nil, err
	}
	records, o.Bad = w.chosen(records), bad
	if len(records) == 0 && w.project.Weave != (article.Weave{}) {
		return nil, fmt.Errorf("it has no records that weave: in %s asks for", article.ProjectFile)
	}
	return dataset.New(c.Doc, records, o)
}

// chosen returns the records of the host and profile that the project file names under weave, or all.
func (w *weaver) chosen(records []*record.Record) []*record.Record {
	host, profile := w.project.Weave.Host.Value, w.project.Weave.Profile.Value
	return slice.Filter(records, func(r *record.Record) bool {
		isHost := host == "" || r.Host == host || record.ClassOf(r.Host) == host
		return isHost && (profile == "" || r.Profile == profile)
	})
}

// fill returns the text for a mark of a file in folder, and adds its drawing to out.
func (w *weaver) fill(m mark, folder string, out map[string]drawing) (string, error) {
	of := w.known.Get(m.article, func() *known { return w.article(m.article) })
	if of.err != nil {
		return "", of.err
	}
	switch m.kind {
	case "value":
		in, err := expr.ParseInline(m.name)
		if err != nil {
			return "", err
		}
		text, err := of.parts.Value(in)
		return show.Escape(text), err
	case "claim":
		sentence, word, err := of.parts.Claim(m.name)
		if err != nil {
			return "", err
		}
		return show.Escape(sentence) + " (" + word + ")", nil
	case "table":
		block, err := labelled(of.doc.Tables, m.name, func(t *article.Table) string { return t.Label.Value })
		if err != nil {
			return "", err
		}
		table, err := of.parts.Table(block)
		if err != nil {
			return "", err
		}
		return tableText(table, w.address(m, folder)+"#"+m.name), nil
	default: // a figure
		block, err := labelled(of.doc.Figures, m.name, func(f *article.Figure) string { return f.Label.Value })
		if err != nil {
			return "", err
		}
		drawn, err := of.parts.Figure(block)
		if err != nil {
			return "", err
		}
		name := filepath.Join(drawings, m.article, m.name+".svg")
		out[name] = drawing{drawn.SVG, m.at}
		return fmt.Sprintf("\n\n![%s](%s)\n\n", show.Escape(drawn.Title), filepath.ToSlash(name)), nil
	}
}

// labelled returns the table or figure with a label.
func labelled[T any](list []T, label string, of func(T) string) (block T, err error) {
	block, ok := slice.Find(list, func(b T) bool { return of(b) == label })
	if !ok {
		err = fmt.Errorf("the article has no %q: %s", label, source.Suggest(label, slice.Map(list, of)))
	}
	return block, err
}

// address returns the URL of an article's page if the project has a URL, else the path to its Markdown file.
func (w *weaver) address(m mark, folder string) string {
	if base := w.project.URL.Value; base != "" {
		return strings.TrimRight(base, "/") + "/" + url.PathEscape(m.article) + "/"
	}
	file := filepath.Join(w.project.ArticleDir(m.article), article.FileName)
	if folder, err := filepath.Abs(folder); err == nil {
		if below, err := filepath.Rel(folder, file); err == nil {
			file = below
		}
	}
	return (&url.URL{Path: filepath.ToSlash(file)}).String()
}

func tableText(t render.TableText, address string) string {
	var b strings.Builder
	b.WriteString("\n\n")
	show.Table{Head: t.Rows[0], Rows: t.Rows[1:], Right: t.Right}.Markdown(&b)
	fmt.Fprintf(&b, "[%s](%s): %s.\n\n", show.Escape(t.Title), address,
		show.Escape(strings.ReplaceAll(t.Where, "\u00a0", " ")))
	for _, note := range t.Notes {
		b.WriteString(show.Escape(note) + "\n\n")
	}
	return b.String()
}
