package starter

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

type schemaKind struct {
	Title string
	t     reflect.Type
	// many allows a list instead of a single block.
	many bool
}

// Kinds returns everything that has a schema, by name.
func Kinds() map[string]schemaKind {
	return map[string]schemaKind{
		"experiment":   {"A yaml experiment block of benchbook", reflect.TypeFor[article.Experiment](), false},
		"claim":        {"A yaml claim block of benchbook", reflect.TypeFor[article.Claim](), true},
		"published":    {"A yaml published block of benchbook", reflect.TypeFor[article.Published](), true},
		"table":        {"A yaml table block of benchbook", reflect.TypeFor[article.Table](), true},
		"figure":       {"A yaml figure block of benchbook", reflect.TypeFor[article.Figure](), true},
		"front-matter": {"The front matter of an article of benchbook", reflect.TypeFor[article.Front](), false},
		"project": {"The project file of benchbook, " + article.ProjectFile, reflect.TypeFor[article.Settings](),
			false},
		"policy": {"What a machine lets projects of benchbook do at most", reflect.TypeFor[article.Policy](), false},
		"record": {"A record of benchbook: one repetition of one trial", reflect.TypeFor[record.Record](), false},
	}
}

// A schema is a JSON Schema (2020-12), or a part of one.
type schema map[string]any

// Of returns the schema of the named kind, made by reflection from the type that decodes it.
func Of(name string) schema {
	kind := Kinds()[name]
	g := schemaMaker{defs: map[string]schema{}, tag: "yaml"}
	if name == "record" {
		g.tag = "json"
	}
	root := g.value(kind.t)
	if kind.many {
		root = orList(root)
	}
	out := schema{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     "urn:benchbook:schema:" + name,
		"title":   kind.Title,
		"$defs":   g.defs,
	}
	maps.Copy(out, root)
	return out
}

// A schemaMaker turns types into schemas. Structs become definitions in $defs.
type schemaMaker struct {
	defs map[string]schema
	tag  string // struct tag that names keys: yaml for what authors write, json for records
}

func (g *schemaMaker) value(t reflect.Type) schema {
	if t.Kind() == reflect.Pointer {
		return g.value(t.Elem())
	}
	if g.tag == "json" {
		return g.recorded(t)
	}
	if s, ok := g.notation(t.Name(), t); ok {
		return s
	}
	switch t.Kind() {
	case reflect.Slice:
		if name, named := named(t.Elem()); named {
			return schema{"type": "object", "additionalProperties": orNull(g.value(name))}
		}
		return orList(g.value(t.Elem())) // a single value stands for a list of one
	case reflect.Struct:
		return g.mapping(t)
	}
	panic(fmt.Sprintf("benchbook: no schema for %s", t))
}

// named returns the value type T of article.Named[T], an entry of a mapping whose keys the author chooses.
func named(t reflect.Type) (reflect.Type, bool) {
	if t.PkgPath() != reflect.TypeFor[article.Named[source.Text]]().PkgPath() ||
		!strings.HasPrefix(t.Name(), "Named[") {
		return nil, false
	}
	f, ok := t.FieldByName("Value")
	return f.Type, ok
}

// mapping defines the schema of a struct and returns a reference to it. A struct without tagged fields decodes itself,
// so its schema accepts anything.
func (g *schemaMaker) mapping(t reflect.Type) schema {
	if g.defs[defName(t)] != nil {
		return g.reference(t)
	}
	properties := schema{}
	def := schema{"type": "object", "properties": properties, "additionalProperties": false}
	g.defs[defName(t)] = def // before its fields, which may refer to it
	if g.tag == "json" {
		def["required"] = g.saved(t, properties)
		return g.reference(t)
	}
	def["patternProperties"] = schema{"^x-": schema{}}
	fields := source.FieldsOf(t)
	for _, f := range fields {
		properties[f.Key] = orNull(g.field(f)) // null removes an inherited value
	}
	if len(fields) == 0 {
		delete(g.defs, defName(t))
		return schema{}
	}
	return g.reference(t)
}

