package config

import (
	"errors"
	"strings"
	"testing"
)

type settings struct{ Port int }

func (s *settings) Validate() error {
	if s.Port == 0 {
		return errors.New("port is 0")
	}
	return nil
}

func TestRead(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"good", `{"port": 80}` + "\n", ""},
		{"not valid", `{}`, "port is 0"},
		{"an unknown field", `{"port": 80, "host": "x"}`, `reading config: json: unknown field "host"`},
		{"more than one", `{"port": 80} {}`, "reading config: more than one JSON document"},
		{"cut off", `{"port": `, "reading config: unexpected EOF"},
		{"nothing", ``, "reading config: EOF"},
	} {
		c, err := Read[settings](strings.NewReader(tt.text))
		said := ""
		if err != nil {
			said = err.Error()
		}
		if said != tt.want || err == nil && c.Port != 80 {
			t.Errorf("%s: %+v, %v; want %q", tt.name, c, err, tt.want)
		}
	}
}
