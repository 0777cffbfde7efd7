package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"benchbook/cluster/inpod"
	"benchbook/runner/engine"
)

const (
	resolveTimeout  = 45 * time.Second // for a name to resolve; longer than the cache of any common name server
	namespaceGrace  = 20 * time.Second // for a new namespace to get its service account
	nameLabelPrefix = "name.benchbook/"
)

// space is a namespace, or a group of containers in it.
type space struct {
	*shared
	outer  *space // nil unless this is a group
	tree   *engine.Tree[container]
	claims map[string]*claim // by volume name
}

// shared is common to a space and its groups.
type shared struct {
	engine    *Engine
	namespace string

	naming   sync.Mutex
	services map[string]bool     // names that have a Service
	gone     map[string][]string // addresses of removed containers, by name
	claiming sync.Mutex          // guards the claims of all spaces
}

// claim is a named volume.
type claim struct {
	id     string
	filled chan struct{} // closed when it was filled, or filling failed
}

func (e *Engine) Open(ctx context.Context, run string) (_ engine.Space, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("opening a space: %w", err)
		}
	}()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := e.holdLease(ctx, run); err != nil {
		return nil, err
	}
	making, cancel := uncancelled(ctx)
	defer cancel()
	name := objectName(run)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name,
		Labels:      map[string]string{engine.LabelOwner: labelValue(e.owner), engine.LabelRun: labelValue(run)},
		Annotations: map[string]string{engine.LabelOwner: e.owner, engine.LabelRun: run}}}
	_, err = e.client.CoreV1().Namespaces().Create(making, namespace, metav1.CreateOptions{})
	if err != nil {
		_ = e.removeNamespace(ctx, name) // it may exist if only the answer was lost
		return nil, fmt.Errorf("making a namespace: %w", e.fault(err))
	}
	_, err = e.client.NetworkingV1().NetworkPolicies(name).Create(making, isolation(), metav1.CreateOptions{})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("isolating namespace %s: %w", name, e.fault(err)), e.removeNamespace(ctx, name))
	}
	return &space{
		shared: &shared{engine: e, namespace: name, services: make(map[string]bool),
			gone: make(map[string][]string)},
		tree: engine.NewTree("namespace "+name, remove), claims: make(map[string]*claim),
	}, nil
}

func (e *Engine) removeNamespace(ctx context.Context, name string) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	return e.fault(unlessGone(e.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})))
}

// isolation returns a policy that lets pods reach only each other and the cluster's name servers, which are in
// kube-system or listen on a link-local address of each node.
//
// Source: https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
func isolation() *networkingv1.NetworkPolicy {
	udp, tcp, dns := corev1.ProtocolUDP, corev1.ProtocolTCP, intstr.FromInt32(53)
	here := []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "isolation"},
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: here}},
			Egress: []networkingv1.NetworkPolicyEgressRule{{To: here}, {
				Ports: []networkingv1.NetworkPolicyPort{{Protocol: &udp, Port: &dns}, {Protocol: &tcp, Port: &dns}},
				To: []networkingv1.NetworkPolicyPeer{
					{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{
						corev1.LabelMetadataName: metav1.NamespaceSystem}}},
					{IPBlock: &networkingv1.IPBlock{CIDR: "169.254.0.0/16"}},
				},
			}},
		},
	}
}

func (s *space) Group(ctx context.Context) (engine.Space, error) {
	tree, err := s.tree.Group(ctx)
	if err != nil {
		return nil, err
	}
	return &space{shared: s.shared, outer: s, tree: tree, claims: make(map[string]*claim)}, nil
}

