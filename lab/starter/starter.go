// Package starter writes a first article for a Compose file or a Dockerfile, and generates JSON Schemas of blocks,
// project files and records.
package starter

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/article"
	"benchbook/notebook/compose"

	"benchbook/internal/files"
	"benchbook/internal/slice"
	"benchbook/notebook/source"
)

// Article is the article that From makes.
type Article struct {
	Slug string
	Text string
}

// maxFile bounds a Compose file or Dockerfile, in bytes.
const maxFile = 4 << 20

// From makes an article for the project in dir that puts load on a service of a Compose file, or on the server that a
// Dockerfile builds. path is the URL path to request, such as /notes/.
//
// An error says what is wrong and what to change.
func From(dir, file, path string) (*Article, error) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " #\n\"${}") {
		return nil, fmt.Errorf("invalid path %q: write it as in a URL, such as /notes/", path)
	}
	data, _, err := files.Read(file, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%s is not a file that can be read (%s): name a Compose file, such as docker-compose.yml, or a "+
			"Dockerfile", file, files.Reason(err))
	}
	dir = absolute(dir)
	slug := slugOf(filepath.Base(absolute(filepath.Dir(file))))
	m := maker{file: file, folder: filepath.Join(dir, "experiments", slug),
		root: (&article.Project{Dir: dir}).Repository()}
	if isDockerfile(file) {
		err = m.fromDockerfile(data)
	} else {
		err = m.fromCompose()
	}
	if err != nil {
		return nil, err
	}
	return &Article{slug, m.text(slug, path)}, nil
}

// A maker makes an article from a file.
type maker struct {
	file, folder, root string // the source file, the article's folder, and the repository's

	service, port string // target of the load
	services      string // YAML lines of the experiment that define its services
}

// defaultName matches the default names of Compose files. Only for these does Compose also read an override file.
var defaultName = regexp.MustCompile(`^(docker-)?compose\.ya?ml$`)

// fromCompose chooses a service of a Compose file. Like Compose itself, it also reads the override file.
func (m *maker) fromCompose() error {
	names := []string{m.file}
	for _, ending := range []string{".yml", ".yaml"} {
		over := strings.TrimSuffix(m.file, filepath.Ext(m.file)) + ".override" + ending
		if _, err := os.Stat(over); err == nil && defaultName.MatchString(filepath.Base(m.file)) && len(names) == 1 {
			names = append(names, over)
		}
	}
	var paths []source.Text
	for _, name := range names {
		paths = append(paths, source.Text{Value: m.relative(absolute(name))})
	}
	var problems source.Problems
	read := compose.Read(paths, compose.Options{Dir: m.folder, Root: m.root, AnySecret: true, LeavesOut: true}, &problems)
	if read == nil {
		found := slice.Map(problems.Sorted(), (*source.Problem).String)
		return fmt.Errorf("%s has problems:\n%s", m.file, strings.TrimSpace(strings.Join(found, "")))
	}
	m.service, m.port = loaded(read.Services, read.Published)
	if m.service == "" {
		return fmt.Errorf("no service of %s has a port to put load on: add ports: or expose: to the one that is to be measured",
			m.file)
	}
	m.services = "compose: " + composeEntry(article.Texts(paths), read) + "\n" + leftOut(read.LeftOut)
	return nil
}

// relative returns an absolute path relative to the article's folder, with slashes.
func (m *maker) relative(name string) string {
	rel, _ := filepath.Rel(m.folder, name) // both are absolute
	return filepath.ToSlash(rel)
}

// leftOut returns YAML that removes unsupported keys from services, each with the reason in a comment.
func leftOut(keys []compose.LeftOut) string {
	byService := map[string]string{}
	for _, k := range keys {
		byService[k.Service] += fmt.Sprintf("    %s: null # %s\n", k.Key, k.Reason)
	}
	if len(byService) == 0 {
		return ""
	}
	text := "services:\n"
	for _, name := range slices.Sorted(maps.Keys(byService)) {
		text += "  " + plain(name) + ":\n" + byService[name]
	}
	return text
}

