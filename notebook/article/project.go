package article

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/files"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// Project is a folder with articles.
type Project struct {
	Settings
	Dir  string // absolute
	file string // the Markdown file that is the only article; empty: those below experiments/
	// RecordsIn is a folder for comparisons that has the records of each article in a folder of its own, instead of
	// the folders next to articles.
	RecordsIn string
	Profiles  map[string]*source.Node // overrides of all experiments, by profile
	Problems  source.Problems
}

// Settings are the keys of benchbook.yaml.
type Settings struct {
	Title source.Text `yaml:"title"`
	// a sentence or two under the title of the site
	Description source.Text `yaml:"description"`
	URL         source.Text `yaml:"url"`
	Author      source.Text `yaml:"author"`
	Licence     source.Text `yaml:"licence"` // of articles and results
	Defaults    Defaults    `yaml:"defaults"`
	Profiles    Profiles    `yaml:"profiles"`
	Engine      source.Text `yaml:"engine" as:"engine"`
	Cluster     *Cluster    `yaml:"kubernetes"` // of the engine kubernetes; nil if nothing is written
	Registry    source.Text `yaml:"registry"`   // where images are pushed that the nodes of a cluster pull
	// a style sheet of the project, which follows the built-in one
	Theme   source.Text `yaml:"theme"`
	Publish Publish     `yaml:"publish"`
	Weave   Weave       `yaml:"weave"` // whose results weave shows
	Allow   Allow       `yaml:"allow" as:"permissions"`
}

// EngineName is the engine that the project chooses; empty for the default one.
func (s *Settings) EngineName() spec.Engine { return spec.Engine(s.Engine.Value) }

// Allow is what articles may ask for beyond the harmless, or a machine lets projects do.
type Allow struct {
	Words   []source.Text `yaml:"-"`       // of the type Permission
	Targets []source.Text `yaml:"targets"` // hosts of running targets
}

// Has reports whether a permission is given.
func (a *Allow) Has(p Permission) bool {
	return slices.ContainsFunc(a.Words, func(t source.Text) bool { return t.Value == string(p) })
}

// Permission is something that articles ask for only where the project allows it, or that projects use without asking.
type Permission = string

// The permissions, by the keys of services that need them; Mounts is about paths of the host outside the article's
// folder.
const (
	AllowCapAdd      Permission = "cap_add"
	AllowSecurityOpt Permission = "security_opt"
	AllowSysctls     Permission = "sysctls"
	AllowMounts      Permission = "mounts"
	AllowContexts    Permission = "contexts" // build contexts outside the repository
	AllowSecrets     Permission = "secrets"  // files of secrets outside the repository
)

var permissions = []string{AllowCapAdd, AllowSecurityOpt, AllowSysctls, AllowMounts, AllowContexts, AllowSecrets}

// Things that projects use without a permission, and that a machine has to allow if it has a policy.
const (
	PolicySockets Permission = "sockets"    // mounts of sockets of the machine, and of folders that have some
	PolicyLocal   Permission = "local"      // programs of the machine, as the user
	PolicyCluster Permission = "kubernetes" // pods in a cluster of the user, and pushes to a registry
	PolicyBuilds  Permission = "builds"     // images that are built, which reaches the network
)

// IsLoopback reports whether a host is this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Cluster is the cluster that the engine kubernetes uses, and its nodes.
type Cluster struct {
	Context   source.Text  `yaml:"context"`   // of the user's kubeconfig; its current one, if it is empty
	Namespace source.Text  `yaml:"namespace"` // empty: the namespace of the context
	Nodes     ClusterNodes `yaml:"nodes"`
}

// ClusterNodes are the labels of the nodes for services, and of those for load generators.
type ClusterNodes struct {
	Services NamedTexts `yaml:"services"`
	Load     NamedTexts `yaml:"load"`
}

// Publish is the branch of a git remote where publish puts the site; empty: gh-pages of origin.
type Publish struct {
	Remote source.Text `yaml:"remote"`
	Branch source.Text `yaml:"branch"`
}

// Weave chooses the results that weave shows, so that those of another machine do not change a README.
type Weave struct {
	Host    source.Text `yaml:"host"` // or its class; empty: by the rule of dataset.New
	Profile source.Text `yaml:"profile"`
}

// StateDir is the hidden folder of a project, which git ignores.
const StateDir = ".benchbook"

// AllowsTarget reports whether loads may go to a server that runs already on a host.
func (p *Project) AllowsTarget(host string) bool {
	return IsLoopback(host) || slices.ContainsFunc(p.Allow.Targets, func(t source.Text) bool {
		return strings.EqualFold(t.Value, host)
	})
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
		switch _, err := os.Lstat(filepath.Join(d, ProjectFile)); {
		case err == nil:
			return readProject(d), nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("reading the project: %w", err)
		}
		if d == filepath.Dir(d) {
			return nil, fmt.Errorf("no %s in %s or above it: go to a project's folder, name it with -C, or make one with "+
				"benchbook init", ProjectFile, abs)
		}
	}
}

