package record_test

import (
	"strings"
	"testing"
	"time"

	"benchbook/notebook/record"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 48 * time.Second: "48s", 90 * time.Second: "1m30s", time.Hour: "1h",
		4*time.Hour + 10*time.Minute: "4h10m", time.Hour - time.Second: "59m59s",
	} {
		if got := record.DefinitionDuration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

// A driver is described in the words of articles.
func TestDriver(t *testing.T) {
	entries, err := record.DefinitionEntries([]byte(`{"load": {"driver": {"image": {"build": {"dockerfile": "Dockerfile",
		"files": [{"path": "load.py", "digest": "0123456789"}]}}, "command": ["run", "a b"], "prints": "summary"}}}`))
	want := "load.driver.build.files[load.py]=01234567 load.driver.build.dockerfile=Dockerfile " +
		"load.driver.command=run 'a b' load.driver.prints=summary"
	var got []string
	for _, e := range entries {
		got = append(got, e.Path+"="+e.Text)
	}
	if text := strings.Join(got, " "); err != nil || text != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}
