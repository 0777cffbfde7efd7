package dockerfile

import (
	"strings"
	"testing"
)

// The last stage of a Dockerfile decides what it exposes.
func TestExposed(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "FROM debian\nCMD server\n", ""},
		{"several", "FROM debian\nEXPOSE 8080/tcp 53/udp 9000\nexpose 8080\n", "8080 9000"},
		{"over two lines", "FROM debian\nEXPOSE 80 \\\n  81\n", "80 81"},
		{"by variables", "ARG A=80\nFROM debian\nARG A=81\nENV B=82 C=$A\nENV D 83\nEXPOSE $A ${B} $C ${D} ${E:-84} $F\n",
			"81 82 83 84"},
		{"of an earlier stage", "FROM node AS base\nEXPOSE 80\nFROM go AS build\nEXPOSE 81\nFROM --platform=linux/amd64 " +
			"Base\nEXPOSE 82\n", "80 82"},
		{"of an image called like one before", "FROM node\nEXPOSE 80\nFROM node\n", ""},
		{"a range", "FROM debian\nEXPOSE 8000-8010 0 800000\n", ""},
		{"two stages from one", "FROM x AS a\nEXPOSE 1 2 3\nFROM a AS b\nEXPOSE 4\nFROM a\nEXPOSE 5\nFROM b\n", "1 2 3 4"},
		{"in a heredoc", "FROM debian\nRUN <<EOF\nEXPOSE 80\nEOF\nEXPOSE 81\n", "81"},
		{"beside a comment", "FROM debian\nEXPOSE 80 \\\n# of the admin\n  81\n", "80 81"},
		{"with another escape", "# escape=`\nFROM debian\nEXPOSE 80 `\n 81\n", "80 81"},
		{"in a comment", "FROM debian\n# EXPOSE 80\n", ""},
	}
	for _, tt := range tests {
		d, err := Parse(tt.text, nil, "")
		if got := strings.Join(d.Exposed(), " "); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}