// saved adds the fields of a struct as encoding/json writes them. It returns the keys that are always present.
func (g *schemaMaker) saved(t reflect.Type, properties schema) []string {
	required := []string{}
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || key == "-" {
			continue
		}
		key = cmp.Or(key, f.Name)
		properties[key] = g.value(f.Type)
		if !strings.Contains(options, "omit") {
			required = append(required, key)
		}
	}
	if version, ok := properties["schema_version"]; ok {
		version.(schema)["const"] = record.SchemaVersion
	}
	return required
}

// field returns the schema of a field: by its own notation if it has one, else by its type.
func (g *schemaMaker) field(f *source.StructField) schema {
	if as, ok := strings.CutPrefix(f.As, "[]"); ok {
		s, _ := g.notation(as, f.Type.Elem())
		return orList(s)
	}
	if s, ok := g.notation(f.As, f.Type); ok {
		return s
	}
	return g.value(f.Type)
}

// reference refers to the definition of a struct. If one key can be written without the mapping, its value is accepted.
func (g *schemaMaker) reference(t reflect.Type) schema {
	s := schema{"$ref": "#/$defs/" + defName(t)}
	if f := source.Alone(t); f != nil {
		return anyOf(s, g.field(f))
	}
	return s
}

// defName returns the name of a type in a schema. Type arguments are dropped: no schema uses a generic type with two.
func defName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

func orList(s schema) schema { return anyOf(s, schema{"type": "array", "items": s}) }

// anyOf accepts what any of the schemas accepts. If one of them is empty, so is the result.
func anyOf(list ...schema) schema {
	for _, s := range list {
		if len(s) == 0 {
			return schema{}
		}
	}
	return schema{"anyOf": list}
}

// without returns s, restricted to mappings that have none of the keys.
func without(s schema, keys ...string) schema {
	var list []schema
	for _, key := range keys {
		list = append(list, schema{"required": []string{key}})
	}
	out := maps.Clone(s)
	out["not"] = schema{"anyOf": list}
	return out
}

func orNull(s schema) schema {
	if list, ok := s["anyOf"].([]schema); ok {
		return schema{"anyOf": append(slices.Clone(list), schema{"type": "null"})}
	}
	return anyOf(s, schema{"type": "null"})
}

// word accepts every scalar, because 3.10, on and 007 are words too.
func word() schema { return schema{"type": []string{"string", "number", "boolean"}} }

// schemaText accepts strings that match a pattern or contain a template.
func schemaText(pattern string) schema {
	return schema{"type": "string", "pattern": pattern + `|\$\{\{`}
}

func oneOf(words []string) schema {
	return anyOf(schema{"enum": words}, schema{"type": "string", "pattern": `\$\{\{`})
}

