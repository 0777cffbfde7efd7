package images

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Contents is what is in an image, as far as it can be told from its files: two builds of the same Dockerfile have
// other times in their layers, and so other digests, but the same contents.
type Contents struct {
	Layers []string `json:"layers"` // digests of the layers, unpacked, from the bottom
	// Packages are "NAME VERSION", sorted, by what installed them: debian, alpine, python, node; go for the modules in
	// programs of no package, with their hashes.
	Packages map[string][]string `json:"packages"`
	Programs map[string]string   `json:"programs"` // digests of the executables that are of no package, by their paths
}

const (
	maxSmall   = 64 << 20  // bytes of a file that is read for what it says
	maxProgram = 512 << 20 // bytes of an executable
)

// ReadContents reads the archive of one image, as docker save writes it.
//
// Source: the image specification of Docker, v1.2 (manifest.json), and the OCI image layout, which has it too;
// whiteouts are those of the OCI image specification, "Representing Changes".
func ReadContents(archive io.Reader) (Contents, error) {
	r := archiveReader{layers: map[string]*layer{}, links: map[string]string{}, small: map[string][]byte{}}
	if err := r.read(tar.NewReader(archive)); err != nil {
		return Contents{}, fmt.Errorf("reading the archive of an image: %w", err)
	}
	var manifest []struct {
		Config string
		Layers []string
	}
	var config struct {
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(r.small["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		return Contents{}, errors.New("the archive of an image has no manifest.json of one image")
	}
	if err := json.Unmarshal(r.small[manifest[0].Config], &config); err != nil {
		return Contents{}, fmt.Errorf("the configuration of an image: %w", err)
	}
	files := map[string]*found{}
	for _, name := range manifest[0].Layers {
		if to := r.links[name]; to != "" {
			name = to
		}
		l, data := r.layers[name], r.small[name]
		switch {
		case l != nil:
			l.over(files)
		case len(data) == 0 || len(bytes.Trim(data, "\x00")) > 0: // an archive of nothing is zeros
			return Contents{}, fmt.Errorf("the archive of an image lacks its layer %s, or has it compressed by other means "+
				"than gzip", name)
		}
	}
	c := contentsOf(files)
	c.Layers = config.RootFS.DiffIDs
	return c, nil
}

// archiveReader holds what was read of an archive, in whichever order that has it, by names in the archive.
type archiveReader struct {
	layers map[string]*layer
	links  map[string]string
	small  map[string][]byte
}

func (r *archiveReader) read(archive *tar.Reader) error {
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		if h.Typeflag == tar.TypeSymlink { // of a layer that several images have
			r.links[name] = path.Join(path.Dir(name), h.Linkname)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		in := bufio.NewReaderSize(archive, 1<<16)
		if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			unpacked, err := gzip.NewReader(in)
			if err != nil {
				return err
			}
			in = bufio.NewReaderSize(unpacked, 1<<16)
		}
		if head, _ := in.Peek(263); len(head) == 263 && string(head[257:262]) == "ustar" {
			if r.layers[name], err = readLayer(tar.NewReader(in)); err != nil {
				return fmt.Errorf("layer %s: %w", name, err)
			}
		} else if r.small[name], err = io.ReadAll(io.LimitReader(in, maxSmall)); err != nil {
			return err
		}
	}
}

// found is a file that says something of what is in an image.
type found struct {
	text    []byte   // of a list of packages
	digest  string   // of a program
	modules []string // of a program in Go
}

// A layer has all paths of its entries, without the slash before them; nil for those that say nothing.
type layer struct {
	files   map[string]*found
	removed []string // what it removes of those below
	emptied []string // folders of which it removes all that is below
}

func readLayer(in *tar.Reader) (*layer, error) {
	l := &layer{files: map[string]*found{}}
	for {
		h, err := in.Next()
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		dir, base := path.Split(name)
		switch {
		case base == ".wh..wh..opq":
			l.emptied = append(l.emptied, dir)
		case strings.HasPrefix(base, ".wh."):
			l.removed = append(l.removed, dir+strings.TrimPrefix(base, ".wh."))
		default:
			if l.files[name], err = look(name, h, in); err != nil {
				return nil, err
			}
		}
	}
}

// over lays the layer over what is below it.
func (l *layer) over(files map[string]*found) {
	maps.DeleteFunc(files, func(name string, _ *found) bool {
		return slices.ContainsFunc(l.emptied, func(dir string) bool { return strings.HasPrefix(name, dir) }) ||
			slices.ContainsFunc(l.removed, func(gone string) bool { return name == gone || strings.HasPrefix(name, gone+"/") })
	})
	for name, f := range l.files {
		if delete(files, name); f != nil {
			files[name] = f
		}
	}
}

// Files that list packages.
var (
	debianStatus = regexp.MustCompile(`^var/lib/dpkg/status(\.d/[^/]+)?$`) // the latter in images without a shell
	debianList   = regexp.MustCompile(`^var/lib/dpkg/info/[^/]+\.list$`)
	alpineList   = "lib/apk/db/installed"
	pythonRecord = regexp.MustCompile(`\.dist-info/RECORD$`)
	pythonOld    = regexp.MustCompile(`\.egg-info(/PKG-INFO)?$`)
	nodePackage  = regexp.MustCompile(`(?:^|/)node_modules/((?:@[^/]+/)?[^/@.][^/]*)/package\.json$`)
)

// isList says of a file that it is read for what it says.
func isList(name string) bool {
	return debianStatus.MatchString(name) || debianList.MatchString(name) || name == alpineList ||
		pythonRecord.MatchString(name) || pythonOld.MatchString(name) || nodePackage.MatchString(name)
}

// look reads a file of a layer as far as it says something; nil if it does not.
func look(name string, h *tar.Header, in io.Reader) (*found, error) {
	if h.Typeflag != tar.TypeReg {
		return nil, nil
	}
	if isList(name) {
		text, err := io.ReadAll(io.LimitReader(in, maxSmall))
		return &found{text: text}, err
	}
	magic := make([]byte, 4)
	if h.Mode&0o111 == 0 || h.Size < 4 || h.Size > maxProgram {
		return nil, nil
	}
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != "\x7fELF" {
		return nil, err
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	data = append(magic, data...)
	sum := sha256.Sum256(data)
	return &found{digest: "sha256:" + hex.EncodeToString(sum[:]), modules: modulesOf(data)}, nil
}

// modulesOf are the modules of a program in Go, and the version of Go; none of any other.
func modulesOf(program []byte) []string {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil
	}
	out := []string{"go " + info.GoVersion}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, strings.TrimSpace(m.Path+" "+m.Version+" "+m.Sum))
	}
	return out
}

