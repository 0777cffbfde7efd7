package kubernetes

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// patience is how long the cluster may be out of reach while we wait for something of it: a request that failed is
// tried again.
const patience = 20 * time.Second

// pods knows what has become of the pods of an Engine, by watching them.
type pods struct {
	cluster *clusterClient
	id      string // of the Engine

	mu        sync.Mutex
	known     map[string]podState // by name
	forgotten map[string]bool     // names of pods that are still there and that nobody wants to know of
	changed   chan struct{}       // closed with every change, and replaced
	lost      time.Time           // since when the cluster cannot be asked; zero while it can
	reason    error               // and why
}

// podState is a pod as it was last seen.
type podState struct {
	pod  *corev1.Pod
	gone bool
}

func newPods(c *clusterClient, id string) *pods {
	return &pods{cluster: c, id: id, known: make(map[string]podState), forgotten: make(map[string]bool),
		changed: make(chan struct{})}
}

// begin watches until the context is done.
func (p *pods) begin(ctx context.Context) error {
	version, err := p.look(ctx)
	if err != nil {
		return err
	}
	go func() {
		for ctx.Err() == nil {
			if version != "" {
				p.follow(ctx, version)
			}
			if version, err = p.look(ctx); err != nil {
				p.lose(err)
				select {
				case <-ctx.Done():
				case <-time.After(200 * time.Millisecond):
				}
			}
		}
	}()
	return nil
}

func (p *pods) options(version string) *metav1.ListOptions {
	return &metav1.ListOptions{LabelSelector: labelEngine + "=" + p.id, ResourceVersion: version}
}

// look lists all pods, and returns from where on to watch them.
func (p *pods) look(ctx context.Context) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var list corev1.PodList
	err = p.cluster.core.Get().Namespace(p.cluster.namespace).Resource(podResource).VersionedParams(p.options(""),
		parameters).Do(ctx).Into(&list)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	there := make(map[string]bool)
	for i := range list.Items {
		name := list.Items[i].Name
		if there[name] = true; !p.forgotten[name] {
			p.known[name] = podState{pod: &list.Items[i]}
		}
	}
	maps.DeleteFunc(p.forgotten, func(name string, _ bool) bool { return !there[name] })
	for name, state := range p.known {
		if !there[name] && !state.gone {
			p.known[name] = podState{state.pod, true}
		}
	}
	p.lost, p.reason = time.Time{}, nil
	p.tell()
	return list.ResourceVersion, nil
}

// follow takes in changes until the connection is lost or the cluster ends it, which it does from time to time.
func (p *pods) follow(ctx context.Context, version string) {
	options := p.options(version)
	options.Watch = true
	watching, err := p.cluster.core.Get().Namespace(p.cluster.namespace).Resource(podResource).VersionedParams(options,
		parameters).Watch(ctx)
	if err != nil {
		return // looking tells why
	}
	defer watching.Stop()
	for event := range watching.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return // it does not remember that far back
		}
		p.mu.Lock()
		switch gone := event.Type == watch.Deleted; {
		case !p.forgotten[pod.Name]:
			p.known[pod.Name] = podState{pod, gone}
			p.tell()
		case gone:
			delete(p.forgotten, pod.Name)
		}
		p.mu.Unlock()
	}
}

// tell wakes all who wait. It is called with the lock held.
func (p *pods) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pods) lose(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost.IsZero() {
		p.lost = time.Now()
	}
	p.reason = err
	p.tell()
}

// forget lets go of a pod that we have removed: nothing more is heard of it.
func (p *pods) forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known[name].gone {
		p.forgotten[name] = true
	}
	delete(p.known, name)
}

// get is a pod as it was last seen; the error is why that may be long ago.
func (p *pods) get(name string) (podState, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[name], p.outage()
}

// outage is the error of a cluster that has been out of reach for too long. It is called with the lock held.
func (p *pods) outage() error {
	if p.lost.IsZero() || !apierrors.IsUnauthorized(p.reason) && time.Since(p.lost) < patience {
		return nil
	}
	return p.cluster.fault(p.reason)
}

// errTimeout is the end of a wait that was bounded.
var errTimeout = errors.New("it takes too long")

// wait waits until done is true of a pod, or gives an error. The pod may be nil, as long as nothing was seen of it.
func (p *pods) wait(ctx context.Context, name string, done func(podState) (bool, error)) (*corev1.Pod, error) {
	ticker := time.NewTicker(time.Second) // what has lasted too long is no change
	defer ticker.Stop()
	for {
		p.mu.Lock()
		state, changed, outage := p.known[name], p.changed, p.outage()
		p.mu.Unlock()
		if ok, err := done(state); ok || err != nil {
			return state.pod, err
		}
		if outage != nil {
			return nil, outage
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-changed:
		case <-ticker.C:
		}
	}
}
