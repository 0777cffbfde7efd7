package schema

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"benchbook/lab/labtest"
	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// keysPage is the page of the manual that lists all keys, made from the types that articles are read as.
var keysPage = filepath.Join("..", "..", "docs", "keys.md")

const keysHead = `# All keys

Every key that an article and the project file can have, with the values it takes. This page is made from the types that
benchbook reads YAML into, so it is complete. The page linked above each table says what its keys mean.

In all mappings, keys that begin with ` + "`x-`" + ` are your own. ` + "`null`" + ` removes what a [layer below](defaults.md) says.
Where a list can stand, a single value stands for a list of one. In experiments a value may hold a
[template](experiment.md#templates).

| word | is |
|---|---|
| a text | words as they are written; with quotes where [YAML](article.md#yaml-and-its-traps) would read something else |
| yes or no | ` + "`true` `yes` `on`" + `, or ` + "`false` `no` `off`" + ` |
| a time | a number with ` + "`ns us µs ms s m h`" + `, such as ` + "`500ms`" + ` |
| a size | a number with a unit, such as ` + "`64m` or `1256B`" + ` |
| a share | ` + "`5%`" + `, or a number such as ` + "`0.05`" + ` |
| an expression | of the [expression language](expressions.md) |

`

// keysSections are the things that authors write, with the page that explains each. Of the schemas only that of records
// is none of them.
var keysSections = []struct{ schema, heading, at string }{
	{"front-matter", "Keys of the front matter", "article.md#front-matter"},
	{"experiment", "Keys of `yaml experiment`", "experiment.md"},
	{"claim", "Keys of `yaml claim`", "claims.md#claim-blocks"},
	{"table", "Keys of `yaml table`", "figures.md#tables"},
	{"figure", "Keys of `yaml figure`", "figures.md#figures"},
	{"published", "Keys of `yaml published`", "published.md"},
	{"project", "Keys of the project file", "project.md#the-project-file"},
}

// keysExplained are the pages that explain mappings within others.
var keysExplained = map[string]string{
	"Service": "services.md", "Build": "services.md", "Config": "services.md",
	"Healthcheck": "services.md#when-a-service-is-ready",
	"Volume":      "services.md#volumes-and-permissions", "Tmpfs": "services.md#volumes-and-permissions",
	"Ulimit": "services.md",
	"Secret": "services.md#secrets-from-outside", "SecretFile": "services.md#secrets-from-outside",
	"Origin": "services.md#origins-and-links", "Latency": "services.md#origins-and-links",
	"Link":   "services.md#origins-and-links",
	"Driver": "drivers.md#keys-of-a-driver",
	"Load":   "load.md", "Target": "load.md", "Stage": "load.md#open-loops", "Verify": "load.md",
	"LoadStep": "load.md#journeys", "Data": "load.md#journeys",
	"Command": "experiment.md#command", "Expect": "experiment.md#command", "Hook": "experiment.md#hooks",
	"Search": "searches.md", "Capacity": "searches.md", "Metric": "metrics.md#metrics-of-your-own",
	"Says": "claims.md#sentences", "Reproduces": "article.md#front-matter", "KeyValue": "article.md#front-matter",
	"ProjectHost": "machines.md", "Cluster": "clusters.md", "ClusterNodes": "clusters.md", "Publish": "publishing.md",
	"RecordsBranch": "records.md",
	"Allow":         "project.md#the-project-file",
}

// keysWords say what may stand behind a key whose type reads itself.
var keysWords = map[reflect.Type]string{
	reflect.TypeFor[source.Text]():          "a text",
	reflect.TypeFor[article.Expression]():   "an expression",
	reflect.TypeFor[article.PublishedRef](): "yes or no, or the name of a block",
	reflect.TypeFor[article.CommandLine]():  "a list of words, or a text that is split into them",
	reflect.TypeFor[article.Tags]():         "a list, each a text",
	reflect.TypeFor[article.Targets]():      "a text, or a list, each a text or a mapping",
	reflect.TypeFor[article.Dependencies](): "a list of services, or a mapping of them to `condition restart required`",
	reflect.TypeFor[projects.Allow](): "a list, each " +
		"`cap_add`, `security_opt`, `sysctls`, `mounts`, `contexts`, `secrets` or a mapping",
	reflect.TypeFor[article.Calibrate]():      "yes or no, or an expression",
	reflect.TypeFor[article.Rate]():           "a rate such as `500/s`, or a mapping of `share`, `of` and `own`",
	reflect.TypeFor[article.Args]():           "a list of words, or a mapping from tools to such",
	reflect.TypeFor[yamltext.Node]():          "a list, each a mapping of your names to texts",
	reflect.TypeFor[article.Environment]():    "a mapping of your names to texts, or a list of `NAME=value`",
	reflect.TypeFor[article.Matrix]():         "a mapping of your names to lists, with `include` and `exclude`",
	reflect.TypeFor[article.Failures]():       "`expected`, or a mapping with `max`, a share",
	reflect.TypeFor[article.Profiles]():       "a mapping of your names to keys of an experiment, or to `skip`",
	reflect.TypeFor[article.Defaults]():       "keys of an experiment, all but `name` and `extends`",
	reflect.TypeFor[article.Duration]():       "a time",
	reflect.TypeFor[article.Bytes]():          "a size such as `64m`",
	reflect.TypeFor[article.Size]():           "a size such as `1256B`",
	reflect.TypeFor[article.Share]():          "a share",
	reflect.TypeFor[article.PerSecond]():      "a rate such as `500/s`",
	reflect.TypeFor[article.BytesPerSecond](): "a flow such as `10MB/s`",
	reflect.TypeFor[article.Format]():         "filters, as behind a value",
	reflect.TypeFor[article.Repetitions](): "a whole number, `up to` one, or a mapping with `looks`, a list of " +
		"whole numbers",
}