// contentsOf says what the files of an image come to.
func contentsOf(files map[string]*found) Contents {
	c := Contents{Packages: map[string][]string{}, Programs: map[string]string{}}
	owned := map[string]bool{}
	for name, f := range files {
		c.readList(name, string(f.text), owned)
	}
	for name, f := range files {
		if f.digest != "" && !owned[merged(name)] && !strings.Contains(name, "/node_modules/") {
			c.Programs["/"+name] = f.digest
			c.add("go", f.modules...)
		}
	}
	for kind, list := range c.Packages {
		slices.Sort(list)
		if c.Packages[kind] = slices.Compact(list); len(list) == 0 {
			delete(c.Packages, kind)
		}
	}
	return c
}

func (c *Contents) add(kind string, packages ...string) {
	c.Packages[kind] = append(c.Packages[kind], packages...)
}

// readList reads a file that lists packages, or files of one, which are then owned. Of Python's it notes the folders
// that say what is installed.
func (c *Contents) readList(name, text string, owned map[string]bool) {
	m := nodePackage.FindStringSubmatch(name)
	switch {
	case debianStatus.MatchString(name):
		c.add("debian", debianPackages(text)...)
	case debianList.MatchString(name):
		for line := range strings.Lines(text) {
			owned[merged(strings.TrimSpace(line))] = true
		}
	case name == alpineList:
		c.add("alpine", alpinePackages(text, owned)...)
	case pythonRecord.MatchString(name):
		for line := range strings.Lines(text) {
			file, _, _ := strings.Cut(line, ",")
			owned[merged(path.Join(path.Dir(path.Dir(name)), file))] = true
		}
		c.addPython(path.Dir(name))
	case pythonOld.MatchString(name):
		c.addPython(strings.TrimSuffix(name, "/PKG-INFO"))
	case m != nil:
		var p struct{ Version string }
		if json.Unmarshal([]byte(text), &p) == nil && p.Version != "" { // else it is of a part of a package
			c.add("node", m[1]+" "+p.Version)
		}
	}
}

