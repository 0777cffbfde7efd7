package docker

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"
	"github.com/rogpeppe/go-internal/lockedfile"

	"benchbook/runner/engine"
	"benchbook/runner/engine/output"
)

// substituteRepository names the images that stand in for Debian's own where no registry can be reached. The tag is
// the release.
const substituteRepository = "benchbook/debootstrap"

const bundlePath = "etc/ssl/certs/ca-certificates.crt"

// substituteFiles make the package tools in a substitute behave as in the image it stands for (the first two), and
// download as this machine does.
var substituteFiles = map[string]string{
	"etc/dpkg/dpkg.cfg.d/docker-slim": `path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
`,
	"etc/apt/apt.conf.d/docker-clean": `DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
`,
	"etc/apt/apt.conf.d/99benchbook": `APT::Install-Recommends "0";
APT::Install-Suggests "0";
Acquire::Retries "3";
`,
	"etc/pip.conf": `[global]
cert = /` + bundlePath + `
disable-pip-version-check = 1
no-cache-dir = 1
root-user-action = ignore
`,
}

// leftOut says which files of a fresh installation are no use in a substitute: what docker-slim above leaves out as
// well, and what the engine makes anew in every container.
func leftOut(name string) bool {
	directory := func(parent string) bool { return strings.HasPrefix(name, parent+"/") }
	switch {
	case directory("usr/share/doc"):
		return !strings.HasSuffix(name, "/copyright")
	case name == "etc/resolv.conf", name == "etc/hostname", name == "var/cache/ldconfig/aux-cache":
		return true
	}
	return directory("dev") || directory("proc") || directory("sys") || directory("run") || directory("tmp") ||
		directory("usr/share/info") || directory("usr/share/locale") || directory("usr/share/man") ||
		directory("var/cache/apt/archives") || directory("var/lib/apt/lists") || directory("var/log")
}

// debootstrap makes an image with a minimal installation of a Debian release from its packages, and returns its id.
// It needs the command debootstrap and to be root. Of several processes that want the same image one makes it.
func (s *imageStore) debootstrap(ctx context.Context, release, image string, log io.Writer) (id string, err error) {
	tool, err := exec.LookPath("debootstrap")
	if err != nil {
		return "", errors.New("the command debootstrap is not here: install the package of that name")
	}
	if os.Getuid() != 0 {
		return "", errors.New("debootstrap must be run by root: run this once as root")
	}
	unlock, err := lockSubstitute(release)
	if err != nil {
		return "", err
	}
	defer unlock()
	if id, err = s.id(ctx, image); id != "" || err != nil {
		return id, err
	}

	fmt.Fprintf(log, "no registry can be reached; making a base of Debian %s with debootstrap, about a minute, once\n",
		release)
	began := time.Now()
	folder := cmp.Or(os.Getenv("TMPDIR"), "/var/tmp") // unlike /tmp it is on a disk, and programs in it may be run
	if err := removeLeftRoots(folder); err != nil {
		fmt.Fprintf(log, "left alone of an earlier process that was killed: %v\n", err)
	}
	root, err := os.MkdirTemp(folder, rootPrefix+engine.Owner()+"-*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, removeRoot(root)) }()
	if err := os.Chmod(root, 0o755); err != nil { // it becomes the root directory of the image
		return "", err
	}
	sources := hostSources(os.DirFS("/"))
	arguments := []string{"--variant=minbase", release, root}
	if sources.archive != "" {
		arguments = append(arguments, sources.archive)
	}
	command := exec.CommandContext(ctx, tool, arguments...)
	// debootstrap starts programs of its own, and all of them must be gone before their root is removed; it mounts
	// file systems there, which it only takes away if it may end by itself.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	said := &output.Tail{Limit: 64 << 10}
	command.Stdout, command.Stderr = said, said
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("debootstrap %s: %w; it said last:\n%s", release, err, lastLines(said.Bytes(), 5))
	}
	if err := configureSubstitute(ctx, root, release, sources); err != nil {
		return "", fmt.Errorf("configuring a base of Debian %s: %w", release, err)
	}
	if err := s.importImage(ctx, root, image, "Debian "+release); err != nil {
		return "", fmt.Errorf("importing a base of Debian %s: %w", release, err)
	}
	fmt.Fprintf(log, "made %s in %s\n", image, roundTime(time.Since(began)))
	return s.id(ctx, image)
}

