package record

// Before is what the machine was like right before a repetition, when nothing of it had been started. What the machine does not tell
// is -1. Older records have none.
type Before struct {
	// Waited is how many seconds the machine was given to come to rest, For what was waited for, and Settled that it came.
	Waited  float64  `json:"waited" range:"0.."`
	For     []string `json:"for,omitempty"` // "programs of others", "connections in TIME_WAIT", "dirty pages"
	Settled bool     `json:"settled"`

	Jitter    float64 `json:"jitter" range:"-1.."`     // seconds that the latest of some timers of a millisecond was late
	Spin      float64 `json:"spin" range:"-1.."`       // share by which the slow ones of equal computations took longer than the quick ones, on the worst CPU
	Foreign   float64 `json:"foreign" range:"-1.."`    // share of the CPUs that programs of others wanted
	Steal     float64 `json:"steal" range:"-1.."`      // share of the CPU time of all cores that went to other virtual machines since the machine was last looked at
	SwappedIn int64   `json:"swapped_in" range:"-1.."` // bytes that were read from swap since then
	TimeWait  int64   `json:"time_wait" range:"-1.."`  // connections in TIME_WAIT in the machine's own network
	Dirty     int64   `json:"dirty" range:"-1.."`      // bytes that wait to be written to disks
}

// Sampling is what it took to read what services used. Older records have none.
type Sampling struct {
	Cost float64 `json:"cost" range:"-1.."` // processor time of the reading over the time of the window, in cores; -1 unknown
	Gap  float64 `json:"gap" range:"0.."`   // seconds between the two readings that lie farthest apart
}
