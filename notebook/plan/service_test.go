package plan

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/source"
)

func TestEnvironmentOfFiles(t *testing.T) {
	e := mustPlan(t, text(block("name: e\nservices: {s: {image: x, env_file: [a.env, b.env], environment: {A: own}}}\n"+
		"load: {target: http://s/}\n")), Options{},
		map[string]string{"a.env": "# comment\nA=1\nexport B='two words'\n\nC=x=y\r\n", "b.env": "B=later"})
	want := []string{"C=x=y", "B=later", "A=own"}
	if got := e.Trials[0].Services[0].Environment; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A folder of the article is mounted with its listings, a file stands by itself, and a path of this machine is
// absolute.
func TestVolumes(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	e := mustPlan(t, text(block(`name: e
services:
  s:
    image: x
    volumes:
      - ./data:/data
      - ./data/a.txt:/srv/a.txt
      - space:/space
      - /own
      - ../beside:/beside
      - ~/data:/home:ro
      - /etc/ssl/:/ssl
      - {type: tmpfs, target: /fast, tmpfs: {size: 64m}}
load: {target: http://s/}
`), "```text file=data/b.txt\nb\n```\n"), Options{}, map[string]string{"benchbook.yaml": "allow: [mounts]\n", "data/a.txt": "a\n"})
	volumes := e.Trials[0].Services[0].Volumes
	var paths []string
	for _, f := range volumes[0].Files {
		paths = append(paths, f.Path)
	}
	if !slices.Equal(paths, []string{"a.txt", "b.txt"}) || volumes[0].Single || !volumes[0].ReadOnly ||
		volumes[0].Host != "" {
		t.Errorf("the folder: %v, %+v", paths, volumes[0])
	}
	if v := volumes[1]; !v.Single || len(v.Files) != 1 || string(v.Files[0].Data) != "a\n" {
		t.Errorf("the file: %+v", v)
	}
	if volumes[2].Source != "space" || volumes[3].Source != "" || volumes[2].Type != "volume" ||
		volumes[3].Type != "volume" {
		t.Errorf("space: %+v, %+v", volumes[2], volumes[3])
	}
	if v := volumes[4].Host; !filepath.IsAbs(v) || filepath.Base(v) != "beside" ||
		filepath.Base(filepath.Dir(v)) != "experiments" {
		t.Errorf("beside the article: %s", v)
	}
	if v := volumes[5]; v.Host != filepath.Join(home, "data") || !v.ReadOnly || volumes[6].Host != "/etc/ssl" ||
		volumes[6].ReadOnly {
		t.Errorf("of this machine: %+v, %+v", volumes[5], volumes[6])
	}
	if volumes[7].Size != 64<<20 {
		t.Errorf("memory: %+v", volumes[7])
	}
	// Where an article lies on this machine is no part of what is measured.
	if strings.Contains(string(e.Trials[0].Definition), home) {
		t.Errorf("the definition has a path of this machine: %s", e.Trials[0].Definition)
	}
}

func TestVolumesThatAreWrong(t *testing.T) {
	tests := []struct{ name, volume, want string }{
		{"the size of what is no memory", "{type: volume, source: a, target: /a, tmpfs: {size: 1m}}",
			"a volume of type volume has no tmpfs"},
		{"no size", "{type: tmpfs, target: /a, tmpfs: {size: 0}}", "size must be more than 0"},
		{"another user's home", "~somebody/x:/a", `the path "~somebody/x" cannot be found`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := newPlan(t, text(block("name: e\nservices:\n  s:\n    image: x\n    volumes:\n      - "+test.volume+
				"\nload: {target: http://s/}\n")),
				Options{}, map[string]string{"benchbook.yaml": "allow: [mounts]\n"})
			if !slices.ContainsFunc(problems, func(p *source.Problem) bool { return strings.Contains(p.Message, test.want) }) {
				t.Errorf("problems %v, want %q", problems, test.want)
			}
		})
	}
}
