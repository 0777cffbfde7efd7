//go:build tools

// Package components imports the programs of Kubernetes that cluster/clustertest/run builds, so that their versions and
// checksums are in a separate module.
package components

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