// rootPrefix begins the name of a folder that debootstrap works in. Its owner follows, as it stands on whatever else we
// may leave behind.
const rootPrefix = "benchbook-debootstrap-"

// removeLeftRoots removes such folders whose owner has ended without removing them, as a process does that is killed.
// Only those of our own user are ours.
func removeLeftRoots(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var failures []error
	for _, entry := range entries {
		rest, ok := strings.CutPrefix(entry.Name(), rootPrefix)
		if !ok || !entry.IsDir() {
			continue
		}
		if alive, known := engine.OwnerAlive(rest[:max(0, strings.LastIndexByte(rest, '-'))]); alive || !known {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // somebody else removes it
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == os.Getuid() {
			failures = append(failures, removeRoot(filepath.Join(folder, entry.Name())))
		}
	}
	return errors.Join(failures...)
}

// removeRoot removes the folder that debootstrap worked in, unless file systems of this machine are mounted there.
func removeRoot(root string) error {
	for _, mounted := range []string{"proc/self", "sys/kernel"} {
		if _, err := os.Stat(filepath.Join(root, mounted)); err == nil {
			return fmt.Errorf("debootstrap left file systems mounted in %s: unmount them and remove it", root)
		}
	}
	return os.RemoveAll(root)
}

// lockSubstitute keeps other processes of this user from making the same image at the same time.
func lockSubstitute(release string) (unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "benchbook")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return lockedfile.MutexAt(filepath.Join(folder, "debootstrap-"+release+".lock")).Lock()
}

// configureSubstitute writes what the image needs beyond the packages: where to get more of them, and whom to trust.
func configureSubstitute(ctx context.Context, root, release string, sources debianSources) error {
	write := func(name string, data []byte) error {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o644)
	}
	for name, text := range substituteFiles {
		if err := write(name, []byte(text)); err != nil {
			return err
		}
	}
	if options := hostAptOptions(ctx); len(options) > 0 {
		if err := write("etc/apt/apt.conf.d/99benchbook-host", options); err != nil {
			return err
		}
	}
	list := filepath.Join(root, "etc/apt/sources.list")
	main, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	if err := os.WriteFile(list, extendSources(main, release, sources), 0o644); err != nil {
		return err
	}
	if bundle := hostBundle(); bundle != nil {
		// The second place is where the package ca-certificates, once installed, looks for additions when it writes the
		// first anew.
		return errors.Join(write(bundlePath, bundle), write("usr/local/share/ca-certificates/benchbook-host.crt", bundle))
	}
	return nil
}

// hostBundle reads the certificates that this machine trusts: what its user or administrator chose, else the system's.
func hostBundle() []byte {
	for _, path := range []string{os.Getenv("SSL_CERT_FILE"), "/" + bundlePath, "/etc/pki/tls/certs/ca-bundle.crt"} {
		if bundle, err := os.ReadFile(path); err == nil && path != "" {
			return bundle
		}
	}
	return nil
}

// aptOptions are the settings of apt that say how this machine reaches its mirrors.
var aptOptions = regexp.MustCompile(`(?m)^Acquire::(https?::(Proxy|Verify-Peer)|Check-Valid-Until|Check-Date)\b.*;$`)

// hostAptOptions returns how apt of this machine reaches its mirrors, as far as that would work inside a container.
func hostAptOptions(ctx context.Context) []byte {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil // not a Debian
	}
	var kept bytes.Buffer
	for _, option := range aptOptions.FindAll(dump, -1) {
		if !loopback.Match(option) {
			fmt.Fprintf(&kept, "%s\n", option)
		}
	}
	return kept.Bytes()
}

