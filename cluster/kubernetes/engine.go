// Package kubernetes runs trials in pods of a Kubernetes cluster.
//
// What always holds: all that it makes is in one namespace, which the user names and has, and carries the labels of
// package engine, by which Sweep finds it; nothing else is changed or removed. A service is a pod that is never started
// again and has no token of the cluster. A space is a network policy, by which its pods reach each other and nothing
// else, and names that only they are told: by one small pod of this process, which answers for all of its spaces, as it
// can be told of a name before anybody asks for it. From that pod, which is where the load is, services are probed
// until they are ready, and no longer.
//
// Images come from the engine that builds them, through a registry that the nodes pull from. Each gets one layer of
// ours, with the program of package agent: it is the first process of every container, holds what it starts back until
// names, policy and whoever reads its output are there, and tells what the container uses. Pods refer to images by
// digest.
//
// Exclusive CPUs are a whole number of CPUs that the kubelet chooses, and what it gave is read back. A cluster whose
// network does not keep policies does not isolate spaces, which this package cannot see.
package kubernetes

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"benchbook/runner/engine"
)

// Further labels of what we make.
const (
	labelEngine = "benchbook.engine" // the Engine that made it, of those of a process
	labelSpace  = "benchbook.space"  // the space that a pod is in, with all within it
	labelNames  = "benchbook.names"  // the pod that answers for names
	labelClaim  = "benchbook.claim-" // and the name of a volume that a pod has
)

// requestTimeout is how long a single request may take where nothing else bounds it. A request that changes something
// is not cancelled half-way, so that we always know what is there.
const requestTimeout = 30 * time.Second

// defaultMemory is Options.Memory where nothing is said.
const defaultMemory = 1 << 30

// defaultVolumeSize is Options.VolumeSize where nothing is said.
const defaultVolumeSize = 1 << 30

// Options say which cluster to use, and how. Builder, Agent and Registry are needed. The hosts of Prefer are LoadHost
// and ServiceHost.
type Options struct {
	engine.Cluster
	// Kubeconfig is a file; empty is where kubectl looks: KUBECONFIG, or .kube/config of the user's home.
	Kubeconfig string

	// Builder prepares images. It has to be an engine.Carrier, and is not closed.
	Builder engine.Engine
	// Agent reads the program benchbook-agent host, for the architecture of the nodes.
	Agent func() ([]byte, error)

	// VolumeSize is what a named volume asks for, in bytes; 0 is a gibibyte.
	VolumeSize int64
	// Memory is the limit of what has CPUs of its own and says nothing of memory, in bytes, as Kubernetes gives such CPUs
	// only to pods with a limit; 0 is a gibibyte.
	Memory int64
}

// Engine is a namespace of a cluster.
type Engine struct {
	options Options
	cluster clusterClient
	images  imageStore
	nodes   nodes
	pods    *pods
	agent   agentPod
	owner   string
	id      string // of this Engine, in labels
	stop    context.CancelFunc
	kept    atomic.Bool // something of a space was: it needs its names
}

// clusterClient is the API of a cluster, for one namespace.
type clusterClient struct {
	config            *rest.Config
	context           string
	namespace         string
	core, network     rest.Interface
	version, platform string
}

// The hosts of a Location that a cluster has: one node for services, and one for what puts load on them. What is
// started on one of them is on the same node as all that was started there before.
const (
	ServiceHost = "services"
	LoadHost    = "load"
)

// builder is what Options.Builder has to be.
type builder interface {
	engine.Engine
	engine.Carrier
}

// scheme has the kinds that we use and no others: all of them would be some twenty megabytes of program.
var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err) // it is made of what the library has
		}
	}
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	return s
}()

var (
	codecs     = serializer.NewCodecFactory(scheme)
	parameters = runtime.NewParameterCodec(scheme)
)

// quiet keeps the library from writing to standard error: what goes wrong is returned, and what does not matter is not
// for readers.
var quiet = sync.OnceFunc(func() { klog.SetLogger(logr.Discard()) })

// New connects to a cluster. The error wraps engine.ErrUnavailable if none answers, or not to this user.
func New(ctx context.Context, opts Options) (*Engine, error) {
	b, ok := opts.Builder.(builder)
	if !ok {
		return nil, errors.New("images for Kubernetes need an engine that builds them and can save them")
	}
	if opts.Registry == "" {
		return nil, fmt.Errorf("%w of this kind can be used without a registry that its nodes pull from: name one with "+
			"registry: in benchbook.yaml", engine.ErrUnavailable)
	}
	quiet()
	e := &Engine{options: opts, owner: engine.Owner(), id: random(),
		images: imageStore{builder: b, registry: registry(opts.Registry), agent: opts.Agent,
			known: make(map[string]*imageConfig)}, nodes: nodes{prefer: opts.Prefer, names: make(map[string]string)}}
	e.agent.table.Clients, e.agent.table.Spaces = make(map[string]string), make(map[string]map[string][]string)
	if err := e.cluster.connect(opts); err != nil {
		return nil, fmt.Errorf("%w is configured: %v: name a context of your kubeconfig that is there, as kubectl config "+
			"get-contexts lists them", engine.ErrUnavailable, err)
	}
	if err := e.cluster.greet(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connecting to the cluster of context %q: %w", e.cluster.context, context.Cause(ctx))
		}
		return nil, fmt.Errorf("%w can be used: %w", engine.ErrUnavailable, e.cluster.fault(err))
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.pods = newPods(&e.cluster, e.id)
	if err := e.pods.begin(background); err != nil {
		stop()
		return nil, fmt.Errorf("%w can be used: %w", engine.ErrUnavailable, e.cluster.fault(err))
	}
	return e, nil
}

