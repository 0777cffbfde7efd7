package machine

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"benchbook/notebook/record"
)

// publicHosts are the ends of names of hosts that packages come from and everybody knows.
var publicHosts = []string{"debian.org", "debian.net", "ubuntu.com", "pypi.org", "pythonhosted.org", "golang.org",
	"goproxy.io", "npmjs.org", "npmjs.com", "docker.com", "docker.io", "github.com", "githubusercontent.com", "gitlab.com",
	"kernel.org"}

// mirrorFiles and, below the home folder, ownMirrorFiles say where package tools and the engine get things from, and
// through which proxies; so do mirrorVariables of the environment.
var (
	mirrorFiles = []string{"etc/apt/sources.list", "etc/apt/sources.list.d/*", "etc/apt/apt.conf", "etc/apt/apt.conf.d/*",
		"etc/pip.conf", "etc/xdg/pip/pip.conf", "etc/npmrc", "etc/docker/daemon.json"}
	ownMirrorFiles = []string{".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf",
		".config/uv/uv.toml", ".npmrc", ".docker/config.json"}
	mirrorVariables = regexp.MustCompile(`(?i)^(https?_proxy|ftp_proxy|all_proxy|pip_.*|uv_.*|goproxy|npm_config_.*)=`)
)

// What is looked for in these settings: names of hosts with a dot, in URLs and alone, and what goes before @ in a URL.
var (
	comment   = regexp.MustCompile(`(?m)^\s*[#;].*$`)
	hostName  = regexp.MustCompile(`(?:^|[\s=,@"']|//)([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)(?:[\s:/,"';]|$)`)
	userInURL = regexp.MustCompile(`://([^\s/@"']+)@`)
)

// MirrorsOf returns the names of private hosts that a machine gets packages from or through, as written and in lower
// case, and the passwords in their addresses: programs that cannot reach them print them. root has the files of the
// machine, environment is a list of NAME=value.
func MirrorsOf(root fs.FS, environment []string) []string {
	all := comment.ReplaceAllString(strings.Join(mirrorSettings(root, environment), "\n"), "")
	var found []string
	for line := range strings.Lines(all) {
		for _, m := range hostName.FindAllStringSubmatch(line, -1) {
			if lower := strings.ToLower(m[1]); isPrivate(lower) {
				found = append(found, m[1], lower)
			}
		}
	}
	for _, m := range userInURL.FindAllStringSubmatch(all, -1) {
		_, password, ok := strings.Cut(m[1], ":")
		if !ok {
			password = m[1] // a token
		}
		found = append(found, password)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func mirrorSettings(root fs.FS, environment []string) (texts []string) {
	var files []string
	for _, pattern := range mirrorFiles {
		names, _ := fs.Glob(root, pattern) // the patterns are well-formed
		files = append(files, names...)
	}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		value = strings.TrimPrefix(path.Clean(value), "/")
		switch {
		case name == "HOME":
			for _, file := range ownMirrorFiles {
				files = append(files, path.Join(value, file))
			}
		case strings.HasSuffix(strings.ToUpper(name), "_CONFIG_FILE") || strings.HasSuffix(strings.ToUpper(name), "_USERCONFIG"):
			files = append(files, value)
		}
		if mirrorVariables.MatchString(variable) {
			texts = append(texts, variable)
		}
	}
	for _, file := range files {
		if text, err := fs.ReadFile(root, file); err == nil {
			texts = append(texts, string(text))
		}
	}
	return texts
}

// isPrivate reports whether the name of a host, in lower case, identifies a private network. Addresses do not.
func isPrivate(host string) bool {
	return strings.ContainsFunc(host, unicode.IsLetter) && !slices.ContainsFunc(publicHosts, func(end string) bool {
		return host == end || strings.HasSuffix(host, "."+end)
	})
}

var (
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	urlHost = regexp.MustCompile(`(https?://)[^\s/"']+`)
)

// BuildOutput returns the output of an image build without the names of package mirrors and without control sequences.
func BuildOutput(s string) string {
	redact := record.NewRedactor(MirrorsOf(os.DirFS("/"), os.Environ())...)
	return redact.Text(Plain(urlHost.ReplaceAllString(s, "${1}…")))
}

// Plain returns what a program wrote without control sequences and characters.
func Plain(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return -1
		}
		return c
	}, escapes.ReplaceAllString(s, ""))
}
