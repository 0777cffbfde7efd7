package loadgen

// headCache remembers the last head of a target's answers. Servers mostly send the same one again, and comparing is
// faster than parsing.
type headCache struct {
	head   []byte
	after  answerReader // the state of the parser after the head
	done   bool         // the answer ends with the head
	misses int          // in a row
}

// If all heads differ, caching each is wasted: after patientMisses misses in a row only one of oneOfMany is cached.
const (
	patientMisses = 8
	oneOfMany     = 64
)

// feed is r.feed, without parsing a head that is in the cache.
func (c *headCache) feed(r *answerReader, b []byte) (used int, done bool, err error) {
	if r.begun || len(b) == 0 || r.whole != nil {
		return r.feed(b)
	}
	if n := len(c.head); n > 0 && len(b) >= n && string(b[:n]) == string(c.head) {
		c.misses = 0
		line := r.line
		*r = c.after
		r.line = line
		used, done = n, c.done
	} else {
		used, done, err = r.parse(b, true)
		if c.misses++; err == nil && r.part > inHeader && (c.misses <= patientMisses || c.misses%oneOfMany == 0) {
			c.head, c.after, c.done = append(c.head[:0], b[:used]...), *r, done
			c.after.line = nil
		}
	}
	if done || err != nil || used == len(b) {
		return used, done, err
	}
	n, done, err := r.feed(b[used:])
	return used + n, done, err
}