func (s *space) Start(ctx context.Context, service engine.Service) (engine.Container, error) {
	c, err := s.tree.Start(ctx, service.Name, func() (*container, error) { return s.launch(ctx, service) },
		func(c *container) error { return s.await(ctx, service, c) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// launch creates the pod of a service and waits until it runs. Even with an error, the returned container lists
// everything that was created.
func (s *space) launch(ctx context.Context, service engine.Service) (*container, error) {
	c := &container{space: s, service: service.Name, grace: service.StopGrace}
	if service.StopSignal != "" {
		if c.signal = strings.ToUpper(service.StopSignal); !strings.HasPrefix(c.signal, "SIG") {
			c.signal = "SIG" + c.signal
		}
		if unix.SignalNum(c.signal) == 0 {
			return nil, engine.Refuse(service.Name, "there is no signal %q", service.StopSignal)
		}
	}
	for _, name := range append([]string{service.Name}, service.Aliases...) {
		c.names = append(c.names, strings.ToLower(name))
	}
	if err := s.ensureServices(ctx, service.Name, c.names); err != nil {
		return nil, err
	}
	return c, s.launchPod(ctx, c, service)
}

// await waits until a container is ready and its names resolve.
func (s *space) await(ctx context.Context, service engine.Service, c *container) error {
	if service.CPUSet != "" {
		if err := c.checkCPUs(ctx, service.CPUSet); err != nil {
			return err
		}
	}
	service.Begun = nil // already called
	if err := engine.WaitReady(ctx, service, c); err != nil {
		return err
	}
	if state, err := c.look(ctx); err == nil && hasEnded(state) {
		return nil
	}
	return s.awaitNames(ctx, c)
}

// ensureServices creates missing headless Services. They exist as long as the namespace does.
func (s *space) ensureServices(ctx context.Context, container string, names []string) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	for _, name := range names {
		if s.services[name] {
			continue
		}
		if problems := validation.IsDNS1035Label(name); len(problems) > 0 {
			return engine.Refuse(container, "Kubernetes has no name %q for it: %s", name, problems[0])
		}
		_, err := s.engine.client.CoreV1().Services(s.namespace).Create(ctx, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true,
				Selector: map[string]string{nameLabelPrefix + name: ""}},
		}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("making the name %s: %w", name, s.engine.creationError(container, err))
		}
		s.services[name] = true
	}
	return nil
}

// awaitNames waits until a container's names resolve to its address, and no longer to addresses of earlier containers.
func (s *space) awaitNames(ctx context.Context, c *container) error {
	var all []inpod.Resolution
	s.naming.Lock()
	for _, name := range c.names {
		s.gone[name] = slices.DeleteFunc(s.gone[name], func(address string) bool { return address == c.address })
		all = append(all, inpod.Resolution{Name: name, Address: c.address, Gone: slices.Clone(s.gone[name])})
	}
	s.naming.Unlock()
	resolving, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	err := c.tell(resolving, inpod.Resolve, all)
	if err != nil && ctx.Err() == nil && resolving.Err() != nil {
		return &Fault{fmt.Sprintf("%q is not found by its name within %v", c.service, resolveTimeout), "see that the " +
			"cluster has name servers in the namespace kube-system that do not keep answers for long", err}
	}
	if err == nil {
		s.naming.Lock()
		defer s.naming.Unlock()
		for _, r := range all {
			s.gone[r.Name] = slices.DeleteFunc(s.gone[r.Name], func(a string) bool { return slices.Contains(r.Gone, a) })
		}
	}
	return err
}

// forget records that a container's address must vanish from its names.
func (s *space) forget(c *container) {
	s.naming.Lock()
	defer s.naming.Unlock()
	for _, name := range c.names {
		if c.address != "" {
			s.gone[name] = append(s.gone[name], c.address)
		}
	}
}

// launchPod creates the pod of a container with its volumes and files, and waits until it runs.
func (s *space) launchPod(ctx context.Context, c *container, service engine.Service) error {
	e := s.engine
	spec, err := e.describe(ctx, service)
	if err != nil {
		return err
	}
	for _, name := range c.names {
		spec.pod.Labels[nameLabelPrefix+name] = ""
	}
	for i := range spec.claims {
		wanted := &spec.claims[i]
		found, fresh, err := s.claim(ctx, wanted.name)
		if err != nil {
			return err
		}
		if fresh {
			defer close(found.filled)
		}
		spec.addClaim(wanted, found.id, fresh)
	}
	for _, files := range spec.files {
		c.files = append(c.files, files.Name) // before creation, as the server's answer may be lost
		if err := create(ctx, s, c.service, e.client.CoreV1().ConfigMaps(s.namespace), files); err != nil {
			return fmt.Errorf("making its files: %w", err)
		}
	}
	pod := spec.finish()
	c.pod = pod.Name
	if err := create(ctx, s, c.service, e.client.CoreV1().Pods(s.namespace), pod); err != nil {
		return fmt.Errorf("making its pod: %w", err)
	}
	err = c.awaitBegin(ctx, service.Begun)
	if err == nil {
		e.nodes.settle(service.Host, c.node)
	}
	return err
}

