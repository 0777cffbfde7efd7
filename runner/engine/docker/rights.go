package docker

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"

	"benchbook/runner/engine"
)

// confinedUser runs our own programs. It is not 65534, nobody: the kernel bounds some things by user, such as the
// memory of pipes, and services may run as nobody.
const confinedUser = "65532:65532"

// noNewPrivileges is the security option by which no program gets more rights than the one that started it.
const noNewPrivileges = "no-new-privileges"

// firstPrivilegedPort is the kernel setting by which any user may listen at ports below 1024.
const firstPrivilegedPort = "net.ipv4.ip_unprivileged_port_start"

// confine takes all rights from a program of ours. sharesNetwork says that its network belongs to another container,
// whose settings it cannot have.
func confine(service *engine.Service, sharesNetwork bool) {
	service.User, service.ReadOnly = confinedUser, true
	service.CapAdd, service.CapDrop, service.SecurityOpt = nil, []string{"ALL"}, nil
	if sharesNetwork {
		return
	}
	sysctls := map[string]string{firstPrivilegedPort: "0"}
	maps.Copy(sysctls, service.Sysctls)
	service.Sysctls = sysctls
}

// restrict sets the rights and limits of a container.
func (e *Engine) restrict(config *container.HostConfig, service engine.Service) {
	config.CapAdd, config.CapDrop = service.CapAdd, service.CapDrop
	config.SecurityOpt = securityOptions(service.SecurityOpt)
	config.ReadonlyRootfs = service.ReadOnly
	config.Memory = service.Memory
	if config.Memory == 0 {
		config.Memory = defaultMemory(e.info.MemTotal)
	}
	if most := service.MaxPIDs(); most > 0 {
		config.PidsLimit = &most
	}
}

// securityOptions adds no-new-privileges to security options that do not mention it.
func securityOptions(asked []string) []string {
	mentioned := slices.ContainsFunc(asked, func(option string) bool { return strings.HasPrefix(option, noNewPrivileges) })
	if mentioned {
		return asked
	}
	return append(slices.Clone(asked), noNewPrivileges+":true")
}

// minReserve is the least memory, in bytes, that containers leave to the machine, unless that is more than half.
const minReserve = 256 << 20

// defaultMemory returns the memory that each container may use on a machine with total bytes: all but a sixteenth, so
// that a service which takes more and more is killed before the engine and benchbook are. It returns 0, no limit, for a
// total that is not known.
func defaultMemory(total int64) int64 {
	return total - min(max(total/16, minReserve), total/2)
}
