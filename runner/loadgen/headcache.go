package loadgen

import "bytes"

// headCache remembers the last head of a target's answers. Servers mostly send the same one again, and comparing is
// faster than parsing.
type headCache struct {
	head   []byte
	after  answerReader // the state of the parser after the head
	done   bool         // the answer ends with the head
	misses int          // in a row
}

// If every head is different, remembering each is wasted: after patientMisses in a row only one of oneOfMany is.
const (
	patientMisses = 8
	oneOfMany     = 64
)

// feed does what r.feed does.
func (c *headCache) feed(r *answerReader, b []byte) (used int, done bool, err error) {
	if r.begun || len(b) == 0 || r.whole != nil {
		return r.feed(b)
	}
	if n := len(c.head); n > 0 && len(b) >= n && string(b[:n]) == string(c.head) {
		c.misses = 0
		line := r.line
		*r = c.after
		r.line = line
		if c.done || len(b) == n {
			return n, c.done, nil
		}
		used, done, err = r.feed(b[n:])
		return n + used, done, err
	}
	used, done, err = r.feed(b)
	if c.misses++; err == nil && r.part > inHeader && (c.misses <= patientMisses || c.misses%oneOfMany == 0) {
		c.remember(b[:used], r.head)
	}
	return used, done, err
}

// remember keeps the head of an answer that was parsed without an error.
func (c *headCache) remember(answer []byte, toHEAD bool) {
	r := answerReader{head: toHEAD}
	r.reset()
	// A head ends with a line feed, so reading line by line stops right behind it.
	for n := 0; n < len(answer); {
		line, _, _ := bytes.Cut(answer[n:], []byte("\n"))
		end := min(n+len(line)+1, len(answer))
		_, done, err := r.feed(answer[n:end])
		if err != nil {
			return
		}
		n = end
		if done || r.part > inHeader {
			r.line = nil
			c.head, c.after, c.done = append(c.head[:0], answer[:n]...), r, done
			return
		}
	}
}