func (c *clusterClient) connect(options Options) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = options.Kubeconfig
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: options.Context})
	raw, err := loaded.RawConfig()
	if err != nil {
		return err
	}
	c.context = options.Context
	c.context = cmp.Or(c.context, raw.CurrentContext)
	if c.config, err = loaded.ClientConfig(); err != nil {
		return err
	}
	c.namespace = options.Namespace
	if c.namespace == "" {
		if c.namespace, _, err = loaded.Namespace(); err != nil {
			return err
		}
	}
	c.config.UserAgent = "benchbook"
	c.config.QPS, c.config.Burst = 200, 400 // what is measured here does not wait for a client's own limit
	c.config.WarningHandler = rest.NoWarnings{}
	for _, group := range []struct {
		path    string
		version schema.GroupVersion
		client  *rest.Interface
	}{{"/api", corev1.SchemeGroupVersion, &c.core}, {"/apis", networkingv1.SchemeGroupVersion, &c.network}} {
		config := rest.CopyConfig(c.config)
		config.APIPath, config.GroupVersion, config.NegotiatedSerializer = group.path, &group.version,
			codecs.WithoutConversion()
		if *group.client, err = rest.RESTClientFor(config); err != nil {
			return err
		}
	}
	return nil
}

// greet asks the cluster who it is.
func (c *clusterClient) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	text, err := c.core.Get().AbsPath("/version").DoRaw(ctx)
	if err != nil {
		return err
	}
	var version struct{ GitVersion, Platform string }
	if err := json.Unmarshal(text, &version); err != nil {
		return fmt.Errorf("it says its version as %.100q: %w", text, err)
	}
	c.version, c.platform = version.GitVersion, version.Platform
	return nil
}

func (e *Engine) Name() string { return "kubernetes" }

// Facts implements engine.Engine. Memory is in bytes.
func (e *Engine) Facts(ctx context.Context) (map[string]string, error) {
	_, architecture, _ := strings.Cut(e.cluster.platform, "/")
	facts := map[string]string{
		"engine.name":             e.Name(),
		"engine.version":          e.cluster.version,
		"engine.architecture":     architecture,
		"engine.context":          e.cluster.context,
		"engine.namespace":        e.cluster.namespace,
		"engine.nodes.load":       labels.Set(e.options.LoadNodes).String(),
		"engine.nodes.services":   labels.Set(e.options.ServiceNodes).String(),
		"engine.exclusive.memory": fmt.Sprint(e.exclusiveMemory()),
	}
	for host, node := range e.nodes.all() {
		if err := e.nodeFacts(ctx, host, node, facts); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// nodeFacts adds what the cluster says of the node of a host. Nodes are outside of every namespace, so that the user
// may have no right to see them: then the facts say so.
func (e *Engine) nodeFacts(ctx context.Context, host, name string, facts map[string]string) error {
	at := "engine.node." + host
	facts[at] = name
	var node corev1.Node
	err := e.cluster.core.Get().Resource("nodes").Name(name).Do(ctx).Into(&node)
	if apierrors.IsForbidden(err) {
		facts[at+".status"] = "not known: the user has no right to see nodes"
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at node %s: %w", name, e.cluster.fault(err))
	}
	facts[at+".kubelet"] = node.Status.NodeInfo.KubeletVersion
	facts[at+".runtime"] = node.Status.NodeInfo.ContainerRuntimeVersion
	facts[at+".cpus"] = node.Status.Allocatable.Cpu().String()
	facts[at+".memory"] = node.Status.Allocatable.Memory().String()
	return nil
}

func (e *Engine) exclusiveMemory() int64 {
	return cmp.Or(e.options.Memory, defaultMemory)
}

// Close implements engine.Engine. The pod that answers for names goes too, unless something that was kept needs it.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	var err error
	if !e.kept.Load() {
		err = e.agent.remove(ctx, e)
	}
	e.stop()
	return err
}

// meta is what everything of a run has.
func (e *Engine) meta(name, run, service string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name:        name,
		Labels:      map[string]string{engine.LabelOwner: labelValue(e.owner), labelEngine: e.id},
		Annotations: map[string]string{engine.LabelOwner: e.owner, engine.LabelRun: run},
	}
	if service != "" {
		meta.Labels[engine.LabelService] = labelValue(service)
		meta.Annotations[engine.LabelService] = service
	}
	return meta
}

var (
	notInLabel = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
	notInName  = regexp.MustCompile(`[^a-z0-9-]+`)
)

// labelValue is as much of a text as a label can have: annotations have it all.
func labelValue(text string) string {
	text = notInLabel.ReplaceAllString(text, "-")
	return strings.Trim(text[:min(len(text), 63)], "-_.")
}

// objectName is a name for an object about something, that no other one has.
func objectName(what string) string {
	what = strings.Trim(notInName.ReplaceAllString(strings.ToLower(what), "-"), "-")
	return "benchbook-" + strings.Trim(what[:min(len(what), 40)], "-") + "-" + random()
}

func random() string { return strings.ToLower(rand.Text()[:8]) }

// uncancelled bounds a request that must not be cancelled half-way.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
}
