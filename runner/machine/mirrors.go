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
	"goproxy.io", "npmjs.org", "npmjs.com",
	"docker.com", "docker.io", "github.com", "githubusercontent.com", "gitlab.com", "kernel.org"}

// mirrorFiles say where the package tools and the engine of a machine get things from, and through which proxies.
var mirrorFiles = []string{"etc/apt/sources.list", "etc/apt/sources.list.d/*", "etc/apt/apt.conf",
	"etc/apt/apt.conf.d/*", "etc/pip.conf", "etc/xdg/pip/pip.conf", "etc/npmrc", "etc/docker/daemon.json"}

// ownMirrorFiles say the same for one user, below the home folder.
var ownMirrorFiles = []string{".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf",
	".config/uv/uv.toml", ".npmrc", ".docker/config.json"}

// mirrorVariables say the same in an environment.
var mirrorVariables = regexp.MustCompile(`(?i)^(https?_proxy|ftp_proxy|all_proxy|pip_.*|uv_.*|goproxy|npm_config_.*)=`)

// Hosts as these say them: in URLs, in the settings of npm that are about a registry, as a proxy without a scheme, and
// those that pip trusts.
var (
	hostInURL      = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^\s/@"']*@)?([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)`)
	userInURL      = regexp.MustCompile(`://([^\s/@"']+)@`)
	hostOfRegistry = regexp.MustCompile(`(?m)^//([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*)(?::\d+)?/`)
	hostOfProxy    = regexp.MustCompile(`(?im)^(?:https?|ftp|all)_proxy=([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::\d+)?/?$`)
	trustedHosts   = regexp.MustCompile(`(?im)^\s*(?:pip_)?trusted[-_]host[ \t]*=[ \t]*([^\n]+)$`)
)

// MirrorsOf returns the names of private hosts that a machine gets packages from, or through, as they are written and in
// lower case, and the passwords in their addresses: programs that cannot reach them print them. The root is that of the
// machine's files, the environment a list of NAME=value.
func MirrorsOf(root fs.FS, environment []string) []string {
	all := strings.Join(mirrorSettings(root, environment), "\n")
	var found, hosts []string
	for _, pattern := range []*regexp.Regexp{hostInURL, hostOfRegistry, hostOfProxy} {
		for _, m := range pattern.FindAllStringSubmatch(all, -1) {
			found = append(found, m[1])
		}
	}
	for _, m := range trustedHosts.FindAllStringSubmatch(all, -1) {
		for _, host := range strings.FieldsFunc(m[1], func(c rune) bool { return c == ' ' || c == '\t' || c == ',' }) {
			host, _, _ = strings.Cut(host, ":")
			found = append(found, host)
		}
	}
	for _, host := range found {
		if lower := strings.ToLower(host); isPrivate(lower) {
			hosts = append(hosts, host, lower)
		}
	}
	for _, m := range userInURL.FindAllStringSubmatch(all, -1) {
		_, password, ok := strings.Cut(m[1], ":")
		if !ok {
			password = m[1] // a token
		}
		hosts = append(hosts, password)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// mirrorSettings are the texts that name such hosts: files, and variables of the environment.
func mirrorSettings(root fs.FS, environment []string) []string {
	var files, texts []string
	for _, pattern := range mirrorFiles {
		names, _ := fs.Glob(root, pattern) // the patterns are well-formed
		files = append(files, names...)
	}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		below := strings.TrimPrefix(value, "/")
		switch name {
		case "HOME":
			for _, file := range ownMirrorFiles {
				files = append(files, path.Join(below, file))
			}
		case "XDG_CONFIG_HOME":
			files = append(files, path.Join(below, "pip/pip.conf"), path.Join(below, "uv/uv.toml"))
		case "PIP_CONFIG_FILE", "UV_CONFIG_FILE", "NPM_CONFIG_USERCONFIG", "npm_config_userconfig":
			files = append(files, path.Clean(below))
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

// isPrivate reports whether the name of a host, in lower case, identifies a network. A name without a dot, such as
// mirror, and an address do not.
func isPrivate(host string) bool {
	if !strings.Contains(host, ".") || !strings.ContainsFunc(host, unicode.IsLetter) {
		return false
	}
	return !slices.ContainsFunc(publicHosts, func(end string) bool {
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