// notation returns the schema of a type that decodes itself, or of a notation of package article. It returns false for
// all others.
//
//gocyclo:ignore
func (g *schemaMaker) notation(name string, t reflect.Type) (schema, bool) {
	const number = `^-?[0-9][0-9_]*(\.[0-9]+)?([eE][+-]?[0-9]+)?`
	words := schema{"type": "object", "additionalProperties": orNull(word())}
	if known, ok := article.Words[name]; ok {
		return oneOf(known), true
	}
	switch name {
	case "permissions", "uses":
		return orList(anyOf(oneOf(article.Words[strings.TrimSuffix(name, "s")]), g.mapping(t))), true
	case "Calibrate", "Expression", "Format", "PublishedRef", "Text", "expression", "script", "string":
		return word(), true
	case "Compose":
		return anyOf(orList(word()), g.mapping(t)), true
	case "Defaults":
		return without(g.value(reflect.TypeFor[article.Experiment]()), "name", "extends"), true
	case "Matrix":
		axis := anyOf(schema{"type": "array", "minItems": 1, "items": anyOf(word(), words)},
			g.mapping(reflect.TypeFor[article.AxisFiles]()))
		rows := schema{"type": "array", "items": words}
		return schema{"type": "object", "properties": schema{"include": orNull(anyOf(rows, word())), "exclude": orNull(rows)},
			"additionalProperties": orNull(axis), "patternProperties": schema{"^x-": schema{}}}, true
	case "Node":
		return schema{"type": "array", "items": words}, true // rows of published numbers
	case "Profiles":
		return schema{"type": "object", "additionalProperties": anyOf(schema{"const": "skip"}, schema{"type": "null"},
			without(g.value(reflect.TypeFor[article.Experiment]()), "name", "extends", "profiles"))}, true
	case "Repetitions":
		return anyOf(schema{"type": "integer"}, schemaText(`^(up to +)?[+-]?[0-9]+$`)), true
	case "Services":
		return schema{"type": "object", "additionalProperties": orNull(g.mapping(reflect.TypeFor[spec.Service]()))}, true
	case "Tune":
		return schema{"type": "object", "additionalProperties": orNull(g.mapping(reflect.TypeFor[spec.Search]()))}, true
	case "args":
		byTool := schema{}
		for _, tool := range article.Words["tool"] {
			byTool[tool] = orNull(orList(word()))
		}
		return anyOf(word(), schema{"type": "array", "items": word()},
			schema{"type": "object", "properties": byTool, "additionalProperties": false}), true
	case "bool":
		const yes, no = `[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]`, `[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff]`
		return anyOf(schema{"type": "boolean"}, schemaText(`^(`+yes+`|`+no+`)$`)), true
	case "dependencies":
		options := schema{"type": "object", "properties": schema{"condition": orNull(oneOf(article.Words["condition"]))},
			"patternProperties": schema{"^x-": schema{}}, "additionalProperties": false}
		return anyOf(word(), schema{"type": "array", "items": word()},
			schema{"type": "object", "minProperties": 1, "additionalProperties": orNull(options)}), true
	case "Duration":
		return schemaText(number + ` ?(ns|us|µs|ms|s|m|h)$`), true
	case "failures":
		return oneOf([]string{"expected"}), true
	case "float64":
		return anyOf(schema{"type": "number"}, schemaText(number+`$`)), true
	case "int", "int64", "port":
		return anyOf(schema{"type": "integer"}, schemaText(`^[+-]?[0-9]+$`)), true
	case "memory":
		return anyOf(schema{"type": "number"}, schemaText(`^[0-9.]+ ?[kKmMgGtTpP]?[iI]?[bB]?$`)), true
	case "rate":
		return schemaText(number + `/s$`), true
	case "share", "effect":
		return anyOf(schema{"type": "number"}, schemaText(number+` ?%?$`)), true
	case "size":
		return schemaText(number + ` ?(B|[kMG]B|[KMG]iB)$`), true
	case "ulimits":
		one := anyOf(word(), g.mapping(t.Elem()))
		return schema{"type": "object", "additionalProperties": orNull(one)}, true
	case "variables":
		return anyOf(words, schema{"type": "array", "items": schemaText("=")}), true
	case "Volume":
		return anyOf(word(), g.mapping(t)), true
	case "words":
		return orList(word()), true
	}
	return nil, false
}

// jsonTypes maps scalar kinds to JSON types.
var jsonTypes = map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer",
	reflect.Int64: "integer", reflect.Float64: "number"}

// recorded returns the schema of a value of type t as encoding/json writes it.
func (g *schemaMaker) recorded(t reflect.Type) schema {
	switch t.String() {
	case "time.Time":
		return schema{"type": "string", "format": "date-time"}
	case "json.RawMessage":
		return schema{}
	}
	switch t.Kind() {
	case reflect.Map:
		return schema{"type": []string{"object", "null"}, "additionalProperties": g.value(t.Elem())}
	case reflect.Slice:
		return schema{"type": []string{"array", "null"}, "items": g.value(t.Elem())}
	case reflect.Struct:
		return g.mapping(t)
	}
	name, ok := jsonTypes[t.Kind()]
	if !ok {
		panic(fmt.Sprintf("benchbook: no schema for %s", t))
	}
	return schema{"type": name}
}
