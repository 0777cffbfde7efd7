package source

// Network is where the load generator stands.
type Network string

// SharedNetwork puts the load generator into the network namespace of its target.
const SharedNetwork Network = "shared"

// Words are those that an article may write.
func (Network) Words() []string { return []string{string(SharedNetwork)} }

// Priority is how a load shares CPUs with services.
type Priority string

// HighPriority puts the load before the services.
const HighPriority Priority = "high"

// Words are those that an article may write.
func (Priority) Words() []string { return []string{string(HighPriority)} }
