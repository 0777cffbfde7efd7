package loadtool

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// WithoutLog returns the part of an output that records keep.
func WithoutLog(printed []byte) []byte {
	if at := bytes.Index(printed, []byte(logMark)); at >= 0 {
		return printed[:at+1]
	}
	return printed
}

// An Image is what a tool is run in.
type Image struct {
	// Dockerfile builds it.
	Dockerfile string
	// Path is the program in it.
	Path string
	// Package is what records say the program is from, with the Release that the Dockerfile names, or else the version
	// that Version prints.
	Package, Release string
	Version          []string
}

// debian is an image with a package of Debian, and the path of a program in it.
func debian(name, path string) Image {
	return Image{
		Dockerfile: "FROM debian:bookworm-slim\n" + installs(name),
		Path:       path,
		Package:    name,
		Version:    []string{"dpkg-query", "-W", "-f", "${Version}", name},
	}
}

// goModule is an image with a program of a Go module, by the path of its package.
//
// Debian's Go is older than these modules want. It is enough to get a newer one, which is a Go module itself; what the
// go command does for GOTOOLCHAIN once it has one is done here by hand. All these images begin with the same steps.
//
// Source: go.dev/doc/toolchain; cmd/go/internal/toolchain.
func goModule(name, path, release string) Image {
	return Image{
		Dockerfile: "FROM debian:bookworm-slim AS build\n" + installs("ca-certificates golang-go") +
			"RUN toolchain=golang.org/toolchain@v0.0.1-go1.26.8.linux-$(go env GOARCH) && go mod download $toolchain && " +
			"mv /root/go/pkg/mod/$toolchain /usr/local/go && rm -rf /root/go && cd /usr/local/go && " +
			"cp src/_go.mod src/go.mod && chmod -R +x bin pkg/tool\n" +
			"RUN CGO_ENABLED=0 GOTOOLCHAIN=local GOBIN=/tool /usr/local/go/bin/go install " + path + "@" + release +
			" && rm -rf /root/go /root/.cache\n" + "FROM debian:bookworm-slim\nCOPY --from=build /tool/" + name +
			" /usr/local/bin/\n",
		Path:    name,
		Package: path,
		Release: release,
	}
}

// crate is an image with a program of a crate of its name, of which the recipe takes the versions that its authors
// locked. Debian has a current compiler in the packages that its browsers are built with.
func crate(name, release string) Image {
	return Image{
		Dockerfile: "FROM debian:bookworm-slim AS build\n" + installs("ca-certificates cargo-web cmake g++ libc6-dev make") +
			"RUN cargo install " + name + "@" + release + " --locked --root /tool && rm -rf /root/.cargo\n" +
			"FROM debian:bookworm-slim\nCOPY --from=build /tool/bin/" + name + " /usr/local/bin/\n",
		Path:    name,
		Package: name,
		Release: release,
	}
}

// installs is a step of a Dockerfile.
func installs(packages string) string {
	return "RUN apt-get update && apt-get install -y --no-install-recommends " + packages +
		" && rm -rf /var/lib/apt/lists/*\n"
}

// A Call is a command line with what belongs to it.
type Call struct {
	Environment []string // for what must not be seen: passwords
	Files       []spec.File
	// Shell, if it is not empty, is a script that runs the program, whose path and words are its arguments.
	Shell   string
	Threads int // that put the load on

	// flags are made from the keys of the load. The author's own words follow them, and then the operands: where the load
	// goes.
	flags    []string
	operands []string
}

// Where files of ours are in the container of a tool.
const (
	bodyFile    = "/benchbook/body"
	luaFile     = "/benchbook/load.lua"
	k6File      = "/benchbook/load.js"
	targetsFile = "/benchbook/targets"
)

func (c *Call) flag(words ...string) { c.flags = append(c.flags, words...) }

// ends says when a run ends: after a number of requests, or else after a time.
func (c *Call) ends(l *spec.Load, requests, duration string) {
	if l.Requests > 0 {
		c.flag(requests, strconv.Itoa(l.Requests))
	} else {
		c.flag(duration, exact(l.Duration))
	}
}

// request says what is sent, by the flags for a connection for each request, the method, which may be empty, a header
// and a file with the body.
func (c *Call) request(l *spec.Load, closing, method, header, body string) {
	if !l.Keepalive {
		c.flag(closing)
	}
	if l.Method != "GET" && method != "" {
		c.flag(method, l.Method)
	}
	for _, h := range headers(l) {
		c.flag(header, h)
	}
	if l.Body != "" {
		c.flag(body, c.body(l.Body))
	}
}

// Scripts for tools that do not print when their window began. It begins as soon as the program runs, or ends when the
// program does: ab, hey and oha sort their times after it, and wrk runs the author's script before it.
const (
	stampBegin = `began=$(date +%s.%N); "$@" || exit; printf '\n-- log --\nbegan %s\n' "$began"`
	stampEnd   = `"$@" || exit; ended=$(date +%s.%N); printf '\n-- log --\nended %s\n' "$ended"`
)

// body puts the body of requests into a file.
func (c *Call) body(text string) string { return c.file(bodyFile, text) }

// file puts a text into a file.
func (c *Call) file(path, text string) string {
	c.Files = append(c.Files, spec.File{Path: path, Data: []byte(text)})
	return path
}

// script adds the script of the author, and returns where it is.
func (c *Call) script(l *spec.Load) string {
	c.Files = append(c.Files, *l.Script)
	return l.Script.Path
}

// headers are "Name: value", in the order of names.
func headers(l *spec.Load) []string {
	var out []string
	for name, value := range l.Headers {
		out = append(out, name+": "+value)
	}
	slices.Sort(out)
	return out
}

// wholeSeconds is a time for tools that know nothing shorter than a second, at least one.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64(max(time.Second, d.Round(time.Second))/time.Second), 10)
}

// exact is a time for tools that know milliseconds.
func exact(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(max(1, d.Milliseconds()), 10) + "ms"
}

// perTime is a rate per second, for tools that count whole requests in some time.
func perTime(rate float64) (requests int64, in time.Duration) {
	if rate == math.Trunc(rate) {
		return int64(rate), time.Second
	}
	return max(1, int64(math.Round(rate*1000))), 1000 * time.Second
}

// share is how many requests each of the connections gets, where all get as many.
func share(l *spec.Load) int { return max(1, l.Requests/max(1, l.Connections)) }

// address is where a target is, with its port also where that is the usual one of its scheme.
func address(target, port string) (u *url.URL, host, at string, err error) {
	u, err = url.Parse(target)
	if err != nil {
		return nil, "", "", fmt.Errorf("reading the target: %w", err)
	}
	if at = u.Port(); at == "" {
		at = port
	}
	return u, u.Hostname(), at, nil
}

// withPort is a URL whose port is a number: in minimal images nothing knows the ports of http and https.
func withPort(target string) (string, error) {
	usual := "80"
	if strings.HasPrefix(target, "https:") {
		usual = "443"
	}
	u, host, port, err := address(target, usual)
	if err != nil {
		return "", err
	}
	u.Host = net.JoinHostPort(host, port)
	u.Path = cmp.Or(u.Path, "/") // ab takes no URL without one
	return u.String(), nil
}

// Words are the command line without the program.
func (c Call) Words(args []string) []string { return slices.Concat(c.flags, args, c.operands) }

// Line is the command as a person would type it.
func (c Call) Line(name string, args []string) string {
	words := append([]string{name}, c.Words(args)...)
	for i, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") != "" {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
