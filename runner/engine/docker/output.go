package docker

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// steps passes on of a builder's messages only those that begin an instruction: what the instructions themselves write
// is for whoever has to find out why one failed.
type steps struct{ log io.Writer }

func (s steps) Write(message []byte) (int, error) {
	for line := range bytes.Lines(message) {
		if !stepMessage.Match(line) {
			continue
		}
		// The end of the line may come as a message of its own, which tells nothing.
		if _, err := fmt.Fprintf(s.log, "%s\n", bytes.TrimRight(line, "\r\n")); err != nil {
			return 0, err
		}
	}
	return len(message), nil
}

// lastLines returns the last n lines of an output, indented to stand below a message.
func lastLines(output []byte, n int) string {
	lines := strings.Split(strings.TrimRight(string(output), "\r\n "), "\n")
	lines = lines[max(0, len(lines)-n):]
	return "    " + strings.Join(lines, "\n    ")
}
