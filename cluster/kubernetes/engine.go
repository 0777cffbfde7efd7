// Package kubernetes runs trials in pods of a Kubernetes cluster.
//
// A space is a namespace with a network policy that lets its pods reach each other and the cluster's name servers, and
// nothing else. A container is a pod, which is never restarted and has no access token for the cluster. Its names are
// headless Services. Namespaces carry the labels of package engine, by which Sweep finds them. There is also one Lease,
// in a namespace that must exist, which one run at a time holds.
//
// A builder engine builds the images, and the nodes pull them unchanged from a registry. Each pod has the program of
// package inpod in a volume. We exec it to run commands, to read a container's usage, and to probe services until they
// are ready.
//
// Exclusive CPUs are a whole number of CPUs that the kubelet chooses, and we read back which. If the cluster's network
// does not enforce policies, spaces are not isolated; this package cannot detect that.
package kubernetes

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"benchbook/cluster/inpod"
	"benchbook/runner/engine"
)

// The hosts of a cluster: one node for services, and one for load generators. Everything that is started on a host runs
// on the same node.
const (
	ServiceHost = "services"
	LoadHost    = "load"
)

const (
	// requestTimeout limits a request without another limit. Requests that change something are not cancelled, so that
	// we always know what exists.
	requestTimeout = 30 * time.Second
	volumeSize     = 1 << 30 // requested size of a named volume, in bytes
	// exclusiveMemory is the default memory limit, in bytes, of containers with exclusive CPUs. Kubernetes gives exclusive
	// CPUs only to pods with a memory limit.
	exclusiveMemory = 1 << 30
)

// Builder is the engine that builds images.
type Builder interface {
	engine.Engine
	// SaveAll returns an archive of images given by their IDs, in the format of docker save.
	SaveAll(ctx context.Context, images []string) (io.ReadCloser, error)
}

// Options select and configure a cluster. The keys of Prefer are LoadHost and ServiceHost.
type Options struct {
	engine.Cluster
	Kubeconfig string  // a file; empty: kubectl's default
	Builder    Builder // Engine.Close does not close it
}

// Engine is a cluster.
type Engine struct {
	options   Options
	config    *rest.Config
	client    kubernetes.Interface
	context   string
	namespace string // namespace of the lease
	version   string
	platform  string
	owner     string

	nodes    nodes
	lease    lease
	pushing  sync.Mutex // held while pushing an image
	images   sync.Map   // pushedImage by reference
	podImage func(context.Context) (engine.Prepared, error)
}

// quiet keeps client-go from logging to standard error; it returns errors anyway.
var quiet = sync.OnceFunc(func() { klog.SetLogger(logr.Discard()) })

// embedded holds the program of package inpod, which make build-cluster puts there.
//
//go:embed all:embedded
var embedded embed.FS

// New connects to a cluster. The error wraps engine.ErrUnavailable if no cluster answers or it rejects this user.
func New(ctx context.Context, options Options) (*Engine, error) {
	if options.Registry == "" {
		return nil, fmt.Errorf("%w of this kind can be used without a registry that its nodes pull from: name one with "+
			"registry: in benchbook.yaml", engine.ErrUnavailable)
	}
	quiet()
	e := newEngine(options)
	if err := e.connect(); err != nil {
		return nil, fmt.Errorf("%w is configured: %v: name a context of your kubeconfig that is there, as kubectl config "+
			"get-contexts lists them", engine.ErrUnavailable, err)
	}
	if err := e.greet(); err != nil {
		return nil, fmt.Errorf("%w can be used: %w", engine.ErrUnavailable, e.fault(err))
	}
	return e, context.Cause(ctx)
}

func newEngine(options Options) *Engine {
	e := &Engine{options: options, owner: engine.Owner(),
		nodes: nodes{prefer: options.Prefer, names: make(map[string]string)}}
	var mu sync.Mutex
	var known *engine.Prepared // nil until prepared
	e.podImage = func(ctx context.Context) (engine.Prepared, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != nil {
			return *known, nil
		}
		data, err := embedded.ReadFile("embedded/" + inpod.Name)
		if err != nil {
			return engine.Prepared{}, fmt.Errorf("%s is missing in this program: build it with make build-cluster", inpod.Name)
		}
		made, err := e.Prepare(ctx, engine.Image{Executable: &engine.Executable{Name: inpod.Name, Data: data}}, io.Discard)
		if err == nil {
			known = &made
		}
		return made, err
	}
	return e
}

