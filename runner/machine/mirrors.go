package machine

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// publicHosts are the domains of well-known package sources.
var publicHosts = []string{"debian.org", "debian.net", "ubuntu.com", "pypi.org", "pythonhosted.org", "golang.org",
	"goproxy.io", "npmjs.org", "npmjs.com", "docker.com", "docker.io", "github.com", "githubusercontent.com", "gitlab.com",
	"kernel.org"}

// mirrorFiles configure the sources and proxies of package tools and the engine; ~ is the home folder. So do
// environment variables that match mirrorVariables, and files named by variables that match configVariables.
var (
	mirrorFiles = []string{"etc/apt/sources.list", "etc/apt/sources.list.d/*", "etc/apt/apt.conf", "etc/apt/apt.conf.d/*",
		"etc/pip.conf", "etc/xdg/pip/pip.conf", "etc/npmrc", "etc/docker/daemon.json", "~/.config/pip/pip.conf",
		"~/.pip/pip.conf", "~/Library/Application Support/pip/pip.conf", "~/.config/uv/uv.toml", "~/.npmrc",
		"~/.docker/config.json"}
	mirrorVariables = regexp.MustCompile(`(?i)^((https?|ftp|all)_proxy|(pip|uv|npm_config)_.*|goproxy)=`)
	configVariables = regexp.MustCompile(`(?i)^(pip_config_file|uv_config_file|npm_config_userconfig)=/`)
)

// Patterns for these settings: host names with a dot, in URLs or alone, and the user before @ in a URL.
var (
	comment   = regexp.MustCompile(`(?m)^\s*[#;].*$`)
	hostName  = regexp.MustCompile(`(?m)(?:^|[\s=,@"']|//)([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)(?:[\s:/,"';]|$)`)
	userInURL = regexp.MustCompile(`://([^\s/@"']+)@`)
)

// MirrorsOf returns the names of private package hosts and proxies, as written and in lower case, and the passwords in
// their URLs, because programs that cannot reach them print them. Root has the machine's files; environment is a list
// of NAME=value.
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

// isPrivate reports whether a lower-case host name may identify a private network. It is false for IP addresses.
func isPrivate(host string) bool {
	return strings.ContainsFunc(host, unicode.IsLetter) && !slices.ContainsFunc(publicHosts, func(end string) bool {
		return host == end || strings.HasSuffix(host, "."+end)
	})
}
