package runner

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each kind of machine says of itself what its kernel tells, and nothing where it does not. The files of each are in an archive, with what
// is to be made of them at its end.
func TestHostBelow(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems have no such files")
	}
	for _, name := range []string{"intel-smt", "amd", "arm-vm"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata/hosts", name+".txtar")
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root, last := t.TempDir(), len(archive.Files)-1
			if err := txtar.Write(&txtar.Archive{Files: archive.Files[:last]}, root); err != nil {
				t.Fatal(err)
			}
			host, err := HostBelow(root)
			if err != nil {
				t.Fatal(err)
			}
			delete(host.Facts, "host.architecture") // that of the program
			got := fmt.Sprintf("%s %v\n", host.ID, host.Cores)
			for _, fact := range slices.Sorted(maps.Keys(host.Facts)) {
				got += fact + " = " + host.Facts[fact] + "\n"
			}
			if *update {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if want := string(archive.Files[last].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, root) {
				t.Error("it says where its files are")
			}
		})
	}
}
