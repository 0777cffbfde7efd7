package article

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ProjectFile is the name of the file that makes a folder a project.
const ProjectFile = "benchbook.yaml"

// Project is a folder with articles.
type Project struct {
	Dir      string // absolute
	Title    Text
	URL      Text
	Author   Text
	Defaults *Node            // of all experiments; nil if none
	Profiles map[string]*Node // overrides of all experiments, by profile
	Problems Problems
}

// projectFile is what benchbook.yaml holds.
type projectFile struct {
	Title    Text     `yaml:"title"`
	URL      Text     `yaml:"url"`
	Author   Text     `yaml:"author"`
	Defaults Defaults `yaml:"defaults"`
	Profiles Profiles `yaml:"profiles"`

	Engine   later `yaml:"engine"`
	Hosts    later `yaml:"hosts"`
	Registry later `yaml:"registry"`
	Theme    later `yaml:"theme"`
	Publish  later `yaml:"publish"`
	Allow    later `yaml:"allow"`
}

// OpenProject finds the project that dir lies in: the nearest folder upwards that has a benchbook.yaml.
func OpenProject(dir string) (*Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the project: %w", err)
	}
	if _, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("finding the project: %w", err)
	}
	for d := abs; ; d = filepath.Dir(d) {
		data, err := os.ReadFile(filepath.Join(d, ProjectFile))
		if err == nil {
			return readProject(d, data), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading the project: %w", err)
		}
		if d == filepath.Dir(d) {
			return nil, fmt.Errorf("no %s in %s or above it: go to a project's folder, or name it with -C", ProjectFile, abs)
		}
	}
}

func readProject(dir string, data []byte) *Project {
	p := &Project{Dir: dir, Profiles: map[string]*Node{}}
	n := parseYAML(wholeFile(NewSource(ProjectFile, data)), &p.Problems)
	if n == nil {
		return p
	}
	var file projectFile
	decoder{problems: &p.Problems}.decode(n, ProjectFile, &file)
	p.Title, p.URL, p.Author, p.Defaults = file.Title, file.URL, file.Author, file.Defaults.Node
	for _, profile := range file.Profiles {
		if profile.Skip {
			p.Problems.Add("wrong-shape", profile.Name.Pos, "a whole project cannot skip profile %q", profile.Name.Value).
				Hint = "write skip in the experiments that the profile leaves out"
			continue
		}
		p.Profiles[profile.Name.Value] = profile.Node
	}
	return p
}

// Slugs lists the articles of the project, sorted: the folders below experiments/ that hold an article.
func (p *Project) Slugs() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(globEscape(p.Dir), "experiments", "*", FileName))
	if err != nil {
		return nil, fmt.Errorf("listing articles: %w", err)
	}
	var slugs []string
	for _, f := range found {
		slugs = append(slugs, filepath.Base(filepath.Dir(f)))
	}
	slices.Sort(slugs)
	return slugs, nil
}

func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// Article reads one article of the project.
func (p *Project) Article(slug string) (*Document, error) {
	dir := p.ArticleDir(slug)
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("reading article %s: %w", slug, err)
	}
	return Parse(dir, NewSource(filepath.ToSlash(filepath.Join("experiments", slug, FileName)), data)), nil
}

// ArticleDir is the folder of an article.
func (p *Project) ArticleDir(slug string) string { return filepath.Join(p.Dir, "experiments", slug) }

// RecordsDir is where an article's records are.
func (p *Project) RecordsDir(slug string) string { return filepath.Join(p.ArticleDir(slug), "records") }
