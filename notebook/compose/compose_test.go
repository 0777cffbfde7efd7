package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/golden"
	"benchbook/internal/test/must"
	"benchbook/notebook/source"
)

// written creates a repository of files, and returns its folder.
func written(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		must.Write(filepath.Join(root, name), text)
	}
	return root
}

// listed are environment variables that articles of tests list.
var listed = []string{"FROM_SHELL", "FROM_SHELL_2", "FROM_SHELL_3", "FROM_SHELL_4", "FROM_SHELL_5", "FROM_SHELL_6",
	"NOBODY_HAS_IT"}

// read reads the Compose file of a repository, with services of an article over it.
func read(root, article string) (services, secrets *source.Node, notes []string, problems []*source.Problem) {
	var found source.Problems
	var over *source.Node
	if article != "" {
		over = source.Mapping("article", article)
	}
	p := Read([]source.Text{{Value: "docker-compose.yml"}}, Options{Dir: root, Root: root, Services: over,
		Environment: listed}, &found)
	if p == nil {
		return nil, nil, nil, found.Sorted()
	}
	return p.Services, p.Secrets, p.Notes, found.Sorted()
}

// flow returns a value on one line.
func flow(n *source.Node) string {
	var parts []string
	switch n.Kind {
	case source.Map:
		for _, f := range n.Fields {
			parts = append(parts, f.Key.Value+": "+flow(f.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case source.List:
		for _, item := range n.Items {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case source.Null:
		return "null"
	}
	return n.Text.Value
}

// shown writes each key of a mapping on a line of its own.
func shown(b *strings.Builder, name string, n *source.Node) {
	fmt.Fprintf(b, "%s:\n", name)
	for _, f := range n.Fields {
		fmt.Fprintf(b, "  %s: %s\n", f.Key.Value, flow(f.Value))
	}
}

// Compose files become services of articles. Each golden file has the files of a repository, with services of the
// article in article.yaml if there are any, and the result with its notes in services.
func TestServices(t *testing.T) {
	for _, name := range must.Glob("testdata/*.txtar", 1) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive := must.Get(txtar.ParseFile(name))
			for _, name := range listed {
				if strings.HasPrefix(name, "FROM_SHELL") && strings.Contains(string(txtar.Format(archive)), name) {
					t.Setenv(name, "shell")
				}
			}
			files, over, want := map[string]string{}, "", ""
			for _, f := range archive.Files {
				switch f.Name {
				case "services":
					want = string(f.Data)
				case "article.yaml":
					over = string(f.Data)
				default:
					files[f.Name] = string(f.Data)
				}
			}
			settled, secrets, notes, problems := read(written(t, files), over)
			assert.None(t, problems)
			if settled == nil {
				return
			}
			var b strings.Builder
			for _, f := range settled.Fields {
				shown(&b, f.Key.Value, f.Value)
			}
			if secrets != nil {
				shown(&b, "secrets", secrets)
			}
			for _, note := range notes {
				fmt.Fprintf(&b, "# %s\n", note)
			}
			if b.String() == want {
				return
			}
			if !*golden.Update {
				t.Fatalf("got\n%s\nwant\n%s", &b, want)
			}
			archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "services" })
			archive.Files = append(archive.Files, txtar.File{Name: "services", Data: []byte(b.String())})
			must.Do(os.WriteFile(name, txtar.Format(archive), 0o644))
		})
	}
}

