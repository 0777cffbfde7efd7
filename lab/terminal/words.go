package terminal

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Clock writes a duration in days, hours, minutes and whole seconds, without leading zero units: "1h 0m 5s".
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

// Indent indents lines by six spaces.
func Indent(s string) string {
	return "      " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n      ")
}

// Relative returns a path relative to the current folder if it is below it, else the path itself.
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

// Tenths rounds a duration to a tenth of a second.
func Tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
