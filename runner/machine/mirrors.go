package machine

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// publicHosts are the ends of names of hosts that packages come from and everybody knows.
var publicHosts = []string{"debian.org", "debian.net", "ubuntu.com", "pypi.org", "pythonhosted.org", "golang.org",
	"goproxy.io", "npmjs.org", "npmjs.com", "docker.com", "docker.io", "github.com", "githubusercontent.com", "gitlab.com",
	"kernel.org"}

// mirrorFiles say where package tools and the engine get things from, and through which proxies; ~ is the home folder.
// So do mirrorVariables of the environment, and the files that configVariables name.
var (
	mirrorFiles = []string{"etc/apt/sources.list", "etc/apt/sources.list.d/*", "etc/apt/apt.conf", "etc/apt/apt.conf.d/*",
		"etc/pip.conf", "etc/xdg/pip/pip.conf", "etc/npmrc", "etc/docker/daemon.json", "~/.config/pip/pip.conf",
		"~/.pip/pip.conf", "~/Library/Application Support/pip/pip.conf", "~/.config/uv/uv.toml", "~/.npmrc",
		"~/.docker/config.json"}
	mirrorVariables = regexp.MustCompile(`(?i)^((https?|ftp|all)_proxy|(pip|uv|npm_config)_.*|goproxy)=`)
	configVariables = regexp.MustCompile(`(?i)^(pip_config_file|uv_config_file|npm_config_userconfig)=/`)
)

// What is looked for in these settings: names of hosts with a dot, in URLs and alone, and what goes before @ in a URL.
var (
	comment   = regexp.MustCompile(`(?m)^\s*[#;].*$`)
	hostName  = regexp.MustCompile(`(?m)(?:^|[\s=,@"']|//)([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)(?:[\s:/,"';]|$)`)
	userInURL = regexp.MustCompile(`://([^\s/@"']+)@`)
)

// MirrorsOf returns the names of private hosts that a machine gets packages from or through, as written and in lower
// case, and the passwords in their addresses: programs that cannot reach them print them. root has the files of the
// machine, environment is a list of NAME=value.
func MirrorsOf(root fs.FS, environment []string) (found []string) {
	var files, texts []string
	home := ""
	for _, variable := range environment {
		_, value, _ := strings.Cut(variable, "=/")
		switch {
		case strings.HasPrefix(variable, "HOME="):
			home = value
		case configVariables.MatchString(variable):
			files = append(files, path.Clean(value))
		case mirrorVariables.MatchString(variable):
			texts = append(texts, variable)
		}
	}
	for _, pattern := range mirrorFiles {
		names, _ := fs.Glob(root, strings.Replace(pattern, "~", home, 1)) // the patterns are well-formed
		files = append(files, names...)
	}
	for _, file := range files {
		if text, err := fs.ReadFile(root, file); err == nil {
			texts = append(texts, string(text))
		}
	}
	all := comment.ReplaceAllString(strings.Join(texts, "\n"), "")
	apart := strings.NewReplacer(" ", "  ", ",", ",,").Replace(all) // matches do not overlap
	for _, m := range hostName.FindAllStringSubmatch(apart, -1) {
		if lower := strings.ToLower(m[1]); isPrivate(lower) {
			found = append(found, m[1], lower)
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

// isPrivate reports whether the name of a host, in lower case, identifies a private network. Addresses do not.
func isPrivate(host string) bool {
	return strings.ContainsFunc(host, unicode.IsLetter) && !slices.ContainsFunc(publicHosts, func(end string) bool {
		return host == end || strings.HasSuffix(host, "."+end)
	})
}
