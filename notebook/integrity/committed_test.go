package integrity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"benchbook/notebook/integrity"
	"benchbook/notebook/record"
)

// articles is where the articles of this repository are.
const articles = "../../experiments"

// No committed record is doubted: all of them are as they were saved.
func TestCommittedRecordsAreNotDoubted(t *testing.T) {
	entries, err := os.ReadDir(articles)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, e := range entries {
		records, bad, err := integrity.Read(record.Dir(filepath.Join(articles, e.Name(), "records")))
		if err != nil || len(bad) > 0 {
			t.Fatalf("%s: %v, %v", e.Name(), bad, err)
		}
		for _, r := range records {
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
		read func(record.Dir) ([]*record.Record, []record.Bad, error)
	}{{"alone", record.Dir.Read}, {"checked", integrity.Read}} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := bm.read(record.Dir(filepath.Join(articles, "not-faster", "records"))); err != nil {
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
