package bundles

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// maxSmall bounds a file of an archive that is read whole.
const maxSmall = 64 << 20

// checkNameless reports whether an archive of images has no names for them, and nothing by which it could have some in spite
// of what this reads, so that loading it gives no name on an engine another meaning.
//
// Source: moby, image/tarexport; OCI image layout, annotations of index.json.
func checkNameless(archive io.Reader) error {
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
