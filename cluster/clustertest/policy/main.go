// Command policy enforces the network policies of a single-node test cluster, as network plugins do elsewhere:
//
//	policy -server URL -ca FILE -token TOKEN -pods PREFIX
//
// It supports only policies like benchbook's, for whole namespaces whose pods reach each other and ports of address
// blocks. It ignores other allowing rules, and drops packets from and to pod addresses that it does not know yet. It
// rewrites all rules atomically whenever pods or policies change.
//
// It reads lists as plain JSON, because the client library would take longer to build than the rest of benchbook.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"benchbook/internal/test/must"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	c := &cluster{}
	flag.StringVar(&c.server, "server", "", "the API server")
	flag.StringVar(&c.token, "token", "", "of a user that may read pods and policies")
	authority := flag.String("ca", "", "the certificate of the server's authority")
	pods := flag.String("pods", "", "the addresses of the node's pods")
	flag.Parse()
	certificate := must.Get(os.ReadFile(*authority))
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	c.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	c.keep(*pods)
}

// cluster is a client of the API server.
type cluster struct {
	server, token string
	client        http.Client
}

// API paths of the lists.
const (
	podPath    = "/api/v1/pods"
	policyPath = "/apis/networking.k8s.io/v1/networkpolicies"
)

func (c *cluster) keep(prefix string) {
	must.Do(restore(prefix, nil, nil))
	changed := make(chan struct{}, 1)
	for _, path := range []string{podPath, policyPath} {
		go func() {
			for {
				c.watch(path, func() {
					select {
					case changed <- struct{}{}:
					default:
					}
				})
				time.Sleep(200 * time.Millisecond)
			}
		}()
	}
	for {
		<-changed
		for err := c.update(prefix); err != nil; err = c.update(prefix) {
			log.Print(err)
			time.Sleep(time.Second)
		}
	}
}

func (c *cluster) update(prefix string) error {
	var pods corev1.PodList
	var policies networkingv1.NetworkPolicyList
	if err := errors.Join(c.list(podPath, &pods), c.list(policyPath, &policies)); err != nil {
		return err
	}
	return restore(prefix, pods.Items, policies.Items)
}

func (c *cluster) get(path string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.client.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return response, err
}

func (c *cluster) list(path string, into any) error {
	response, err := c.get(path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// watch calls tell once, and at every change until the connection ends.
func (c *cluster) watch(path string, tell func()) {
	response, err := c.get(path + "?watch=1")
	if err != nil {
		log.Print(err)
		return
	}
	defer response.Body.Close()
	tell()
	for changes := bufio.NewReader(response.Body); ; tell() {
		if _, err := changes.ReadBytes('\n'); err != nil {
			return
		}
	}
}

// restore installs the rules atomically.
func restore(prefix string, pods []corev1.Pod, policies []networkingv1.NetworkPolicy) error {
	rules, err := rules(prefix, pods, policies)
	if err != nil {
		return err
	}
	command := exec.Command("iptables-restore", "--noflush", "-w", "10")
	command.Stdin = strings.NewReader(rules)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("iptables-restore: %w: %s", err, output)
	}
	return nil
}

// rules returns the rules as input for iptables-restore. Packets pass two chains: FROM checks whether they may leave
// their source, TO whether they may enter their destination.
func rules(prefix string, pods []corev1.Pod, policies []networkingv1.NetworkPolicy) (string, error) {
	blocks := make(map[string][]string) // by namespace with a policy
	for _, p := range policies {
		if !isOfNamespace(p.Spec) {
			return "", fmt.Errorf("the policy of %s is of another kind: %+v", p.Namespace, p.Spec)
		}
		blocks[p.Namespace] = append(blocks[p.Namespace], blocksOf(p.Spec)...)
	}
	namespaces := make(map[string]string) // by pod address
	for _, p := range pods {
		hasEnded := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		if p.Status.PodIP != "" && !hasEnded && !p.Spec.HostNetwork {
			namespaces[p.Status.PodIP] = p.Namespace
		}
	}
	var out strings.Builder
	out.WriteString("*filter\n:FORWARD DROP\n:FROM -\n:TO -\n-F FORWARD\n-F FROM\n-F TO\n")
	out.WriteString("-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -j FROM\n")
	for address, namespace := range namespaces {
		allowed, isolated := blocks[namespace]
		if !isolated {
			fmt.Fprintf(&out, "-A FROM -s %s -j TO\n-A TO -d %[1]s -j ACCEPT\n", address)
			continue
		}
		for other := range namespaces {
			if namespaces[other] == namespace {
				fmt.Fprintf(&out, "-A FROM -s %s -d %s -j TO\n-A TO -s %[2]s -d %[1]s -j ACCEPT\n", address, other)
			}
		}
		for _, block := range allowed {
			fmt.Fprintf(&out, "-A FROM -s %s %s -j TO\n", address, block)
		}
		fmt.Fprintf(&out, "-A FROM -s %s -j DROP\n-A TO -d %[1]s -j DROP\n", address)
	}
	// Addresses outside the pods may communicate with all pods that are not isolated.
	fmt.Fprintf(&out, "-A FROM -s %s -j DROP\n-A FROM -j TO\n-A TO -d %[1]s -j DROP\n-A TO -j ACCEPT\nCOMMIT\n", prefix)
	return out.String(), nil
}

// isOfNamespace reports whether a policy lets all pods of its namespace reach each other, and be reached only by them.
func isOfNamespace(s networkingv1.NetworkPolicySpec) bool {
	here := []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}
	both := []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}
	return reflect.DeepEqual(s.PodSelector, metav1.LabelSelector{}) && slices.Equal(s.PolicyTypes, both) &&
		len(s.Ingress) == 1 && reflect.DeepEqual(s.Ingress[0].From, here) &&
		len(s.Egress) > 0 && reflect.DeepEqual(s.Egress[0].To, here) && s.Egress[0].Ports == nil
}

// blocksOf returns iptables matches for the ports of address blocks that the pods may reach.
func blocksOf(s networkingv1.NetworkPolicySpec) (matches []string) {
	for _, rule := range s.Egress {
		for _, to := range rule.To {
			for _, at := range rule.Ports {
				if to.IPBlock != nil {
					matches = append(matches, fmt.Sprintf("-d %s -p %s --dport %s", to.IPBlock.CIDR,
						strings.ToLower(string(*at.Protocol)), at.Port.String()))
				}
			}
		}
	}
	return matches
}