// creator creates objects of one kind.
type creator[T any] interface {
	Create(ctx context.Context, object T, options metav1.CreateOptions) (T, error)
}

// create creates an object, even if the context is cancelled meanwhile. If the object exists, an earlier attempt
// created it, because names are unique. It waits for the service account of a new namespace.
func create[T any](ctx context.Context, s *space, container string, by creator[T], object T) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		_, err := by.Create(ctx, object, metav1.CreateOptions{})
		switch {
		case err == nil || apierrors.IsAlreadyExists(err):
			return nil
		case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "service account") &&
			time.Since(began) < namespaceGrace:
			continue
		}
		return s.engine.creationError(container, err)
	}
}

// claim finds a volume by its name in this space or an outer one, or creates it here. The caller must fill a fresh one
// and close c.filled.
func (s *space) claim(ctx context.Context, name string) (c *claim, fresh bool, err error) {
	s.claiming.Lock()
	for around := s; around != nil && c == nil; around = around.outer {
		c = around.claims[name]
	}
	if fresh = c == nil; fresh {
		c = &claim{objectName(name), make(chan struct{})}
		s.claims[name] = c
	}
	s.claiming.Unlock()
	if !fresh {
		select {
		case <-c.filled:
			return c, false, nil
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
	object := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: c.id},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: *resource.NewQuantity(volumeSize, resource.BinarySI)}},
		}}
	claims := s.engine.client.CoreV1().PersistentVolumeClaims(s.namespace)
	if err := create(ctx, s, name, claims, object); err != nil {
		close(c.filled)
		return nil, false, fmt.Errorf("making volume %q: %w", name, err)
	}
	return c, true, nil
}

func (s *space) Keep(context.Context) ([]engine.Kept, error) {
	containers, err := s.tree.Keep()
	var kept []engine.Kept
	for _, c := range containers {
		c.release()
		kept = append(kept, engine.Kept{Service: c.service, Enter: []string{"kubectl", "--context", s.engine.context,
			"--namespace", s.namespace, "exec", "-it", c.pod, "--container", mainContainer, "--", "sh"}})
	}
	return kept, err
}

// Close implements engine.Space. It returns when nothing runs; the cluster removes the namespace slightly later.
func (s *space) Close(ctx context.Context) error {
	return s.tree.Close(ctx, func() error {
		if s.outer == nil {
			return s.engine.removeNamespace(ctx, s.namespace)
		}
		ctx, cancel := uncancelled(ctx)
		defer cancel()
		for _, c := range s.claims {
			claims := s.engine.client.CoreV1().PersistentVolumeClaims(s.namespace)
			if err := unlessGone(claims.Delete(ctx, c.id, metav1.DeleteOptions{})); err != nil {
				return s.engine.fault(err)
			}
		}
		return nil
	})
}

// Wait implements engine.Probed.
func (c *container) Wait(ctx context.Context) (int, error) {
	var exit engine.Exit
	_, err := c.awaitPod(ctx, func(s podState) (ended bool, err error) {
		exit, ended, err = c.exitOf(s)
		return ended, err
	})
	return exit.Code, err
}

// Reach implements engine.Probed. It probes at the pod's address, not on loopback.
func (c *container) Reach(context.Context) (engine.Probe, error) {
	return func(ctx context.Context, port int, path string) error {
		return c.tell(ctx, inpod.Probe, inpod.Port{Address: c.address, Service: c.service, Port: port, Path: path})
	}, nil
}

// Follow implements engine.Probed.
func (c *container) Follow(ctx context.Context, to io.Writer) error {
	log, err := c.readLog(ctx, &corev1.PodLogOptions{Container: mainContainer, Follow: true})
	if err != nil {
		return err
	}
	defer log.Close()
	_, err = io.Copy(to, log)
	return err
}
