package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/kballard/go-shellquote"

	"benchbook/internal/slice"
	"benchbook/notebook/spec"
)

// A DefinitionEntry is one value of the definition of a trial, as an author would write it.
type DefinitionEntry struct {
	Path string // in the words of the article language: "load.connections", "services.server.command"
	Text string // "150", "2s"
	File bool   // Text is the digest of a file
	Name string // of the file, in brackets at the end of Path
}

// DefinitionEntries returns the values of a definition in the order in which spec declares their keys. Unknown keys, of
// records of another version, come last.
func DefinitionEntries(data json.RawMessage) ([]DefinitionEntry, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading the definition of a trial: %w", err)
	}
	var out []DefinitionEntry
	flatten(&out, "", v, reflect.TypeFor[spec.Definition]())
	return out, nil
}

// flatten appends the values below v. t is the Go type that v was written from, or nil for an unknown one.
func flatten(out *[]DefinitionEntry, path string, v any, t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case map[string]any:
		flattenMap(out, path, v, t)
	case []any:
		flattenList(out, path, v, t)
	case nil:
	default:
		*out = append(*out, DefinitionEntry{Path: written(path), Text: scalar(path, v, t)})
	}
}

func flattenMap(out *[]DefinitionEntry, path string, v map[string]any, t reflect.Type) {
	name, isPath := v["path"].(string)
	digest, isDigest := v["digest"].(string)
	if isPath && isDigest {
		base := written(path) + "[" + name + "]"
		*out = append(*out, DefinitionEntry{Path: base, Text: digest[:min(8, len(digest))], File: true, Name: name})
		if v["exec"] == true {
			*out = append(*out, DefinitionEntry{Path: base + ".exec", Text: "true"})
		}
		return
	}
	keys, types := keysOf(t)
	for _, k := range slices.Sorted(maps.Keys(v)) {
		keys = slice.Add(keys, k)
	}
	for _, k := range keys {
		child := types[k]
		if t != nil && t.Kind() == reflect.Map {
			child = t.Elem()
		}
		flatten(out, strings.TrimPrefix(path+"."+k, "."), v[k], child)
	}
}

// keysOf lists the keys of a struct by its json tags, with their types.
func keysOf(t reflect.Type) ([]string, map[string]reflect.Type) {
	var keys []string
	types := map[string]reflect.Type{}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, types
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if k, _, _ := strings.Cut(f.Tag.Get("json"), ","); k != "" && k != "-" {
			keys = append(keys, k)
			types[k] = f.Type
		}
	}
	return keys, types
}

func flattenList(out *[]DefinitionEntry, path string, v []any, t reflect.Type) {
	if t != nil && t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var words []string
	for i, item := range v {
		switch item := item.(type) {
		case map[string]any:
			switch name, named := item["name"].(string); {
			case named && (path == "services" || path == "tune"):
				without := maps.Clone(item)
				delete(without, "name")
				flatten(out, path+"."+name, without, t)
			case item["path"] != nil && item["digest"] != nil:
				flatten(out, path, item, t)
			default:
				flatten(out, fmt.Sprintf("%s[%d]", path, i), item, t)
			}
		default:
			words = append(words, scalar("", item, t))
		}
	}
	if len(words) == 0 {
		return
	}
	text := strings.Join(words, ", ")
	if key := path[strings.LastIndexByte(path, '.')+1:]; slices.Contains([]string{"command", "entrypoint", "run"}, key) {
		text = shellquote.Join(words...)
	}
	*out = append(*out, DefinitionEntry{Path: written(path), Text: text})
}

func scalar(path string, v any, t reflect.Type) string {
	n, ok := v.(json.Number)
	if !ok {
		return fmt.Sprint(v)
	}
	whole, err := n.Int64()
	switch {
	case err != nil:
	case t == reflect.TypeFor[time.Duration]():
		return DefinitionDuration(time.Duration(whole))
	case strings.HasSuffix(path, ".mem_limit") || strings.HasSuffix(path, ".shm_size"):
		return units.BytesSize(float64(whole))
	}
	return n.String()
}

// DefinitionDuration writes a time as authors do: 2m, 1.5s, 500ms.
func DefinitionDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// authors are the keys of the article language for keys of a definition with another name.
var authors = map[string]string{
	"image.name":          "image",
	"image.build":         "build",
	"ready":               "healthcheck",
	"conditions":          "depends_on",
	"load.status":         "load.verify.status",
	"load.contains":       "load.verify.contains",
	"load.match":          "load.verify.match",
	"load.length":         "load.verify.length",
	"load.json":           "load.verify.json",
	"load.want_headers":   "load.verify.headers",
	"load.check_before":   "load.verify.before",
	"load.failures_max":   "load.failures.max",
	"command.contains":    "command.expect.contains",
	"command.expect_exit": "command.expect.exit",
}

// written returns a path of a definition in the words of the article language.
func written(path string) string {
	owner, rest := "", path
	switch parts := strings.SplitN(path, ".", 3); {
	case parts[0] == "services" && len(parts) == 3:
		owner, rest = parts[0]+"."+parts[1]+".", parts[2]
	case parts[0] == "command" && len(parts) > 1 && parts[1] == "image":
		owner, rest = "command.", strings.TrimPrefix(path, "command.")
	case strings.HasPrefix(path, "load.driver.image"):
		owner, rest = "load.driver.", strings.TrimPrefix(path, "load.driver.")
	}
	for from, to := range authors {
		if after, ok := strings.CutPrefix(rest, from); ok && (after == "" || after[0] == '.' || after[0] == '[') {
			return owner + to + after
		}
	}
	return path
}

// A DefinitionEdit is a value that differs between two definitions.
type DefinitionEdit struct {
	Path      string
	Now, Then string // empty for no value
	Added     bool
	Gone      bool
}

func (e DefinitionEdit) String() string {
	switch {
	case e.Added:
		return fmt.Sprintf("%s: %s (new)", e.Path, e.Now)
	case e.Gone:
		return fmt.Sprintf("%s: removed, was %s", e.Path, e.Then)
	}
	return fmt.Sprintf("%s: %s, was %s", e.Path, e.Now, e.Then)
}

// DefinitionEdits compares two definitions, but for the bytes of files: inputs have their digests.
func DefinitionEdits(now, then json.RawMessage) ([]DefinitionEdit, error) {
	have, err := DefinitionEntries(now)
	if err != nil {
		return nil, err
	}
	had, err := DefinitionEntries(then)
	if err != nil {
		return nil, err
	}
	was := map[string]string{}
	for _, e := range had {
		if !e.File {
			was[e.Path] = e.Text
		}
	}
	var out []DefinitionEdit
	for _, e := range have {
		old, ok := was[e.Path]
		delete(was, e.Path)
		if !e.File && (!ok || old != e.Text) {
			out = append(out, DefinitionEdit{Path: e.Path, Now: e.Text, Then: old, Added: !ok})
		}
	}
	for _, e := range had {
		if _, ok := was[e.Path]; ok {
			out = append(out, DefinitionEdit{Path: e.Path, Then: e.Text, Gone: true})
			delete(was, e.Path)
		}
	}
	return out, nil
}
