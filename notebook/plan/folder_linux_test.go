package plan

import (
	"os"
	"runtime/debug"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// A listing needs no file of the folder, and leaves none open: a preview reads articles for hours.
func TestListingLeavesNothingOpen(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector would close forgotten files
	open := func() int { return len(must.Get(os.ReadDir("/proc/self/fd"))) }
	f := newFolder(&article.Document{Dir: t.TempDir(), Listings: []*article.Listing{{Path: "a.py", Data: []byte("x")}}}, nil)
	before := open()
	for range 10 {
		if _, ok := f.file(source.Text{Value: "a.py"}, &source.Problems{}); !ok {
			t.Fatal("the listing was not found")
		}
	}
	if after := open(); after > before {
		t.Errorf("%d files are open, %d were before", after, before)
	}
}