// loopback is an address that means another machine inside a container.
var loopback = regexp.MustCompile(`(?i)//(localhost|127\.|\[::1\])`)

// debianSources are the mirrors from which this machine gets packages of Debian, as far as they are known.
type debianSources struct{ archive, security string }

var sourceURI = regexp.MustCompile(
	`(?m)^(?:deb\s+(?:\[[^\]\n]*\]\s+)?|URIs:\s*)(https?://\S*/debian(-security)?/?)(?:\s|$)`)

// hostSources reads the mirrors from the configuration of apt (sources.list(5)). A machine that is no Debian has
// none, and debootstrap uses its own.
func hostSources(root fs.FS) debianSources {
	var found debianSources
	names := []string{"etc/apt/sources.list"}
	for _, pattern := range []string{"etc/apt/sources.list.d/*.sources", "etc/apt/sources.list.d/*.list"} {
		matches, _ := fs.Glob(root, pattern) // the patterns are well-formed
		names = append(names, matches...)
	}
	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		for _, m := range sourceURI.FindAllSubmatch(text, -1) {
			uri := strings.TrimSuffix(string(m[1]), "/")
			if len(m[2]) > 0 && found.security == "" {
				found.security = uri
			} else if len(m[2]) == 0 && found.archive == "" {
				found.archive = uri
			}
		}
	}
	return found
}

// extendSources adds the updates of a release to the sources.list that debootstrap left, as in Debian's own image.
func extendSources(main []byte, release string, sources debianSources) []byte {
	fields := strings.Fields(string(main)) // deb URI RELEASE main
	if len(fields) < 3 || release == "sid" {
		return main
	}
	out := bytes.Clone(main)
	out = fmt.Appendf(out, "deb %s %s-updates main\n", fields[1], release)
	if sources.security != "" {
		out = fmt.Appendf(out, "deb %s %s-security main\n", sources.security, release)
	}
	return out
}

func (s *imageStore) importImage(ctx context.Context, root, image, what string) error {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(tarTree(writer, root)) }()
	defer reader.Close()
	result, err := s.client.ImageImport(ctx, client.ImageImportSource{Source: reader, SourceName: "-"}, image,
		client.ImageImportOptions{
			Message: what + " by debootstrap",
			Changes: []string{
				`CMD ["bash"]`,
				"ENV SSL_CERT_FILE=/" + bundlePath,
				fmt.Sprintf("LABEL %s=%q", engine.LabelImage, what),
			},
		})
	if err != nil {
		return err
	}
	defer result.Close()
	return readMessages(result, io.Discard)
}

// tarTree writes a folder as an archive, with owners, links and modes, without devices and what is leftOut.
func tarTree(w io.Writer, root string) error {
	archive := tar.NewWriter(w)
	links := make(map[[2]uint64]string)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name := filepath.ToSlash(path[len(root)+1:])
		if leftOut(name) && !(entry.IsDir() && strings.HasPrefix(name, "usr/share/man/")) { // packages link into them
			return nil
		}
		header, err := treeHeader(path, name, entry, links)
		if err == nil {
			err = archive.WriteHeader(header)
		}
		if err != nil || header.Typeflag != tar.TypeReg {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(archive, file)
		return err
	})
	if err != nil {
		return err
	}
	return archive.Close()
}

// treeHeader describes a file or folder for an archive. Links are the first names of files that have several, by device
// and inode.
func treeHeader(path, name string, entry fs.DirEntry, links map[[2]uint64]string) (*tar.Header, error) {
	info, err := entry.Info()
	if err != nil {
		return nil, err
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return nil, err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return nil, err
	}
	header.Name = name
	header.Uname, header.Gname = "", "" // numbers count: names are those of this machine
	header.Format = tar.FormatPAX
	if entry.IsDir() {
		header.Name += "/"
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 && info.Mode().IsRegular() {
		key := [2]uint64{uint64(stat.Dev), stat.Ino}
		if first, ok := links[key]; ok {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
		} else {
			links[key] = name
		}
	}
	return header, nil
}
