package lock

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/images"
	"benchbook/runner/images/imagestest"
)

func TestDifferences(t *testing.T) {
	base := images.Contents{Packages: map[string][]string{"debian": {"libc6 2.36-9", "openssl 3.0.17-1"},
		"python": {"flask 3.1.2"}}, Programs: map[string]string{"/server": "sha256:1"}}
	tests := []struct {
		name string
		now  images.Contents
		want []string
	}{
		{"nothing", base, nil},
		{"layers", images.Contents{Layers: []string{"sha256:0"}, Packages: base.Packages, Programs: base.Programs}, nil},
		{"a version", images.Contents{Packages: map[string][]string{"debian": {"libc6 2.36-9", "openssl 3.0.18-1"},
			"python": {"flask 3.1.2"}}, Programs: base.Programs}, []string{"openssl 3.0.17-1 is 3.0.18-1 now (debian)"}},
		{"one more, and one less", images.Contents{Packages: map[string][]string{"debian": base.Packages["debian"],
			"node": {"left-pad 1.0.0"}}, Programs: base.Programs},
			[]string{"left-pad 1.0.0 is new (node)", "flask 3.1.2 is missing (python)"}},
		{"two versions of one", images.Contents{Packages: map[string][]string{"debian": base.Packages["debian"],
			"python": {"flask 3.1.2", "flask 3.1.3"}}, Programs: base.Programs},
			[]string{"flask 3.1.2 is 3.1.2 and 3.1.3 now (python)"}},
		{"programs", images.Contents{Packages: base.Packages,
			Programs: map[string]string{"/server": "sha256:2", "/tool": "x"}},
			[]string{"program /server is another one", "program /tool is new"}},
		{"a program is gone", images.Contents{Packages: base.Packages}, []string{"program /server is missing"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Differences(base, test.now); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// An engine has images by their ids, and gives the next one of a list to whoever has one prepared.
type scripted struct {
	engine.Engine
	archives map[string][]byte
	next     []string
	asked    []string
}

func (s *scripted) Name() string { return "scripted" }

func (s *scripted) Prepare(_ context.Context, i engine.Image, _ io.Writer) (engine.Prepared, error) {
	if i.Name != "" && s.archives[i.Name] != nil {
		return engine.Prepared{Reference: i.Name, ID: i.Name, Bases: []engine.Base{{Reference: i.Name, ID: i.Name}}}, nil
	}
	s.asked = append(s.asked, nameOf(i))
	id := s.next[0]
	s.next = s.next[1:]
	return engine.Prepared{Reference: "benchbook/x:1", ID: id,
		Bases: []engine.Base{{Reference: "debian:1", ID: "d1"}}}, nil
}

func (s *scripted) Has(_ context.Context, p engine.Prepared) (string, bool, error) {
	return p.ID, s.archives[p.ID] != nil, nil
}

func (s *scripted) Save(_ context.Context, p engine.Prepared) (io.ReadCloser, error) {
	if s.archives[p.ID] == nil {
		return nil, errors.New("no such image")
	}
	return io.NopCloser(bytes.NewReader(s.archives[p.ID])), nil
}

func (s *scripted) Load(context.Context, engine.Prepared, io.Reader) (string, error) { return "", nil }

func build(text string) engine.Image {
	return engine.Image{Build: &engine.Build{For: "x app", Build: spec.Build{Dockerfile: "Dockerfile",
		Files: []spec.File{{Path: "Dockerfile", Data: []byte(text)}}}}}
}

func archive(t *testing.T, packages ...string) []byte {
	t.Helper()
	return imagestest.Archive(t, imagestest.Options{}, imagestest.Debian(packages...))
}

// What images came to is written down. Then the locked image itself is used where it is, however it would be built now;
// another one with the same in it is as good, and with anything else it is refused, with the difference.
func TestKeep(t *testing.T) {
	e := &scripted{archives: map[string][]byte{"one": archive(t, "libc6"), "again": archive(t, "libc6"),
		"other": archive(t, "libc6", "curl")}, next: []string{"one"}}
	var m Maker
	if _, err := m.Over(e).Prepare(t.Context(), build("FROM debian:1"), io.Discard); err != nil {
		t.Fatal(err)
	}
	l := m.Lock("x")
	if len(l.Images) != 1 || l.Images[0].ID != "one" || l.Images[0].For != "x app" ||
		!slices.Equal(l.Images[0].Packages["debian"], []string{"libc6 1"}) ||
		!slices.Equal(l.Images[0].Bases, []Base{{Reference: "debian:1", ID: "d1"}}) {
		t.Fatalf("locked %+v", l)
	}
	tests := []struct {
		name   string
		gone   bool // the locked image
		image  engine.Image
		next   string
		want   string // id
		err    string
		words  string
		builds int
	}{
		{"itself", false, build("FROM debian:1"), "other", "one", "", "images: 1 of 1 have the digests of the lock", 0},
		{"a build", true, build("FROM debian:1"), "again", "again", "",
			"images: 0 of 1 have the digests of the lock; 1 with other digests: the same packages and programs", 1},
		{"another build", true, build("FROM debian:1"), "other", "", "curl 1 is new (debian)", "", 1},
		{"another Dockerfile", false, build("FROM debian:2"), "again", "", "is not in the lock", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &scripted{archives: map[string][]byte{"one": e.archives["one"], test.next: e.archives[test.next]},
				next: []string{test.next}}
			if test.gone {
				delete(e.archives, "one")
			}
			k, err := Keep(l)
			if err != nil {
				t.Fatal(err)
			}
			p, err := k.Over(e).Prepare(t.Context(), test.image, io.Discard)
			if p.ID != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %q, %v, want %q, %q", p.ID, err, test.want, test.err)
			}
			if err != nil && !errors.As(err, new(*engine.BuildError)) {
				t.Errorf("the error is a %T, which no experiment could be left out for", err)
			}
			if got := k.Words(); got != test.words || len(e.asked) != test.builds {
				t.Errorf("it says %q after %d builds, want %q after %d", got, len(e.asked), test.words, test.builds)
			}
		})
	}
}

func TestOtherPlatform(t *testing.T) {
	_, err := Keep(&Lock{Article: "x", Platform: "linux/pdp11"})
	if err == nil || !strings.Contains(err.Error(), "pdp11") {
		t.Error(err)
	}
}
