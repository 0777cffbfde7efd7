package cli

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"

	"benchbook/lab"
	"benchbook/lab/pages"

	"benchbook/lab/starter"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/site"
)

// Articles to begin with, one folder to a template. Each runs as it is: TestTemplates measures them.
//
//go:embed templates
var templates embed.FS

// defaultTemplate is the article that init writes by default.
const defaultTemplate = "http"

// anyDate is replaced in templates by the day on which the article is made.
const anyDate = "date: 2026-01-01"

func templateNames() []string {
	folders, _ := templates.ReadDir("templates") // it is embedded
	return slice.Map(folders, func(f fs.DirEntry) string { return f.Name() })
}

// A newFile is a file to be made, its path below the project's folder.
type newFile struct {
	path string
	data []byte
}

func (a *app) initCommand() *cobra.Command {
	var template, from, path string
	cmd := &cobra.Command{
		Use:   "init [DIR|ARTICLE]",
		Short: "Create a project, or an article in one, that is ready to run",
		Example: "  benchbook init demo                        two servers to compare\n" +
			"  benchbook init --from docker-compose.yml   a service of yours\n" +
			"  benchbook init sorting --template command  two programs",
		Long: `Create a project in this folder or the named one: the project file, an article that is ready to run, and settings that
let editors check the project file and records. It asks no questions and changes no existing file. Inside a project it
creates experiments/ARTICLE/article.md; the name begins with a letter, and has letters, digits, - and _.

Templates: http, two servers under the same load; command, two timed programs; database, a server that queries a
database; published, published numbers beside yours.

With --from, the article is made from what you have: it puts load on a service of a Compose file or on the server of a
Dockerfile, which stay as they are. Without DIR, the project is made beside the file.`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if project, err := article.OpenProject(a.Dir); err == nil && len(args) == 1 && from == "" &&
				filepath.Base(args[0]) == args[0] {
				return a.newArticle(project, args[0], template)
			}
			dir := a.Dir
			if len(args) == 1 && filepath.IsAbs(args[0]) {
				dir = args[0]
			} else if len(args) == 1 {
				dir = filepath.Join(dir, args[0])
			}
			if info, err := os.Stat(from); err == nil && info.Mode().IsRegular() && len(args) == 0 {
				dir = filepath.Dir(from)
			}
			return a.newProject(dir, template, from, path)
		},
	}
	cmd.Flags().StringVar(&template, "template", defaultTemplate, "what to begin with: "+strings.Join(templateNames(), ", "))
	cmd.Flags().StringVar(&from, "from", "", "begin with a Compose file or a Dockerfile")
	cmd.Flags().StringVar(&path, "path", "/", "what to ask the server for, with --from")
	cmd.MarkFlagsMutuallyExclusive("from", "template")
	cmd.MarkFlagsMutuallyExclusive("path", "template")
	return cmd
}

// newProject creates a project with an article, made from a template or from a Compose file or Dockerfile.
func (a *app) newProject(dir, template, from, path string) error {
	here, err := filepath.Abs(dir)
	if err != nil {
		return lab.Failure(err)
	}
	own, err := projectFiles(filepath.Base(here))
	if err != nil {
		return lab.Failure(err)
	}
	var files, refused []newFile
	if from == "" {
		files, err = articleFiles(template, template)
		refused = append(files, own[0])
	} else if made, fromErr := starter.From(dir, from, path); fromErr != nil { // there may be a project already
		err = fromErr
	} else {
		files = []newFile{{filepath.Join("experiments", made.Slug, article.FileName), []byte(made.Text)}}
		refused = files
	}
	if err != nil {
		return err
	}
	in := ""
	if here = terminal.Relative(here); here != "." {
		in = "cd " + shellquote.Join(here) + " && "
	}
	return writeNew(a.Session, dir, append(own, files...), refused,
		fmt.Sprintf("measure it:  %sbenchbook run --quick\nlook at it:  %sbenchbook preview\n", in, in))
}

func (a *app) newArticle(project *article.Project, slug, template string) error {
	if !files.IsWord(slug) {
		return fmt.Errorf("%q cannot be the slug of an article: begin with a letter, and use letters, digits, - and _", slug)
	}
	if err := site.CheckSlug(slug); err != nil {
		return err
	}
	list, err := articleFiles(template, slug)
	if err != nil {
		return err
	}
	return writeNew(a.Session, project.Dir, list, list,
		fmt.Sprintf("measure it:  benchbook run --quick %s\nlook at it:  benchbook preview\n", slug))
}

func articleFiles(template, slug string) (files []newFile, err error) {
	if names := templateNames(); !slices.Contains(names, template) {
		return nil, fmt.Errorf("no template %q: %s", template, source.Suggest(template, names))
	}
	root := "templates/" + template
	today := []byte("date: " + time.Now().Format(time.DateOnly))
	err = fs.WalkDir(templates, root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := templates.ReadFile(name)
		files = append(files, newFile{filepath.Join("experiments", slug, strings.TrimPrefix(name, root)),
			bytes.Replace(data, []byte(anyDate), today, 1)})
		return err
	})
	return files, err
}

// projectFiles are the files of a project without its articles, the project file first.
func projectFiles(title string) ([]newFile, error) {
	var schema bytes.Buffer
	err := lab.PrintJSON(&schema, starter.Of("project"))
	return []newFile{
		{article.ProjectFile, fmt.Appendf(nil,
			"# yaml-language-server: $schema=.vscode/benchbook-project.json\n\ntitle: %q\n", title)},
		{".gitignore", []byte(pages.SiteDir + "/\n")},
		{filepath.Join(".vscode", "settings.json"), []byte(editorSettings)},
		{filepath.Join(".vscode", "benchbook-project.json"), schema.Bytes()},
	}, err
}

// editorSettings name the schema of the project file for editors that read Visual Studio Code's settings. They do not
// look into the fences of an article: there benchbook check and the preview show problems.
const editorSettings = `{
  "yaml.schemas": {
    "./.vscode/benchbook-project.json": "benchbook.yaml"
  }
}
`

type initJSON struct {
	Written []string `json:"written"`
	Kept    []string `json:"kept"` // existed before
}

// writeNew writes files, and prints them with what to do next. Existing files are kept, but any in refused is an error.
// After an error, such as a full disk, the written files are removed: they would be in the way of the next try.
func writeNew(a *lab.Session, dir string, files, refused []newFile, next string) error {
	for _, f := range refused {
		if full := filepath.Join(dir, f.path); isThere(full) {
			return fmt.Errorf("%s exists already: choose another name, or remove it first", full)
		}
	}
	made := initJSON{[]string{}, []string{}}
	for _, f := range files {
		full := filepath.Join(dir, f.path)
		if isThere(full) {
			made.Kept = append(made.Kept, full)
			continue
		}
		err := os.MkdirAll(filepath.Dir(full), 0o755)
		if err == nil {
			made.Written = append(made.Written, full)
			err = os.WriteFile(full, f.data, 0o644)
		}
		if err != nil {
			err = fmt.Errorf("%w: the files of the new project are removed again", err)
			for _, full := range made.Written {
				if removed := os.Remove(full); !errors.Is(removed, fs.ErrNotExist) {
					err = errors.Join(err, removed)
				}
			}
			return lab.Failure(err)
		}
	}
	return a.Print(made, func() {
		for _, full := range made.Written {
			fmt.Fprintf(a.Stdout, "wrote %s\n", full)
		}
		for _, full := range made.Kept {
			fmt.Fprintf(a.Stdout, "left as it is: %s\n", full)
		}
		fmt.Fprintf(a.Stdout, "\n%s", next)
	})
}

func isThere(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
