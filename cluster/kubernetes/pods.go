package kubernetes

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

const (
	patience   = 20 * time.Second // how long a cluster may not answer while something of it is waited for
	lookPeriod = 5 * time.Second  // after which the cluster is asked for a pod of which nothing was heard
)

// pods watches the pods of a namespace.
type pods struct {
	engine    *Engine
	namespace string
	stop      context.CancelFunc

	mu      sync.Mutex
	known   map[string]podState // by name
	changed chan struct{}       // closed with every change, and replaced
}

// podState is a pod as it was last seen. The pod is nil while nothing was seen of it.
type podState struct {
	pod  *corev1.Pod
	gone bool
}

func (e *Engine) watchPods(ctx context.Context, namespace string) *pods {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &pods{engine: e, namespace: namespace, stop: stop, known: make(map[string]podState),
		changed: make(chan struct{})}
	client := e.client.CoreV1().Pods(namespace)
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return client.Watch(ctx, options)
		},
	}
	informer := cache.NewSharedInformer(cache.ToListWatcherWithWatchListSemantics(source, e.client), &corev1.Pod{}, 0)
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{ // it fails only once the informer has stopped
		AddFunc:    func(object any) { p.note(object, false) },
		UpdateFunc: func(_, object any) { p.note(object, false) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			p.note(object, true)
		},
	})
	go informer.RunWithContext(ctx)
	return p
}

func (p *pods) note(object any, gone bool) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[pod.Name] = podState{pod, gone}
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pods) get(name string) podState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[name]
}

// wait waits until done is true of a pod, or returns an error. The cluster may be out of reach for a while.
func (p *pods) wait(ctx context.Context, name string, done func(podState) (bool, error)) (*corev1.Pod, error) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	heard := time.Now()
	for {
		p.mu.Lock()
		state, changed := p.known[name], p.changed
		p.mu.Unlock()
		if ok, err := done(state); ok || err != nil {
			return state.pod, err
		}
		select {
		case <-ctx.Done():
			return state.pod, context.Cause(ctx)
		case <-changed:
			heard = time.Now()
		case <-ticker.C:
			if time.Since(heard) < lookPeriod {
				continue
			}
			switch pod, err := p.engine.client.CoreV1().Pods(p.namespace).Get(ctx, name, metav1.GetOptions{}); {
			case err == nil:
				p.note(pod, false)
			case apierrors.IsNotFound(err) && state.pod != nil:
				p.note(state.pod, true)
			case apierrors.IsUnauthorized(err), time.Since(heard) > patience && ctx.Err() == nil:
				return state.pod, p.engine.fault(err)
			}
		}
	}
}