// keysMaker lists the keys of mappings, those within others after them.
type keysMaker struct {
	t    *testing.T
	out  strings.Builder
	seen map[reflect.Type]bool
}

type keysLater struct {
	path string
	t    reflect.Type
}

func (m *keysMaker) section(heading, at, path string, t reflect.Type) {
	fmt.Fprintf(&m.out, "## %s\n\n[What they mean](%s).\n\n", heading, at)
	later := m.table(path, t)
	for len(later) > 0 {
		next := later[0]
		later = later[1:]
		if m.seen[next.t] {
			continue
		}
		m.seen[next.t] = true
		at, ok := keysExplained[next.t.Name()]
		if !ok {
			m.t.Errorf("no page is known that explains the keys of %s", next.path)
		}
		fmt.Fprintf(&m.out, "### In `%s`\n\n[What they mean](%s).\n\n", next.path, at)
		later = append(m.table(next.path, next.t), later...)
	}
}

// table lists the keys of a mapping, and gives the mappings within it.
func (m *keysMaker) table(path string, t reflect.Type) (later []keysLater) {
	m.out.WriteString("| key | holds |\n|---|---|\n")
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		within := key
		if path != "" {
			within = path + "." + key
		}
		words, more := m.words(within, f.Type)
		fmt.Fprintf(&m.out, "| `%s` | %s |\n", key, words)
		later = append(later, more...)
	}
	m.out.WriteString("\n")
	return later
}

// words say what may stand behind a key of a type.
func (m *keysMaker) words(path string, t reflect.Type) (words string, later []keysLater) {
	if t.Kind() == reflect.Pointer {
		return m.words(path, t.Elem())
	}
	if t == reflect.TypeFor[article.Targets]() {
		return keysWords[t], []keysLater{{path, reflect.TypeFor[article.Target]()}}
	}
	if t == reflect.TypeFor[projects.Allow]() {
		return keysWords[t], []keysLater{{path, t}}
	}
	if words, ok := keysWords[t]; ok {
		return words, nil
	}
	switch {
	case t.Name() == "ignored":
		return "anything; it has no effect", nil
	case t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Value["):
		return m.scalar(path, t.Field(0).Type), nil
	case t.Kind() == reflect.Slice:
		if value, ok := named(t.Elem()); ok {
			words, later := m.words(path+".NAME", value)
			return "a mapping of your names, each to " + words, later
		}
		words, later := m.words(path, t.Elem())
		return "a list, each " + words, later
	case t.Kind() == reflect.Struct:
		words := "a mapping"
		switch t {
		case reflect.TypeFor[article.Ulimit]():
			words = "a whole number, or a mapping"
		case reflect.TypeFor[article.Build](), reflect.TypeFor[article.Volume](), reflect.TypeFor[article.SecretFile](),
			reflect.TypeFor[projects.ProjectHost]():
			words = "a text, or a mapping"
		}
		return words, []keysLater{{path, t}}
	}
	m.t.Fatalf("%s is a %s, of which nothing is known", path, t)
	return "", nil
}

func (m *keysMaker) scalar(path string, t reflect.Type) string {
	if words, ok := keysWords[t]; ok {
		return words
	}
	switch {
	case t.Implements(reflect.TypeFor[article.Word]()):
		known := reflect.Zero(t).Interface().(article.Word).Words()
		return "`" + strings.Join(known, "`, `") + "`"
	case t.Kind() == reflect.Bool:
		return "yes or no"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.String:
		return "a text"
	}
	m.t.Fatalf("%s is a %s, of which nothing is known", path, t)
	return ""
}

// The page of all keys is what the types that articles are read as make it: go test ./lab/schema -run TestKeysPage
// -update.
func TestKeysPage(t *testing.T) {
	m := keysMaker{t: t, seen: map[reflect.Type]bool{}}
	m.out.WriteString(keysHead)
	kinds := Kinds()
	for _, s := range keysSections {
		m.section(s.heading, s.at, "", kinds[s.schema].t)
	}
	if want := len(kinds) - 1; len(keysSections) != want {
		t.Errorf("the page has %d sections; there are %d schemas of what authors write", len(keysSections), want)
	}
	want := []byte(strings.TrimRight(m.out.String(), "\n") + "\n")
	if *labtest.Update {
		if err := os.WriteFile(keysPage, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(keysPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the types make: run this test with -update, and look at what changes", keysPage)
	}
}
