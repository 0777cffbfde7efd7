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
	file string // the Markdown file that is the only article; empty: articles are below experiments/
	// RecordsIn is a folder with the records of each article, by slug, instead of the folders next to the articles.
	// Comparisons set it.
	RecordsIn string
	Profiles  map[string]*source.Node // overrides of all experiments, by profile
	Problems  source.Problems
}

// Settings are the keys of benchbook.yaml.
type Settings struct {
	Title source.Text `yaml:"title"`
	// one or two sentences below the title of the site
	Description source.Text `yaml:"description"`
	URL         source.Text `yaml:"url"`
	Author      source.Text `yaml:"author"`
	Licence     source.Text `yaml:"licence"` // of articles and results
	Defaults    Defaults    `yaml:"defaults"`
	Profiles    Profiles    `yaml:"profiles"`
	Engine      source.Text `yaml:"engine" as:"engine"`
	Cluster     *Cluster    `yaml:"kubernetes"` // for the engine kubernetes; may be nil
	Registry    source.Text `yaml:"registry"`   // where images are pushed for the nodes of a cluster
	// style sheet of the project, which follows the built-in one
	Theme   source.Text `yaml:"theme"`
	Publish Publish     `yaml:"publish"`
	Weave   Weave       `yaml:"weave"` // which results weave shows
	Allow   Allow       `yaml:"allow" as:"permissions"`
}

// EngineName returns the engine that the project chooses; empty for the default.
func (s *Settings) EngineName() spec.Engine { return spec.Engine(s.Engine.Value) }

// Allow is what a project permits its articles, or a machine's policy permits projects.
type Allow struct {
	Words   []source.Text `yaml:"-"`       // each a Permission
	Targets []source.Text `yaml:"targets"` // hosts that loads with outside may go to
}

// Has reports whether a permission is granted.
func (a *Allow) Has(p Permission) bool {
	return slices.ContainsFunc(a.Words, func(t source.Text) bool { return t.Value == string(p) })
}

// Permission names something that articles may do only if the project allows it, or projects if the policy does.
type Permission = string

// The permissions that projects grant, named after the keys that need them. AllowMounts is for paths of the host
// outside the article's folder.
const (
	AllowCapAdd      Permission = "cap_add"
	AllowSecurityOpt Permission = "security_opt"
	AllowSysctls     Permission = "sysctls"
	AllowMounts      Permission = "mounts"
	AllowContexts    Permission = "contexts" // build contexts outside the repository
	AllowSecrets     Permission = "secrets"  // files of secrets outside the repository
)

var permissions = []string{AllowCapAdd, AllowSecurityOpt, AllowSysctls, AllowMounts, AllowContexts, AllowSecrets}

// Permissions that only a machine's policy restricts: projects do not have to grant them.
const (
	PolicySockets Permission = "sockets"    // mounts of the machine's sockets, and of folders that contain some
	PolicyLocal   Permission = "local"      // programs of the machine, run as the user
	PolicyCluster Permission = "kubernetes" // pods in the user's cluster, and pushes to a registry
	PolicyBuilds  Permission = "builds"     // image builds, which reach the network
)

// IsLoopback reports whether a host is localhost or a loopback address.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Cluster is the cluster that the engine kubernetes uses, and its nodes.
type Cluster struct {
	Context   source.Text  `yaml:"context"`   // of the user's kubeconfig; empty: its current context
	Namespace source.Text  `yaml:"namespace"` // empty: the namespace of the context
	Nodes     ClusterNodes `yaml:"nodes"`
}

// ClusterNodes are the labels that select nodes for services and for load generators.
type ClusterNodes struct {
	Services NamedTexts `yaml:"services"`
	Load     NamedTexts `yaml:"load"`
}

// Publish is the git remote and branch that publish puts the site on; empty: gh-pages of origin.
type Publish struct {
	Remote source.Text `yaml:"remote"`
	Branch source.Text `yaml:"branch"`
}

// Weave chooses the results that weave shows, so that new results of another machine do not change a README.
type Weave struct {
	Host    source.Text `yaml:"host"` // a host or its class; empty: chosen by dataset.New
	Profile source.Text `yaml:"profile"`
}

// StateDir is a project's hidden folder, which git ignores.
const StateDir = ".benchbook"

// AllowsTarget reports whether loads with outside may go to a host.
func (p *Project) AllowsTarget(host string) bool {
	return IsLoopback(host) || slices.ContainsFunc(p.Allow.Targets, func(t source.Text) bool {
		return strings.EqualFold(t.Value, host)
	})
}

// OpenProject opens the project of dir: the nearest folder upwards with a benchbook.yaml.
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

// Repository returns the root of the git repository or opened bundle that contains the project, or the project's own.
func (p *Project) Repository() string {
	top, _ := files.RepositoryAbove(p.Dir)
	return cmp.Or(top, p.Dir)
}

// OpenProjectFile returns a project whose only article is a Markdown file, with its records in a folder next to it.
// Settings for articles come from a benchbook.yaml above it, if any.
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

// File returns the Markdown file that is the only article; empty if the articles are in experiments/.
func (p *Project) File() string { return p.file }

// Reopen reads the project again.
func (p *Project) Reopen() (*Project, error) {
	if p.file != "" {
		return OpenProjectFile(p.file)
	}
	return OpenProject(p.Dir)
}

// decodeFile decodes a YAML file into the struct that out points to; shown is its path in problems.
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

// Slugs returns the slugs of the project's articles, sorted: the folders below experiments/ with an article.md.
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

// notInSlug matches characters that a slug cannot have.
var notInSlug = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// Article parses an article of the project. A missing article is an error; one that cannot be read is a document with a
// problem.
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

// ArticleDir returns the folder of an article.
func (p *Project) ArticleDir(slug string) string {
	if p.file != "" {
		return p.Dir
	}
	return filepath.Join(p.Dir, "experiments", slug)
}

// RecordsDir returns the folder of an article's records.
func (p *Project) RecordsDir(slug string) string {
	if p.RecordsIn != "" {
		return filepath.Join(p.RecordsIn, slug)
	}
	return filepath.Join(p.ArticleDir(slug), RecordsName(p.file))
}

// Policy is what a machine lets projects permit their articles, and use themselves.
type Policy struct {
	Allow Allow `yaml:"allow" as:"uses"`
}

// ReadPolicy reads the policy in a file.
func ReadPolicy(name string, problems *source.Problems) *Policy {
	p := &Policy{}
	decodeFile(name, name, p, problems)
	return p
}
