// Command dns is CoreDNS with only the plugins that a test cluster needs to resolve names of services.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
)

func main() {
	dnsserver.Directives = []string{"bind", "errors", "loadbalance", "kubernetes"}
	coremain.Run()
}