// Keys that would change the measurement are refused with a hint.
func TestRefused(t *testing.T) {
	for _, tt := range []struct{ name, file, want, hint string }{ // want and hint are parts of the problem
		{"no YAML", "services: [", "docker-compose.yml: it cannot be used: ", "docker compose config"},
		{"a key that Compose does not know", "services: {web: {image: x, imagee: y}}",
			"services.web.imagee is not a key of Compose", "docker compose config"},
		{"a variable that is required", `services: {web: {image: "${IMAGE_OF_WEB:?set it in .env}"}}`,
			"required variable IMAGE_OF_WEB is missing a value: set it in .env", ""},
		{"services that wait for each other", "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}",
			"dependency cycle detected", ""},
		{"a dependency that a profile leaves out", "services: {a: {image: x, depends_on: [b]}, b: {image: x, profiles: [p]}}",
			`service "a" depends on undefined service "b"`, ""},
		{"a file that is not there", "services: {a: {image: x, env_file: none.env}}", "env_file none.env: no such file", ""},
		{"privileges", "services: {a: {image: x, privileged: true}}",
			`service "a": privileged is not supported, and would change what is measured`, "write a: {privileged: null}"},
		{"a fixed address", "services: {a: {image: x, networks: {n: {ipv4_address: 10.1.0.2}}}}\nnetworks: {n: {}}",
			`service "a": networks.ipv4_address is not supported`, "write a: {networks: null}"},
		{"another name", "services: {a: {image: x, networks: {n: {aliases: [b]}}}}\nnetworks: {n: {}}",
			`service "a": networks.aliases is not supported`, "rename the service"},
		{"a device", "services: {a: {image: x, deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}}}",
			"reservations.devices is not supported", "a: {deploy: null}"},
		{"an external volume", "services: {a: {image: x, volumes: [\"data:/d\"]}}\nvolumes: {data: {external: true}}",
			`the volume "data" is external`, "put the data into the repository"},
		{"a driver of volumes", "services: {a: {image: x, volumes: [\"data:/d\"]}}\nvolumes: {data: {driver_opts: {type: nfs}}}",
			`the volume "data" has a driver of its own`, "remove driver"},
		{"an external secret", "services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {external: true}}", `"s" is external`, "give it a file"},
		{"a config without a value", "services: {a: {image: x, configs: [s]}}\nconfigs: {s: {environment: NOBODY_HAS_IT}}",
			`"s" is the value of NOBODY_HAS_IT, which is not set`, "in .env"},
		{"a part of a volume", "services: {a: {image: x, volumes: [{type: volume, source: d, target: /d, volume: {subpath: p}}]}}\nvolumes: {d: {}}",
			`service "a": volumes.volume.subpath is not supported`, "a: {volumes: null}"},
		{"another platform", "services: {a: {image: x, platform: linux/s390x}}",
			`service "a": platform linux/s390x cannot run here`, "a: {platform: null}"},
		{"a build from elsewhere", "services: {a: {build: https://example.org/a.git}}", "https://example.org/a.git is fetched from elsewhere", "clone it"},
		{"a hook", "services: {a: {image: x, post_start: [{command: [x]}]}}", `service "a": post_start is not supported`, "prepare"},
		{"no entrypoint", "services: {a: {image: x, entrypoint: []}}", `service "a": an empty entrypoint is not supported`, "a: {entrypoint: null}"},
		{"an empty text as entrypoint", "services: {a: {image: x, entrypoint: ''}}",
			`service "a": an empty entrypoint is not supported`, "a: {entrypoint: null}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := written(t, map[string]string{"docker-compose.yml": tt.file})
			_, _, _, problems := read(root, "")
			if len(problems) != 1 {
				t.Fatalf("got %d problems, want 1: %v", len(problems), problems)
			}
			p := problems[0]
			if !strings.Contains(p.Message, tt.want) || !strings.Contains(p.Hint, tt.hint) || strings.Contains(p.Message, root) {
				t.Errorf("got %q with the hint %q, want %q with %q", p.Message, p.Hint, tt.want, tt.hint)
			}
		})
	}
}

// Files outside the repository are not read.
func TestOutside(t *testing.T) {
	root := written(t, map[string]string{"docker-compose.yml": "services: {a: {image: x}}"})
	elsewhere := written(t, map[string]string{"docker-compose.yml": "services: {a: {image: x}}"})
	must.Do(os.Symlink(filepath.Join(elsewhere, "docker-compose.yml"), filepath.Join(root, "link.yml")))
	for name, want := range map[string]string{
		"link.yml":                    "outside the repository",
		"../" + filepath.Base(root):   "it is a folder, not a file",
		elsewhere + "/x.yml":          "cannot be read",
		"none.yml":                    "cannot be read",
		"../../../../../etc/hostname": "outside the repository",
	} {
		var problems source.Problems
		p := Read([]source.Text{{Value: name}}, Options{Dir: root, Root: root}, &problems)
		if found := problems.Sorted(); p != nil || len(found) != 1 || !strings.Contains(found[0].Message, want) {
			t.Errorf("%s: got %v, want %q", name, found, want)
		}
	}
}

// Reading any Compose file ends, and problems point inside a file.
func FuzzRead(f *testing.F) {
	names := must.Get(filepath.Glob("testdata/*.txtar"))
	for _, name := range names {
		archive := must.Get(txtar.ParseFile(name))
		f.Add(string(archive.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		_, _, _, problems := read(written(t, map[string]string{"docker-compose.yml": text}), "")
		for _, p := range problems {
			if p.Pos.Source != nil && (p.Pos.Start < 0 || p.Pos.End > len(p.Pos.Source.Data)) {
				t.Errorf("outside the file: %v", p)
			}
		}
	})
}