// addPython adds what a folder says is installed, unless a package of Debian or another one of Python brought it.
func (c *Contents) addPython(folder string) {
	if !strings.HasPrefix(folder, "usr/lib/python3/dist-packages/") && !strings.Contains(folder, "/_vendor/") {
		c.add("python", projects(folder))
	}
}

// merged is a path as it is where /bin and others lead into /usr, on which packages and layers differ.
func merged(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path.Clean("/"+name), "/"), "usr/")
}

// debianPackages reads dpkg's list. Those that were removed are none.
//
// Source: dpkg(1), "Package states"; deb-control(5).
func debianPackages(status string) (out []string) {
	for paragraph := range strings.SplitSeq(status, "\n\n") {
		fields := map[string]string{}
		for line := range strings.Lines(paragraph) {
			if key, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") {
				fields[key] = strings.TrimSpace(value)
			}
		}
		state := fields["Status"] // which images without dpkg do not have
		if fields["Package"] != "" && (state == "" || strings.HasSuffix(state, " installed")) {
			out = append(out, fields["Package"]+" "+fields["Version"])
		}
	}
	return out
}

// alpinePackages reads apk's list, and which files are theirs.
//
// Source: wiki.alpinelinux.org/wiki/Apk_spec, "Installed database".
func alpinePackages(installed string, owned map[string]bool) (out []string) {
	name, dir := "", ""
	for line := range strings.Lines(installed) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "P":
			name = value
		case "V":
			out = append(out, name+" "+value)
		case "F":
			dir = value
		case "R":
			owned[merged(path.Join(dir, value))] = true
		}
	}
	return out
}

// CheckNameless says that an archive of images has no names for them, and nothing by which it could have some in spite
// of what this reads, so that loading it gives no name on an engine another meaning.
//
// Source: moby, image/tarexport; OCI image layout, annotations of index.json.
func CheckNameless(archive io.Reader) error {
	in, seen, links := tar.NewReader(archive), map[string]bool{}, map[string]bool{}
	for {
		h, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(h.Name, "/")
		if !isPlain(h, name) || links[path.Dir(name)] || seen[name] && h.Typeflag != tar.TypeDir {
			return fmt.Errorf("unexpected or repeated entry %q in the archive of images", h.Name)
		}
		seen[name], links[name] = true, h.Typeflag == tar.TypeSymlink
		if name != "manifest.json" && name != "repositories" && name != "index.json" {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(in, maxSmall))
		if err != nil {
			return err
		}
		if err := checkNames(name, text); err != nil {
			return err
		}
	}
}

// isPlain says of an entry of an archive of images that it is of those that engines write: files, folders, and links in
// the place of layers, under clean names.
func isPlain(h *tar.Header, name string) bool {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink:
		if path.Base(name) != "layer.tar" {
			return false
		}
	default:
		return false
	}
	return name == path.Clean(name) && fs.ValidPath(name)
}

// checkNames refuses a file of an archive that names images.
func checkNames(file string, text []byte) error {
	var manifest []struct{ RepoTags []string }
	var repositories map[string]json.RawMessage
	var index struct {
		Manifests []struct{ Annotations map[string]string }
	}
	into := map[string]any{"manifest.json": &manifest, "repositories": &repositories, "index.json": &index}[file]
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s of the archive is not valid JSON", file)
	}
	names := slices.Collect(maps.Keys(repositories))
	for _, m := range manifest {
		names = append(names, m.RepoTags...)
	}
	for _, m := range index.Manifests {
		names = append(names, m.Annotations["io.containerd.image.name"], m.Annotations["org.opencontainers.image.ref.name"])
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	if len(names) > 0 {
		return fmt.Errorf("the archive names an image %q, which could be taken for another one", names[0])
	}
	return nil
}
