package render

import (
	"strings"

	"benchbook/notebook/record"
	"benchbook/render/cellview"
)

// imported says that the page shows what was read from output that somebody saved.
func (c *composer) imported() bool { return c.d.Host == record.ImportedHost }

// importedFrom names the tools that printed such output, with their versions as far as they told.
func (c *composer) importedFrom() []string {
	var out []string
	for _, r := range c.records() {
		if r.Imported != nil {
			out = append(out, strings.TrimSpace(r.Imported.Tool+" "+r.Imported.Version))
		}
	}
	return cellview.SortedSet(out)
}
