package cookies

import (
	"fmt"
	"testing"
	"time"
)

func TestCookies(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		set  []string
		want string
	}{
		{"one", []string{"a=1; Path=/x; HttpOnly"}, "a=1"},
		{"two", []string{"a=1", "b=2"}, "a=1; b=2"},
		{"set again", []string{"a=1", "b=2", "a=3"}, "b=2; a=3"},
		{"empty", []string{"a="}, "a="},
		{"with =", []string{"a=b=c"}, "a=b=c"},
		{"blanks", []string{"  a = 1 ; x"}, "a=1"},
		{"no name", []string{"=1", "x", ""}, ""},
		{"deleted by age", []string{"a=1", "b=2", "a=; Max-Age=0"}, "b=2"},
		{"deleted by date", []string{"a=1", "a=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"}, ""},
		{"deleted by an old date", []string{"a=1", "a=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT"}, ""},
		{"age before date", []string{"a=1; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, "a=1"},
		{"later", []string{"a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT"}, "a=1"},
	} {
		var jar List
		for _, field := range tt.set {
			jar.Set(1, field, now)
		}
		jar.Set(2, "other=server", now)
		if got := string(jar.Append(nil, 1)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	var many List
	for i := range 2 * Most {
		many.Set(1, fmt.Sprintf("c%d=x", i), now)
	}
	if len(many) != Most {
		t.Errorf("%d cookies are kept, want %d", len(many), Most)
	}
}
