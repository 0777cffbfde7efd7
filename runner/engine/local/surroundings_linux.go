package local

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"benchbook/notebook/spec"
	"benchbook/runner/engine/netns"
)

// Surroundings are what a service has around it. They are made in the namespaces of its first process, by that process.
type surroundings struct {
	Folder string // private: its layer and its temporary files
	// file systems of this machine beside the one at its root, which are shown as they are and cannot be written
	Mounts     []string
	Program    string // an executable of ours, if there is one, and
	As         string // what it is called, in the root directory
	Hosts      string // the file of names of the space
	Hostname   string
	OwnNetwork bool // or else somebody else's, whose settings are left alone
	Sysctls    map[string]string
	ShmSize    int64
	Tmpfs      []string
	Volumes    []volume
	Files      []spec.File
	ReadOnly   bool

	trees []int // of Volumes, taken hold of before they are out of sight
}

// A volume is something of this machine at a place of the service.
type volume struct {
	Target   string
	Source   string // nothing: the place is made, and is the service's as everything is
	ReadOnly bool
	Fill     bool // it is new, and begins with what the service has at the target
}

// Names within the private folder.
const (
	layerFolder   = "layer" // what is written
	workFolder    = "work"  // of the kernel
	rootFolder    = "root"  // where both are seen together
	tmpFolder     = "tmp"
	longTmpFolder = "var-tmp"
)

func makeFolders(folder string) error {
	for name, mode := range map[string]fs.FileMode{
		layerFolder: 0o755, workFolder: 0o755, rootFolder: 0o755, tmpFolder: 0o777 | fs.ModeSticky,
		longTmpFolder: 0o777 | fs.ModeSticky,
	} {
		name := filepath.Join(folder, name)
		if err := os.MkdirAll(name, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask says
			return err
		}
	}
	return nil
}

// usualShm is the size of /dev/shm in bytes where nothing is said, as Docker has it.
const usualShm = 64 << 20

func (s *surroundings) make() error {
	syscall.Umask(0) // modes are meant as they are written
	defer syscall.Umask(0o022)
	steps := []struct {
		what string
		do   func() error
	}{
		{"keeping mounts to itself", func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"laying a private layer over the files of this machine", s.layer},
		{"showing other file systems", s.showMounts},
		{"making temporary folders", s.temporary},
		{"making /dev", s.devices},
		{"mounting /proc and /sys", s.kernelFiles},
		{"giving it names", s.names},
		{"putting the program there", s.putProgram},
		{"finding volumes", s.findVolumes},
		{"making this its root", enterRoot},
		{"setting up the network", s.network},
		{"making tmpfs", s.makeTmpfs},
		{"mounting volumes", s.mountVolumes},
		{"putting files there", s.putFiles},
		{"protecting the kernel's files", protectKernel},
		{"making its files read-only", s.protect},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// layer mounts the files of this machine under a layer of our own. Paths are relative, as they may have any characters
// in them.
func (s *surroundings) layer() error {
	if err := os.Chdir(s.Folder); err != nil {
		return err
	}
	options := "lowerdir=/,upperdir=" + layerFolder + ",workdir=" + workFolder
	if err := unix.Mount("overlay", rootFolder, "overlay", unix.MS_NODEV, options); err != nil {
		return err
	}
	return os.Chdir(rootFolder) // and from here on everything is relative to the new root
}

// here are places of the new root, before it is the root.
func here(name string) string { return "." + name }

// showMounts shows file systems that the layer does not reach through.
func (s *surroundings) showMounts() error {
	for _, name := range s.Mounts {
		if err := bind(name, here(name), unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOSUID); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// bind shows a file or folder at another place, with flags of its own.
func bind(from, to string, flags uintptr) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil || flags == 0 {
		return err
	}
	return unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|flags, "")
}

func (s *surroundings) temporary() error {
	for place, folder := range map[string]string{"/tmp": tmpFolder, "/var/tmp": longTmpFolder} {
		if err := os.MkdirAll(here(place), 0o755); err != nil {
			return err
		}
		if err := bind(filepath.Join(s.Folder, folder), here(place), unix.MS_NODEV|unix.MS_NOSUID); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(here("/run"), 0o755); err != nil {
		return err
	}
	return unix.Mount("tmpfs", here("/run"), "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, "mode=755")
}

// devices makes /dev with what every program may expect, and nothing of this machine's hardware.
func (s *surroundings) devices() error {
	if err := unix.Mount("tmpfs", here("/dev"), "tmpfs", unix.MS_NOSUID, "mode=755,size=65536k"); err != nil {
		return err
	}
	for name, number := range map[string][2]uint32{
		"null": {1, 3}, "zero": {1, 5}, "full": {1, 7}, "random": {1, 8}, "urandom": {1, 9}, "tty": {5, 0},
	} {
		device := here("/dev/" + name)
		if err := unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(number[0], number[1]))); err != nil {
			return err
		}
		if err := os.Chmod(device, 0o666); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(target, here("/dev/"+name)); err != nil {
			return err
		}
	}
	size := cmp.Or(s.ShmSize, usualShm)
	for _, m := range []struct{ at, kind, options string }{
		{"/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620"},
		{"/dev/shm", "tmpfs", "mode=1777,size=" + strconv.FormatInt(size, 10)},
	} {
		if err := os.Mkdir(here(m.at), 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, here(m.at), m.kind, unix.MS_NOSUID|unix.MS_NOEXEC, m.options); err != nil {
			return fmt.Errorf("%s: %w", m.at, err)
		}
	}
	return nil
}

func (s *surroundings) kernelFiles() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", here("/proc"), "proc", flags, ""); err != nil {
		return err
	}
	return unix.Mount("sysfs", here("/sys"), "sysfs", flags|unix.MS_RDONLY, "")
}

