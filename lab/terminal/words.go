package terminal

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Count writes a number of things: "1 article", "3 searches".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") || strings.HasSuffix(what, "ss") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Clock writes a time in whole days, hours, minutes and seconds, without leading zeros: "1h 0m 5s".
func Clock(d time.Duration) string {
	s := int64(math.Round(d.Seconds()))
	out := ""
	for _, u := range []struct {
		seconds int64
		unit    string
	}{{86400, "d"}, {3600, "h"}, {60, "m"}} {
		if n := s / u.seconds; n > 0 || out != "" {
			out += fmt.Sprintf("%d%s ", n, u.unit)
		}
		s %= u.seconds
	}
	return fmt.Sprintf("%s%ds", out, s)
}

// Indent sets lines below a line of two indents.
func Indent(s string) string {
	return "      " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n      ")
}

// Relative writes a path as seen from the current folder, where that is shorter to say.
func Relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}

// Are begins a sentence about a number of things: "1 record is", "2 records are".
func Are(n int, what string) string {
	return Count(n, what) + map[bool]string{true: " is", false: " are"}[n == 1]
}

// Were is Are in the past: "1 record was", "2 records were".
func Were(n int, what string) string {
	return Count(n, what) + map[bool]string{true: " was", false: " were"}[n == 1]
}

// Tenths is a time to a tenth of a second.
func Tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// InSentence is a list as in a sentence: "a, b and c".
func InSentence(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
