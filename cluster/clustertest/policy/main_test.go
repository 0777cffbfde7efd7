package main

import (
	"strings"
	"testing"
)

// A pod that a policy selects reaches the pods and the ports of addresses that it names, and is reached by the pods that
// it names, and no others; a label without a value has to be there.
func TestRules(t *testing.T) {
	made := func(name, address string, labels map[string]string) pod {
		var p pod
		p.Metadata = meta{Name: name, Namespace: "bench", Labels: labels}
		p.Status.PodIP, p.Status.Phase = address, "Running"
		return p
	}
	pods := []pod{
		made("one", "10.0.0.1", map[string]string{"space": "a"}),
		made("two", "10.0.0.2", map[string]string{"space": "a"}),
		made("names", "10.0.0.3", map[string]string{"names": ""}),
		made("other", "10.0.0.4", map[string]string{"space": "b"}),
	}
	ended := made("ended", "10.0.0.5", map[string]string{"space": "a"})
	ended.Status.Phase = "Succeeded"
	pods = append(pods, ended)
	var keep policy
	keep.Metadata = meta{Name: "keep", Namespace: "bench"}
	keep.Spec.PodSelector.MatchLabels = map[string]string{"space": "a"}
	keep.Spec.PolicyTypes = []string{"Ingress", "Egress"}
	peers := []peer{{PodSelector: &selector{MatchLabels: map[string]string{"space": "a"}}},
		{PodSelector: &selector{MatchLabels: map[string]string{"names": ""}}}}
	keep.Spec.Ingress = []ingress{{From: peers}}
	keep.Spec.Egress = []egress{{To: peers}, {Ports: []port{{"UDP", 53}},
		To: []peer{{IPBlock: &struct{ CIDR string }{"169.254.0.0/16"}}, {NamespaceSelector: &selector{}}}}}
	got := rules("10.0.0.0/24", pods, []policy{keep})
	tests := []struct {
		rule string
		want bool
	}{
		{"-A FROM -s 10.0.0.1 -d 10.0.0.2 -j TO\n", true},
		{"-A FROM -s 10.0.0.1 -d 10.0.0.3 -j TO\n", true},
		{"-A FROM -s 10.0.0.1 -d 10.0.0.4 -j TO\n", false},
		{"-A FROM -s 10.0.0.1 -d 169.254.0.0/16 -p udp --dport 53 -j TO\n", true},
		{"-A FROM -s 10.0.0.1 -j TO\n", false},
		{"-A FROM -s 10.0.0.1 -j DROP\n", true},
		{"-A TO -s 10.0.0.3 -d 10.0.0.1 -j ACCEPT\n", true},
		{"-A TO -s 10.0.0.4 -d 10.0.0.1 -j ACCEPT\n", false},
		{"-A TO -d 10.0.0.1 -j DROP\n", true},
		{"-A FROM -s 10.0.0.4 -j TO\n", true},       // no policy selects it
		{"-A TO -d 10.0.0.4 -j ACCEPT\n", true},     // likewise
		{"-A FROM -s 10.0.0.0/24 -j DROP\n", true},  // what is not known yet
		{"-A TO -d 10.0.0.0/24 -j DROP\n", true},    // likewise
		{"-A FROM -s 10.0.0.1 -d 10.0.0.5 ", false}, // its address is free again
	}
	for _, tt := range tests {
		if strings.Contains(got, tt.rule) != tt.want {
			t.Errorf("%q stands there: %v, want %v, in\n%s", tt.rule, !tt.want, tt.want, got)
		}
	}
}
