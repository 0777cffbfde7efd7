package bundle

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// entity is a thing that a crate describes, in JSON-LD. Maps are encoded with sorted keys.
type entity map[string]any

func ref(id string) entity { return entity{"@id": id} }

// refs is a reference, or a list of several: RO-Crate wants no lists of one.
func refs(ids []string) any {
	if len(ids) == 1 {
		return ref(ids[0])
	}
	list := make([]entity, 0, len(ids))
	for _, id := range ids {
		list = append(list, ref(id))
	}
	return list
}

// crateOf describes a bundle as a Research Object Crate. Inputs and list have the same files in the same order.
//
// The specification wants a date and a licence. Neither is invented: without a date there is none, and the crate is
// incomplete; without a licence it says that none is stated. A name alone does not tell people from organizations: an
// author is called a person.
//
// Source: https://w3id.org/ro/crate/1.2, sections "Root Data Entity" and "Data Entities".
func crateOf(about About, inputs []Input, list []File) entity {
	root := entity{"@id": "./", "@type": "Dataset", "name": about.Title}
	if about.Title == "" {
		root["name"] = about.Article
	}
	root["description"] = about.Description
	if about.Description == "" {
		root["description"] = fmt.Sprintf("The article %q with its inputs and records.", about.Article)
	}
	if !about.Date.IsZero() {
		root["datePublished"] = about.Date.Format(time.RFC3339)
	}
	// A program has to have an address there, so it is named in words.
	descriptor := entity{"@id": CrateName, "@type": "CreativeWork", "name": "Description of the bundle",
		"description": strings.TrimSpace("Written by benchbook " + about.Version), "about": ref("./"),
		"conformsTo": ref("https://w3id.org/ro/crate/1.2")}
	licence := licenceOf(about.Licence)
	root["license"] = ref(licence["@id"].(string))
	graph := []entity{descriptor, root, licence}
	if about.Author != "" {
		root["author"] = ref("#author")
		graph = append(graph, entity{"@id": "#author", "@type": "Person", "name": about.Author})
	}
	var mentions []string
	for i := range about.Claims {
		c := claimEntity(i, &about.Claims[i])
		mentions = append(mentions, c["@id"].(string))
		graph = append(graph, c)
	}
	if len(mentions) > 0 {
		root["mentions"] = refs(mentions)
	}
	parts := []string{ManifestName}
	graph = append(graph, entity{"@id": ManifestName, "@type": "File", "name": ManifestName,
		"encodingFormat": "application/json", "description": "The files of the bundle with their digests, for benchbook"})
	for i, f := range list {
		e := entity{"@id": reference(f.Path), "@type": "File", "name": f.Path, "contentSize": fmt.Sprint(f.Size),
			"encodingFormat": mediaType(f.Path), "sha256": f.SHA256}
		if inputs[i].Description != "" {
			e["description"] = inputs[i].Description
		}
		parts, graph = append(parts, e["@id"].(string)), append(graph, e)
	}
	root["hasPart"] = refs(parts)
	return entity{"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": graph}
}

// spdx are licences that projects choose for articles and data, which are known by an address. Of others it cannot be
// told whether their name is one of SPDX.
var spdx = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-NC-4.0",
	"CC-BY-NC-SA-4.0", "CC-BY-SA-4.0", "CC0-1.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
	"GPL-3.0-or-later", "ISC", "MIT", "MPL-2.0", "ODbL-1.0", "ODC-By-1.0", "PDDL-1.0", "Unlicense"}

func licenceOf(text string) entity {
	out := entity{"@id": "#licence", "@type": "CreativeWork", "name": text,
		"description": "The licence of the article and its results, as their project states it"}
	switch {
	case text == "":
		out["name"] = "No licence is stated"
		out["description"] = "Ask the author what you may do with the article and its results"
	case slices.Contains(spdx, text):
		out["@id"] = "https://spdx.org/licenses/" + text
	case strings.HasPrefix(text, "https://") && !strings.ContainsAny(text, " \"<>\\^`{|}"):
		out["@id"] = text
	}
	return out
}

// claimEntity is a claim with what was found, in words: the numbers are in the manifest.
func claimEntity(i int, c *Claim) entity {
	found := c.Verdict
	if c.Host != "" {
		found += " on host " + c.Host
	}
	if c.Effect != nil {
		found += fmt.Sprintf(": %s %.4g", c.Form, *c.Effect)
		if c.Lo != nil && c.Hi != nil {
			found += fmt.Sprintf(" (%.4g to %.4g)", *c.Lo, *c.Hi)
		}
		found += " " + c.Unit
	}
	out := entity{"@id": fmt.Sprintf("#claim-%d", i+1), "@type": "Claim", "name": c.Name}
	if words := strings.Join(strings.Fields(found), " "); words != "" {
		out["description"] = words
	}
	if c.Sentence != "" {
		out["text"] = c.Sentence
	}
	return out
}

// reference is a path as a relative reference, in which letters of all scripts stay as they are. A colon would make its
// beginning a scheme.
func reference(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("/-._~!$&'()*+,;=@", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// mediaTypes of what is in bundles, by the ends of names. Those that the system knows differ between machines.
var mediaTypes = map[string]string{".csv": "text/csv", ".gz": "application/gzip", ".html": "text/html",
	".json": "application/json", ".jsonl": "application/jsonl", ".md": "text/markdown", ".png": "image/png",
	".svg": "image/svg+xml", ".tar": "application/x-tar", ".txt": "text/plain", ".yaml": "application/yaml",
	".yml": "application/yaml"}

func mediaType(name string) string {
	if kind, ok := mediaTypes[strings.ToLower(path.Ext(name))]; ok {
		return kind
	}
	return "application/octet-stream"
}
