package runner

import (
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// publicHosts are the ends of names of hosts that packages come from and everybody knows.
var publicHosts = []string{"debian.org", "debian.net", "ubuntu.com", "pypi.org", "pythonhosted.org", "golang.org", "goproxy.io", "npmjs.org", "npmjs.com",
	"docker.com", "docker.io", "github.com", "githubusercontent.com", "gitlab.com", "kernel.org"}

// mirrorFiles say where the package tools and the engine of a machine get things from, and through which proxies.
var mirrorFiles = []string{"etc/apt/sources.list", "etc/apt/sources.list.d/*", "etc/apt/apt.conf", "etc/apt/apt.conf.d/*",
	"etc/pip.conf", "etc/xdg/pip/pip.conf", "etc/npmrc", "etc/docker/daemon.json"}

var (
	// mirrorVariables say the same in an environment.
	mirrorVariables = regexp.MustCompile(`(?i)^(https?_proxy|ftp_proxy|all_proxy|pip_.*|uv_.*|goproxy|npm_config_.*)=`)
	hostInURL       = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^\s/@"']*@)?([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)`)
)

// mirrorsOf names the hosts that a machine gets packages from, or through, and that are not public: their names are nobody's business, and
// programs that cannot reach them say them. The root is that of the machine's files, the environment a list of NAME=value.
func mirrorsOf(root fs.FS, environment []string) []string {
	var texts []string
	for _, pattern := range mirrorFiles {
		names, _ := fs.Glob(root, pattern) // the patterns are well-formed
		for _, name := range names {
			if text, err := fs.ReadFile(root, name); err == nil {
				texts = append(texts, string(text))
			}
		}
	}
	for _, variable := range environment {
		if mirrorVariables.MatchString(variable) {
			texts = append(texts, variable)
		}
	}
	var hosts []string
	for _, m := range hostInURL.FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
		host := strings.ToLower(m[1])
		isPublic := slices.ContainsFunc(publicHosts, func(end string) bool { return host == end || strings.HasSuffix(host, "."+end) })
		if _, err := netip.ParseAddr(host); err != nil && !isPublic { // an address is also one of many containers
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
