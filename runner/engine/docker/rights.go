package docker

import (
	"maps"

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
	service.SecurityOpt = []string{"no-new-privileges:true"}
	if service.Beside != "" {
		return // its network has the settings of the other container
	}
	sysctls := map[string]string{firstPrivilegedPort: "0"}
	maps.Copy(sysctls, service.Sysctls)
	service.Sysctls = sysctls
}
