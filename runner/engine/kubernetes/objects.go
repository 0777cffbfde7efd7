package kubernetes

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// Resources that we make, by the words of the API.
const (
	podResource    = "pods"
	fileResource   = "configmaps"
	claimResource  = "persistentvolumeclaims"
	policyResource = "networkpolicies"
)

// resources are all that we make, each with what engine.Leftover calls it.
var resources = []struct{ name, kind string }{
	{podResource, "container"}, {fileResource, "files"}, {claimResource, "volume"}, {policyResource, "network"},
}

func (e *Engine) client(resource string) rest.Interface {
	if resource == policyResource {
		return e.network
	}
	return e.core
}

// create makes an object, also if the context is cancelled meanwhile. One of this name that is there already is an earlier try of ours.
func (e *Engine) create(ctx context.Context, resource string, object runtime.Object) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	err := e.client(resource).Post().Namespace(e.namespace).Resource(resource).Body(object).Do(ctx).Error()
	if apierrors.IsAlreadyExists(err) {
		return nil // names are drawn once, and a request is made again where its answer was lost
	}
	return err
}

// remove removes an object, which may be gone already. Pods get so much time to end; it is a second at least, as the cluster would else
// forget a pod that still runs.
func (e *Engine) remove(ctx context.Context, resource, name string, grace time.Duration) error {
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	options := &metav1.DeleteOptions{}
	if resource == podResource {
		seconds := max(1, int64((grace+time.Second-1)/time.Second))
		options.GracePeriodSeconds = &seconds
	}
	err := e.client(resource).Delete().Namespace(e.namespace).Resource(resource).Name(name).Body(options).Do(ctx).Error()
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// list calls f with every object of ours that is not being removed, of any process.
func (e *Engine) list(ctx context.Context, resource string, f func(*metav1.ObjectMeta)) error {
	options := &metav1.ListOptions{LabelSelector: ownerSelector}
	request := func(into runtime.Object) error {
		return e.client(resource).Get().Namespace(e.namespace).Resource(resource).VersionedParams(options, parameters).Do(ctx).Into(into)
	}
	var metas []*metav1.ObjectMeta
	var err error
	switch resource {
	case podResource:
		var list corev1.PodList
		err = request(&list)
		for i := range list.Items {
			metas = append(metas, &list.Items[i].ObjectMeta)
		}
	case fileResource:
		var list corev1.ConfigMapList
		err = request(&list)
		for i := range list.Items {
			metas = append(metas, &list.Items[i].ObjectMeta)
		}
	case claimResource:
		var list corev1.PersistentVolumeClaimList
		err = request(&list)
		for i := range list.Items {
			metas = append(metas, &list.Items[i].ObjectMeta)
		}
	case policyResource:
		var list networkingv1.NetworkPolicyList
		err = request(&list)
		for i := range list.Items {
			metas = append(metas, &list.Items[i].ObjectMeta)
		}
	}
	for _, meta := range metas {
		if meta.DeletionTimestamp == nil {
			f(meta)
		}
	}
	return err
}