// Repository returns the folder of the git repository or opened bundle around the project, or the project's own.
func (p *Project) Repository() string {
	top, _ := files.RepositoryAbove(p.Dir)
	return cmp.Or(top, p.Dir)
}

// OpenProjectFile returns the project of a Markdown file anywhere, which is its only article. Keys for articles in a
// project file above it hold; records are in a folder next to it.
func OpenProjectFile(name string) (*Project, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	p, err := OpenProject(filepath.Dir(abs))
	if err != nil {
		p = &Project{Profiles: map[string]*source.Node{}}
	}
	p.Dir, p.file = filepath.Dir(abs), abs
	p.Theme, p.Publish = source.Text{}, Publish{} // for the whole project only
	return p, nil
}

// File is the Markdown file that is the only article; empty for a project with articles of its own.
func (p *Project) File() string { return p.file }

// Reopen reads the project again.
func (p *Project) Reopen() (*Project, error) {
	if p.file != "" {
		return OpenProjectFile(p.file)
	}
	return OpenProject(p.Dir)
}

// decodeFile fills the struct that out points to from a YAML file, which is shown to people by another path.
func decodeFile(file, shown string, out any, problems *source.Problems) {
	src, ok := source.Read(file, shown, problems)
	if !ok || !source.Fits(src, problems) {
		return
	}
	if n := source.Parse(source.Whole(src), problems); n != nil {
		NewDecoder(problems, false).Decode(n, shown, out)
	}
}

func readProject(dir string) *Project {
	p := &Project{Dir: dir, Profiles: map[string]*source.Node{}}
	decodeFile(filepath.Join(dir, ProjectFile), ProjectFile, &p.Settings, &p.Problems)
	p.Title, p.Author = p.Title.OneLine(), p.Author.OneLine()
	for _, profile := range p.Settings.Profiles {
		if profile.Skip {
			p.Problems.Add("wrong-shape", profile.Name.Pos, "a whole project cannot skip profile %q", profile.Name.Value).
				Hint = "write skip in the experiments that the profile leaves out"
			continue
		}
		checkTemplates(profile.Node, &p.Problems)
		p.Profiles[profile.Name.Value] = profile.Node
	}
	return p
}

// Slugs lists the articles of the project, sorted: the folders below experiments/ with an article.
func (p *Project) Slugs() ([]string, error) {
	if p.file != "" {
		name := strings.TrimSuffix(filepath.Base(p.file), filepath.Ext(p.file))
		if filepath.Base(p.file) == FileName {
			name = filepath.Base(p.Dir)
		}
		return []string{cmp.Or(strings.Trim(notInSlug.ReplaceAllString(name, "-"), "-_"), "article")}, nil
	}
	found, err := fs.Glob(os.DirFS(p.Dir), "experiments/*/"+FileName)
	if err != nil {
		return nil, fmt.Errorf("listing articles: %w", err)
	}
	return slice.Map(found, func(f string) string { return path.Base(path.Dir(f)) }), nil
}

// notInSlug are characters that a slug does not have.
var notInSlug = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// Article reads one article of the project. A missing article is an error; one that cannot be read has a problem that
// says so.
func (p *Project) Article(slug string) (*Document, error) {
	dir, file := p.ArticleDir(slug), p.file
	shown := filepath.Base(file)
	if file == "" {
		file, shown = filepath.Join(dir, FileName), path.Join("experiments", slug, FileName)
	}
	if _, err := os.Lstat(file); err != nil {
		return nil, fmt.Errorf("reading article %s: %w", slug, err)
	}
	var problems source.Problems
	source, ok := source.Read(file, shown, &problems)
	if !ok {
		return &Document{Slug: slug, Dir: dir, Source: source, Tree: ast.NewDocument(), Problems: problems}, nil
	}
	doc := Parse(dir, source)
	doc.Slug = slug
	return doc, nil
}

// ArticleDir is the folder of an article.
func (p *Project) ArticleDir(slug string) string {
	if p.file != "" {
		return p.Dir
	}
	return filepath.Join(p.Dir, "experiments", slug)
}

// RecordsDir is where an article's records are.
func (p *Project) RecordsDir(slug string) string {
	if p.RecordsIn != "" {
		return filepath.Join(p.RecordsIn, slug)
	}
	return filepath.Join(p.ArticleDir(slug), RecordsName(p.file))
}

// Policy bounds what projects may allow their articles, and use, on a machine.
type Policy struct {
	Allow Allow `yaml:"allow" as:"uses"`
}

// ReadPolicy reads the policy in a file.
func ReadPolicy(name string, problems *source.Problems) *Policy {
	p := &Policy{}
	decodeFile(name, name, p, problems)
	return p
}
