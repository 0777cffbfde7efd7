package loadtool

import (
	"bytes"
	"cmp"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"benchbook/notebook/spec"
)

// A Call is a command line and its environment.
type Call struct {
	Environment []string // such as passwords, which must not be in the command line
	Files       []spec.File
	// Shell is a script that runs the program, whose path and arguments it gets; may be empty.
	Shell   string
	Threads int // of the tool

	target   *url.URL
	flags    []string // of the load; the author's own flags follow
	operands []string // the target
}

// A Flag is how a tool takes a key of a load.
type Flag struct {
	Key   string // if empty, Words are part of every call
	Words string // before the value of the key; if empty, the key has no flag of its own
}

// Paths of our files in the container of a tool.
const (
	bodyFile    = "/benchbook/body"
	luaFile     = "/benchbook/load.lua"
	k6File      = "/benchbook/load.js"
	targetsFile = "/benchbook/targets"
)

// Shells of tools that do not print when their window began. ab, hey and oha begin at once and compute percentiles
// after the window; wrk runs the author's script before the window, and ends with it.
const (
	stampBegin = `began=$(date +%s.%N); "$@" || exit; printf '\n-- log --\nbegan %s\n' "$began"`
	stampEnd   = `"$@" || exit; ended=$(date +%s.%N); printf '\n-- log --\nended %s\n' "$ended"`
)

// Call returns the command line for a load on a number of cores.
func (t Tool) Call(load *spec.Load, cores int) Call {
	l := *load
	l.Headers = maps.Clone(l.Headers)
	c := Call{Shell: t.shell, Threads: cmp.Or(l.Threads, max(1, cores))}
	c.target, _ = url.Parse(l.Target) // the plan has parsed it before
	if t.HTTP {
		// Minimal images have no table of the ports of http and https.
		c.addPort(map[bool]string{false: "80", true: "443"}[c.isTLS()])
		c.target.Path = cmp.Or(c.target.Path, "/") // ab takes no URL without one
	}
	c.operands = []string{c.target.String()}
	t.adapt(&c, &l)
	extra := c.flags // follow the flags of the table
	c.flags = nil
	l.Threads = c.Threads
	values := t.values(&l)
	for _, f := range t.Flags {
		for _, value := range values[f.Key] {
			if f.Words == "" {
				continue
			}
			c.flag(append(strings.Fields(f.Words), value...)...)
			switch f.Key {
			case "body":
				c.file(bodyFile, l.Body)
			case "script":
				c.Files = append(c.Files, *l.Script)
			}
		}
	}
	c.flag(extra...)
	return c
}

// values returns the arguments for each key of a load, in the notation of most tools. A key has one list of words for
// each time that its flag is given.
func (t Tool) values(l *spec.Load) map[string][][]string {
	out := map[string][][]string{"": {nil}}
	add := func(key string, isSet bool, words ...string) {
		if isSet {
			out[key] = append(out[key], words)
		}
	}
	add("connections", l.Connections > 0, strconv.Itoa(l.Connections))
	add("threads", true, strconv.Itoa(l.Threads))
	add("requests", l.Requests > 0, strconv.Itoa(l.Requests))
	add("duration", l.Duration > 0 && !(t.Either && l.Requests > 0), t.time("duration", l.Duration))
	add("timeout", true, t.time("timeout", l.Timeout))
	add("keepalive", !l.Keepalive)
	add("method", l.Method != "GET", l.Method)
	for _, name := range slices.Sorted(maps.Keys(l.Headers)) {
		add("headers", true, name+": "+l.Headers[name])
	}
	add("body", l.Body != "", bodyFile)
	add("rate", l.Rate > 0, strconv.FormatFloat(l.Rate, 'f', -1, 64))
	if l.Script != nil {
		add("script", true, l.Script.Path)
	}
	return out
}

// time returns a time in the tool's notation for a key: in whole seconds, at least one, or with a unit.
func (t Tool) time(key string, d time.Duration) string {
	switch inSeconds := slices.Contains(t.Seconds, key); {
	case inSeconds:
		return strconv.Itoa(int(max(time.Second, d.Round(time.Second)) / time.Second))
	case d%time.Second == 0:
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return strconv.FormatInt(max(1, d.Milliseconds()), 10) + "ms"
}

func (c *Call) isTLS() bool { return c.target.Scheme == "https" }

// addPort makes sure that the target has a port, and returns its host and port.
func (c *Call) addPort(usual string) (host, port string) {
	host, port = c.target.Hostname(), cmp.Or(c.target.Port(), usual)
	c.target.Host = net.JoinHostPort(host, port)
	return host, port
}

func (c *Call) flag(words ...string) { c.flags = append(c.flags, words...) }

func (c *Call) file(path, text string) string {
	c.Files = append(c.Files, spec.File{Path: path, Data: []byte(text)})
	return path
}

// takeHeader removes a header from a load and returns its value, for tools that have a flag for this header.
func takeHeader(l *spec.Load, name string) string {
	for key, value := range l.Headers {
		if strings.EqualFold(key, name) {
			delete(l.Headers, key)
			return value
		}
	}
	return ""
}

func addHeader(l *spec.Load, name, value string) {
	if l.Headers == nil {
		l.Headers = map[string]string{}
	}
	l.Headers[name] = value
}

// Words returns the command line without the program, with the author's own flags.
func (c Call) Words(args []string) []string { return slices.Concat(c.flags, args, c.operands) }

// Line returns the command as a person would type it in a shell.
func (c Call) Line(name string, args []string) string {
	words := append([]string{name}, c.Words(args)...)
	for i, w := range words {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") != "" {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// WithoutLog returns the output of a tool without the log that the shell of its Call adds.
func WithoutLog(printed []byte) []byte {
	if at := bytes.Index(printed, []byte(logMark)); at >= 0 {
		return printed[:at+1]
	}
	return printed
}
