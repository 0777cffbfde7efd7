package bundle_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"benchbook/notebook/bundle"
)

type entity = map[string]any

// crate extracts the crate of a bundle: its entities by their identifiers.
func crate(t *testing.T, data []byte) (map[string]entity, bundle.Manifest) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	r := open(t, data)
	if err := r.Extract(dir, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, bundle.CrateName))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Context string   `json:"@context"`
		Graph   []entity `json:"@graph"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Context != "https://w3id.org/ro/crate/1.2/context" {
		t.Errorf("the context is %q", doc.Context)
	}
	out := map[string]entity{}
	for _, e := range doc.Graph {
		id := e["@id"].(string)
		if out[id] != nil {
			t.Errorf("%s is there twice", id)
		}
		if out[id] = e; e["@type"] == nil || e["name"] == nil || e["name"] == "" {
			t.Errorf("%s has no type or no name: %v", id, e)
		}
	}
	return out, r.Manifest()
}

// references are the identifiers that a value refers to.
func references(v any) (ids []string) {
	switch v := v.(type) {
	case entity:
		ids = append(ids, v["@id"].(string))
	case []any:
		for _, item := range v {
			ids = append(ids, references(item)...)
		}
	}
	return ids
}

func TestCrate(t *testing.T) {
	graph, m := crate(t, write(t, about(), inputs()))
	descriptor, root := graph[bundle.CrateName], graph["./"]
	if descriptor["@type"] != "CreativeWork" || descriptor["description"] != "Written by benchbook 1.2.3" ||
		references(descriptor["about"])[0] != "./" ||
		references(descriptor["conformsTo"])[0] != "https://w3id.org/ro/crate/1.2" {
		t.Errorf("the descriptor is %v", descriptor)
	}
	if root["@type"] != "Dataset" || root["name"] != about().Title || root["description"] != about().Description ||
		root["datePublished"] != "2026-11-23T13:05:06Z" {
		t.Errorf("the root is %v", root)
	}
	if got := references(root["license"]); got[0] != "https://spdx.org/licenses/CC-BY-4.0" {
		t.Errorf("the licence is %v", got)
	}
	if got := graph[references(root["author"])[0]]["name"]; got != "the authors" {
		t.Errorf("the author is %v", got)
	}
	claim := graph["#claim-1"]
	if claim["@type"] != "Claim" || claim["name"] != "faster" || claim["text"] != "One is faster." ||
		claim["description"] != "supported on host c2-ecb3ae: ratio 1.33 (1.21 to 1.46)" {
		t.Errorf("the claim is %v", claim)
	}

	// Whatever is referred to is described, and whatever is described is referred to.
	referred := map[string]bool{bundle.CrateName: true}
	for id, e := range graph {
		for key, v := range e {
			for _, to := range references(v) {
				if referred[to] = true; graph[to] == nil && key != "conformsTo" {
					t.Errorf("%s refers to %s, which is not described", id, to)
				}
			}
		}
	}
	for id := range graph {
		if !referred[id] {
			t.Errorf("nothing refers to %s", id)
		}
	}

	listed := map[string]bundle.File{bundle.ManifestName: {}}
	for _, f := range m.Files[1:] {
		listed[f.Path] = f
	}
	parts := references(root["hasPart"])
	if len(parts) != len(listed) {
		t.Errorf("it has %d parts, want %d", len(parts), len(listed))
	}
	for _, id := range parts {
		e := graph[id]
		address, err := url.Parse(id)
		if err != nil || address.Scheme != "" || address.Fragment != "" || address.RawQuery != "" {
			t.Errorf("%q is not a relative reference: %v", id, err)
			continue
		}
		f, ok := listed[address.Path]
		if !ok || e["@type"] != "File" || e["encodingFormat"] == nil || e["description"] == nil {
			t.Errorf("the part %s is %v", id, e)
		}
		if f.Path == "" {
			continue // manifest.json, which has the digest of the crate
		}
		var size int64
		if err := json.Unmarshal([]byte(e["contentSize"].(string)), &size); err != nil || size != f.Size ||
			e["sha256"] != f.SHA256 {
			t.Errorf("the part %s is %v, want %+v", id, e, f)
		}
	}
	if e := graph["inputs/a%20name%3A%2050%20%25.csv"]; e["encodingFormat"] != "text/csv" {
		t.Errorf("a name with special characters is %v", e)
	}
	if graph["inputs/prøve/日本.txt"] == nil {
		t.Error("letters of other scripts do not stay as they are")
	}
}

// What the caller does not know is left out or said to be unknown, and nothing is a list of one.
func TestCrateOfLittle(t *testing.T) {
	graph, _ := crate(t, write(t, bundle.About{Article: "hello"}, nil))
	root := graph["./"]
	if _, ok := root["datePublished"]; ok || root["author"] != nil || root["name"] != "hello" {
		t.Errorf("the root is %v", root)
	}
	if got := graph["#licence"]; got["name"] != "No licence is stated" {
		t.Errorf("the licence is %v", got)
	}
	if _, ok := root["hasPart"].(entity); !ok || root["mentions"] != nil {
		t.Errorf("it has the parts %v, and mentions %v", root["hasPart"], root["mentions"])
	}
}

func TestLicences(t *testing.T) {
	for text, want := range map[string]string{
		"MIT":                        "https://spdx.org/licenses/MIT",
		"https://example.org/terms":  "https://example.org/terms",
		"https://example.org/a b":    "#licence",
		"ask us":                     "#licence",
		"proprietary":                "#licence",
		"http://example.org/ moved?": "#licence",
	} {
		a := about()
		a.Licence = text
		graph, _ := crate(t, write(t, a, nil))
		if e := graph[want]; references(graph["./"]["license"])[0] != want || e["name"] != text {
			t.Errorf("%q: got %v, want %s", text, e, want)
		}
	}
}
