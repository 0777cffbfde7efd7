// Package cookies keeps those that servers set.
package cookies

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Most is how many cookies a client keeps; servers that set more lose the oldest.
const Most = 100

// List are those that a client of a load with steps has in its journey. Each goes back to the server that set it,
// with every request, whatever path and domain it is for. Source: RFC 6265, 5.2, as far as docs/load.md#journeys says.
type List []cookie

type cookie struct {
	origin      int32
	name, value string
}

// Set takes the value of a Set-Cookie field.
func (l *List) Set(origin int32, field string, now time.Time) {
	pair, attributes, _ := strings.Cut(field, ";")
	name, value, ok := strings.Cut(pair, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" {
		return
	}
	for i, c := range *l {
		if c.origin == origin && c.name == name {
			*l = append((*l)[:i], (*l)[i+1:]...)
			break
		}
	}
	if isExpired(attributes, now) {
		return
	}
	if len(*l) == Most {
		*l = append((*l)[:0], (*l)[1:]...)
	}
	*l = append(*l, cookie{origin, name, value})
}

// isExpired says that a cookie is to be forgotten, by its attributes.
func isExpired(attributes string, now time.Time) (expired bool) {
	for attribute := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(attribute, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "max-age":
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				return seconds <= 0 // whatever Expires says
			}
		case "expires":
			for _, layout := range []string{time.RFC1123, "Mon, 02-Jan-2006 15:04:05 MST"} {
				if t, err := time.Parse(layout, value); err == nil {
					expired = t.Before(now)
				}
			}
		}
	}
	return expired
}

// Append writes those of a server as a Cookie field has them.
func (l *List) Append(b []byte, origin int32) []byte {
	for _, c := range *l {
		if c.origin != origin {
			continue
		}
		if len(b) > 0 {
			b = append(b, "; "...)
		}
		b = append(append(append(b, c.name...), '='), c.value...)
	}
	return bytes.TrimSpace(b)
}
