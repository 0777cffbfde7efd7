package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/kballard/go-shellquote"
)

// An Edit is a value that differs between two definitions.
type Edit struct {
	Path      string // JSON keys, and names of list items: "load.connections", "services.server.command"
	Now, Then string // empty if there is no value
}

func (e Edit) String() string {
	switch {
	case e.Then == "":
		return fmt.Sprintf("%s: %s (new)", e.Path, e.Now)
	case e.Now == "":
		return fmt.Sprintf("%s: removed, was %s", e.Path, e.Then)
	}
	return fmt.Sprintf("%s: %s, was %s", e.Path, e.Now, e.Then)
}

// Edits compares two definitions in JSON. It leaves out files, which are compared by their digests, and values that
// this version cannot decode.
func Edits(now, then json.RawMessage) []Edit {
	var paths []string // in the order of keys
	edits := map[string]Edit{}
	read := func(data json.RawMessage, set func(e *Edit, text string)) {
		var d Definition
		_ = json.Unmarshal(data, &d) // values of a wrong type stay zero
		eachValue("", reflect.ValueOf(d), func(path, text string) {
			e, ok := edits[path]
			if !ok {
				e.Path, paths = path, append(paths, path)
			}
			set(&e, text)
			edits[path] = e
		})
	}
	read(now, func(e *Edit, text string) { e.Now = text })
	read(then, func(e *Edit, text string) { e.Then = text })
	var out []Edit
	for _, path := range paths {
		if e := edits[path]; e.Now != e.Then {
			out = append(out, e)
		}
	}
	return out
}

// eachValue calls give with every value below v that its JSON would have, except files.
func eachValue(path string, v reflect.Value, give func(path, text string)) {
	v = reflect.Indirect(v)
	switch v.Kind() {
	case reflect.Invalid: // a nil pointer
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[File]() {
			return
		}
		for field, value := range v.Fields() {
			key, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous {
				eachValue(path, value, give)
			} else if key != "-" && !(options != "" && value.IsZero()) { // the options are omitempty or omitzero
				eachValue(strings.TrimPrefix(path+"."+key, "."), value, give)
			}
		}
	case reflect.Map:
		inOrder := func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), inOrder) {
			eachValue(path+"."+key.String(), v.MapIndex(key), give)
		}
	case reflect.Slice:
		eachItem(path, v, give)
	default:
		give(path, textOf(path, v))
	}
}

// eachItem gives a list of scalars as one value, and other lists item by item.
func eachItem(path string, list reflect.Value, give func(path, text string)) {
	var words []string
	for i := range list.Len() {
		item := reflect.Indirect(list.Index(i))
		if item.Kind() != reflect.Struct {
			words = append(words, textOf("", item))
			continue
		}
		name := fmt.Sprintf("%s[%d]", path, i)
		if field := item.FieldByName("Name"); field.IsValid() {
			name = path + "." + field.String()
		}
		eachValue(name, item, give)
	}
	if len(words) > 0 {
		give(path, shellquote.Join(words...))
	}
}

func textOf(path string, v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return FormatDuration(time.Duration(v.Int()))
	case strings.HasSuffix(path, ".mem_limit"), strings.HasSuffix(path, ".shm_size"):
		return units.BytesSize(float64(v.Int()))
	}
	return fmt.Sprint(v)
}

// zeros removes zero minutes and seconds, which authors do not write.
var zeros = strings.NewReplacer("h0m0s", "h", "m0s", "m")

// FormatDuration formats a duration as authors write it: 2m, 1.5s, 500ms.
func FormatDuration(d time.Duration) string { return zeros.Replace(d.String()) }