// composeEntry returns the value of compose: in an article: the files, and the variables that hold their secrets.
func composeEntry(paths []string, read *compose.Project) string {
	paths = slice.Map(paths, plain)
	named := paths[0]
	if len(paths) > 1 {
		named = "[" + strings.Join(paths, ", ") + "]"
	}
	var secrets []string
	for _, s := range read.Secrets.All() {
		if from := s.Value.Get("environment"); from != nil {
			secrets = append(secrets, from.Text.Value)
		}
	}
	if len(secrets) > 0 {
		named = "{files: " + named + ", environment: [" + strings.Join(secrets, ", ") + "]}"
	}
	return named
}

// elsewhere lists default ports of servers that do not speak HTTP.
var elsewhere = strings.Fields(`22 25 53 1433 1521 1883 2181 3306 4222 5432 5672 6379 9042 9092 11211 26379 27017
	33060`)

// loaded chooses the service and port to put load on. It prefers services whose ports Compose publishes, and among
// these the one that the fewest others depend on.
func loaded(services *source.Node, published map[string]bool) (name, port string) {
	least := 0
	for _, f := range services.All() {
		expose := f.Value.Get("expose")
		if expose == nil {
			continue
		}
		at := slices.IndexFunc(expose.Items, func(item *source.Node) bool { return !slices.Contains(elsewhere, item.Text.Value) })
		if at < 0 {
			continue
		}
		rank := 0
		if !published[f.Key.Value] {
			rank = len(services.All()) // more than the number of services that may depend on one
		}
		rank += slice.Count(services.All(), func(other source.Field) bool {
			return other.Value.Get("depends_on").Get(f.Key.Value) != nil
		})
		if name == "" || rank < least {
			name, port, least = f.Key.Value, expose.Items[at].Text.Value, rank
		}
	}
	return name, port
}

var notInSlug = regexp.MustCompile(`[^a-z0-9_-]+`)

func slugOf(folder string) string {
	slug := strings.TrimLeft(notInSlug.ReplaceAllString(strings.ToLower(folder), "-"), "-_0123456789")
	slug = strings.TrimRight(slug, "-_")
	if !files.IsWord(slug) {
		return "project"
	}
	return slug
}

// absolute returns the absolute path of a file or folder with links resolved. The file need not exist yet.
func absolute(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	real, err := filepath.EvalSymlinks(abs)
	switch parent := filepath.Dir(abs); {
	case err == nil:
		return real
	case parent != abs:
		return filepath.Join(absolute(parent), filepath.Base(abs))
	}
	return abs
}

// plainPath matches paths that need no quotes in YAML.
var plainPath = regexp.MustCompile(`^[A-Za-z./_][A-Za-z0-9./_-]*$`)

func plain(path string) string {
	if plainPath.MatchString(path) {
		return path
	}
	return strconv.Quote(path)
}

// text returns the text of the article, which asks how much load the service carries.
func (m *maker) text(slug, path string) string {
	address := "http://" + m.service + path
	if m.port != "80" {
		address = fmt.Sprintf("http://%s:%s%s", m.service, m.port, path)
	}
	return fmt.Sprintf(`---
title: How much does %[1]s carry?
description: Requests per second of the service %[2]s, with everything that it needs.
date: %[3]s
---

Ten clients ask %[2]s, each for the next answer as soon as it has the last one. It answers
`+"`{value} throughput`"+` requests ([](#tbl-load)).

`+"```"+`yaml experiment
name: load
%[4]sload:
  target: %[5]s # another path: add it here
  connections: 10
  duration: 10s
# To compare, name what differs, and use it above as ${{ matrix.workers }}:
# matrix: {workers: [1, 2, 4]}
`+"```"+`

`+"```"+`yaml claim
name: quick-enough
headline: true
# A limit of your own. Two variants are compared by throughput{workers="4"} > throughput{workers="1"}
expect: latency.p99 < 100ms
`+"```"+`

`+"```"+`yaml table
label: tbl-load
columns: [throughput, latency.p50, latency.p99, cpu.%[2]s]
title: Load on %[2]s
`+"```"+`
`, slug, m.service, time.Now().Format(time.DateOnly), m.services, address)
}
