package foreign

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// A program is how a tool is run.
type program struct {
	// debian is the package that it is in, path the program in it.
	debian, path string

	// http says that it sends requests over HTTP, so that answers can be checked before anything is timed.
	http bool
	// call is its command line for a load.
	call func(l *spec.Load, cores int) (call, error)
	// complete adds what only its command line tells to what it printed; nil if it needs nothing.
	complete func(l *spec.Load, o *Output) error
}

// A call is a command line with what belongs to it.
type call struct {
	// flags are made from the keys of the load. The author's own words follow them, and then the operands: where the load goes.
	flags       []string
	operands    []string
	environment []string // for what must not be seen: passwords
	files       []spec.File
	// shell, if it is not empty, is a script that runs the program, whose path and words are its arguments.
	shell   string
	threads int // that put the load on
}

// Where files of ours are in the container of a tool.
const (
	bodyFile   = "/benchbook/body"
	scriptFile = "/benchbook/load.lua"
)

func (c *call) flag(words ...string) { c.flags = append(c.flags, words...) }

// body puts the body of requests into a file.
func (c *call) body(text string) string {
	c.files = append(c.files, spec.File{Path: bodyFile, Data: []byte(text)})
	return bodyFile
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
	if u.Path == "" {
		u.Path = "/" // ab takes no URL without one
	}
	return u.String(), nil
}

// words are the command line without the program.
func (c call) words(args []string) []string { return slices.Concat(c.flags, args, c.operands) }

// line is the command as a person would type it.
func (c call) line(name string, args []string) string {
	words := append([]string{name}, c.words(args)...)
	for i, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") != "" {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
