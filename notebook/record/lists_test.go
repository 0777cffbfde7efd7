package record

import (
	"maps"
	"testing"
)

const debian = "adduser 3.134\nbash 5.2.15"

func TestListsStandOnce(t *testing.T) {
	first := &Record{Facts: map[string]string{"packages.server": debian, "packages.db": debian,
		"pip.server": "Flask 3.1.3", "host.cpu": "x", "packages.empty": ""}}
	second := &Record{Facts: maps.Clone(first.Facts)}
	want := maps.Clone(first.Facts)
	have := map[string]bool{}
	first.Condense(have)
	second.Condense(have)
	if len(first.Lists) != 2 || len(second.Lists) != 0 || first.Facts["packages.server"] != second.Facts["packages.db"] {
		t.Errorf("lists %v and %v, facts %v", first.Lists, second.Lists, second.Facts)
	}
	condensed := maps.Clone(second.Facts)
	second.Condense(have)
	if !maps.Equal(second.Facts, condensed) {
		t.Errorf("condensed twice: %v", second.Facts)
	}

	alone := &Record{Facts: maps.Clone(second.Facts)}
	Expand([]*Record{alone})
	if !maps.Equal(alone.Facts, condensed) {
		t.Errorf("without the lists: %v", alone.Facts)
	}
	Expand([]*Record{second, first})
	if !maps.Equal(first.Facts, want) || !maps.Equal(second.Facts, want) {
		t.Errorf("expanded: %v and %v, want %v", first.Facts, second.Facts, want)
	}
}

// A list that somebody edited is not what was found in the image.
func TestEditedListIsNotExpanded(t *testing.T) {
	r := &Record{Facts: map[string]string{"packages.server": debian}}
	r.Condense(map[string]bool{})
	digest := r.Facts["packages.server"]
	r.Lists[digest] = "bash 9"
	Expand([]*Record{r})
	if r.Facts["packages.server"] != digest {
		t.Errorf("got %q", r.Facts["packages.server"])
	}
}

// What is read from a folder is as if nothing had been condensed.
func TestReadExpandsLists(t *testing.T) {
	d, have := Dir(t.TempDir()), map[string]bool{}
	for i := range 2 {
		r := sample()
		r.Repetition, r.Facts = i+1, map[string]string{"packages.server": debian}
		r.Condense(have)
		save(d, r)
	}
	records, _, err := d.Read()
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		if r.Facts["packages.server"] != debian {
			t.Errorf("repetition %d: %q", r.Repetition, r.Facts["packages.server"])
		}
	}
}
