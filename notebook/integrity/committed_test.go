package integrity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"benchbook/notebook/integrity"
	"benchbook/notebook/record"
	"benchbook/slowtest"
)

// articles is where the articles of this repository are.
const articles = "../../experiments"

// No committed record is doubted: all of them are as they were saved.
func TestCommittedRecordsAreNotDoubted(t *testing.T) {
	slowtest.SkipSequential(t)
	entries, err := os.ReadDir(articles)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, e := range entries {
		c, _, err := integrity.Read(record.Dir(filepath.Join(articles, e.Name(), "records")))
		if err != nil || len(c.Bad) > 0 {
			t.Fatalf("%s: %v, %v", e.Name(), c.Bad, err)
		}
		for _, r := range c.Records {
			checked++
			if len(r.Doubts.Invalid)+len(r.Doubts.Warnings) > 0 {
				t.Errorf("%s: %q, %q", r.Path(), r.Doubts.Invalid, r.Doubts.Warnings)
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d records were checked", checked)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, bm := range []struct {
		name string
		read func(record.Dir) error
	}{{"alone", func(d record.Dir) error {
		_, err := d.Load()
		return err
	}}, {"checked", func(d record.Dir) error {
		_, _, err := integrity.Read(d)
		return err
	}}} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				if err := bm.read(record.Dir(filepath.Join(articles, "not-faster", "records"))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
