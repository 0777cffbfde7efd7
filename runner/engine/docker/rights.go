package docker

import (
	"maps"
	"slices"
	"strings"

	"benchbook/runner/engine"
)

// ownUser runs our own programs. It is not 65534, nobody: the kernel bounds some things by user, such as the memory of
// pipes, and services may run as nobody.
const ownUser = "65532:65532"

// firstPrivilegedPort is the kernel setting by which any user may listen at ports below 1024.
const firstPrivilegedPort = "net.ipv4.ip_unprivileged_port_start"

// confine takes all rights from a program of ours.
func confine(service *engine.Service) {
	service.User, service.ReadOnly = ownUser, true
	service.CapAdd, service.CapDrop = nil, []string{"ALL"}
	service.SecurityOpt = nil
	sysctls := map[string]string{firstPrivilegedPort: "0"}
	maps.Copy(sysctls, service.Sysctls)
	service.Sysctls = sysctls
}

// noNewPrivileges is the security option by which no program gets more rights than the one that started it.
const noNewPrivileges = "no-new-privileges"

// guarded adds no-new-privileges to security options that do not mention it.
func guarded(options []string) []string {
	mentioned := slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, noNewPrivileges) })
	if mentioned {
		return options
	}
	return append(slices.Clone(options), noNewPrivileges+":true")
}

// minReserve is the least memory, in bytes, that containers leave to the machine, unless that is more than half.
const minReserve = 256 << 20

// defaultMemory returns the memory that a service may use on a machine with total bytes: all but a sixteenth, so that one
// which takes more and more is killed before the engine and benchbook are. It returns 0, no limit, for an unknown total.
func defaultMemory(total int64) int64 {
	return total - min(max(total/16, minReserve), total/2)
}
