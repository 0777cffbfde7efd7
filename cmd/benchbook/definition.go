package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/kballard/go-shellquote"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
)

// An entry is one value of a trial's definition.
type entry struct {
	path string // in the words of the article language: "load.connections", "services.server.command"
	text string // as an author would write it: "150", "2s"
	file bool   // it stands for the bytes of a file, by their digest
}

// definition is the shape of plan.Trial.Definition, as far as it tells which numbers are times.
type definition struct {
	Services []*plan.Service `json:"services"`
	Load     *plan.Load      `json:"load"`
	Command  *plan.Command   `json:"command"`
	Tune     []plan.Search   `json:"tune"`
	Capacity *plan.Capacity  `json:"capacity"`
}

// entries takes a definition apart, in the order in which the plan declares its keys. What this version does not know, in
// a record of another one, comes after that.
func entries(data json.RawMessage) ([]entry, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading the definition of a trial: %w", err)
	}
	var out []entry
	flatten(&out, "", v, reflect.TypeFor[definition]())
	return out, nil
}

// flatten appends the values below v. t is the Go type that v was written from, or nil where it is not known.
func flatten(out *[]entry, path string, v any, t reflect.Type) {
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
		*out = append(*out, entry{path: written(path), text: scalar(path, v, t)})
	}
}

func flattenMap(out *[]entry, path string, v map[string]any, t reflect.Type) {
	name, isPath := v["path"].(string)
	digest, isDigest := v["digest"].(string)
	if isPath && isDigest {
		base := written(path) + "[" + name + "]"
		*out = append(*out, entry{path: base, text: digest[:min(8, len(digest))], file: true})
		if v["exec"] == true {
			*out = append(*out, entry{path: base + ".exec", text: "true"})
		}
		return
	}
	keys, types := keysOf(t)
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
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

func flattenList(out *[]entry, path string, v []any, t reflect.Type) {
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
	*out = append(*out, entry{path: written(path), text: text})
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
		return duration(time.Duration(whole))
	case strings.HasSuffix(path, ".mem_limit") || strings.HasSuffix(path, ".shm_size"):
		return units.BytesSize(float64(whole))
	}
	return n.String()
}

// duration writes a time as authors do: 2m, 1.5s, 500ms.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// authors are the words of the article language for those keys of a definition that are named otherwise there.
var authors = map[string]string{
	"image.name":          "image",
	"image.build":         "build",
	"ready":               "healthcheck",
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

// written gives the path of a definition in the words of the article language.
func written(path string) string {
	owner, rest := "", path
	switch parts := strings.SplitN(path, ".", 3); {
	case parts[0] == "services" && len(parts) == 3:
		owner, rest = parts[0]+"."+parts[1]+".", parts[2]
	case parts[0] == "command" && len(parts) > 1 && parts[1] == "image":
		owner, rest = "command.", strings.TrimPrefix(path, "command.")
	}
	for from, to := range authors {
		if after, ok := strings.CutPrefix(rest, from); ok && (after == "" || after[0] == '.' || after[0] == '[') {
			return owner + to + after
		}
	}
	return path
}

// changes says what differs between what a record was measured with and what the article says now, one sentence to a
// difference: files by name, all else path by path. There is at least one sentence if the keys differ.
func changes(t *plan.Trial, r *record.Record) []string {
	if t.Key == r.Key {
		return nil // the digest of a definition with secrets differs: records have that of one without
	}
	digests := map[string]string{}
	for _, in := range r.Inputs {
		digests[in.Name] = in.Digest
	}
	var out []string
	redefined := false
	for _, in := range t.Inputs {
		was, ok := digests[in.Name]
		delete(digests, in.Name)
		switch {
		case was == in.Digest:
		case in.Name == "definition":
			redefined = true
		case in.Name == "semantics":
			out = append(out, fmt.Sprintf("what samples mean is of version %s, was %s", in.Digest, was))
		case strings.HasPrefix(in.Name, "semantics of "):
			if ok { // else the definition says that there is one now
				out = append(out, fmt.Sprintf("what %s do is of version %s, was %s", strings.TrimPrefix(in.Name, "semantics of "), in.Digest, was))
			}
		case !ok:
			out = append(out, in.Name+" is new")
		default:
			out = append(out, in.Name+" changed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if !strings.HasPrefix(name, "semantics of ") {
			out = append(out, name+" is gone")
		}
	}
	if redefined {
		edits, err := editsOf(t.Definition, r.Definition)
		if err != nil {
			return append(out, err.Error())
		}
		var secret []string
		for _, e := range edits {
			if e.secret {
				secret = append(secret, e.path+" changed, which records do not hold")
				continue
			}
			out = append(out, e.String())
		}
		if len(out) == 0 {
			out = secret // which have changed only if nothing else has
		}
	}
	if len(out) == 0 && t.Key != r.Key {
		out = append(out, "another version of benchbook writes the same definition in another way")
	}
	return out
}

// An edit is one value that differs between two definitions.
type edit struct {
	path      string
	now, then string // as entry.text; empty where the value is not there
	added     bool
	gone      bool
	secret    bool // the older one is not held by records, and may be the same
}

func (e edit) String() string {
	switch {
	case e.added:
		return fmt.Sprintf("%s: %s, was not there", e.path, e.now)
	case e.gone:
		return fmt.Sprintf("%s is gone, was %s", e.path, e.then)
	}
	return fmt.Sprintf("%s: %s, was %s", e.path, e.now, e.then)
}

// editsOf compares two definitions. What differs in the bytes of files is left to the inputs that name them.
func editsOf(now, then json.RawMessage) ([]edit, error) {
	have, err := entries(now)
	if err != nil {
		return nil, err
	}
	had, err := entries(then)
	if err != nil {
		return nil, err
	}
	was := map[string]string{}
	for _, e := range had {
		if !e.file {
			was[e.path] = e.text
		}
	}
	var out []edit
	for _, e := range have {
		old, ok := was[e.path]
		delete(was, e.path)
		if e.file || ok && old == e.text {
			continue
		}
		out = append(out, edit{path: e.path, now: e.text, then: old, added: !ok, secret: ok && hides(old, e.text)})
	}
	for _, e := range had {
		if old, ok := was[e.path]; ok {
			out = append(out, edit{path: e.path, then: old, gone: true})
			delete(was, e.path)
		}
	}
	return out, nil
}

// hides reports whether a text with secrets taken out may be that of a text with them.
func hides(recorded, text string) bool {
	parts := strings.Split(recorded, record.Redacted)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	pattern, err := regexp.Compile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
	return err == nil && len(parts) > 1 && pattern.MatchString(text)
}