func (e *Engine) connect() error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = e.options.Kubeconfig
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: e.options.Context})
	raw, err := loaded.RawConfig()
	if err != nil {
		return err
	}
	e.context = cmp.Or(e.options.Context, raw.CurrentContext)
	if e.config, err = loaded.ClientConfig(); err != nil {
		return err
	}
	if e.namespace = e.options.Namespace; e.namespace == "" {
		if e.namespace, _, err = loaded.Namespace(); err != nil {
			return err
		}
	}
	e.config.UserAgent = "benchbook"
	e.config.QPS, e.config.Burst = 200, 400 // the client's default rate limit would slow measurements
	e.config.WarningHandler = rest.NoWarnings{}
	e.client, err = kubernetes.NewForConfig(e.config)
	return err
}

func (e *Engine) greet() error {
	config := rest.CopyConfig(e.config)
	config.Timeout = 10 * time.Second
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return err
	}
	e.version, e.platform = version.GitVersion, version.Platform
	return nil
}

func (e *Engine) Name() string { return "kubernetes" }

// Facts implements engine.Engine. Memory is in bytes.
func (e *Engine) Facts(ctx context.Context) (map[string]string, error) {
	_, architecture, _ := strings.Cut(e.platform, "/")
	facts := map[string]string{
		"engine.name":             e.Name(),
		"engine.version":          e.version,
		"engine.architecture":     architecture,
		"engine.context":          e.context,
		"engine.namespace":        e.namespace,
		"engine.nodes.load":       labels.Set(e.options.LoadNodes).String(),
		"engine.nodes.services":   labels.Set(e.options.ServiceNodes).String(),
		"engine.exclusive.memory": fmt.Sprint(exclusiveMemory),
	}
	for host, name := range e.nodes.all() {
		at := "engine.node." + host
		facts[at] = name
		node, err := e.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsForbidden(err) {
			facts[at+".status"] = "not known: the user has no right to see nodes"
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking at node %s: %w", name, e.fault(err))
		}
		facts[at+".kubelet"] = node.Status.NodeInfo.KubeletVersion
		facts[at+".runtime"] = node.Status.NodeInfo.ContainerRuntimeVersion
		facts[at+".cpus"] = node.Status.Allocatable.Cpu().String()
		facts[at+".memory"] = node.Status.Allocatable.Memory().String()
	}
	return facts, nil
}

// Close implements engine.Engine. It releases the lease.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	return e.fault(e.releaseLease(ctx))
}

// Sweep implements engine.Engine. Its leftovers are namespaces.
func (e *Engine) Sweep(ctx context.Context, dryRun bool) ([]engine.Leftover, error) {
	namespaces := e.client.CoreV1().Namespaces()
	all, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: engine.LabelOwner})
	if err != nil {
		return nil, fmt.Errorf("looking for namespaces that were left behind: %w", e.fault(err))
	}
	var found []engine.Leftover
	var failures []error
	for _, namespace := range all.Items {
		alive, known := engine.OwnerAlive(namespace.Annotations[engine.LabelOwner])
		if alive || !known || namespace.DeletionTimestamp != nil {
			continue
		}
		found = append(found, engine.Leftover{Kind: "namespace", Name: namespace.Name,
			Run: namespace.Annotations[engine.LabelRun]})
		if dryRun {
			continue
		}
		if err := unlessGone(namespaces.Delete(ctx, namespace.Name, metav1.DeleteOptions{})); err != nil {
			failures = append(failures, fmt.Errorf("removing namespace %s: %w", namespace.Name, e.fault(err)))
		}
	}
	return found, errors.Join(failures...)
}

var (
	notInLabel = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
	notInName  = regexp.MustCompile(`[^a-z0-9-]+`)
)

// labelValue turns text into a valid label value, truncated if necessary.
func labelValue(text string) string {
	text = notInLabel.ReplaceAllString(text, "-")
	return strings.Trim(text[:min(len(text), 63)], "-_.")
}

// objectName returns a new unique name for an object, based on what.
func objectName(what string) string {
	what = strings.Trim(notInName.ReplaceAllString(strings.ToLower(what), "-"), "-")
	return "benchbook-" + strings.Trim(what[:min(len(what), 40)], "-") + "-" + strings.ToLower(rand.Text()[:8])
}

// uncancelled returns a context for a request that must not be cancelled halfway.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}
