package figure

import (
	"bytes"
	"os"
	"testing"

	"benchbook/internal/test/must"
)

// A font that is damaged is an error and not a panic.
func TestLoadFontsRefuses(t *testing.T) {
	good := must.Get(os.ReadFile("../../site/theme/fonts/inter-400.woff2"))
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, file := range map[string][]byte{
		"nothing":                    nil,
		"no WOFF2":                   []byte("OTTO and then much more of what is not a web font"),
		"a header alone":             good[:woffHeader],
		"a directory cut short":      good[:woffHeader+3],
		"tables cut short":           good[:len(good)-100],
		"a table that is rearranged": changed(woffHeader, 10),
		"more tables than there are": changed(12, 0xff),
		"a stream that is no brotli": append(bytes.Clone(good[:200]), make([]byte, len(good)-200)...),
		"a length that does not end": bytes.Replace(good, good[woffHeader+1:woffHeader+6], []byte("\xff\xff\xff\xff\xff"),
			1),
		"a stream said to be shorter": changed(22, good[22]/2),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := LoadFonts(file, good); err == nil {
				t.Error("read it as the regular font")
			}
			if _, err := LoadFonts(good, file); err == nil {
				t.Error("read it as the strong font")
			}
		})
	}
}