// resolver keeps what is no name of the space from being looked for elsewhere: nobody listens there, so the answer is
// no, at once.
const resolver = "nameserver 127.0.0.1\nsearch .\noptions timeout:1 attempts:1\n"

// names lets the names of the space be found, and no others.
func (s *surroundings) names() error {
	hosts, configuration := here("/etc/hosts"), here("/etc/resolv.conf")
	for _, file := range []string{hosts, configuration} {
		// Either may be a link to somewhere else, which stands in the layer as a file of its own.
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.WriteFile(configuration, []byte(resolver), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(hosts, nil, 0o644); err != nil {
		return err
	}
	if err := bind(s.Hosts, hosts, unix.MS_RDONLY); err != nil {
		return err
	}
	return unix.Sethostname([]byte(s.Hostname))
}

func (s *surroundings) putProgram() error {
	if s.Program == "" {
		return nil
	}
	data, err := os.ReadFile(s.Program)
	if err != nil {
		return err
	}
	return os.WriteFile(here("/"+s.As), data, 0o755)
}

// enterRoot makes the folder we are in the root, and lets go of the one before.
//
// Source: pivot_root(2), "pivot_root(".", ".")".
func enterRoot() error {
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Chdir("/")
}

// network makes settings of the network namespace. IPv6 is off, as in the networks of Docker.
func (s *surroundings) network() error {
	if !s.OwnNetwork {
		return nil
	}
	if err := setSysctl("net.ipv6.conf.all.disable_ipv6", "1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // some kernels have no IPv6
	}
	if _, own := s.Sysctls[netns.PortRange]; !own {
		if err := setSysctl(netns.PortRange, fmt.Sprintf("%d %d", netns.FirstPort, netns.LastPort)); err != nil {
			return err
		}
	}
	for name, value := range s.Sysctls {
		if err := setSysctl(name, value); err != nil {
			return refusef("kernel setting %s: %w", name, err)
		}
	}
	return nil
}

func setSysctl(name, value string) error {
	file, err := os.OpenFile(path.Join("/proc/sys", strings.ReplaceAll(name, ".", "/")), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

// makeTmpfs mounts memory where it was asked for, with Docker's options before those that were written.
func (s *surroundings) makeTmpfs() error {
	for _, written := range s.Tmpfs {
		at, options, _ := strings.Cut(written, ":")
		flags, data := tmpfsOptions(options)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return refusef("tmpfs %s: %w", at, err)
		}
		if err := unix.Mount("tmpfs", at, "tmpfs", flags, data); err != nil {
			return refusef("tmpfs %s: %w", written, err)
		}
	}
	return nil
}

// tmpfsOptions tells options that are flags from those that tmpfs reads itself.
func tmpfsOptions(options string) (flags uintptr, data string) {
	flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	var rest []string
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "", "rw":
		case "ro":
			flags |= unix.MS_RDONLY
		case "exec":
			flags &^= unix.MS_NOEXEC
		case "noexec":
			flags |= unix.MS_NOEXEC
		case "suid":
			flags &^= unix.MS_NOSUID
		case "nosuid":
			flags |= unix.MS_NOSUID
		case "nodev":
		default:
			rest = append(rest, option)
		}
	}
	return flags, strings.Join(rest, ",")
}

// findVolumes takes hold of what is mounted once the root is another one.
func (s *surroundings) findVolumes() error {
	for _, v := range s.Volumes {
		if v.Source == "" {
			s.trees = append(s.trees, -1)
			continue
		}
		tree, err := openTree(v.Source)
		if err != nil {
			return refusef("volume %s: %s: %w", v.Target, v.Source, err)
		}
		s.trees = append(s.trees, tree)
	}
	return nil
}

// openTree makes a mount of a file or folder that is nowhere yet.
func openTree(name string) (int, error) {
	return unix.OpenTree(unix.AT_FDCWD, name, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
}

// moveTree puts such a mount at its place.
func moveTree(tree int, at string) error {
	err := unix.MoveMount(tree, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH)
	return errors.Join(err, unix.Close(tree))
}

func (s *surroundings) mountVolumes() error {
	for i, v := range s.Volumes {
		if err := mountVolume(v, s.trees[i]); err != nil {
			return refusef("volume %s: %w", v.Target, err)
		}
	}
	return nil
}

func mountVolume(v volume, tree int) error {
	if v.Source == "" {
		return os.MkdirAll(v.Target, 0o755)
	}
	var kind unix.Stat_t
	if err := unix.Fstat(tree, &kind); err != nil {
		return err
	}
	if kind.Mode&unix.S_IFMT == unix.S_IFDIR {
		if err := os.MkdirAll(v.Target, 0o755); err != nil {
			return err
		}
	} else if _, err := os.Stat(v.Target); errors.Is(err, fs.ErrNotExist) {
		if err := writeFile("/", spec.File{Path: v.Target}); err != nil {
			return err
		}
	}
	if v.Fill {
		if err := fill(tree, v.Target); err != nil {
			return err
		}
	}
	if err := moveTree(tree, v.Target); err != nil || !v.ReadOnly {
		return err
	}
	return unix.Mount("", v.Target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

// fill copies what is in a folder into a mount that is nowhere yet, with owners and modes.
func fill(tree int, from string) error {
	copyOf, err := unix.OpenTree(tree, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if err != nil {
		return err
	}
	const at = "/run/benchbook-volume"
	if err := os.Mkdir(at, 0o700); err != nil {
		return err
	}
	if err := moveTree(copyOf, at); err != nil {
		return err
	}
	output, err := exec.Command("/bin/cp", "-a", from+"/.", at+"/").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("filling it: %w: %s", err, bytes.TrimSpace(output))
	}
	return errors.Join(err, unix.Unmount(at, 0), os.Remove(at))
}

func (s *surroundings) putFiles() error {
	for _, f := range s.Files {
		if err := writeFile("/", f); err != nil {
			return refusef("file %s: %w", f.Path, err)
		}
	}
	return nil
}

// protectKernel keeps a service, which is root, from changing settings that are not its own, and from reading memory.
//
// Source: the paths that Docker masks and makes read-only.
func protectKernel() error {
	for _, name := range []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"} {
		if err := bind(name, name, unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC); err != nil &&
			!errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range []string{"/proc/kcore", "/proc/keys", "/proc/timer_list"} {
		if err := bind("/dev/null", name, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// protect makes everything read-only but what is memory anyway.
func (s *surroundings) protect() error {
	if !s.ReadOnly {
		return nil
	}
	for _, name := range []string{"/", "/tmp", "/var/tmp", "/run"} {
		isTmpfs := slices.ContainsFunc(s.Tmpfs, func(written string) bool {
			at, _, _ := strings.Cut(written, ":")
			return path.Clean(at) == name
		})
		if isTmpfs {
			continue
		}
		if err := unix.Mount("", name, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NODEV, ""); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// disks are where file systems come from that belong to this machine's own files, wherever they are mounted.
const disks = "/dev/"

// notShown are files and folders that a service has its own of, and those in which container engines have their files.
var notShown = []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/etc/hosts", "/etc/hostname",
	"/etc/resolv.conf", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers"}

// otherMounts finds the file systems of this machine that are mounted below its root and are part of its files, in the
// order in which they have to be shown. Mounts is what /proc/self/mountinfo says.
func otherMounts(mounts string) []string {
	var out []string
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line) // number parent major:minor root mount-point options … - type source options
		separator := slices.Index(fields, "-")
		if separator < 5 || len(fields) < separator+3 {
			continue
		}
		at := unescape(fields[4])
		kind, source := fields[separator+1], fields[separator+2]
		below := func(folder string) bool { return at == folder || strings.HasPrefix(at, folder+"/") }
		if at == "/" || slices.ContainsFunc(notShown, below) || slices.Contains(out, at) ||
			!strings.HasPrefix(source, disks) && !slices.Contains([]string{"zfs", "bcachefs", "nfs", "nfs4", "9p", "virtiofs"},
				kind) {
			continue
		}
		out = append(out, at)
	}
	slices.Sort(out) // folders before what is in them
	return out
}

// unescape reads a path as the kernel writes it: spaces and the like as octal numbers.
func unescape(name string) string {
	return octal.ReplaceAllStringFunc(name, func(code string) string {
		n, _ := strconv.ParseUint(code[1:], 8, 8)
		return string([]byte{byte(n)})
	})
}

var octal = regexp.MustCompile(`\\[0-3][0-7][0-7]`)
