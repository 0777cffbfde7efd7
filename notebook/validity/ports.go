package validity

import (
	"fmt"
	"maps"
	"slices"

	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
)

// fullPorts is the share of local ports in use above which looking for a free one takes time that is not the service's.
const fullPorts = 0.8

// judgePorts asks whether local ports ran short on the side that opened connections, be that the load or a service.
//
// Source: docs/validity.md#checks.
func judgePorts(r *record.Record) finding {
	if r.Machine == nil || len(r.Machine.Ports) == 0 {
		return notChecked(untold)
	}
	var f finding
	for i, name := range slices.Sorted(maps.Keys(r.Machine.Ports)) {
		share := r.Machine.Ports[name]
		if i > 0 && share <= f.size {
			continue
		}
		f.size, f.words = share, fmt.Sprintf("at most %s of the local ports of %s were in use",
			phrase.PercentBeside(share, fullPorts), name)
		if share > fullPorts {
			f.level, f.words = Invalid, fmt.Sprintf("%s of the local ports of %s were in use",
				phrase.PercentBeside(share, fullPorts), name)
		}
	}
	return f
}
