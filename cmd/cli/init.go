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

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/pages"
	"benchbook/lab/starter"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
	"benchbook/site"
)

// templates has a folder with a first article for each template. All run unchanged: TestTemplates measures them.
//
//go:embed templates
var templates embed.FS

// defaultTemplate is the template that init uses by default.
const defaultTemplate = "http"

// anyDate is the placeholder in templates for the current date.
const anyDate = "date: 2026-01-01"

func templateNames() []string {
	folders, _ := templates.ReadDir("templates") // cannot fail: it is embedded
	return slice.Map(folders, func(f fs.DirEntry) string { return f.Name() })
}

// A newFile is a file to write, with its path below the project's folder.
type newFile struct {
	path string
	data []byte
	may  bool // the file may exist already, and then is kept
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
database; published, published numbers next to yours.

With --from, the article is made from what you have: it puts load on a service of a Compose file or on the server of a
Dockerfile, which stay as they are. Without DIR, the project is made next to the file.`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from != "" {
				from = a.Located(from)
			} else if cmd.Flags().Changed("path") {
				return errors.New("--path needs --from: give the Compose file or Dockerfile of the server")
			}
			if project, err := article.OpenProject(a.Dir); err == nil && len(args) == 1 && from == "" &&
				filepath.Base(args[0]) == args[0] {
				return a.newArticle(project, args[0], template)
			}
			dir := a.Dir
			if len(args) == 1 {
				dir = a.At(args[0])
			} else if info, err := os.Stat(from); err == nil && info.Mode().IsRegular() {
				dir = filepath.Dir(from)
			}
			return a.newProject(dir, template, from, path)
		},
	}
	cmd.Flags().StringVar(&template, "template", defaultTemplate, "what to begin with: "+strings.Join(templateNames(), ", "))
	cmd.Flags().StringVar(&from, "from", "", "begin with a Compose file or a Dockerfile")
	cmd.Flags().StringVar(&path, "path", "/", "with --from, the path to request")
	cmd.MarkFlagsMutuallyExclusive("from", "template")
	cmd.MarkFlagsMutuallyExclusive("path", "template")
	return cmd
}

// newProject creates a project with an article made from a template, a Compose file or a Dockerfile.
func (a *app) newProject(dir, template, from, path string) error {
	here, err := filepath.Abs(dir)
	if err != nil {
		return lab.Failure(err)
	}
	own, err := projectFiles(filepath.Base(here), from != "")
	if err != nil {
		return lab.Failure(err)
	}
	var file newFile
	if from != "" {
		file, err = articleFrom(dir, from, path)
	} else {
		file, err = articleFile(template, template)
	}
	if err != nil {
		return err
	}
	in := ""
	if here = terminal.Relative(here); here != "." {
		in = "cd " + shellquote.Join(here) + " && "
	}
	return writeNew(a.Session, dir, append(own, file),
		fmt.Sprintf("measure it:  %sbenchbook run --quick\nlook at it:  %sbenchbook preview\n", in, in))
}

func (a *app) newArticle(project *article.Project, slug, template string) error {
	if !files.IsWord(slug) {
		return fmt.Errorf("%q cannot be the slug of an article: begin with a letter, and use letters, digits, - and _", slug)
	}
	if err := site.CheckSlug(slug); err != nil {
		return err
	}
	file, err := articleFile(template, slug)
	if err != nil {
		return err
	}
	return writeNew(a.Session, project.Dir, []newFile{file},
		fmt.Sprintf("measure it:  benchbook run --quick %s\nlook at it:  benchbook preview\n", slug))
}

func articleFrom(dir, from, path string) (newFile, error) {
	made, err := starter.From(dir, from, path)
	if err != nil {
		return newFile{}, err
	}
	return newFile{path: filepath.Join("experiments", made.Slug, article.FileName), data: []byte(made.Text)}, nil
}

func articleFile(template, slug string) (newFile, error) {
	if names := templateNames(); !slices.Contains(names, template) {
		return newFile{}, fmt.Errorf("no template %q: %s", template, source.Suggest(template, names))
	}
	data, err := templates.ReadFile("templates/" + template + "/" + article.FileName)
	today := []byte("date: " + time.Now().Format(time.DateOnly))
	return newFile{path: filepath.Join("experiments", slug, article.FileName),
		data: bytes.Replace(data, []byte(anyDate), today, 1)}, err
}

// projectFiles returns the files of a new project except articles. With isOld, an existing project file is kept.
func projectFiles(title string, isOld bool) ([]newFile, error) {
	var schema bytes.Buffer
	err := lab.PrintJSON(&schema, starter.Of("project"))
	return []newFile{
		{article.ProjectFile, fmt.Appendf(nil,
			"# yaml-language-server: $schema=.vscode/benchbook-project.json\n\ntitle: %q\n", title), isOld},
		{".gitignore", []byte(pages.SiteDir + "/\n"), true},
		{filepath.Join(".vscode", "settings.json"), []byte(editorSettings), true},
		{filepath.Join(".vscode", "benchbook-project.json"), schema.Bytes(), true},
	}, err
}

// editorSettings tells editors that read Visual Studio Code's settings the schema of the project file. Editors do not
// check the blocks of an article; benchbook check and the preview do.
const editorSettings = `{
  "yaml.schemas": {
    "./.vscode/benchbook-project.json": "benchbook.yaml"
  }
}
`

type initJSON struct {
	Written []string `json:"written"`
	Kept    []string `json:"kept"` // files that existed before
}

// writeNew writes new files and prints them, with what to do next. After an error, such as a full disk, it removes the
// written files, because they would be in the way of the next attempt.
func writeNew(a *lab.Session, dir string, list []newFile, next string) error {
	made := initJSON{[]string{}, []string{}}
	var missing []newFile
	for _, f := range list {
		f.path = filepath.Join(dir, f.path)
		switch _, err := os.Lstat(f.path); {
		case err != nil:
			missing = append(missing, f)
		case f.may:
			made.Kept = append(made.Kept, f.path)
		default:
			return fmt.Errorf("%s exists already: choose another name, or remove it first", f.path)
		}
	}
	for _, f := range missing {
		if err := files.Write(f.path, f.data); err != nil {
			err = fmt.Errorf("%w: the files of the new project are removed again", err)
			for _, full := range made.Written {
				err = errors.Join(err, os.Remove(full))
			}
			return lab.Failure(err)
		}
		made.Written = append(made.Written, f.path)
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
