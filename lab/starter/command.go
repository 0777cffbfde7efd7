package starter

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/pflag"

	"benchbook/slice"
)

// From writes an article for the project in dir from what somebody has: a Compose file, a Dockerfile, or the command
// line of wrk or hyperfine. Programs of this machine need a project whose engine is local.
func From(dir, what string) (made *Article, local bool, err error) {
	words, err := shellquote.Split(what)
	if err != nil || len(words) < 2 {
		made, err = fromFile(dir, what)
		return made, false, err
	}
	switch filepath.Base(words[0]) {
	case "wrk", "wrk2":
		made, err = fromWrk(words[1:])
		return made, false, err
	case "hyperfine":
		made, err = fromHyperfine(words[1:])
		return made, true, err
	}
	made, err = fromFile(dir, what) // which may have spaces in its name
	return made, false, err
}

func fromFile(dir, file string) (*Article, error) {
	if isDockerfile(file) {
		return FromDockerfile(dir, file)
	}
	return FromCompose(dir, file)
}

// flagsOf is a set of flags that says nothing by itself.
func flagsOf(program string) *pflag.FlagSet {
	f := pflag.NewFlagSet(program, pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// fromWrk writes an article with the load of a command line of wrk, on a server that runs already.
func fromWrk(args []string) (*Article, error) {
	f := flagsOf("wrk")
	connections := f.IntP("connections", "c", 10, "")
	duration := f.StringP("duration", "d", "10s", "")
	threads := f.IntP("threads", "t", 0, "")
	rate := f.IntP("rate", "R", 0, "")
	headers := f.StringArrayP("header", "H", nil, "")
	timeout := f.String("timeout", "", "")
	script := f.StringP("script", "s", "", "")
	f.BoolP("latency", "L", false, "") // which is always measured
	if err := f.Parse(args); err != nil {
		return nil, fmt.Errorf("the command line of wrk cannot be read: %w", err)
	}
	target, err := url.Parse(f.Arg(0))
	if *script != "" || err != nil || f.NArg() != 1 || target.Scheme != "http" || target.Host == "" {
		return nil, fmt.Errorf("the command line of wrk needs one address that begins with http://, and no script: write " +
			"`wrk -c10 -d10s http://127.0.0.1:8080/`, and what a script does under load: in the article")
	}
	load := fmt.Sprintf("  target: %s\n  outside: true\n  connections: %d\n  duration: %s\n",
		strconv.Quote(target.String()), *connections, seconds(*duration))
	for key, value := range map[string]int{"threads": *threads, "rate": *rate} {
		if value > 0 {
			load += fmt.Sprintf("  %s: %d%s\n", key, value, map[string]string{"rate": "/s"}[key])
		}
	}
	if *timeout != "" {
		load += "  timeout: " + seconds(*timeout) + "\n"
	}
	if len(*headers) > 0 {
		load += "  headers:\n"
	}
	for _, header := range *headers {
		name, value, _ := strings.Cut(header, ":")
		load += fmt.Sprintf("    %s: %s\n", strconv.Quote(strings.TrimSpace(name)), strconv.Quote(strings.TrimSpace(value)))
	}
	slug := slugOf(target.Hostname())
	return &Article{slug, fmt.Sprintf(`---
title: How much does %[1]s carry?
description: The load of a command line of wrk, on a server that runs already.
date: %[2]s
---

The server answers `+"`{value} throughput`"+` requests ([](#tbl-load)).

`+"```"+`yaml experiment
name: load
load:
%[3]s`+"```"+`

`+"```"+`yaml table
label: tbl-load
columns: [throughput, latency.p50, latency.p99]
title: Load on %[1]s
`+"```"+`
`, target.Host, time.Now().Format(time.DateOnly), load)}, nil
}

// seconds is a time as wrk has it, with a unit.
func seconds(written string) string {
	if _, err := strconv.Atoi(written); err == nil {
		return written + "s"
	}
	return written
}

// fromHyperfine writes an article that times the commands of a command line of hyperfine.
func fromHyperfine(args []string) (*Article, error) {
	f := flagsOf("hyperfine")
	runs := f.IntP("runs", "r", 0, "")
	prepare := f.StringArrayP("prepare", "p", nil, "")
	names := f.StringArrayP("command-name", "n", nil, "")
	ignore := f.BoolP("ignore-failure", "i", false, "")
	noShell := f.BoolP("no-shell", "N", false, "")
	shell := f.StringP("shell", "S", "", "")
	warmup := f.IntP("warmup", "w", 0, "")
	for _, name := range []string{"min-runs:m", "max-runs:M", "style", "sort", "time-unit:u", "export-json",
		"export-csv", "export-markdown", "export-asciidoc", "export-orgmode", "output"} {
		long, short, _ := strings.Cut(name, ":")
		f.StringP(long, short, "", "") // about its output, or decided by benchbook
	}
	if err := f.Parse(args); err != nil {
		return nil, fmt.Errorf("the command line of hyperfine cannot be read: %w", err)
	}
	if !slices.Contains([]string{"", "none", "default", "sh", "/bin/sh"}, *shell) {
		return nil, fmt.Errorf("commands are run by sh, or by no shell with -N, and not by %s: write the commands as "+
			"`%[1]s -c '…'`, without -S", *shell)
	}
	commands := f.Args()
	if len(commands) == 0 || *ignore || len(*prepare) > 1 {
		return nil, fmt.Errorf("the command line of hyperfine needs one command or more, at most one --prepare, and no " +
			"--ignore-failure: write `hyperfine 'gzip -1 f' 'gzip -9 f'`")
	}
	axis := ""
	for i, command := range commands {
		name := command
		if i < len(*names) {
			name = (*names)[i]
		}
		axis += fmt.Sprintf("    - {name: %s, run: %s}\n", strconv.Quote(name), strconv.Quote(command))
	}
	more := fmt.Sprintf("  shell: %t\n", !*noShell && *shell != "none")
	if *warmup > 0 {
		more += fmt.Sprintf("  warmup: %d\n", *warmup)
	}
	if *runs > 1 {
		more += fmt.Sprintf("repetitions: %d\n", *runs)
	}
	for _, command := range *prepare {
		more += fmt.Sprintf("prepare: {run: [sh, -c, %s]}\n", strconv.Quote(command))
	}
	slug := slugOf(strings.Join(slice.Map(commands, func(c string) string { return strings.Fields(c + " x")[0] })[:1], ""))
	return &Article{slug, fmt.Sprintf(`---
title: How long do these commands take?
description: The commands of a command line of hyperfine.
date: %[1]s
---

[](#tbl-time) has the times of the commands.%[4]s

`+"```"+`yaml experiment
name: time
matrix:
  command:
%[2]scommand:
  run: ${{ matrix.command.run }}
%[3]s`+"```"+`

`+"```"+`yaml table
label: tbl-time
rows: [command]
columns: [time.real, time.user, time.sys, memory.peak]
title: Times of the commands
`+"```"+`
`, time.Now().Format(time.DateOnly), axis, more, leftOut(f))}, nil
}

// leftOut says which flags of hyperfine an article does not have: those about its output, and those about the number of
// runs, which a run decides.
func leftOut(f *pflag.FlagSet) string {
	var names []string
	f.Visit(func(given *pflag.Flag) {
		if !slices.Contains([]string{"runs", "prepare", "command-name", "no-shell", "shell", "warmup"}, given.Name) {
			names = append(names, "`--"+given.Name+"`")
		}
	})
	if len(names) == 0 {
		return ""
	}
	return " Of the command line of hyperfine, this leaves out " + strings.Join(names, ", ") + "."
}
